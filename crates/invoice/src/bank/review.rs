//! What of a bank's file, or of a call of the Pix network, a person must look at.
//!
//! Each is kept as a finding, once, by its content: what a file told is not lost with the answer of its import.

use super::record::record_id;
use crate::{
    aggregate,
    grpc::{Server, unreadable},
    receipts::Target,
};
use brazil::{
    cnab::{Review, TitleFact, TitleRef},
    pix::BrCode,
};
use host::Refusal;
use kernel::{Currency, PaymentId};
use receivable::{finding::Found, unapplied::Receipt};
use sha2::{Digest, Sha256};

/// Characters of a hash that are kept: 160 bits.
const HASH_CHARS: usize = 40;

impl Server {
    /// A record that cannot be read as a fact.
    pub(crate) async fn keep_review(&self, tenant: &str, bank: u16, review: &Review) -> Result<(), Refusal> {
        let told = format!("{bank} {} {:032x}", review.reason.slug(), review.print);
        let hash = hex::encode(Sha256::digest(told));
        let found = Found { movement: review.movement.clone(), ..found(review.reason.slug(), bank, &review.title, review.line) };
        self.keep_finding(tenant, format!("review-{}", hash.get(..HASH_CHARS).unwrap_or_default()), found).await
    }

    /// A fact that is on no account, or that its account does not take.
    pub(crate) async fn keep_fact(&self, tenant: &str, kind: &str, fact: &TitleFact, target: Option<&Target>) -> Result<(), Refusal> {
        let found = Found {
            movement: fact.movement.clone(),
            event_on: fact.event_on,
            amount_minor: fact.settlement.map_or(0, |settlement| settlement.paid_cents.max(0)),
            invoice_id: target.map(|(_, invoice_id)| invoice_id.clone()),
            ..found(kind, fact.bank, &fact.title, fact.line)
        };
        self.keep_finding(tenant, format!("{kind}-{}", record_id(fact)), found).await
    }

    /// Money that was taken for a payment that another channel had told of. Where only receivable, amount and days say that it is the
    /// same, it may be other money: a person is told.
    pub(crate) async fn keep_twin(&self, tenant: &str, receipt: &Receipt, target: &Target, counted: PaymentId) -> Result<(), Refusal> {
        let found = Found {
            kind: "possibly_told_twice".to_owned(),
            bank: receipt.account.clone(),
            agreement: String::new(),
            nosso_numero: receipt.reference.clone(),
            movement: String::new(),
            reference: String::new(),
            event_on: Some(receipt.paid_on),
            amount_minor: receipt.amount_minor,
            currency: receipt.currency,
            invoice_id: Some(target.1.clone()),
            payment_id: Some(receipt.payment_id.clone()),
            counted_payment_id: Some(counted),
            line: 0,
        };
        self.keep_finding(tenant, format!("twice-{}", receipt.payment_id), found).await
    }

    /// Whether the file itself says which Pix it was: the receivable's own.
    pub(crate) async fn is_its_own_pix(&self, tenant: &str, fact: &TitleFact, target: &Target) -> Result<bool, Refusal> {
        let Some(trace) = &fact.pix else { return Ok(false) };
        let (account, _) = self.writer.state(&aggregate::stream(tenant, target.0.as_str())).await.map_err(unreadable)?;
        let own = account.invoices.get(&target.1).and_then(|invoice| invoice.instruments.as_ref()?.txid.clone());
        let told = if trace.txid.is_empty() { txid_of(&trace.br_code) } else { Some(trace.txid.clone()) };
        Ok(own.zip(told).is_some_and(|(own, told)| own.as_str() == told))
    }
}

/// The txid of a static code.
fn txid_of(br_code: &str) -> Option<String> {
    BrCode::parse(br_code).ok()?.txid().map(str::to_owned)
}

fn found(kind: &str, bank: u16, title: &TitleRef, line: u64) -> Found {
    let reference = if title.company_use.is_empty() { &title.document } else { &title.company_use };
    Found {
        kind: kind.to_owned(),
        bank: format!("{bank:03}"),
        agreement: title.agreement.clone(),
        nosso_numero: title.nosso_numero.clone(),
        movement: String::new(),
        reference: reference.clone(),
        event_on: None,
        amount_minor: 0,
        currency: Currency::BRL,
        invoice_id: None,
        payment_id: None,
        counted_payment_id: None,
        line,
    }
}
