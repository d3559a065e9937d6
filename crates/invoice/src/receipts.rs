//! Money that a bank or the Pix network tells of: put on its receivable, or kept as unapplied; and what goes back of it.
//!
//! One idempotency key a payment, whichever stream takes it: the same payment told again is known, also when the receivable that it
//! names came to be, or was cancelled, in between.

use crate::{
    aggregate::{self, Addressed},
    grpc::{PAYMENT, Server, unreadable},
    unapplied::{self, ForPayment},
    wire,
};
use eventlog::{CommandKey, Submission, WriteError, Written};
use host::Refusal;
use kernel::{CustomerId, InvoiceId, NaiveDate, PaymentId};
use receivable::unapplied::{Receipt, UnappliedCommand, UnappliedRejection};
use receivable::{Account, Command, Event, Kind, RecordPayment, RecordReceipt, Rejection, ReturnPayment, Source};
use sha2::{Digest, Sha256};

/// A receivable and its payer.
pub(crate) type Target = (CustomerId, InvoiceId);

/// What became of money that was told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Its receivable has it.
    Applied,
    /// Another channel had told of it.
    Confirmed,
    /// It was told of before by the same channel.
    Known,
    /// It waits for a person.
    Unapplied,
}

/// What became of money that was told of, and the payment that was counted in its place where another channel had told of it.
pub(crate) struct Told {
    pub taken: Taken,
    pub counted: Option<PaymentId>,
}

impl Told {
    fn of(taken: Taken) -> Self {
        Self { taken, counted: None }
    }
}

/// What became of money that went back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GoneBack {
    /// The payment is smaller by it.
    Done,
    /// It was told of before.
    Known,
}

/// The key under which a payment, a return or an application is done once. `kind` keeps the three apart.
pub(crate) fn once(kind: &str, id: &str, body: &str) -> CommandKey {
    let mut hash = Sha256::new();
    hash.update(kind);
    hash.update(body);
    CommandKey { id: format!("{kind}:{id}"), body_hash: hash.finalize().into() }
}

/// How a payment of a channel is made.
pub(crate) fn method(source: Source) -> &'static str {
    match source {
        Source::Pix => "pix",
        Source::BankFile | Source::BankFileOrPix => "boleto",
        Source::Caller => "other",
    }
}

impl Server {
    /// Puts money on its receivable; keeps it as unapplied where there is none (`Err` says why), or where the receivable refuses it.
    /// Errors: INVALID_ARGUMENT `payment_changed` where the same payment came with another amount before; UNAVAILABLE.
    pub(crate) async fn take_in(&self, tenant: &str, receipt: Receipt, target: Result<Target, &'static str>) -> Result<Told, Refusal> {
        let key = once("receipt", receipt.payment_id.as_str(), &format!("{} {}", receipt.amount_minor, receipt.currency));
        match target {
            Ok((customer_id, invoice_id)) => {
                let put = self.put_on(tenant, &receipt, &customer_id, invoice_id.clone(), key.clone()).await;
                match put {
                    Ok(told) => Ok(told),
                    Err(WriteError::Rejected(rejection)) if rejection.kind() == Kind::Invalid => {
                        Err(wire::refused(&rejection, wire::Place::default()))
                    }
                    Err(WriteError::Rejected(Rejection::PaymentExists) | WriteError::ClaimTaken { .. }) => Ok(Told::of(Taken::Known)),
                    Err(WriteError::Rejected(rejection)) => {
                        let reason = wire::refused(&rejection, wire::Place::default()).reason;
                        self.keep(tenant, Receipt { reason, suggested: Some(invoice_id), ..receipt }, key).await
                    }
                    Err(error) => Err(unwritten(error)),
                }
            }
            Err(reason) => self.keep(tenant, Receipt { reason: reason.to_owned(), ..receipt }, key).await,
        }
    }

    async fn put_on(
        &self,
        tenant: &str,
        receipt: &Receipt,
        customer_id: &CustomerId,
        invoice_id: InvoiceId,
        key: CommandKey,
    ) -> Result<Told, WriteError<Rejection>> {
        let command = Command::RecordReceipt(recording(receipt, invoice_id, receipt.amount_minor));
        let submission =
            self.on_account(tenant, customer_id, command).await?.with_key(key).with_claim(PAYMENT, receipt.payment_id.as_str());
        let submission = submission.with_answer(|_, facts| {
            let counted = facts.iter().find_map(|fact| {
                let Event::PaymentConfirmed(confirmed) = &fact.event else { return None };
                Some(confirmed.payment_id.as_str())
            });
            counted.map_or_else(|| vec![0], |id| [&[1], id.as_bytes()].concat())
        });
        let written = self.writer.submit(submission).await?;
        let (confirmed, counted) = match written.appended.answer.split_first() {
            Some((1, id)) => (true, std::str::from_utf8(id).ok().and_then(|id| PaymentId::new(id).ok())),
            _ => (false, None),
        };
        let taken = match (written.appended.deduplicated, confirmed) {
            (true, _) => Taken::Known,
            (false, true) => Taken::Confirmed,
            (false, false) => Taken::Applied,
        };
        Ok(Told { taken, counted })
    }

    /// A command for a payer's account, with the legal rates that it is decided by. Errors: the rates cannot be read.
    pub(crate) async fn on_account(
        &self,
        tenant: &str,
        customer_id: &CustomerId,
        command: Command,
    ) -> Result<Submission<aggregate::Accounts>, WriteError<Rejection>> {
        let stream = aggregate::stream(tenant, customer_id.as_str());
        let meta = aggregate::meta(tenant, customer_id.as_str());
        let rates = self.rate_book.of(tenant).await.map_err(|error| WriteError::Unavailable(error.to_string()))?;
        Ok(Submission::new(stream, meta, Addressed { customer_id: customer_id.clone(), command, rates }))
    }

    /// Puts a command on a payer's account, once. Errors: as the writer's.
    pub(crate) async fn put(
        &self,
        tenant: &str,
        (customer_id, command): (&CustomerId, Command),
        key: CommandKey,
    ) -> Result<Written<Account>, WriteError<Rejection>> {
        self.writer.submit(self.on_account(tenant, customer_id, command).await?.with_key(key)).await
    }

    pub(crate) fn on_unapplied(
        &self,
        tenant: &str,
        payment_id: &PaymentId,
        command: UnappliedCommand,
    ) -> Submission<unapplied::UnappliedPayments> {
        let asked = ForPayment { payment_id: payment_id.to_string(), command };
        Submission::new(unapplied::stream(tenant, payment_id.as_str()), unapplied::meta(tenant), asked)
    }

    async fn keep(&self, tenant: &str, receipt: Receipt, key: CommandKey) -> Result<Told, Refusal> {
        let payment_id = receipt.payment_id.clone();
        let submission = self.on_unapplied(tenant, &payment_id, UnappliedCommand::Keep(receipt)).with_key(key);
        match self.unapplied.submit(submission).await {
            Ok(written) if written.appended.deduplicated => Ok(Told::of(Taken::Known)),
            Ok(_) => Ok(Told::of(Taken::Unapplied)),
            Err(WriteError::Rejected(rejection)) => Err(wire::refused_unapplied(rejection)),
            Err(error) => Err(unwritten(error)),
        }
    }

    /// Takes back a part of a payment, wherever the payment is. Errors: NOT_FOUND `unknown_payment`; FAILED_PRECONDITION where it is
    /// more than is left of the payment; UNAVAILABLE.
    pub(crate) async fn take_back(&self, tenant: &str, going: &Going<'_>) -> Result<GoneBack, Refusal> {
        for _ in 0..2 {
            let owner = self.log.claimed(tenant, PAYMENT, going.payment_id.as_str()).await.map_err(unreadable)?;
            let customer_id = owner.as_deref().and_then(|stream| aggregate::customer_of(tenant, stream));
            if let Some(customer_id) = customer_id.and_then(|text| CustomerId::new(text).ok()) {
                return self.take_back_from(tenant, &customer_id, going).await;
            }
            let command = UnappliedCommand::Return {
                return_id: going.return_id.to_owned(),
                amount_minor: going.amount_minor,
                returned_on: going.returned_on,
            };
            match self.unapplied.submit(self.on_unapplied(tenant, going.payment_id, command).with_key(going.key())).await {
                Ok(written) => return Ok(gone_back(written.appended.deduplicated)),
                // It went to its receivable between the two looks: there it is found at the next one.
                Err(WriteError::Rejected(UnappliedRejection::AlreadyApplied)) => {
                    self.carry_on(tenant, going.payment_id).await.map(|_| ())?
                }
                Err(WriteError::Rejected(rejection)) => return Err(wire::refused_unapplied(rejection)),
                Err(error) => return Err(unwritten(error)),
            }
        }
        Err(Refusal::unavailable("the payment is on its way to its receivable"))
    }

    async fn take_back_from(&self, tenant: &str, customer_id: &CustomerId, going: &Going<'_>) -> Result<GoneBack, Refusal> {
        let command = Command::ReturnPayment(ReturnPayment {
            payment_id: going.payment_id.clone(),
            return_id: going.return_id.to_owned(),
            amount_minor: going.amount_minor,
            reason: going.reason.to_owned(),
            returned_on: going.returned_on,
        });
        match self.put(tenant, (customer_id, command), going.key()).await {
            Ok(written) => Ok(gone_back(written.appended.deduplicated)),
            Err(WriteError::Rejected(rejection)) => Err(wire::refused(&rejection, wire::Place::default())),
            Err(error) => Err(unwritten(error)),
        }
    }
}

/// Money that goes back.
pub(crate) struct Going<'a> {
    pub payment_id: &'a PaymentId,
    pub return_id: &'a str,
    pub amount_minor: i64,
    pub reason: &'a str,
    pub returned_on: NaiveDate,
}

impl Going<'_> {
    fn key(&self) -> CommandKey {
        once("return", self.return_id, &format!("{} {}", self.payment_id, self.amount_minor))
    }
}

fn gone_back(deduplicated: bool) -> GoneBack {
    if deduplicated { GoneBack::Known } else { GoneBack::Done }
}

/// The command that puts money on a receivable.
pub(crate) fn recording(receipt: &Receipt, invoice_id: InvoiceId, amount_minor: i64) -> RecordReceipt {
    let payment = RecordPayment {
        payment_id: receipt.payment_id.clone(),
        invoice_id,
        amount_minor,
        currency: receipt.currency,
        paid_on: receipt.paid_on,
        method: method(receipt.source).to_owned(),
    };
    RecordReceipt { payment, source: receipt.source, fee_minor: receipt.fee_minor }
}

/// A command that was not refused by the rules, and not stored either.
pub(crate) fn unwritten<R>(error: WriteError<R>) -> Refusal {
    match error {
        WriteError::CommandReused => {
            Refusal::invalid("payment_id", "payment_changed", "the same payment was told of before with another amount")
        }
        WriteError::DiskFull => Refusal::exhausted("disk_full", "the disk is full; nothing was stored"),
        WriteError::Unavailable(reason) => Refusal::unavailable(reason),
        WriteError::ClaimTaken { .. } | WriteError::Rejected(_) => Refusal::internal("the payment could not be stored"),
        WriteError::SideRefused(reason) | WriteError::Corrupt(reason) => {
            tracing::error!(%reason, "a payment could not be stored");
            Refusal::internal("the payment could not be stored")
        }
    }
}
