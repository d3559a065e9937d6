//! Text to commands, and events to text: the only place of these tests that touches the API.

use crate::{agreements, views};
use brazil::charges::{Allocation, Convention, DayBasis, DiscountValue, Fine, LegalRates, Period, ProRata, Rate};
use brazil::pix::StaticTxid;
use kernel::{CollectionAccountId, ContactId, CreditNoteId, Currency, CustomerId, InvoiceId, NaiveDate, PaymentId, Purpose, StepId, Zone};
use receivable::charges::{AgreedInterest, ChargeTerms, EarlyDiscount};
use receivable::{
    Account, AmendInvoice, Answer, AuthorizationItem, AuthorizeReminder, BankNotice, BankRecord, CancelCreditNote, CancelInvoice, Command,
    EraseCustomer, Event, IssueCreditNote, IssueInvoice, Kind, NewCharges, NewInstruments, PaymentReceived, RecordBankNotice,
    RecordPayment, RecordReceipt, RegisterCustomer, Rejection, Release, ReturnPayment, ReversePayment, Source, UndoBankPayment,
    collection::Agreement, decide, evolve, last_look,
};
use std::collections::BTreeSet;

/// Runs a script against a registered payer; each line is `command => what it does`, the latter checked.
pub fn check(script: &str) -> Account {
    check_from(apply(Account::default(), &parse("register")).0, script)
}

/// Runs a script against a given state.
pub fn check_from(mut account: Account, script: &str) -> Account {
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (text, expected) = line.split_once("=>").unwrap_or_else(|| panic!("no => in {line:?}"));
        let command = parse(text.trim());
        let (after, shown) = apply(account, &command);
        assert_eq!(shown, expected.trim(), "{text}");
        account = after;
    }
    account
}

/// Legal rates of these tests: 0,6 % for each of the first nine months of 2026.
pub fn rates() -> LegalRates {
    LegalRates::new((1..=9).map(|month| (2026, month, Rate::from_hundredths(60))).collect())
}

/// What each item of a contact is answered.
pub fn look(account: &Account, text: &str) -> String {
    let Command::AuthorizeReminder(command) = parse(text) else { panic!("{text:?} is no look") };
    let answers = last_look(account, &command, &rates());
    let shown = answers.iter().map(|verdict| match verdict.answer {
        Answer::Authorized { net_minor } => format!("{} {net_minor}", verdict.item.invoice_id),
        Answer::Refused(reason) => format!("{} {}", verdict.item.invoice_id, reason.slug()),
    });
    shown.collect::<Vec<_>>().join(", ")
}

pub fn apply(account: Account, command: &Command) -> (Account, String) {
    match decide(&account, command, &rates()) {
        Ok(events) if events.is_empty() => (account, "nothing".to_owned()),
        Ok(events) => (events.iter().fold(account, evolve), events.iter().map(shown).collect::<Vec<_>>().join("; ")),
        Err(rejection) => (account, refused(rejection)),
    }
}

fn refused(rejection: Rejection) -> String {
    let kind = match rejection.kind() {
        Kind::Invalid => "invalid",
        Kind::NotFound => "not_found",
        Kind::Precondition => "precondition",
    };
    format!("{kind} {} {}", rejection.field(), rejection.slug())
}

fn shown(event: &Event) -> String {
    match event {
        Event::CustomerRegistered(event) => format!("registered {}", event.customer_id),
        Event::CustomerAmended(event) => format!("amended {}", event.customer_id),
        Event::CustomerErased(event) => format!("erased {}", event.customer_id),
        Event::CustomerRated(event) => format!("rated {} {} {}", event.rating.score, event.rating.source, event.rating.rated_on),
        Event::InvoiceViewed(event) => format!("viewed {} {}", event.invoice_id, event.through),
        Event::InvoiceIssued(event) => format!("issued {} {} {}", event.invoice_id, event.amount_minor, event.currency),
        Event::InvoiceAmended(event) => format!(
            "amended {} {}->{} {}->{} open {}{}{}",
            event.invoice_id,
            event.previous_amount_minor,
            event.amount_minor,
            event.previous_due_on,
            event.due_on,
            event.outstanding_minor,
            charged(event.charges_minor, event.discount_minor),
            releases(&event.released)
        ),
        Event::InvoiceCancelled(event) => {
            let charged = charged(event.charges_minor, event.discount_minor);
            format!("cancelled {} was {}{charged}{}", event.invoice_id, event.previous_outstanding_minor, releases(&event.released))
        }
        Event::CreditNoteIssued(e) => {
            let charged = charged(e.charges_minor, e.discount_minor);
            let id = &e.credit_note_id;
            format!("credited {id} applied {}{charged} open {}{}", e.applied_minor, e.outstanding_minor, releases(&e.released))
        }
        Event::CreditNoteCancelled(e) => {
            let charged = charged(e.charges_minor, e.discount_minor);
            let id = &e.credit_note_id;
            format!("uncredited {id} applied {}{charged} open {}{}", e.applied_minor, e.outstanding_minor, releases(&e.released))
        }
        Event::AgreementMade(_)
        | Event::InvoiceRenegotiated(_)
        | Event::AgreementBroken(_)
        | Event::InvoiceReopened(_)
        | Event::AgreementCompleted(_)
        | Event::AgreementResumed(_) => agreements::shown(event),
        Event::PaymentReceived(event) => received(event),
        Event::PaymentReversed(event) => {
            format!(
                "reversed {} applied {}{} credit {} open {}",
                event.payment_id,
                event.applied_minor,
                charged(event.charges_minor, event.discount_minor),
                event.unapplied_minor,
                event.outstanding_minor
            )
        }
        Event::PaymentConfirmed(event) => format!("confirmed {} by {}", event.payment_id, event.confirmed_by),
        Event::BoletoRegistered(record) => format!("registered_at_bank {}", record.invoice_id),
        Event::BoletoRejected(record) => format!("rejected_by_bank {} {}", record.invoice_id, record.reasons.join("+")),
        Event::BoletoWrittenOff(record) => format!("written_off {}", record.invoice_id),
        Event::BoletoNoticed(event) => format!("noticed {} {}", event.record.invoice_id, event.notice),
        Event::BankFeeCharged(event) => format!("fee {} {}", event.invoice_id, event.amount_minor),
        Event::ReminderAuthorized(event) => {
            let items = event.items.iter().map(|item| format!(" {} {}", item.invoice_id, item.net_minor));
            format!("authorized {}{}", event.contact_id, items.collect::<String>())
        }
        Event::InstrumentsAssigned(event) => {
            let slip = event.instruments.boleto.as_ref();
            let boleto = slip.map(|slip| format!(" {} {}", slip.nosso_numero, slip.boleto.barcode())).unwrap_or_default();
            let txid = event.instruments.txid.as_ref().map(|txid| format!(" {txid}")).unwrap_or_default();
            format!("assigned {}{boleto}{txid}", event.invoice_id)
        }
    }
}

fn received(event: &PaymentReceived) -> String {
    format!(
        "received {} applied {}{} credit {} open {}{}",
        event.payment_id,
        event.applied_minor,
        charged(event.charges_minor, event.discount_minor),
        event.unapplied_minor,
        event.outstanding_minor,
        releases(&event.released)
    )
}

pub fn charged(charges_minor: i64, discount_minor: i64) -> String {
    let shown = |name: &str, minor: i64| if minor == 0 { String::new() } else { format!(" {name} {minor}") };
    shown("charges", charges_minor) + &shown("discount", discount_minor)
}

pub fn releases(released: &[Release]) -> String {
    released.iter().map(|release| format!(" {}:{}", release.payment_id, release.amount_minor)).collect()
}

/// The words are those of the tables: `issue I1 100 2026-01-01 2026-02-01 [BRL] [doc] [debit=2026-02-01]`,
/// `pay P1 I1 60 2026-01-20 [BRL]`, `reverse P1 why 2026-01-25`, `told pix P1 I1 60 2026-01-20 fee=2`, `return D1 P1 20 2026-01-25`,
/// `credit N1 I1 30 2026-01-25` (`-` for no invoice), `uncredit N1 2026-01-26`, `undo R1 I1 60`, `bank R1 I1 rejected reasons=08,63 fee=2`, `amend I1 amount=50 due=2026-03-01 debit=none`, `cancel I1 why`,
/// `view I1 2026-02-09T08:00:00Z portal`, `rate 70 serasa 2026-02-09`,
/// `look C1 tol=0 I1 I2:min=30:disputed=20 late:I3 [at=2026-02-02T12:00:00Z] [on=2026-02-02] [feed=stale]`.
pub fn parse(text: &str) -> Command {
    let words: Vec<&str> = text.split_whitespace().collect();
    let plain: Vec<&str> = words.iter().copied().filter(|word| !word.starts_with("debit=")).collect();
    let word = |index: usize| plain.get(index).copied().unwrap_or("");
    match word(0) {
        "register" => register(&words[1..]),
        "erase" => Command::EraseCustomer(EraseCustomer { customer_id: CustomerId::new("c1").unwrap() }),
        "view" | "rate" => views::parse(&words),
        "issue" => Command::IssueInvoice(IssueInvoice {
            invoice_id: InvoiceId::new(word(1)).unwrap(),
            amount_minor: word(2).parse().unwrap(),
            currency: currency(word(5)),
            issued_on: day(word(3)),
            due_on: day(word(4)),
            document: plain.get(6).map(|text| (*text).to_owned()),
            automatic_debit_on: setting(&words, "debit=").map(day),
            instruments: None,
            charges: None,
        }),
        "slip" => slip(&words),
        "owe" => owe(&words),
        "amend" => Command::AmendInvoice(AmendInvoice {
            invoice_id: InvoiceId::new(word(1)).unwrap(),
            amount_minor: setting(&words, "amount=").map(|text| text.parse().unwrap()),
            due_on: setting(&words, "due=").map(day),
            automatic_debit_on: setting(&words, "debit=").map(|text| (text != "none").then(|| day(text))),
            today: day("2026-01-15"),
        }),
        "cancel" => Command::CancelInvoice(CancelInvoice {
            invoice_id: InvoiceId::new(word(1)).unwrap(),
            reason: word(2).to_owned(),
            today: day("2026-01-15"),
        }),
        "credit" => credit_note(&words),
        "uncredit" => {
            let credit_note_id = CreditNoteId::new(word(1)).unwrap();
            Command::CancelCreditNote(CancelCreditNote { credit_note_id, reason: "engano".to_owned(), today: day(word(2)) })
        }
        "pay" => Command::RecordPayment(payment(&words[1..])),
        "told" => Command::RecordReceipt(RecordReceipt {
            payment: payment(&words[2..]),
            source: Source::named(word(1)).unwrap(),
            fee_minor: setting(&words, "fee=").map_or(0, |text| text.parse().unwrap()),
        }),
        "return" => Command::ReturnPayment(ReturnPayment {
            payment_id: PaymentId::new(word(2)).unwrap(),
            return_id: word(1).to_owned(),
            amount_minor: word(3).parse().unwrap(),
            reason: "devolvido".to_owned(),
            returned_on: day(word(4)),
        }),
        "undo" => Command::UndoBankPayment(UndoBankPayment {
            record_id: word(1).to_owned(),
            invoice_id: InvoiceId::new(word(2)).unwrap(),
            amount_minor: word(3).parse().unwrap(),
            reason: "bank_reversal".to_owned(),
            undone_on: day("2026-02-03"),
        }),
        "agree" | "break" | "late" => agreements::parse(&words),
        "bank" => bank_notice(&words),
        "reverse" => Command::ReversePayment(ReversePayment {
            payment_id: PaymentId::new(word(1)).unwrap(),
            reason: word(2).to_owned(),
            reversed_on: day(word(3)),
        }),
        "look" => authorize(&words),
        other => panic!("{other:?} is no command"),
    }
}

/// `slip I1 100 2026-01-01 2026-02-01 number=7 [account=b] [currency=USD] [bank=104]`: an invoice with a boleto and a Pix id.
fn slip(words: &[&str]) -> Command {
    let bank = setting(words, "bank=").unwrap_or("33").parse().unwrap();
    let agreement = Agreement { bank, agreement: "123456".to_owned(), wallet: "101".to_owned(), first_number: 1, ..Agreement::default() };
    let instruments = NewInstruments {
        account_id: CollectionAccountId::new(setting(words, "account=").unwrap_or("a")).unwrap(),
        named: setting(words, "account=").is_some(),
        number: Some((agreement, setting(words, "number=").unwrap().parse().unwrap())),
        txid: Some(StaticTxid::new("TX1").unwrap()),
    };
    Command::IssueInvoice(IssueInvoice {
        invoice_id: InvoiceId::new(words[1]).unwrap(),
        amount_minor: words[2].parse().unwrap(),
        currency: currency(setting(words, "currency=").unwrap_or("")),
        issued_on: day(words[3]),
        due_on: day(words[4]),
        document: None,
        automatic_debit_on: None,
        instruments: Some(instruments),
        charges: None,
    })
}

/// `owe I1 10000 2026-01-01 2026-02-02 fine=2 interest=1 discount=10:5 first=principal`: an invoice with a fine of 2 %, interest of 1 % a
/// month (or `interest=legal`), and 5 % off until ten days before it is due.
fn owe(words: &[&str]) -> Command {
    Command::IssueInvoice(IssueInvoice {
        invoice_id: InvoiceId::new(words[1]).unwrap(),
        amount_minor: words[2].parse().unwrap(),
        currency: Currency::BRL,
        issued_on: day(words[3]),
        due_on: day(words[4]),
        document: None,
        automatic_debit_on: None,
        instruments: None,
        charges: Some(NewCharges { terms: terms(words), named: true }),
    })
}

/// The terms of `owe`.
pub fn terms(words: &[&str]) -> ChargeTerms {
    let percent = |name: &str| setting(words, name).map(|text| Rate::parse(text).unwrap());
    let interest = match setting(words, "interest=") {
        None => AgreedInterest::None,
        Some("legal") => AgreedInterest::Legal(ProRata::ActualMonth),
        Some(text) => AgreedInterest::Rate {
            rate: Rate::parse(text).unwrap(),
            period: Period::Month(30),
            days: DayBasis::Calendar,
            convention: Convention::Exact,
        },
    };
    let discount = |text: &str| {
        let (days, percent) = text.split_once(':').unwrap();
        EarlyDiscount { days_before_due: days.parse().unwrap(), value: DiscountValue::Percent(Rate::parse(percent).unwrap()) }
    };
    let allocation = if setting(words, "first=") == Some("principal") { Allocation::PrincipalFirst } else { Allocation::ChargesFirst };
    ChargeTerms {
        fine: percent("fine=").map(Fine::Percent),
        interest,
        discounts: setting(words, "discount=").map(|all| all.split(',').map(discount).collect()).unwrap_or_default(),
        allocation,
        ..ChargeTerms::default()
    }
}

fn credit_note(words: &[&str]) -> Command {
    Command::IssueCreditNote(IssueCreditNote {
        credit_note_id: CreditNoteId::new(words[1]).unwrap(),
        invoice_id: (words[2] != "-").then(|| InvoiceId::new(words[2]).unwrap()),
        amount_minor: words[3].parse().unwrap(),
        currency: currency(words.get(5).copied().unwrap_or("")),
        reason: "desconto".to_owned(),
        noted_on: day(words[4]),
    })
}

fn payment(words: &[&str]) -> RecordPayment {
    RecordPayment {
        payment_id: PaymentId::new(words[0]).unwrap(),
        invoice_id: InvoiceId::new(words[1]).unwrap(),
        amount_minor: words[2].parse().unwrap(),
        currency: currency(words.get(4).filter(|word| !word.contains('=')).copied().unwrap_or("")),
        paid_on: day(words[3]),
        method: "pix".to_owned(),
    }
}

fn bank_notice(words: &[&str]) -> Command {
    let notice = match words[3] {
        "registered" => BankNotice::Registered,
        "rejected" => BankNotice::Rejected,
        "written_off" => BankNotice::WrittenOff,
        "fee" => BankNotice::Fee,
        other => BankNotice::Other(other.to_owned()),
    };
    let record = BankRecord {
        invoice_id: InvoiceId::new(words[2]).unwrap(),
        record_id: words[1].to_owned(),
        bank: "341".to_owned(),
        movement: "02".to_owned(),
        reasons: setting(words, "reasons=").map_or_else(Vec::new, |text| text.split(',').map(str::to_owned).collect()),
        event_on: None,
    };
    let fee_minor = setting(words, "fee=").map_or(0, |text| text.parse().unwrap());
    Command::RecordBankNotice(RecordBankNotice { record, notice, fee_minor, today: day("2026-01-20") })
}

fn register(words: &[&str]) -> Command {
    let mut attributes = receivable::Attributes::default();
    let mut consents = BTreeSet::new();
    for word in words {
        match word.split_once('=').unwrap() {
            ("zone", zone) => attributes.zone = Some(zone.to_owned()),
            ("segment", segment) => attributes.segment = Some(segment.to_owned()),
            ("language", language) => attributes.language = language.to_owned(),
            ("consent", channel) => {
                consents.insert(channel.to_owned());
            }
            (name, _) => panic!("{name:?} is no attribute"),
        }
    }
    Command::RegisterCustomer(RegisterCustomer { customer_id: CustomerId::new("c1").unwrap(), attributes, consents })
}

fn authorize(words: &[&str]) -> Command {
    let item = |word: &&str| {
        let (overdue, word) = word.strip_prefix("late:").map_or((false, *word), |word| (true, word));
        let (word, purpose) = word.split_once(":for=").unwrap_or((word, ""));
        let (word, disputed) = word.split_once(":disputed=").unwrap_or((word, "0"));
        let (invoice_id, minimum) = word.split_once(":min=").unwrap_or((word, "0"));
        AuthorizationItem {
            invoice_id: InvoiceId::new(invoice_id).unwrap(),
            cycle: 1,
            step_id: StepId::new("d+1").unwrap(),
            occurrence: 1,
            min_outstanding_minor: minimum.parse().unwrap(),
            overdue,
            disputed_minor: disputed.parse().unwrap(),
            purpose: Purpose::named(purpose).unwrap(),
        }
    };
    Command::AuthorizeReminder(AuthorizeReminder {
        contact_id: ContactId::new(words[1]).unwrap(),
        items: words[2..]
            .iter()
            .filter(|word| !word.contains('=') || [":min=", ":disputed=", ":for="].iter().any(|option| word.contains(option)))
            .map(item)
            .collect(),
        at: setting(words, "at=").unwrap_or("2026-02-02T12:00:00Z").parse().unwrap(),
        day: day(setting(words, "on=").unwrap_or("2026-02-02")),
        tolerance_minor: setting(words, "tol=").unwrap().parse().unwrap(),
        zone: Zone::SAO_PAULO,
        feed_stale: setting(words, "feed=") == Some("stale"),
    })
}

pub fn setting<'a>(words: &[&'a str], name: &str) -> Option<&'a str> {
    words.iter().find_map(|word| word.strip_prefix(name))
}

fn currency(code: &str) -> Currency {
    if code.is_empty() { Currency::BRL } else { Currency::new(code).unwrap() }
}

pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}
