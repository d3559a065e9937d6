//! Agreements: requests → commands, state → responses.

use super::charges::charge_terms;
use contracts::invoice::v1 as proto;
use host::{
    Refusal,
    request::{date, id, optional_id},
};
use kernel::{AgreementId, CollectionAccountId, Currency, CustomerId, InvoiceId, NaiveDate, text, written};
use receivable::{
    Account, Agreement, BreakAgreement, BreakCause, Command, IssueInvoice, MakeAgreement, NewCharges, Stage,
    agreement::{MAX_INSTALMENTS, MAX_ORIGINALS, late_from},
};

/// Longest id of an agreement: those of its instalments and of parts of payments are longer by a number.
const MAX_ID_CHARS: usize = 48;
/// Days overdue that break an agreement, where the caller names none.
const BREACH_AFTER_DAYS: u32 = 30;

/// An agreement to be made; what its instalments are paid with is not known yet.
#[derive(Clone)]
pub struct NewAgreement {
    /// The payer.
    pub customer_id: CustomerId,
    /// The command; its instalments are in BRL.
    pub make: MakeAgreement,
    /// The collection account, where the caller names one.
    pub account_id: Option<CollectionAccountId>,
}

/// A new agreement. Errors: INVALID_ARGUMENT on the field at fault.
pub fn new_agreement(message: Option<proto::NewAgreement>, today: NaiveDate) -> Result<NewAgreement, Refusal> {
    let m = message.ok_or_else(|| Refusal::invalid("agreement", "missing", "is missing"))?;
    let agreement_id = id("agreement.agreement_id", &m.agreement_id, AgreementId::new)?;
    if m.agreement_id.len() > MAX_ID_CHARS {
        return Err(Refusal::invalid("agreement.agreement_id", "agreement_id_too_long", "is longer than 48 characters"));
    }
    if m.invoice_ids.len() > MAX_ORIGINALS {
        return Err(Refusal::invalid("agreement.invoice_ids", "too_many", "more than 100 receivables"));
    }
    if m.instalments.is_empty() || m.instalments.len() > MAX_INSTALMENTS {
        return Err(Refusal::invalid("agreement.instalments", "instalments_count", "an agreement has 1 to 60 instalments"));
    }
    let originals = m.invoice_ids.iter().map(|text| id("agreement.invoice_ids", text, InvoiceId::new));
    let terms = m.charges.as_ref().map(|terms| charge_terms("agreement.charges", terms)).transpose()?;
    let charges = terms.map(|terms| NewCharges { terms, named: true });
    let instalment = |(number, one): (usize, &proto::NewInstalment)| {
        Ok(IssueInvoice {
            invoice_id: id("agreement.agreement_id", &format!("{agreement_id}-{}", number + 1), InvoiceId::new)?,
            amount_minor: one.amount_minor,
            currency: Currency::BRL,
            issued_on: today,
            due_on: date("agreement.instalments.due_on", &one.due_on)?,
            document: None,
            automatic_debit_on: None,
            instruments: None,
            charges: charges.clone(),
        })
    };
    let make = MakeAgreement {
        originals: originals.collect::<Result<_, _>>()?,
        total_minor: m.total_minor,
        instalments: m.instalments.iter().enumerate().map(instalment).collect::<Result<_, Refusal>>()?,
        breach_after_days: m.breach_after_days.unwrap_or(BREACH_AFTER_DAYS),
        made_on: today,
        agreement_id,
    };
    let account_id = optional_id("agreement.collection_account_id", &m.collection_account_id, CollectionAccountId::new)?;
    Ok(NewAgreement { customer_id: id("agreement.customer_id", &m.customer_id, CustomerId::new)?, make, account_id })
}

/// An agreement that a person ends. Errors: INVALID_ARGUMENT on the field at fault.
pub fn agreement_break(m: &proto::BreakAgreementRequest, today: NaiveDate) -> Result<(AgreementId, Command), Refusal> {
    let agreement_id = id("agreement_id", &m.agreement_id, AgreementId::new)?;
    let reason = text::bounded(&m.reason, 200).map_err(|fault| Refusal::invalid("reason", "text_refused", fault.to_string()))?;
    let command = BreakAgreement { agreement_id: Some(agreement_id.clone()), cause: BreakCause::Person, reason, today };
    Ok((agreement_id, Command::BreakAgreement(command)))
}

/// An agreement as it is; `None` where the account has no such one.
pub fn agreement_view(customer_id: &CustomerId, agreement_id: &AgreementId, account: &Account) -> Option<proto::Agreement> {
    let agreement = account.agreements.get(agreement_id)?;
    let (status, ended_on, cause) = match agreement.stage {
        Stage::Open => (proto::AgreementStatus::Open, None, ""),
        Stage::Completed { on } => (proto::AgreementStatus::Completed, Some(on), ""),
        Stage::Broken { on, cause } => (proto::AgreementStatus::Broken, Some(on), cause.slug()),
    };
    let day = |day: Option<NaiveDate>| day.map(written::date_text).unwrap_or_default();
    Some(proto::Agreement {
        agreement_id: agreement_id.to_string(),
        customer_id: customer_id.to_string(),
        status: status.into(),
        currency: agreement.currency.to_string(),
        owed_minor: agreement.owed_minor,
        total_minor: agreement.total_minor,
        made_on: written::date_text(agreement.made_on),
        breach_after_days: agreement.breach_after_days,
        originals: agreement.originals.iter().map(original_view).collect(),
        instalments: instalments(agreement, account),
        breaks_on: day(late_from(account, agreement)),
        ended_on: day(ended_on),
        cause: cause.to_owned(),
    })
}

fn original_view(original: &receivable::Original) -> proto::AgreementOriginal {
    proto::AgreementOriginal {
        invoice_id: original.invoice_id.to_string(),
        principal_minor: original.principal_minor,
        charges_minor: original.charges_minor,
        discount_minor: original.discount_minor,
    }
}

fn instalments(agreement: &Agreement, account: &Account) -> Vec<proto::AgreementInstalment> {
    let known = agreement.instalments.iter().filter_map(|id| Some((id, account.invoices.get(id)?)));
    let view = |(number, (invoice_id, invoice)): (u32, (&InvoiceId, &receivable::Invoice))| proto::AgreementInstalment {
        number,
        invoice_id: invoice_id.to_string(),
        due_on: written::date_text(invoice.due_on),
        amount_minor: invoice.amount_minor,
        outstanding_minor: invoice.open_minor,
        status: super::invoice::status(invoice.phase).into(),
    };
    (1..).zip(known).map(view).collect()
}
