//! Commands on payers' accounts, as the invoice service gives them to its writer.

use anyhow::Context;
use brazil::charges::LegalRates;
use eventlog::{Aggregate, CommandKey, Submission};
use invoice::{
    Accounts,
    aggregate::{self, Addressed},
};
use kernel::{Currency, CustomerId, InvoiceId, NaiveDate};
use receivable::{Account, Attributes, Command, IssueInvoice, RegisterCustomer};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Whose portfolio it is.
pub const TENANT: &str = "bench";
/// Bytes of the answer that is kept with each command: an invoice as its caller sees it.
pub const ANSWER: usize = 100;

/// Makes commands, none of them twice.
pub struct Facts {
    payers: u64,
    rates: Arc<LegalRates>,
    next: AtomicU64,
}

impl Facts {
    /// For so many payers.
    pub fn new(payers: u64) -> Self {
        Self { payers: payers.max(1), rates: Arc::new(LegalRates::default()), next: AtomicU64::new(0) }
    }

    /// Number of the next fact, and of the payer that it is about: all payers come before one comes again.
    pub fn next(&self) -> (u64, u64) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        (number, number % self.payers)
    }

    /// Makes a payer known.
    pub fn register(&self, payer: u64) -> anyhow::Result<Submission<Accounts>> {
        let customer_id = CustomerId::new(&customer(payer))?;
        let attributes = Attributes { state: Some("SP".to_owned()), ..Attributes::default() };
        let command = RegisterCustomer { customer_id: customer_id.clone(), attributes, consents: BTreeSet::new() };
        Ok(self.submission(customer_id, Command::RegisterCustomer(command), format!("c{payer}")))
    }

    /// Issues the next invoice, with everything that the service stores for one: the event, the key, the name, the answer.
    pub fn issue(&self) -> anyhow::Result<Submission<Accounts>> {
        let (number, payer) = self.next();
        let customer_id = CustomerId::new(&customer(payer))?;
        let id = invoice(number);
        let submission = self.submission(customer_id, Command::IssueInvoice(issue(&id)?), format!("i{number}"));
        Ok(submission.with_claim("invoice", id).with_answer(|_, _| vec![7; ANSWER]))
    }

    fn submission(&self, customer_id: CustomerId, command: Command, id: String) -> Submission<Accounts> {
        let (stream, meta) = (aggregate::stream(TENANT, customer_id.as_str()), aggregate::meta(TENANT, customer_id.as_str()));
        let addressed = Addressed { customer_id, command, rates: Arc::clone(&self.rates) };
        Submission::new(stream, meta, addressed).with_key(CommandKey { id, body_hash: [3; 32] })
    }
}

/// The id of a payer.
pub fn customer(payer: u64) -> String {
    format!("payer-{payer:06}")
}

/// The id of an invoice.
pub fn invoice(number: u64) -> String {
    format!("invoice-{number:09}")
}

fn issue(id: &str) -> anyhow::Result<IssueInvoice> {
    Ok(IssueInvoice {
        invoice_id: InvoiceId::new(id)?,
        amount_minor: 12_345,
        currency: Currency::BRL,
        issued_on: mid_month(1)?,
        due_on: mid_month(2)?,
        document: None,
        automatic_debit_on: None,
        instruments: None,
        charges: None,
    })
}

/// The middle of a month of the year in which invoices are issued. Errors: there is no such month.
pub fn mid_month(month: u32) -> anyhow::Result<NaiveDate> {
    NaiveDate::from_ymd_opt(2026, month, 15).context("no such day")
}

/// The bytes of an event of an issued invoice: what a reference stores too.
///
/// # Errors
/// The account refuses the invoice.
pub fn payload() -> anyhow::Result<Vec<u8>> {
    let facts = Facts::new(1);
    let (_, bytes) = [facts.register(0)?.command, facts.issue()?.command].into_iter().try_fold(
        (Account::default(), Vec::new()),
        |(account, _), command| {
            let decided = Accounts::default().decide(&account, &command).map_err(|rejection| anyhow::anyhow!("{rejection:?}"))?;
            let account = decided.iter().fold(account, |account, fact| Accounts::default().evolve(account, fact));
            let bytes = decided.last().map(|fact| Accounts::default().encode(fact).payload).unwrap_or_default();
            Ok::<_, anyhow::Error>((account, bytes))
        },
    )?;
    Ok(bytes)
}
