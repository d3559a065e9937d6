//! Requests → commands, state → responses. Errors name the field as the caller wrote it.

use crate::query::InvoiceFilter;
use chrono::{DateTime, NaiveDate, Utc};
use contracts::invoice::v1 as proto;
use host::{
    Refusal,
    request::{FIRST_DAY, LAST_DAY, date, date_or, filter, id, optional_id},
};
use kernel::{
    CollectionAccountId, ContactId, CreditNoteId, Currency, CustomerId, InvoiceId, PaymentId, StepId, Zone, personal::Personal, text,
};
use receivable::{Account, Command};

const CHANNELS: [&str; 5] = ["email", "whatsapp", "sms", "voice", "letter"];
const METHODS: [&str; 6] = ["pix", "boleto", "card", "transfer", "cash", "other"];
const MAX_PHONES: usize = 10;
/// Longest language tag; as the account takes it.
const MAX_LANGUAGE_CHARS: usize = 16;
const MAX_ITEMS: usize = 1000;

/// Contact data of a payer: personal, kept in the customer table only.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contact {
    /// Shown in messages.
    pub name: Personal,
    /// CPF or CNPJ, digits and letters only.
    pub tax_id: Personal,
    /// Address of e-mail.
    pub email: Personal,
    /// E.164, the first preferred.
    pub phones: Vec<Personal>,
    /// One line.
    pub address: Personal,
}

fn malformed(field: &str, fault: impl std::fmt::Display) -> Refusal {
    Refusal::invalid(field, "text_refused", fault.to_string())
}

pub(super) fn optional_text(field: &str, value: &str, max: usize) -> Result<Option<String>, Refusal> {
    if value.is_empty() { Ok(None) } else { text::bounded(value, max).map(Some).map_err(|fault| malformed(field, fault)) }
}

/// A payer: command and contact data. Errors: INVALID_ARGUMENT on the field at fault.
pub fn customer(message: Option<proto::Customer>) -> Result<(receivable::RegisterCustomer, Contact), Refusal> {
    let m = message.ok_or_else(|| Refusal::invalid("customer", "missing", "is missing"))?;
    let customer_id = id("customer.customer_id", &m.customer_id, CustomerId::new)?;
    let a = m.attributes.unwrap_or_default();
    for channel in &m.consents {
        if !CHANNELS.contains(&channel.as_str()) {
            return Err(Refusal::invalid("customer.consents", "unknown_channel", "should be email, whatsapp, sms, voice or letter"));
        }
    }
    let state = state(&a.state)?;
    let municipality = municipality(&a.municipality, state.as_deref())?;
    let zone = zone(&a.time_zone)?.or_else(|| state.as_deref().and_then(Zone::of_state));
    let language = if a.language.is_empty() { "pt-BR".to_owned() } else { a.language };
    let attributes = receivable::Attributes {
        segment: optional_text("customer.attributes.segment", &a.segment, 64)?,
        language: language_tag(language)?,
        zone: zone.map(|zone| zone.name().to_owned()),
        state,
        municipality,
    };
    let contact = Contact {
        name: Personal::new(optional_text("customer.name", &m.name, 120)?.unwrap_or_default()),
        tax_id: tax_id(&m.tax_id)?,
        email: email(&m.email)?,
        phones: phones(&m.phones)?,
        address: Personal::new(optional_text("customer.address", &m.address, 250)?.unwrap_or_default()),
    };
    let register = receivable::RegisterCustomer { customer_id, attributes, consents: m.consents.into_iter().collect() };
    Ok((register, contact))
}

fn language_tag(text: String) -> Result<String, Refusal> {
    let field = "customer.attributes.language";
    if text.len() > MAX_LANGUAGE_CHARS || text.chars().any(char::is_control) {
        return Err(malformed(field, format!("should be at most {MAX_LANGUAGE_CHARS} letters, digits and -")));
    }
    let is_tag = text::is_language_tag(&text);
    if is_tag { Ok(text) } else { Err(Refusal::invalid(field, "language_malformed", "should be a language tag, as pt-BR")) }
}

fn state(text: &str) -> Result<Option<String>, Refusal> {
    if text.is_empty() {
        return Ok(None);
    }
    let known = Zone::of_state(text).is_some();
    if known {
        Ok(Some(text.to_owned()))
    } else {
        Err(Refusal::invalid("customer.attributes.state", "unknown_state", "should be two letters of a Brazilian state"))
    }
}

/// A municipality lies in the payer's state, which must be said.
fn municipality(text: &str, state: Option<&str>) -> Result<Option<String>, Refusal> {
    if text.is_empty() {
        return Ok(None);
    }
    let field = "customer.attributes.municipality";
    let read = brazil::Municipality::parse(text).map_err(|fault| Refusal::invalid(field, "municipality_malformed", fault.to_string()))?;
    if state == Some(read.state().code()) {
        Ok(Some(read.to_string()))
    } else {
        let text = format!("is in {}, which should be the payer's state", read.state());
        Err(Refusal::invalid(field, "municipality_not_in_state", text))
    }
}

fn zone(text: &str) -> Result<Option<Zone>, Refusal> {
    if text.is_empty() {
        return Ok(None);
    }
    Zone::named(text).map(Some).ok_or_else(|| Refusal::invalid("customer.attributes.time_zone", "unknown_zone", "is no known IANA zone"))
}

fn tax_id(text: &str) -> Result<Personal, Refusal> {
    if text.is_empty() {
        return Ok(Personal::default());
    }
    let parsed = brazil::tax_id::TaxId::parse(text);
    parsed
        .map(|tax_id| Personal::new(tax_id.reveal()))
        .map_err(|fault| Refusal::invalid("customer.tax_id", "tax_id_malformed", fault.to_string()))
}

fn email(text: &str) -> Result<Personal, Refusal> {
    let Some(text) = optional_text("customer.email", text, 254)? else { return Ok(Personal::default()) };
    let good = kernel::text::is_email(&text);
    if good { Ok(Personal::new(text)) } else { Err(Refusal::invalid("customer.email", "email_malformed", "is no e-mail address")) }
}

fn phones(texts: &[String]) -> Result<Vec<Personal>, Refusal> {
    if texts.len() > MAX_PHONES {
        return Err(Refusal::invalid("customer.phones", "too_many", "more than 10 phones"));
    }
    let one = |text: &String| match brazil::phone::Phone::parse(text) {
        Ok(phone) => Ok(Personal::new(phone.e164())),
        Err(fault) => Err(Refusal::invalid("customer.phones", "phone_malformed", fault.to_string())),
    };
    texts.iter().map(one).collect()
}

/// A receivable to be issued.
pub struct NewInvoice {
    /// The payer.
    pub customer_id: CustomerId,
    /// The command; what it is paid with is not known yet.
    pub issue: receivable::IssueInvoice,
    /// The collection account, where the caller names one.
    pub account_id: Option<CollectionAccountId>,
}

/// A new receivable. Errors: INVALID_ARGUMENT on the field at fault.
pub fn new_invoice(message: Option<proto::NewInvoice>, today: NaiveDate) -> Result<NewInvoice, Refusal> {
    let m = message.ok_or_else(|| Refusal::invalid("invoice", "missing", "is missing"))?;
    let invoice_id = id("invoice.invoice_id", &m.invoice_id, InvoiceId::new)?;
    let customer_id = id("invoice.customer_id", &m.customer_id, CustomerId::new)?;
    let issue = receivable::IssueInvoice {
        invoice_id,
        amount_minor: m.amount_minor,
        currency: currency("invoice.currency", &m.currency)?.unwrap_or(Currency::BRL),
        issued_on: date_or("invoice.issued_on", &m.issued_on, today)?,
        due_on: date("invoice.due_on", &m.due_on)?,
        document: optional_text("invoice.document", &m.document, 64)?,
        automatic_debit_on: optional_date("invoice.automatic_debit_on", &m.automatic_debit_on)?,
        instruments: None,
        charges: m.charges.as_ref().map(named_charges).transpose()?,
    };
    let account_id = optional_id("invoice.collection_account_id", &m.collection_account_id, CollectionAccountId::new)?;
    Ok(NewInvoice { customer_id, issue, account_id })
}

fn named_charges(m: &proto::ChargeTerms) -> Result<receivable::NewCharges, Refusal> {
    Ok(receivable::NewCharges { terms: super::charge_terms("invoice.charges", m)?, named: true })
}

fn optional_date(field: &str, text: &str) -> Result<Option<NaiveDate>, Refusal> {
    if text.is_empty() { Ok(None) } else { date(field, text).map(Some) }
}

fn currency(field: &str, text: &str) -> Result<Option<Currency>, Refusal> {
    if text.is_empty() {
        return Ok(None);
    }
    let unknown = || Refusal::invalid(field, "unknown_currency", "is no known ISO 4217 code with cents");
    Currency::new(text).map(Some).ok_or_else(unknown)
}

/// A new payment. Errors: INVALID_ARGUMENT on the field at fault.
pub fn new_payment(message: Option<proto::NewPayment>, today: NaiveDate) -> Result<(PaymentId, InvoiceId, Payment), Refusal> {
    let m = message.ok_or_else(|| Refusal::invalid("payment", "missing", "is missing"))?;
    let payment_id = id("payment.payment_id", &m.payment_id, PaymentId::new)?;
    let invoice_id = id("payment.invoice_id", &m.invoice_id, InvoiceId::new)?;
    let method = if m.method.is_empty() { "other".to_owned() } else { m.method };
    if !METHODS.contains(&method.as_str()) {
        return Err(Refusal::invalid("payment.method", "unknown_method", "should be pix, boleto, card, transfer, cash or other"));
    }
    kernel::money::positive_minor(m.amount_minor)
        .map_err(|fault| Refusal::invalid("payment.amount_minor", amount_slug(fault), fault.to_string()))?;
    let payment = Payment {
        amount_minor: m.amount_minor,
        currency: currency("payment.currency", &m.currency)?,
        paid_on: paid_on(&m.paid_on, today)?,
        method,
    };
    Ok((payment_id, invoice_id, payment))
}

/// The day of a payment. Money that has not come settles nothing; tomorrow is for callers whose day began before the tenant's. What banks
/// and Pix report brings its own date and does not come this way.
fn paid_on(text: &str, today: NaiveDate) -> Result<NaiveDate, Refusal> {
    let day = date_or("payment.paid_on", text, today)?;
    if day > kernel::calendar::add_days(today, 1) {
        return Err(Refusal::invalid("payment.paid_on", "paid_in_future", "lies after tomorrow"));
    }
    Ok(day)
}

fn amount_slug(fault: kernel::money::AmountFault) -> &'static str {
    match fault {
        kernel::money::AmountFault::NotPositive => "amount_not_positive",
        kernel::money::AmountFault::TooLarge => "amount_too_large",
    }
}

/// A payment whose currency may still be the receivable's.
pub struct Payment {
    amount_minor: i64,
    /// `None` = the receivable's.
    pub currency: Option<Currency>,
    paid_on: NaiveDate,
    method: String,
}

impl Payment {
    /// The command, in a currency.
    pub fn command(self, payment_id: PaymentId, invoice_id: InvoiceId, currency: Currency) -> Command {
        Command::RecordPayment(receivable::RecordPayment {
            payment_id,
            invoice_id,
            amount_minor: self.amount_minor,
            currency,
            paid_on: self.paid_on,
            method: self.method,
        })
    }
}

/// A reversal. Errors: INVALID_ARGUMENT on the field at fault.
pub fn payment_reversal(m: &proto::ReversePaymentRequest, today: NaiveDate) -> Result<(PaymentId, Command), Refusal> {
    let payment_id = id("payment_id", &m.payment_id, PaymentId::new)?;
    let reason = text::bounded(&m.reason, 200).map_err(|fault| malformed("reason", fault))?;
    Ok((payment_id.clone(), Command::ReversePayment(receivable::ReversePayment { payment_id, reason, reversed_on: today })))
}

/// An amendment. Errors: INVALID_ARGUMENT on the field at fault.
pub fn amendment(m: &proto::AmendInvoiceRequest, today: NaiveDate) -> Result<(InvoiceId, Command), Refusal> {
    let invoice_id = id("invoice_id", &m.invoice_id, InvoiceId::new)?;
    if m.amount_minor.is_none() && m.due_on.is_none() && m.automatic_debit_on.is_none() {
        return Err(Refusal::invalid("amount_minor", "nothing_to_amend", "give at least one of amount_minor, due_on, automatic_debit_on"));
    }
    let due_on = m.due_on.as_deref().map(|text| date("due_on", text)).transpose()?;
    let automatic_debit_on = m.automatic_debit_on.as_deref().map(|text| optional_date("automatic_debit_on", text)).transpose()?;
    let amend =
        receivable::AmendInvoice { invoice_id: invoice_id.clone(), amount_minor: m.amount_minor, due_on, automatic_debit_on, today };
    Ok((invoice_id, Command::AmendInvoice(amend)))
}

/// A cancellation. Errors: INVALID_ARGUMENT on the field at fault.
pub fn cancellation(m: &proto::CancelInvoiceRequest, today: NaiveDate) -> Result<(InvoiceId, Command), Refusal> {
    let invoice_id = id("invoice_id", &m.invoice_id, InvoiceId::new)?;
    let reason = text::bounded(&m.reason, 200).map_err(|fault| malformed("reason", fault))?;
    Ok((invoice_id.clone(), Command::CancelInvoice(receivable::CancelInvoice { invoice_id, reason, today })))
}

/// A credit note to be issued; its payer and currency may still be the receivable's.
pub struct NewCreditNote {
    /// The receivable.
    pub invoice_id: Option<InvoiceId>,
    /// The payer, where no receivable is given.
    pub customer_id: Option<CustomerId>,
    /// `None` = the receivable's, or BRL.
    pub currency: Option<Currency>,
    /// The command, in BRL.
    pub issue: receivable::IssueCreditNote,
}

/// A new credit note. Errors: INVALID_ARGUMENT on the field at fault; exactly one of receivable and payer is given.
pub fn credit_note(message: Option<proto::NewCreditNote>, today: NaiveDate) -> Result<NewCreditNote, Refusal> {
    let m = message.ok_or_else(|| Refusal::invalid("credit_note", "missing", "is missing"))?;
    let invoice_id = optional_id("credit_note.invoice_id", &m.invoice_id, InvoiceId::new)?;
    let customer_id = optional_id("credit_note.customer_id", &m.customer_id, CustomerId::new)?;
    if invoice_id.is_some() == customer_id.is_some() {
        return Err(Refusal::invalid("credit_note.invoice_id", "one_of_both", "give a receivable or a payer, not both"));
    }
    let issue = receivable::IssueCreditNote {
        credit_note_id: id("credit_note.credit_note_id", &m.credit_note_id, CreditNoteId::new)?,
        invoice_id: invoice_id.clone(),
        amount_minor: m.amount_minor,
        currency: Currency::BRL,
        reason: text::bounded(&m.reason, 200).map_err(|fault| malformed("credit_note.reason", fault))?,
        noted_on: date_or("credit_note.noted_on", &m.noted_on, today)?,
    };
    Ok(NewCreditNote { invoice_id, customer_id, currency: currency("credit_note.currency", &m.currency)?, issue })
}

/// A credit note taken back. Errors: INVALID_ARGUMENT on the field at fault.
pub fn credit_note_cancellation(m: &proto::CancelCreditNoteRequest, today: NaiveDate) -> Result<(CreditNoteId, Command), Refusal> {
    let credit_note_id = id("credit_note_id", &m.credit_note_id, CreditNoteId::new)?;
    let reason = text::bounded(&m.reason, 200).map_err(|fault| malformed("reason", fault))?;
    let cancel = receivable::CancelCreditNote { credit_note_id: credit_note_id.clone(), reason, today };
    Ok((credit_note_id, Command::CancelCreditNote(cancel)))
}

/// What a last look is judged by besides the account.
pub struct Terms {
    /// Now.
    pub at: DateTime<Utc>,
    /// Its local day, for charges and discounts.
    pub day: NaiveDate,
    /// What may stay open without a reminder, minor units.
    pub tolerance_minor: i64,
    /// The tenant's zone.
    pub zone: Zone,
    /// Whether payments may be missing.
    pub feed_stale: bool,
}

/// A last look. Errors: INVALID_ARGUMENT on the field at fault.
pub fn reminder(m: &proto::AuthorizeReminderRequest, terms: Terms) -> Result<(CustomerId, receivable::AuthorizeReminder), Refusal> {
    let customer_id = id("customer_id", &m.customer_id, CustomerId::new)?;
    let item = |item: &proto::ReminderItem| {
        Ok(receivable::AuthorizationItem {
            invoice_id: id("items.invoice_id", &item.invoice_id, InvoiceId::new)?,
            cycle: item.cycle,
            step_id: id("items.step_id", &item.step_id, StepId::new)?,
            occurrence: item.occurrence,
            min_outstanding_minor: item.min_outstanding_minor,
            overdue: item.overdue,
            disputed_minor: item.disputed_minor,
            purpose: kernel::Purpose::named(&item.purpose)
                .ok_or_else(|| Refusal::invalid("items.purpose", "unknown_purpose", "should be empty, thank_you or correction"))?,
        })
    };
    if m.items.len() > MAX_ITEMS {
        return Err(Refusal::invalid("items", "too_many", "more than 1000 items"));
    }
    let items = m.items.iter().map(item).collect::<Result<Vec<_>, Refusal>>()?;
    let contact_id = id("contact_id", &m.contact_id, ContactId::new)?;
    let Terms { at, day, tolerance_minor, zone, feed_stale } = terms;
    Ok((customer_id, receivable::AuthorizeReminder { contact_id, items, at, day, tolerance_minor, zone, feed_stale }))
}

/// A payer as callers see it; without `contact` only what is neutral.
pub fn customer_view(customer_id: &str, account: &Account, contact: Option<Contact>) -> proto::Customer {
    let contact = contact.unwrap_or_default();
    proto::Customer {
        customer_id: customer_id.to_owned(),
        name: contact.name.reveal().to_owned(),
        tax_id: contact.tax_id.reveal().to_owned(),
        email: contact.email.reveal().to_owned(),
        phones: contact.phones.iter().map(|phone| phone.reveal().to_owned()).collect(),
        address: contact.address.reveal().to_owned(),
        attributes: Some(proto::CustomerAttributes {
            segment: account.attributes.segment.clone().unwrap_or_default(),
            language: account.attributes.language.clone(),
            time_zone: account.attributes.zone.clone().unwrap_or_default(),
            state: account.attributes.state.clone().unwrap_or_default(),
            municipality: account.attributes.municipality.clone().unwrap_or_default(),
        }),
        consents: account.consents.iter().cloned().collect(),
    }
}

/// A moment as messages carry it.
pub fn timestamp(at: DateTime<Utc>) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: at.timestamp(), nanos: i32::try_from(at.timestamp_subsec_nanos()).unwrap_or(0) }
}

/// Which receivables to list. Errors: INVALID_ARGUMENT on the field at fault.
pub fn invoice_filter(m: &proto::ListInvoicesRequest) -> Result<InvoiceFilter, Refusal> {
    let unknown = |_| Refusal::invalid("status", "unknown_status", "should be open, settled, cancelled or renegotiated");
    let status = match proto::InvoiceStatus::try_from(m.status).map_err(unknown)? {
        proto::InvoiceStatus::Unspecified => "",
        proto::InvoiceStatus::Open => "open",
        proto::InvoiceStatus::Settled => "settled",
        proto::InvoiceStatus::Cancelled => "cancelled",
        proto::InvoiceStatus::Renegotiated => "renegotiated",
    };
    Ok(InvoiceFilter {
        customer_id: optional_id("customer_id", &m.customer_id, CustomerId::new)?.map(|id| id.to_string()).unwrap_or_default(),
        status,
        due_from: date_or("due_from", &m.due_from, FIRST_DAY)?,
        due_until: date_or("due_until", &m.due_until, LAST_DAY)?,
        search: filter("search", &m.search, 64)?,
    })
}
