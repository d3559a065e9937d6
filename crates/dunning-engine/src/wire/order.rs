//! Requests about debts → what is asked of a ladder. Errors name the field as the caller wrote it.

use contracts::dunning::v1 as proto;
use host::{Refusal, request};
use kernel::{ArrangementId, Currency, InvoiceId, text};
use ladder::{
    arrangement::{ArrangementEnd, ArrangementKind},
    ladder::Arrange,
    terms::Method,
};

/// Longest operator id, in characters.
const BY_CHARS: usize = 64;
/// Longest reason, in characters.
const WHY_CHARS: usize = 200;

/// What a person decides, with who and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// Who, as an operator id.
    pub by: String,
    /// Why.
    pub why: String,
    /// What.
    pub what: Arrange,
}

/// A request about debts. Errors: INVALID_ARGUMENT on the field at fault: `id_malformed`, `text_refused`, `date_malformed`,
/// `unknown_method`, `unknown_outcome`, `unknown_currency`.
pub trait Decision {
    /// What it asks.
    fn decided(&self) -> Result<Decided, Refusal>;
}

fn signed(by: &str, why: &str, what: Arrange) -> Result<Decided, Refusal> {
    let bounded = |field: &str, value: &str, chars| {
        text::bounded(value, chars).map_err(|fault| Refusal::invalid(field, "text_refused", fault.to_string()))
    };
    Ok(Decided { by: bounded("by", by, BY_CHARS)?, why: bounded("reason", why, WHY_CHARS)?, what })
}

fn invoice(text: &str) -> Result<InvoiceId, Refusal> {
    request::id("invoice_id", text, InvoiceId::new)
}

/// The id of an arrangement; that of its command where the caller has none.
fn arrangement(text: &str, command_id: &str) -> Result<ArrangementId, Refusal> {
    match request::optional_id("arrangement_id", text, ArrangementId::new)? {
        Some(id) => Ok(id),
        None => request::id("command_id", command_id, ArrangementId::new),
    }
}

fn optional_date(field: &str, text: &str) -> Result<Option<chrono::NaiveDate>, Refusal> {
    if text.is_empty() { Ok(None) } else { request::date(field, text).map(Some) }
}

fn method(text: &str) -> Result<Option<Method>, Refusal> {
    let unknown = || Refusal::invalid("method", "unknown_method", "should be pix, boleto, transfer, card, direct_debit or other");
    if text.is_empty() { Ok(None) } else { Method::named(text).map(Some).ok_or_else(unknown) }
}

fn end(invoice_id: &str, kind: ArrangementKind, end: ArrangementEnd) -> Result<Arrange, Refusal> {
    Ok(Arrange::End { invoice_id: invoice(invoice_id)?, kind, end })
}

impl Decision for proto::PlaceHoldRequest {
    fn decided(&self) -> Result<Decided, Refusal> {
        let what = Arrange::Hold {
            id: arrangement(&self.arrangement_id, &self.command_id)?,
            invoice_id: invoice(&self.invoice_id)?,
            until: optional_date("until", &self.until)?,
            review_on: optional_date("review_on", &self.review_on)?,
        };
        signed(&self.by, &self.reason, what)
    }
}

impl Decision for proto::OpenDisputeRequest {
    fn decided(&self) -> Result<Decided, Refusal> {
        let what = Arrange::Dispute {
            id: arrangement(&self.arrangement_id, &self.command_id)?,
            invoice_id: invoice(&self.invoice_id)?,
            amount_minor: (self.amount_minor != 0).then_some(self.amount_minor),
        };
        signed(&self.by, &self.reason, what)
    }
}

impl Decision for proto::MakePromiseRequest {
    fn decided(&self) -> Result<Decided, Refusal> {
        let items = self.invoice_ids.iter().map(|text| request::id("invoice_ids", text, InvoiceId::new));
        let what = Arrange::Promise {
            id: arrangement(&self.arrangement_id, &self.command_id)?,
            invoice_ids: items.collect::<Result<_, _>>()?,
            amount_minor: self.amount_minor,
            currency: Currency::new(&self.currency)
                .ok_or_else(|| Refusal::invalid("currency", "unknown_currency", "should be an ISO 4217 code"))?,
            promised_on: request::date("promised_on", &self.promised_on)?,
            method: method(&self.method)?,
        };
        signed(&self.by, &self.reason, what)
    }
}

impl Decision for proto::AnnouncePaymentRequest {
    fn decided(&self) -> Result<Decided, Refusal> {
        let what = Arrange::Announce {
            id: arrangement(&self.arrangement_id, &self.command_id)?,
            invoice_id: invoice(&self.invoice_id)?,
            method: method(&self.method)?.unwrap_or(Method::Other),
        };
        signed(&self.by, &self.reason, what)
    }
}

impl Decision for proto::LiftHoldRequest {
    fn decided(&self) -> Result<Decided, Refusal> {
        signed(&self.by, &self.reason, end(&self.invoice_id, ArrangementKind::Hold, ArrangementEnd::Lifted)?)
    }
}

impl Decision for proto::ResolveDisputeRequest {
    fn decided(&self) -> Result<Decided, Refusal> {
        let outcome = match self.outcome.as_str() {
            "accepted" => ArrangementEnd::Accepted,
            "rejected" => ArrangementEnd::Rejected,
            "lifted" => ArrangementEnd::Lifted,
            _ => return Err(Refusal::invalid("outcome", "unknown_outcome", "should be accepted, rejected or lifted")),
        };
        signed(&self.by, &self.reason, end(&self.invoice_id, ArrangementKind::Dispute, outcome)?)
    }
}

impl Decision for proto::WithdrawPromiseRequest {
    fn decided(&self) -> Result<Decided, Refusal> {
        signed(&self.by, &self.reason, end(&self.invoice_id, ArrangementKind::Promise, ArrangementEnd::Lifted)?)
    }
}

impl Decision for proto::WithdrawAnnouncementRequest {
    fn decided(&self) -> Result<Decided, Refusal> {
        signed(&self.by, &self.reason, end(&self.invoice_id, ArrangementKind::Announcement, ArrangementEnd::Lifted)?)
    }
}

impl Decision for proto::WriteOffDebtRequest {
    fn decided(&self) -> Result<Decided, Refusal> {
        signed(&self.by, &self.reason, Arrange::WriteOff { invoice_id: invoice(&self.invoice_id)? })
    }
}

impl Decision for proto::HandOffDebtRequest {
    fn decided(&self) -> Result<Decided, Refusal> {
        signed(&self.by, &self.reason, Arrange::HandOff { invoice_id: invoice(&self.invoice_id)? })
    }
}
