//! What people tell the services: facts become commands, each with an id of its own, and may be told again.

use crate::history::{Fact, History, Planned, Who, day_of, later};
use crate::journal::Refusal;
use crate::policy::migrated;
use crate::witness::Invariant;
use crate::world::World;
use brazil::charges::{Convention, DayBasis, Fine, Period, Rate};
use chrono::TimeDelta;
use dunning_engine::aggregate::Order;
use kernel::{AgreementId, ArrangementId, CreditNoteId, Currency, CustomerId, InvoiceId, NaiveDate, PaymentId};
use ladder::arrangement::ArrangementEnd;
use ladder::ladder::Arrange;
use receivable::charges::{AgreedInterest, ChargeTerms};
use receivable::{
    AmendInvoice, BreakAgreement, BreakCause, CancelCreditNote, CancelInvoice, Command, EraseCustomer, IssueCreditNote, IssueInvoice,
    MakeAgreement, NewCharges, RecordPayment, ReturnPayment, ReversePayment,
};
use std::collections::{BTreeMap, VecDeque};

/// A fact on its way to a service.
#[derive(Debug, Clone)]
pub struct Letter {
    /// What is told.
    pub planned: Planned,
    /// The id of the command.
    pub key: String,
    /// What was asked, word for word, once it was.
    asked: Option<Ask>,
}

#[derive(Debug, Clone)]
enum Ask {
    Invoice(Box<Command>),
    Engine(ladder::Command),
    Notification(notice::Command),
}

/// Whom a fact is told.
fn addressee(fact: &Fact) -> Who {
    match fact {
        Fact::Issued { .. }
        | Fact::Paid { .. }
        | Fact::Reversed { .. }
        | Fact::ReturnedInPart { .. }
        | Fact::DueMoved { .. }
        | Fact::AmountChanged { .. }
        | Fact::Cancelled
        | Fact::Credited { .. }
        | Fact::CreditTakenBack { .. }
        | Fact::Agreed { .. }
        | Fact::Broken
        | Fact::Erased => Who::Invoice,
        Fact::Held { .. }
        | Fact::Disputed { .. }
        | Fact::Promised { .. }
        | Fact::Announced { .. }
        | Fact::Ended { .. }
        | Fact::WrittenOff
        | Fact::HandedOff
        | Fact::Migrated => Who::Engine,
        Fact::OptedOut { .. } | Fact::OptedIn { .. } => Who::Notification,
    }
}

/// All facts of a history, by whom they are told.
pub fn letters(history: &History) -> BTreeMap<Who, VecDeque<Letter>> {
    let mut letters: BTreeMap<Who, VecDeque<Letter>> = BTreeMap::new();
    for (number, planned) in history.facts.iter().enumerate() {
        let letter = Letter { planned: planned.clone(), key: format!("fact-{number}"), asked: None };
        letters.entry(addressee(&planned.fact)).or_default().push_back(letter);
    }
    letters
}

/// The terms of charges of this world: a fine of 2 % and interest of 1 % a month.
pub fn charge_terms() -> ChargeTerms {
    ChargeTerms {
        fine: Some(Fine::Percent(Rate::percent(2))),
        interest: AgreedInterest::Rate {
            rate: Rate::percent(1),
            period: Period::Month(30),
            days: DayBasis::Calendar,
            convention: Convention::Exact,
        },
        ..ChargeTerms::default()
    }
}

impl World {
    /// Tells a fact, or tells it again.
    pub(crate) fn tell(&mut self, mut letter: Letter) {
        let Planned { payer, invoice, fact, at } = letter.planned.clone();
        let again = letter.asked.is_some();
        let Some(ask) = letter.asked.clone().or_else(|| self.ask(&letter)) else { return };
        letter.asked = Some(ask.clone());
        let key = Some(letter.key.clone());
        let made = if let Ask::Invoice(command) = &ask { made(command) } else { None };
        let answer = match ask {
            Ask::Invoice(command) => self.of_invoice(payer, *command, key).map(|_| ()),
            Ask::Engine(command) => self.of_engine(payer, Order::Ladder(command), (key, None)).map(|_| ()),
            Ask::Notification(command) => self.of_notification(payer, command, (key, None)).map(|_| ()),
        };
        self.say(|| format!("{}: {} {invoice} {fact:?} -> {answer:?}", if again { "told again" } else { "told" }, letter.key));
        match answer {
            Ok(()) if again => self.count("fault: told again"),
            Ok(()) => {
                self.count(&format!("fact: {}", fact.kind()));
                if addressee(&fact) == Who::Invoice {
                    self.books[payer].note(&invoice, &fact, day_of(at));
                }
                if let (Some(make), Fact::Agreed { charged, .. }) = (made, &fact) {
                    let account = self.account(payer);
                    let wrong = self.books[payer].agreed(&make, &account, *charged);
                    wrong.into_iter().for_each(|what| self.accuse(Invariant::Ledger, what));
                }
                // Whoever hears no answer asks again with the same id, hours or days later.
                if self.chance.permille(self.history.faults_permille * 4) {
                    let later = self.now + TimeDelta::minutes(self.chance.within(1, 60 * 24 * 8));
                    self.unanswered.push((later, letter));
                }
            }
            Err(Refusal::Rejected(_)) => self.count("fact: refused"),
            Err(Refusal::Fenced | Refusal::Fault(_)) => self.accuse(Invariant::Contracts, format!("{fact:?}: {answer:?}")),
        }
    }

    fn ask(&mut self, letter: &Letter) -> Option<Ask> {
        let Planned { payer, invoice, fact, at } = &letter.planned;
        let today = day_of(*at);
        Some(match addressee(fact) {
            Who::Invoice => Ask::Invoice(Box::new(self.of_owner((*payer, invoice), fact, today)?)),
            Who::Engine => Ask::Engine(self.of_planner(invoice, fact, (today, &letter.key))?),
            Who::Notification => Ask::Notification(consent(fact)?),
        })
    }

    fn of_owner(&self, (payer, invoice): (usize, &str), fact: &Fact, today: NaiveDate) -> Option<Command> {
        let invoice_id = InvoiceId::new(invoice).ok()?;
        let amend = AmendInvoice { invoice_id: invoice_id.clone(), amount_minor: None, due_on: None, automatic_debit_on: None, today };
        let reason = || "pedido".to_owned();
        Some(match fact {
            Fact::Issued { amount_minor, term_days, charged, debit_days } => Command::IssueInvoice(IssueInvoice {
                invoice_id,
                amount_minor: *amount_minor,
                currency: Currency::BRL,
                issued_on: today,
                due_on: later(today, *term_days),
                document: None,
                automatic_debit_on: debit_days.map(|days| later(today, days)),
                instruments: None,
                charges: charged.then(|| NewCharges { terms: charge_terms(), named: true }),
            }),
            Fact::Paid { payment, amount_minor } => Command::RecordPayment(RecordPayment {
                payment_id: PaymentId::new(payment).ok()?,
                invoice_id,
                amount_minor: *amount_minor,
                currency: Currency::BRL,
                paid_on: today,
                method: "pix".to_owned(),
            }),
            Fact::Reversed { payment } => {
                Command::ReversePayment(ReversePayment { payment_id: PaymentId::new(payment).ok()?, reason: reason(), reversed_on: today })
            }
            Fact::ReturnedInPart { payment, amount_minor } => Command::ReturnPayment(ReturnPayment {
                payment_id: PaymentId::new(payment).ok()?,
                return_id: format!("r.{payment}.{today}"),
                amount_minor: *amount_minor,
                reason: reason(),
                returned_on: today,
            }),
            Fact::DueMoved { days } => {
                Command::AmendInvoice(AmendInvoice { due_on: Some(self.books[payer].moved(invoice, *days)?), ..amend })
            }
            Fact::AmountChanged { amount_minor } => Command::AmendInvoice(AmendInvoice { amount_minor: Some(*amount_minor), ..amend }),
            Fact::Cancelled => Command::CancelInvoice(CancelInvoice { invoice_id, reason: reason(), today }),
            Fact::Credited { note, amount_minor, whole_payer } => Command::IssueCreditNote(IssueCreditNote {
                credit_note_id: CreditNoteId::new(note).ok()?,
                invoice_id: (!whole_payer).then_some(invoice_id),
                amount_minor: *amount_minor,
                currency: Currency::BRL,
                reason: reason(),
                noted_on: today,
            }),
            Fact::CreditTakenBack { note } => {
                Command::CancelCreditNote(CancelCreditNote { credit_note_id: CreditNoteId::new(note).ok()?, reason: reason(), today })
            }
            Fact::Agreed { .. } => Command::MakeAgreement(self.agreement((payer, invoice), fact, today)?),
            Fact::Broken => Command::BreakAgreement(BreakAgreement {
                agreement_id: Some(AgreementId::new(invoice).ok()?),
                cause: BreakCause::Person,
                reason: reason(),
                today,
            }),
            Fact::Erased => Command::EraseCustomer(EraseCustomer { customer_id: CustomerId::new(self.payer(payer)).ok()? }),
            _ => return None,
        })
    }

    fn agreement(&self, (payer, name): (usize, &str), fact: &Fact, today: NaiveDate) -> Option<MakeAgreement> {
        let Fact::Agreed { debts, instalments, breach_after_days, charged } = fact else { return None };
        let debts = self.books[payer].to_renegotiate(*debts);
        let instalment = |(place, (amount_minor, days)): (usize, &(i64, i64))| {
            Some(IssueInvoice {
                invoice_id: InvoiceId::new(&format!("{name}-{}", place + 1)).ok()?,
                amount_minor: *amount_minor,
                currency: Currency::BRL,
                issued_on: today,
                due_on: later(today, *days),
                document: None,
                automatic_debit_on: None,
                instruments: None,
                charges: charged.then(|| NewCharges { terms: charge_terms(), named: true }),
            })
        };
        let instalments = instalments.iter().enumerate().map(instalment).collect::<Option<Vec<_>>>()?;
        (!debts.is_empty()).then_some(())?;
        Some(MakeAgreement {
            agreement_id: AgreementId::new(name).ok()?,
            originals: debts.iter().map(|debt| InvoiceId::new(debt).ok()).collect::<Option<Vec<_>>>()?,
            total_minor: instalments.iter().map(|issue| issue.amount_minor).sum(),
            instalments,
            breach_after_days: *breach_after_days,
            made_on: today,
        })
    }

    fn of_planner(&self, invoice: &str, fact: &Fact, (today, key): (NaiveDate, &str)) -> Option<ladder::Command> {
        let (invoice_id, id) = (InvoiceId::new(invoice).ok()?, ArrangementId::new(key).ok()?);
        let day = |days: i64| Some(later(today, days));
        let what = match fact {
            Fact::Held { days, for_review } => {
                let (until, review_on) = if *for_review { (None, day(*days)) } else { (day(*days), None) };
                Arrange::Hold { id, invoice_id, until, review_on }
            }
            Fact::Disputed { amount_minor } => Arrange::Dispute { id, invoice_id, amount_minor: *amount_minor },
            Fact::Promised { days, amount_minor } => Arrange::Promise {
                id,
                invoice_ids: vec![invoice_id],
                amount_minor: *amount_minor,
                currency: Currency::BRL,
                promised_on: later(today, *days),
                method: None,
            },
            Fact::Announced { method } => Arrange::Announce { id, invoice_id, method: *method },
            Fact::Ended { kind } => Arrange::End { invoice_id, kind: *kind, end: ArrangementEnd::Lifted },
            Fact::WrittenOff => Arrange::WriteOff { invoice_id },
            Fact::HandedOff => Arrange::HandOff { invoice_id },
            Fact::Migrated => {
                let policy = migrated(self.history.tenant)?;
                let (by, why) = ("ana".to_owned(), "nova régua".to_owned());
                return Some(ladder::Command::Migrate { from: (policy.clone(), 1), to: (policy, 2), by, why, now: self.now });
            }
            _ => return None,
        };
        Some(ladder::Command::Arrange { at: self.now, by: "ana".to_owned(), why: "ligou".to_owned(), what })
    }
}

fn made(command: &Command) -> Option<MakeAgreement> {
    if let Command::MakeAgreement(make) = command { Some(make.clone()) } else { None }
}

fn consent(fact: &Fact) -> Option<notice::Command> {
    match fact {
        Fact::OptedOut { channel } => Some(notice::Command::OptOut(notice::OptOut { channel: *channel })),
        Fact::OptedIn { channel } => Some(notice::Command::OptIn(notice::OptIn { channel: *channel })),
        _ => None,
    }
}
