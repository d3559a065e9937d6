//! A debt that is owed again after its boleto was written off: it gets another boleto, because no bank takes a number twice.

use super::Books;
use crate::{
    aggregate::{self, Addressed},
    grpc::{BOLETO, Server, unreadable},
    receipts::unwritten,
};
use eventlog::{Submission, WriteError};
use host::Refusal;
use kernel::{CustomerId, InvoiceId};
use receivable::remittance::Ordered;
use receivable::{Account, BankStanding, Command, Invoice, NewInstruments, RenewBoleto};
use std::sync::Arc;

/// Whether a debt needs another boleto: the bank has closed the one that it has, because we asked for that or while nothing was owed. What
/// the bank closed by itself, of a debt that was always owed, stays closed: each further title would cost a fee, and nobody asked for it.
pub(super) fn is_needed(invoice: &Invoice, told: Option<&Ordered>) -> bool {
    let closed = invoice.bank_standing == BankStanding::WrittenOff;
    invoice.is_owed() && closed && (invoice.boleto_spent || told.is_some_and(|told| told.written_off))
}

impl Server {
    /// The account with another boleto of the receivable; else why it cannot have one: `no_nosso_numero`, or what is wrong with its terms.
    /// A call that is repeated, or another process, finds the boleto there. Errors: the log does not answer.
    pub(super) async fn renewed(
        &self,
        books: &Books<'_>,
        (invoice_id, customer_id): (&InvoiceId, &CustomerId),
        invoice: &Invoice,
    ) -> Result<Result<Arc<Account>, &'static str>, Refusal> {
        let allotted = match self.allotment.take(books.tenant, &books.account_id).await {
            Ok(allotted) => allotted,
            Err(WriteError::Rejected(_)) => return Ok(Err("no_nosso_numero")),
            Err(error) => return Err(unwritten(error)),
        };
        let number = Some((books.agreement.clone(), allotted.number));
        let instruments = NewInstruments { account_id: books.account_id.clone(), named: true, number, txid: None };
        let slip = instruments.assign(invoice.issued_on, invoice.due_on, invoice.amount_minor).ok().and_then(|assigned| assigned.boleto);
        let Some(slip) = slip else { return Ok(Err("no_title")) };
        let claim = format!("{}/{}", books.account_id, slip.look_up_number());
        let command = Command::RenewBoleto(RenewBoleto { invoice_id: invoice_id.clone(), instruments });
        let rates = self.rates(books.tenant).await?;
        let addressed = Addressed { customer_id: customer_id.clone(), command, rates };
        let stream = aggregate::stream(books.tenant, customer_id.as_str());
        let submission = Submission::new(stream.clone(), aggregate::meta(books.tenant, customer_id.as_str()), addressed);
        match self.writer.submit(submission.with_claim(BOLETO, claim)).await {
            Ok(_) => Ok(Ok(self.writer.state(&stream).await.map_err(unreadable)?.0)),
            Err(WriteError::Rejected(rejection)) => Ok(Err(rejection.slug())),
            Err(error) => Err(unwritten(error)),
        }
    }
}
