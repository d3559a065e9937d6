//! A person puts an unapplied payment on a receivable, or says that it is for none.
//!
//! Three appends, each durable before the next: the payment is assigned, the account records it, the payment is applied. Between the
//! first and the last nothing else can happen to the payment. A process that dies in between leaves a row, by which the next start
//! carries on; so does whoever repeats the call.

use crate::{
    aggregate,
    grpc::{INVOICE, PAYMENT, Server, unreadable},
    receipts::{once, recording, unwritten},
    unapplied, wire,
};
use brazil::charges::LegalRates;
use contracts::invoice::v1 as proto;
use eventlog::WriteError;
use host::{Refusal, request};
use kernel::{CustomerId, InvoiceId, NaiveDate, PaymentId};
use prost::Message;
use receivable::unapplied::{Assignment, Receipt, UnappliedCommand, UnappliedPhase};
use receivable::{Account, Command};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long a start waits before it tries again to carry on.
const AGAIN_AFTER: Duration = Duration::from_secs(2);

impl Server {
    pub(crate) async fn apply(&self, tenant: &str, m: &proto::ApplyPaymentRequest) -> Result<proto::ApplyPaymentResponse, Refusal> {
        let key = crate::grpc::command_key("ApplyPayment", (&m.command_id, m))?;
        let payment_id = request::id("payment_id", &m.payment_id, PaymentId::new)?;
        let invoice_id = request::id("invoice_id", &m.invoice_id, InvoiceId::new)?;
        let customer_id = self.payer_of(tenant, INVOICE, "invoice_id", invoice_id.as_str()).await?;
        let command = UnappliedCommand::Assign { invoice_id, customer_id };
        let assign = self.on_unapplied(tenant, &payment_id, command).with_key(key);
        let assign = assign.with_side(unapplied::on_its_way(tenant, payment_id.as_str()));
        self.unapplied.submit(assign).await.map_err(refused)?;
        self.carry_on(tenant, &payment_id).await
    }

    pub(crate) async fn dismiss(&self, tenant: &str, m: &proto::DismissPaymentRequest) -> Result<proto::DismissPaymentResponse, Refusal> {
        let key = crate::grpc::command_key("DismissPayment", (&m.command_id, m))?;
        let payment_id = request::id("payment_id", &m.payment_id, PaymentId::new)?;
        let command = UnappliedCommand::Dismiss { reason: m.reason.clone() };
        self.unapplied.submit(self.on_unapplied(tenant, &payment_id, command).with_key(key)).await.map_err(refused)?;
        Ok(proto::DismissPaymentResponse {})
    }

    /// Brings a payment that was assigned to its receivable, however far that had come. Errors: the receivable's refusal, and then the
    /// payment is unapplied again; UNAVAILABLE.
    pub(crate) async fn carry_on(&self, tenant: &str, payment_id: &PaymentId) -> Result<proto::ApplyPaymentResponse, Refusal> {
        let (state, _) = self.unapplied.state(&unapplied::stream(tenant, payment_id.as_str())).await.map_err(unreadable)?;
        let assigned = match &state.phase {
            UnappliedPhase::Assigned(to) | UnappliedPhase::Applied(to) => Some(to),
            UnappliedPhase::Waiting | UnappliedPhase::Dismissed { .. } | UnappliedPhase::Returned => None,
        };
        let Some((receipt, to)) = state.receipt.as_ref().zip(assigned) else {
            let text = "the receivable had refused the payment: repeat with a new command_id";
            return Err(Refusal::precondition("payment_id", "payment_not_assigned", text));
        };
        let invoice_id = to.invoice_id.clone();
        match self.record(tenant, receipt, to).await {
            Ok(answer) => {
                self.settle(tenant, payment_id, UnappliedCommand::Conclude { invoice_id }).await?;
                Ok(answer)
            }
            Err(Failed::Refused(refusal)) => {
                self.settle(tenant, payment_id, UnappliedCommand::Release { invoice_id, reason: refusal.reason.clone() }).await?;
                Err(refusal)
            }
            Err(Failed::Unwritten(refusal)) => Err(refusal),
        }
    }

    async fn record(&self, tenant: &str, receipt: &Receipt, to: &Assignment) -> Result<proto::ApplyPaymentResponse, Failed> {
        let command = Command::RecordReceipt(recording(receipt, to.invoice_id.clone(), to.amount_minor));
        let key = once("apply", receipt.payment_id.as_str(), to.invoice_id.as_str());
        let rates = self.rates(tenant).await.map_err(Failed::Unwritten)?;
        let submission = self.on_account(tenant, &to.customer_id, command).await.map_err(|error| Failed::Unwritten(unwritten(error)))?;
        let submission = submission.with_key(key).with_claim(PAYMENT, receipt.payment_id.as_str());
        let (customer_id, invoice_id, payment_id) = (to.customer_id.clone(), to.invoice_id.clone(), receipt.payment_id.clone());
        let today = self.today();
        let submission = submission.with_answer(move |account: &Account, _| {
            answer(account, (&customer_id, &invoice_id, &payment_id), (today, &rates)).encode_to_vec()
        });
        match self.writer.submit(submission).await {
            Ok(written) => {
                let stream = aggregate::stream(tenant, to.customer_id.as_str());
                self.streams.insert((tenant.to_owned(), PAYMENT, receipt.payment_id.to_string()), stream);
                let unread = |_| Failed::Unwritten(Refusal::internal("the stored answer cannot be read"));
                proto::ApplyPaymentResponse::decode(written.appended.answer.as_slice()).map_err(unread)
            }
            Err(WriteError::Rejected(rejection)) => Err(Failed::Refused(wire::refused(&rejection, wire::Place::of("ApplyPaymentRequest")))),
            Err(WriteError::ClaimTaken { .. }) => {
                let text = "a payment with this id is on another receivable";
                Err(Failed::Refused(Refusal::precondition("payment_id", "payment_exists", text)))
            }
            Err(error) => Err(Failed::Unwritten(unwritten(error))),
        }
    }

    async fn settle(&self, tenant: &str, payment_id: &PaymentId, command: UnappliedCommand) -> Result<(), Refusal> {
        let submission = self.on_unapplied(tenant, payment_id, command).with_side(unapplied::arrived(tenant, payment_id.as_str()));
        self.unapplied.submit(submission).await.map(|_| ()).map_err(refused)
    }

    /// Carries on with every payment that was on its way when a process died, until all have arrived.
    pub(crate) async fn carry_on_all(self, stop: CancellationToken) {
        while let Err(error) = self.carry_on_once().await {
            tracing::warn!(error = error.message, "payments on their way wait");
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(AGAIN_AFTER) => {}
            }
        }
    }

    async fn carry_on_once(&self) -> Result<(), Refusal> {
        let rows = self.db.query("SELECT tenant, payment_id FROM unapplied_assignment ORDER BY tenant, payment_id", &[]).await?;
        let mut waits = None;
        for row in &rows {
            let (tenant, payment_id) = (row.text("tenant")?, row.text("payment_id")?);
            let Ok(payment_id) = PaymentId::new(&payment_id) else { continue };
            match self.carry_on(&tenant, &payment_id).await {
                Err(refusal) if refusal.code == tonic::Code::Unavailable => waits = Some(refusal),
                Ok(_) => tracing::info!(%payment_id, "an unapplied payment reached its receivable"),
                Err(refusal) => tracing::info!(%payment_id, reason = refusal.reason, "an unapplied payment waits for a person again"),
            }
        }
        waits.map_or(Ok(()), Err)
    }
}

/// Why a payment is not on its receivable.
enum Failed {
    /// The receivable does not take it.
    Refused(Refusal),
    /// Nobody knows yet.
    Unwritten(Refusal),
}

fn answer(
    account: &Account,
    (customer_id, invoice_id, payment_id): (&CustomerId, &InvoiceId, &PaymentId),
    on: (NaiveDate, &LegalRates),
) -> proto::ApplyPaymentResponse {
    proto::ApplyPaymentResponse {
        invoice: wire::invoice_view(customer_id, invoice_id, account, on),
        unapplied_minor: account.payments.get(payment_id).map_or(0, receivable::Payment::unapplied_minor),
    }
}

fn refused(error: WriteError<receivable::unapplied::UnappliedRejection>) -> Refusal {
    match error {
        WriteError::Rejected(rejection) => wire::refused_unapplied(rejection),
        WriteError::CommandReused => Refusal::invalid("command_id", "command_reused", "the key was used for another command"),
        error => unwritten(error),
    }
}
