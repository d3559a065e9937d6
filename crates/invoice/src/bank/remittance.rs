//! The file that a bank is given: titles to register, changes, titles to write off.
//!
//! What the file asks is an event before a byte of it is given out, so that two calls never ask the same twice and a file that was lost
//! on its way is written again from its event, byte for byte as long as the payers' data is the same. Names and addresses are in no
//! event: they are read when the file is written.

mod renewal;
mod title;

use crate::{
    aggregate,
    grpc::{Server, command_key, unreadable},
    query,
    receipts::unwritten,
    remittance,
    wire::{self, Contact, Receiver},
};
use brazil::cnab::remittance::{Company, Order as BankOrder, OrderFault, RemittanceWriter};
use contracts::invoice::v1 as proto;
use eventlog::{Submission, WriteError};
use host::{
    Refusal,
    request::{self, Page},
};
use kernel::{CollectionAccountId, CustomerId, InvoiceId};
use receivable::remittance::{Candidate, Instruction, MAX_ORDERS, Order, RemittanceWritten, Remittances, Want, WriteRemittance, needed};
use receivable::{Account, BankCharges, BankStanding, Invoice, Phase, collection::Agreement};

/// Titles that are looked at in one read.
const PAGE: usize = 500;
/// Lines of one piece of the answer.
const LINES_A_PIECE: usize = 256;
/// Titles that could not be ordered and are told by id; the rest is counted.
const MAX_SKIPPED: usize = 100;

/// A file, and what could not be put into it.
pub(crate) struct File {
    pub summary: proto::RemittanceSummary,
    /// Lines of 240 characters.
    pub lines: Vec<String>,
}

impl File {
    /// The file in pieces of whole lines; the first has the summary.
    pub(crate) fn pieces(self) -> impl Iterator<Item = proto::WriteRemittanceResponse> {
        let mut summary = Some(self.summary);
        let chunks: Vec<Vec<u8>> = self
            .lines
            .chunks(LINES_A_PIECE)
            .map(|lines| lines.iter().flat_map(|line| [line.as_str(), "\r\n"]).collect::<String>().into_bytes())
            .collect();
        let none = chunks.is_empty().then(Vec::new);
        chunks.into_iter().chain(none).map(move |content| proto::WriteRemittanceResponse { summary: summary.take(), content })
    }
}

/// An account as its files need it.
struct Books<'a> {
    tenant: &'a str,
    account_id: CollectionAccountId,
    agreement: Agreement,
    company: Company,
}

/// The titles that something is to be asked for.
#[derive(Default)]
struct Wanted {
    candidates: Vec<Candidate>,
    orders: usize,
    skipped: Vec<proto::RemittanceSkip>,
    skipped_total: u64,
    more: bool,
}

impl Server {
    /// The next file of an account, or an earlier one again. Errors: NOT_FOUND `unknown_collection_account`, `unknown_remittance`;
    /// FAILED_PRECONDITION `remittance_…` where the bank's file is not written here, `payer_data_missing` where an earlier file cannot
    /// be written again.
    pub(crate) async fn write_remittance(&self, tenant: &str, m: &proto::WriteRemittanceRequest) -> Result<File, Refusal> {
        let key = command_key("WriteRemittance", (&m.command_id, m))?;
        let account_id = request::id("collection_account_id", &m.collection_account_id, CollectionAccountId::new)?;
        let books = self.books(tenant, account_id).await?;
        let stream = remittance::stream(tenant, &books.account_id);
        if m.sequence > 0 {
            let event = self.written(&stream, m.sequence).await?;
            return self.file(&books, &event, Wanted::default()).await;
        }
        let (state, _) = self.remittances.state(&stream).await.map_err(unreadable)?;
        let mut wanted = self.wanted(&books, &state).await?;
        let now = self.clock.now();
        let command = WriteRemittance { candidates: std::mem::take(&mut wanted.candidates), today: self.zone.day_of(now), now };
        let submission = Submission::new(stream.clone(), remittance::meta(tenant), command).with_key(key);
        let submission = submission
            .with_answer(|_, events: &[RemittanceWritten]| events.first().map_or(0_u32, |event| event.sequence).to_be_bytes().to_vec());
        let written = self.remittances.submit(submission).await.map_err(|error| match error {
            WriteError::Rejected(rejection) => {
                Refusal::precondition("collection_account_id", "remittance_numbers_exhausted", rejection.to_string())
            }
            WriteError::CommandReused => Refusal::invalid("command_id", "command_reused", "the key was used for another command"),
            error => unwritten(error),
        })?;
        let sequence = <[u8; 4]>::try_from(written.appended.answer.as_slice()).map_or(0, u32::from_be_bytes);
        if sequence == 0 {
            return Ok(File { summary: wanted.summary(0, 0), lines: Vec::new() });
        }
        let event = self.written(&stream, sequence).await?;
        self.file(&books, &event, wanted).await
    }

    async fn books<'a>(&self, tenant: &'a str, account_id: CollectionAccountId) -> Result<Books<'a>, Refusal> {
        let accounts = self.allotment.fresh(tenant).await.map_err(unreadable)?;
        let unknown = || Refusal::not_found("collection_account_id", "unknown_collection_account", "the collection account is unknown");
        let account = accounts.accounts.get(&account_id).ok_or_else(unknown)?;
        let no_boletos = || Refusal::precondition("collection_account_id", "no_agreement", "the account has no agreement for boletos");
        let agreement = account.agreement.clone().ok_or_else(no_boletos)?;
        let receiver: Receiver = query::receiver(&self.db, tenant, account_id.as_str()).await?.unwrap_or_default();
        let company = title::company(&agreement, &receiver).map_err(unwritable)?;
        Ok(Books { tenant, account_id, agreement, company })
    }

    /// What is to be asked of the bank. A title whose payer's data is not enough is told, and does not hold up the others.
    async fn wanted(&self, books: &Books<'_>, state: &Remittances) -> Result<Wanted, Refusal> {
        let mut wanted = Wanted::default();
        let mut after = String::new();
        loop {
            let page = Page { size: PAGE, after: after.clone() };
            let mut titles = query::titles(&self.views, books.tenant, books.account_id.as_str(), &page).await.map_err(unreadable)?;
            let more = titles.len() > PAGE;
            titles.truncate(PAGE);
            for (invoice_id, customer_id) in &titles {
                self.look_at(books, state, (invoice_id, customer_id), &mut wanted).await?;
                if wanted.more {
                    return Ok(wanted);
                }
            }
            match titles.last() {
                Some((invoice_id, _)) if more => after = invoice_id.to_string(),
                _ => return Ok(wanted),
            }
        }
    }

    async fn look_at(
        &self,
        books: &Books<'_>,
        state: &Remittances,
        (invoice_id, customer_id): (&InvoiceId, &CustomerId),
        wanted: &mut Wanted,
    ) -> Result<(), Refusal> {
        let (account, _) = self.writer.state(&aggregate::stream(books.tenant, customer_id.as_str())).await.map_err(unreadable)?;
        let Some(invoice) = account.invoices.get(invoice_id) else { return Ok(()) };
        let renewed;
        let (account, invoice) = if renewal::is_needed(invoice, state.ordered.get(invoice_id)) {
            match self.renewed(books, (invoice_id, customer_id), invoice).await? {
                Ok(after) => renewed = after,
                Err(reason) => {
                    wanted.skip(invoice_id, reason);
                    return Ok(());
                }
            }
            let Some(invoice) = renewed.invoices.get(invoice_id) else { return Ok(()) };
            (&renewed, invoice)
        } else {
            (&account, invoice)
        };
        let candidate = candidate(invoice_id, customer_id, invoice, account);
        let today = self.today();
        let asked = needed(state, &candidate, today);
        if asked.is_empty() {
            return Ok(());
        }
        if wanted.orders + asked.len() > MAX_ORDERS {
            wanted.more = true;
            return Ok(());
        }
        for instruction in &asked {
            let order = candidate.order(*instruction, today);
            let written = self.bank_order(books, &order, account).await?;
            let fault = match &written {
                Ok(order) => order.faults().first().map(|fault| fault.slug()),
                Err(reason) => Some(*reason),
            };
            if let Some(reason) = fault {
                wanted.skip(invoice_id, reason);
                return Ok(());
            }
        }
        wanted.orders += asked.len();
        wanted.candidates.push(candidate);
        Ok(())
    }

    /// An order as the bank's file says it; else what is missing for it.
    async fn bank_order(&self, books: &Books<'_>, order: &Order, account: &Account) -> Result<Result<BankOrder, &'static str>, Refusal> {
        let contact = match order.instruction {
            Instruction::Enter => query::contact(&self.db, books.tenant, order.customer_id.as_str()).await?.unwrap_or_default(),
            Instruction::ChangeDue
            | Instruction::ChangeAmount
            | Instruction::ChangeInterest
            | Instruction::WaiveInterest
            | Instruction::ChangeFine
            | Instruction::WaiveFine
            | Instruction::GrantAbatement
            | Instruction::CancelAbatement
            | Instruction::GrantDiscounts
            | Instruction::CancelDiscounts
            | Instruction::WriteOff => Contact::default(),
        };
        Ok(title::order(&books.agreement, order, account, &contact))
    }

    /// The event of a file. Errors: NOT_FOUND `unknown_remittance`.
    async fn written(&self, stream: &str, sequence: u32) -> Result<RemittanceWritten, Refusal> {
        let events = self.log.read_streams(&[(stream.to_owned(), 0)]).await.map_err(unreadable)?;
        let files = events.iter().filter_map(|event| wire::decode_remittance(&event.event_type, &event.payload).ok().flatten());
        let unknown = || Refusal::not_found("sequence", "unknown_remittance", "the account has no file of this number");
        files.into_iter().find(|file| file.sequence == sequence).ok_or_else(unknown)
    }

    async fn file(&self, books: &Books<'_>, event: &RemittanceWritten, wanted: Wanted) -> Result<File, Refusal> {
        let (day, time) = (self.zone.day_of(event.written_at), self.zone.time_of(event.written_at));
        let mut writer = RemittanceWriter::new(books.company.clone(), event.sequence, day, time).map_err(unwritable)?;
        let mut lines = writer.begin().map_err(unwritable)?.to_vec();
        for order in &event.orders {
            let stream = aggregate::stream(books.tenant, order.customer_id.as_str());
            let (account, _) = self.writer.state(&stream).await.map_err(unreadable)?;
            let missing = |reason: &str| {
                let text = format!("the title of {} cannot be written: {reason}", order.invoice_id);
                Refusal::precondition("sequence", "payer_data_missing", text)
            };
            let bank_order = self.bank_order(books, order, &account).await?.map_err(missing)?;
            let segments = writer.order(&bank_order).map_err(|faults| missing(faults.first().map_or("", |fault| fault.slug())))?;
            lines.extend(segments);
        }
        lines.extend(writer.finish().map_err(unwritable)?);
        Ok(File { summary: wanted.summary(event.sequence, event.orders.len() as u64), lines })
    }
}

impl Wanted {
    fn skip(&mut self, invoice_id: &InvoiceId, reason: &str) {
        self.skipped_total += 1;
        if self.skipped.len() < MAX_SKIPPED {
            self.skipped.push(proto::RemittanceSkip { invoice_id: invoice_id.to_string(), reason: reason.to_owned() });
        }
    }

    fn summary(self, sequence: u32, orders: u64) -> proto::RemittanceSummary {
        let Self { skipped, skipped_total, more, .. } = self;
        proto::RemittanceSummary { sequence, orders, skipped, skipped_total, more }
    }
}

fn unwritable(fault: OrderFault) -> Refusal {
    Refusal::precondition("collection_account_id", fault.slug(), fault.to_string())
}

/// A title that was paid at the bank is settled there; one that was paid elsewhere, or is owed no more, must not be paid again.
fn candidate(invoice_id: &InvoiceId, customer_id: &CustomerId, invoice: &Invoice, account: &Account) -> Candidate {
    let at_bank = || {
        let mut payments = invoice.payments.iter().filter_map(|id| account.payments.get(id));
        payments.any(|payment| payment.source.is_bank_file() && payment.reversed.is_none())
    };
    let want = match (invoice.phase, invoice.bank_standing) {
        (_, BankStanding::WrittenOff) => Want::AsItIs,
        (Phase::Open, BankStanding::Unsaid | BankStanding::Registered) => Want::Registered,
        (Phase::Open, BankStanding::Rejected) => Want::RegisteredAgain,
        (Phase::Settled | Phase::Cancelled | Phase::Renegotiated, BankStanding::Rejected) => Want::AsItIs,
        (Phase::Settled | Phase::Cancelled | Phase::Renegotiated, BankStanding::Unsaid | BankStanding::Registered) => {
            if at_bank() {
                Want::AsItIs
            } else {
                Want::WrittenOff
            }
        }
    };
    let (due_on, amount_minor) = (invoice.due_on, invoice.amount_minor);
    let charges = invoice.charges.as_ref().map(|terms| terms.at_bank(amount_minor, due_on).charges).unwrap_or_default();
    let charges = BankCharges { abatement_minor: invoice.credited_minor, ..charges };
    let slip = invoice.instruments.as_ref().and_then(|instruments| instruments.boleto.as_ref());
    let nosso_numero = slip.map(|slip| slip.nosso_numero.to_string()).unwrap_or_default();
    Candidate { invoice_id: invoice_id.clone(), customer_id: customer_id.clone(), due_on, amount_minor, charges, nosso_numero, want }
}
