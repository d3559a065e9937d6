//! The last look: what may still be said to a payer at this version of the account.

use crate::{Account, AuthorizationItem, AuthorizeReminder, Invoice, Phase, Standing, charges::due_minor, coverage};
use alloc::{borrow::Cow, collections::BTreeMap, vec::Vec};
use brazil::charges::LegalRates;
use kernel::{InvoiceId, Purpose, Zone};

/// The owner's answer for one step occurrence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What was asked.
    pub item: AuthorizationItem,
    /// What may be done.
    pub answer: Answer,
}

/// What may be done with an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It may go out and says this balance, in minor units.
    Authorized {
        /// What settles it on the day less the credit that covers it; of a notice that it is over, its amount. More than zero.
        net_minor: i64,
    },
    /// It may not go out.
    Refused(RefusalReason),
}

/// Why an item may not go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefusalReason {
    /// The payer has no such invoice.
    Unknown,
    /// The payer's personal data was deleted.
    CustomerErased,
    /// The invoice is no longer owed.
    Cancelled,
    /// Nothing is open.
    Paid,
    /// It is owed by the instalments of an agreement.
    Renegotiated,
    /// What is due does not exceed the tenant's tolerance.
    WithinTolerance,
    /// Unapplied credit leaves nothing above the tolerance.
    CoveredByCredit,
    /// The net balance is below the step's minimum.
    BelowMinimum,
    /// Thanks or a correction, and it is owed.
    OwedAgain,
    /// Not now: a bank is to debit it on a day that has not come in the payer's zone.
    AutomaticDebit,
    /// Not now: it is overdue as far as is known, and payments may be missing.
    StaleFeed,
    /// Not now: the legal rate of a month in which interest runs is not known here yet.
    ChargesUnknown,
    /// Not now: all that is open is contested.
    Disputed,
}

impl RefusalReason {
    /// All of them.
    pub const ALL: [RefusalReason; 13] = [
        RefusalReason::Unknown,
        RefusalReason::CustomerErased,
        RefusalReason::Cancelled,
        RefusalReason::Paid,
        RefusalReason::Renegotiated,
        RefusalReason::WithinTolerance,
        RefusalReason::CoveredByCredit,
        RefusalReason::BelowMinimum,
        RefusalReason::OwedAgain,
        RefusalReason::AutomaticDebit,
        RefusalReason::StaleFeed,
        RefusalReason::ChargesUnknown,
        RefusalReason::Disputed,
    ];

    /// By its slug.
    pub fn named(slug: &str) -> Option<Self> {
        RefusalReason::ALL.into_iter().find(|reason| reason.slug() == slug)
    }

    /// Stable reason.
    pub fn slug(self) -> &'static str {
        match self {
            RefusalReason::Unknown => "unknown",
            RefusalReason::CustomerErased => "customer_erased",
            RefusalReason::Cancelled => "cancelled",
            RefusalReason::Paid => "paid",
            RefusalReason::Renegotiated => "renegotiated",
            RefusalReason::WithinTolerance => "within_tolerance",
            RefusalReason::CoveredByCredit => "covered_by_credit",
            RefusalReason::BelowMinimum => "below_minimum",
            RefusalReason::OwedAgain => "owed_again",
            RefusalReason::AutomaticDebit => "automatic_debit",
            RefusalReason::StaleFeed => "stale_feed",
            RefusalReason::ChargesUnknown => "charges_unknown",
            RefusalReason::Disputed => "disputed",
        }
    }
}

/// One verdict for each item, in the order asked, with the charges and discounts of a day. Depends on account, question and legal rates
/// alone: the same ones get the same. What ends an item for good comes before what only puts it off. What is contested is not asked for.
pub fn last_look(account: &Account, asked: &AuthorizeReminder, rates: &LegalRates) -> Vec<Verdict> {
    let account = uncontested(account, &asked.items);
    let net = coverage::net_minor(&account, asked.day, rates);
    asked.items.iter().map(|item| Verdict { item: item.clone(), answer: look(&account, (&net, rates), item, asked) }).collect()
}

/// The account as if the contested parts of some items had never been asked, as a credit note would leave it: charges are on the rest, and
/// credit covers the rest. What is contested of a receivable that is named twice is the larger part.
pub fn uncontested<'a>(account: &'a Account, items: &[AuthorizationItem]) -> Cow<'a, Account> {
    let mut parts: BTreeMap<&InvoiceId, i64> = BTreeMap::new();
    for item in items.iter().filter(|item| item.disputed_minor > 0) {
        let part = parts.entry(&item.invoice_id).or_default();
        *part = item.disputed_minor.max(*part);
    }
    let mut account = Cow::Borrowed(account);
    for (invoice_id, disputed_minor) in parts {
        if account.invoices.get(invoice_id).is_some_and(|invoice| invoice.phase == Phase::Open)
            && let Some(invoice) = account.to_mut().invoices.get_mut(invoice_id)
        {
            let part = disputed_minor.min(invoice.open_minor);
            invoice.open_minor -= part;
            invoice.credited_minor = invoice.credited_minor.saturating_add(part);
        }
    }
    account
}

fn look(
    account: &Account,
    (net, rates): (&BTreeMap<InvoiceId, i64>, &LegalRates),
    item: &AuthorizationItem,
    asked: &AuthorizeReminder,
) -> Answer {
    let Some(invoice) = account.invoices.get(&item.invoice_id) else { return Answer::Refused(RefusalReason::Unknown) };
    if account.standing == Standing::Erased {
        return Answer::Refused(RefusalReason::CustomerErased);
    }
    if let Some(answer) = over(invoice, item.purpose) {
        return answer;
    }
    match invoice.phase {
        Phase::Cancelled => return Answer::Refused(RefusalReason::Cancelled),
        Phase::Settled => return Answer::Refused(RefusalReason::Paid),
        Phase::Renegotiated if invoice.open_minor == 0 => return Answer::Refused(RefusalReason::Renegotiated),
        Phase::Open | Phase::Renegotiated => {}
    }
    if item.disputed_minor > 0 && invoice.open_minor <= 0 {
        return Answer::Refused(RefusalReason::Disputed);
    }
    let Ok(due_minor) = due_minor(account, invoice, asked.day, rates) else {
        return Answer::Refused(RefusalReason::ChargesUnknown);
    };
    let net_minor = net.get(&item.invoice_id).copied().unwrap_or(due_minor);
    if due_minor <= asked.tolerance_minor {
        Answer::Refused(RefusalReason::WithinTolerance)
    } else if net_minor <= asked.tolerance_minor {
        Answer::Refused(RefusalReason::CoveredByCredit)
    } else if net_minor < item.min_outstanding_minor {
        Answer::Refused(RefusalReason::BelowMinimum)
    } else {
        not_now(account, invoice, item, asked).map_or(Answer::Authorized { net_minor }, Answer::Refused)
    }
}

/// The answer for what says that the invoice is over; `None` for a reminder. It asks for nothing: neither credit nor a feed matters.
fn over(invoice: &Invoice, purpose: Purpose) -> Option<Answer> {
    let said = match purpose {
        Purpose::Reminder => return None,
        Purpose::ThankYou => Phase::Settled,
        Purpose::Correction => Phase::Cancelled,
    };
    Some(match invoice.phase {
        phase if phase == said => Answer::Authorized { net_minor: invoice.amount_minor },
        Phase::Cancelled => Answer::Refused(RefusalReason::Cancelled),
        Phase::Settled => Answer::Refused(RefusalReason::Paid),
        Phase::Open | Phase::Renegotiated => Answer::Refused(RefusalReason::OwedAgain),
    })
}

/// Why an item that is owed waits. A debit that is still to come pays it without anybody being asked; once its day is here, what is
/// open may be said again.
fn not_now(account: &Account, invoice: &Invoice, item: &AuthorizationItem, asked: &AuthorizeReminder) -> Option<RefusalReason> {
    let zone = account.attributes.zone.as_deref().and_then(Zone::named).unwrap_or(asked.zone);
    if invoice.automatic_debit_on.is_some_and(|day| zone.day_of(asked.at) < day) {
        return Some(RefusalReason::AutomaticDebit);
    }
    (item.overdue && asked.feed_stale).then_some(RefusalReason::StaleFeed)
}
