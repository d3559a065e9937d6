//! Credit notes: issued and taken back.

use super::{CREDIT_NOTE, INVOICE, Ready, Server, ready::command_key};
use crate::{
    aggregate::{self, Addressed},
    wire,
};
use contracts::invoice::v1 as proto;
use host::Refusal;
use kernel::{Currency, InvoiceId};
use receivable::Command;
use std::sync::Arc;

impl Server {
    pub(super) async fn ready_credit_note(&self, tenant: &str, m: &proto::IssueCreditNoteRequest) -> Result<Ready, Refusal> {
        let key = command_key("IssueCreditNote", (&m.command_id, m))?;
        let today = self.today();
        let wire::NewCreditNote { invoice_id, customer_id, currency, mut issue } = wire::credit_note(m.credit_note.clone(), today)?;
        let customer_id = match (&invoice_id, customer_id) {
            (Some(invoice_id), _) => self.payer_of(tenant, INVOICE, "credit_note.invoice_id", invoice_id.as_str()).await?,
            (None, customer_id) => customer_id.ok_or_else(|| Refusal::internal("a credit note is for nobody"))?,
        };
        issue.currency = match (currency, &invoice_id) {
            (Some(currency), _) => currency,
            (None, Some(invoice_id)) => self.currency_of(&aggregate::stream(tenant, customer_id.as_str()), invoice_id).await?,
            (None, None) => Currency::BRL,
        };
        let (rates, currency, note_id) = (self.rates(tenant).await?, issue.currency, issue.credit_note_id.clone());
        let addressed = Addressed { customer_id: customer_id.clone(), command: Command::IssueCreditNote(issue), rates: Arc::clone(&rates) };
        let ready = self.ready(tenant, addressed, ("IssueCreditNoteRequest", key)).claiming(CREDIT_NOTE, note_id.as_str());
        Ok(ready.answering(move |account| proto::IssueCreditNoteResponse {
            invoice: invoice_id.as_ref().and_then(|id| wire::invoice_view(&customer_id, id, account, (today, &rates))),
            credit_minor: account.credit_minor(currency),
        }))
    }

    pub(super) async fn ready_note_cancellation(&self, tenant: &str, m: &proto::CancelCreditNoteRequest) -> Result<Ready, Refusal> {
        let key = command_key("CancelCreditNote", (&m.command_id, m))?;
        let today = self.today();
        let (note_id, command) = wire::credit_note_cancellation(m, today)?;
        let customer_id = self.payer_of(tenant, CREDIT_NOTE, "credit_note_id", note_id.as_str()).await?;
        let rates = self.rates(tenant).await?;
        let addressed = Addressed { customer_id: customer_id.clone(), command, rates: Arc::clone(&rates) };
        let ready = self.ready(tenant, addressed, ("CancelCreditNoteRequest", key));
        Ok(ready.answering(move |account| {
            let invoice_id: Option<&InvoiceId> = account.credit_notes.get(&note_id).and_then(|note| note.invoice_id.as_ref());
            proto::CancelCreditNoteResponse {
                invoice: invoice_id.and_then(|id| wire::invoice_view(&customer_id, id, account, (today, &rates))),
            }
        }))
    }
}
