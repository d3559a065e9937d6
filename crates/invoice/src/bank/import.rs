//! A bank's return file, put on accounts.
//!
//! Two passes over the file: the first only checks, so that a refused file changes nothing; the second carries records out, a page at a
//! time. Memory is a page. Every record has an id of its own content, so that a file that was cut by a crash is simply sent again.

use super::record::{self, Asked};
use crate::{
    grpc::Server,
    receipts::{Taken, Target, once, unwritten},
    wire,
};
use brazil::cnab::{BankEvent, Entry, Report, ReturnReader, TitleFact};
use chrono::{DateTime, Utc};
use contracts::invoice::v1 as proto;
use eventlog::WriteError;
use futures::{Stream, StreamExt, stream};
use host::Refusal;
use receivable::{BankNotice, Command, Kind, Rejection};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, Read, Seek, Write},
};
use tokio::sync::mpsc;

/// Bytes read at a time.
const CHUNK: usize = 16 * 1024;
/// Records in hand at a time, about.
const PAGE: usize = 256;
/// Accounts that are written to at a time.
const IN_FLIGHT: usize = 64;
/// Agreements of one file that are remembered; no real file has as many.
const MAX_AGREEMENTS: usize = 100;
/// Money that was taken back is on no receivable.
const REVERSAL_UNMATCHED: &str = "reversal_unmatched";
/// The account does not take a record.
const REFUSED_BY_ACCOUNT: &str = "refused_by_account";
/// Notes that are given back; the rest is counted.
const MAX_NOTES: usize = 100;

/// A file that waits on disk, in a file without a name, and its first reading.
struct Spool {
    file: File,
    reader: ReturnReader,
}

/// What came of a file.
#[derive(Default)]
struct Tally {
    outcomes: BTreeMap<&'static str, (u64, i64)>,
    notes: Vec<proto::BankFileNote>,
    notes_total: u64,
    /// Agreements that its titles name.
    agreements: BTreeSet<String>,
    feed_known_until: Option<DateTime<Utc>>,
}

/// A record with the receivable that it names.
struct Matched {
    fact: TitleFact,
    target: Result<Target, &'static str>,
}

/// What came of a record: its outcome, and the money in it.
type Done = (&'static str, i64);

impl Server {
    /// Takes a file in. Errors: INVALID_ARGUMENT `cnab_…` where the file is refused, and nothing was changed; UNAVAILABLE, and the same
    /// file again does the rest.
    pub(crate) async fn import(
        &self,
        tenant: &str,
        content: impl Stream<Item = Result<Vec<u8>, Refusal>> + Send + Unpin,
    ) -> Result<proto::ImportBankFileResponse, Refusal> {
        let (file, report) = checked(content).await?;
        let mut tally = Tally::default();
        for warning in &report.warnings {
            tally.note(Some(warning.line()), warning.slug(), warning.to_string(), "");
        }
        tally.notes_total += report.warnings_total - report.warnings.len() as u64;
        let (pages, mut waiting) = mpsc::channel(2);
        let reading = tokio::task::spawn_blocking(move || read_again(file, &pages));
        while let Some(page) = waiting.recv().await {
            self.take_page(tenant, report.bank, page, &mut tally).await?;
        }
        reading.await.map_err(|_| Refusal::internal("reading the file ended early"))?.map_err(|error| unspooled(&error))?;
        // Every record is where it belongs: what the bank knew is known.
        tally.feed_known_until = self.file_taken(tenant, &report, &tally.agreements).await?;
        Ok(tally.response(&report))
    }

    async fn take_page(&self, tenant: &str, bank: u16, page: Vec<Entry>, tally: &mut Tally) -> Result<(), Refusal> {
        let mut facts = Vec::with_capacity(page.len());
        for entry in page {
            match entry {
                Entry::Fact(fact) => {
                    tally.names(&fact.title.agreement);
                    facts.push(fact);
                }
                Entry::Review(review) => {
                    self.keep_review(tenant, bank, &review).await?;
                    tally.count(("for_review", 0));
                    tally.note(Some(review.line), review.reason.slug(), review.reason.to_string(), &review.title.nosso_numero);
                }
            }
        }
        let matching = stream::iter(facts).map(|fact| async move {
            let target = self.of_title(tenant, &fact).await?;
            Ok::<_, Refusal>(Matched { fact, target })
        });
        let matched: Vec<Result<Matched, Refusal>> = matching.buffered(IN_FLIGHT).collect().await;
        // Records of one account in the order of the file, accounts side by side.
        let mut accounts: BTreeMap<String, Vec<Matched>> = BTreeMap::new();
        for matched in matched {
            let matched = matched?;
            let account = match &matched.target {
                Ok((customer_id, _)) => customer_id.to_string(),
                Err(_) => format!("{}/{}", matched.fact.bank, matched.fact.title.nosso_numero),
            };
            accounts.entry(account).or_default().push(matched);
        }
        let working = stream::iter(accounts.into_values()).map(|records| self.take_records(tenant, records));
        let done: Vec<_> = working.buffer_unordered(IN_FLIGHT).collect().await;
        for records in done {
            for (fact, done) in records? {
                tally.told(&fact, done);
            }
        }
        Ok(())
    }

    async fn take_records(&self, tenant: &str, records: Vec<Matched>) -> Result<Vec<(TitleFact, Done)>, Refusal> {
        let mut all = Vec::with_capacity(records.len());
        for Matched { fact, target } in records {
            let done = self.take_record(tenant, &fact, target).await?;
            all.push((fact, done));
        }
        Ok(all)
    }

    async fn take_record(&self, tenant: &str, fact: &TitleFact, target: Result<Target, &'static str>) -> Result<Done, Refusal> {
        let asked = record::asked(fact).map_err(|_| Refusal::internal("a record has no id"))?;
        match asked {
            Asked::Pay(receipt) => {
                let amount_minor = receipt.amount_minor;
                let told = self.take_in(tenant, receipt.clone(), target.clone()).await?;
                if let (Some(counted), Ok(target)) = (told.counted, &target)
                    && !self.is_its_own_pix(tenant, fact, target).await?
                {
                    self.keep_twin(tenant, &receipt, target, counted).await?;
                }
                Ok((slug(told.taken), amount_minor))
            }
            Asked::Hold(mut receipt, reason) => {
                receipt.suggested = target.ok().map(|(_, invoice_id)| invoice_id);
                let amount_minor = receipt.amount_minor;
                Ok((slug(self.take_in(tenant, receipt, Err(reason)).await?.taken), amount_minor))
            }
            Asked::Undo => match target {
                Ok(target) => self.undo(tenant, fact, target).await,
                Err(_) => {
                    self.keep_fact(tenant, REVERSAL_UNMATCHED, fact, None).await?;
                    Ok(("unmatched", 0))
                }
            },
            Asked::Note(notice) => match target {
                Ok((customer_id, invoice_id)) => {
                    let outcome = noted(&notice);
                    let command = record::noting(fact, notice, invoice_id.clone(), self.today());
                    self.note(tenant, ((customer_id, invoice_id), command), fact, outcome).await
                }
                Err(_) => Ok(("unmatched", 0)),
            },
            Asked::Nothing => Ok(("listed", 0)),
        }
    }

    /// A cheque may bounce of which no payment was counted: then it is only a notice.
    async fn undo(&self, tenant: &str, fact: &TitleFact, (customer_id, invoice_id): Target) -> Result<Done, Refusal> {
        let command = record::undoing(fact, invoice_id.clone(), self.today());
        let key = once("bank", &record::record_id(fact), "");
        match self.put(tenant, (&customer_id, command), key).await {
            Ok(written) if written.appended.deduplicated => Ok(("known", 0)),
            Ok(_) => Ok(("reversed", 0)),
            Err(WriteError::Rejected(Rejection::PaymentUnknown)) if fact.event == BankEvent::ChequeBounced => {
                let notice = BankNotice::Other(fact.event.slug().to_owned());
                let command = record::noting(fact, notice, invoice_id.clone(), self.today());
                self.note(tenant, ((customer_id, invoice_id), command), fact, "noticed").await
            }
            Err(WriteError::Rejected(Rejection::PaymentUnknown)) => {
                self.keep_fact(tenant, REVERSAL_UNMATCHED, fact, Some(&(customer_id, invoice_id))).await?;
                Ok(("unmatched", 0))
            }
            Err(error) => self.refused(tenant, fact, (customer_id, invoice_id), error).await,
        }
    }

    async fn note(
        &self,
        tenant: &str,
        ((customer_id, invoice_id), command): (Target, Command),
        fact: &TitleFact,
        outcome: &'static str,
    ) -> Result<Done, Refusal> {
        let key = once("bank", &record::record_id(fact), "");
        match self.put(tenant, (&customer_id, command), key).await {
            Ok(written) if written.appended.deduplicated => Ok(("known", 0)),
            Ok(_) => Ok((outcome, if outcome == "fee" { fact.fee_cents } else { 0 })),
            Err(error) => self.refused(tenant, fact, (customer_id, invoice_id), error).await,
        }
    }

    /// A record that the account does not take is for a person; a log that does not answer is for the next try.
    async fn refused(&self, tenant: &str, fact: &TitleFact, target: Target, error: WriteError<Rejection>) -> Result<Done, Refusal> {
        let WriteError::Rejected(rejection) = error else { return Err(unwritten(error)) };
        self.keep_fact(tenant, REFUSED_BY_ACCOUNT, fact, Some(&target)).await?;
        Ok(match rejection.kind() {
            Kind::Invalid => ("for_review", 0),
            Kind::NotFound | Kind::Precondition => ("unmatched", 0),
        })
    }
}

fn slug(taken: Taken) -> &'static str {
    match taken {
        Taken::Applied => "applied",
        Taken::Confirmed => "confirmed",
        Taken::Known => "known",
        Taken::Unapplied => "unapplied",
    }
}

fn noted(notice: &BankNotice) -> &'static str {
    match notice {
        BankNotice::Registered => "registered",
        BankNotice::Rejected => "rejected",
        BankNotice::WrittenOff => "written_off",
        BankNotice::Fee => "fee",
        BankNotice::Other(_) => "noticed",
    }
}

/// The whole file on disk, once it is sure that it is good.
async fn checked(mut content: impl Stream<Item = Result<Vec<u8>, Refusal>> + Send + Unpin) -> Result<(File, Report), Refusal> {
    let file = tempfile::tempfile().map_err(|error| unspooled(&error))?;
    let mut spool = Spool { file, reader: ReturnReader::new() };
    while let Some(chunk) = content.next().await {
        let chunk = chunk?;
        spool = tokio::task::spawn_blocking(move || spool.take(&chunk)).await.map_err(|_| Refusal::internal("reading ended early"))??;
    }
    tokio::task::spawn_blocking(move || spool.finish()).await.map_err(|_| Refusal::internal("reading ended early"))?
}

impl Spool {
    fn take(mut self, chunk: &[u8]) -> Result<Self, Refusal> {
        self.file.write_all(chunk).map_err(|error| unspooled(&error))?;
        self.reader.push(chunk, &mut |_| {}).map_err(|refusal| refused_file(&refusal))?;
        Ok(self)
    }

    fn finish(mut self) -> Result<(File, Report), Refusal> {
        let report = self.reader.finish(&mut |_| {}).map_err(|refusal| refused_file(&refusal))?;
        self.file.rewind().map_err(|error| unspooled(&error))?;
        Ok((self.file, report))
    }
}

fn refused_file(refusal: &brazil::cnab::Refusal) -> Refusal {
    Refusal::invalid("content", refusal.slug(), refusal.to_string())
}

fn unspooled(error: &io::Error) -> Refusal {
    tracing::error!(%error, "a bank's file cannot wait on disk");
    match error.kind() {
        io::ErrorKind::StorageFull => Refusal::exhausted("disk_full", "the disk is full; nothing was stored"),
        _ => Refusal::internal("the file cannot wait on disk"),
    }
}

/// Reads the file from its start and hands its records on. Ends early when nobody takes them.
fn read_again(mut file: File, pages: &mpsc::Sender<Vec<Entry>>) -> io::Result<()> {
    let mut reader = ReturnReader::new();
    let mut page = Vec::with_capacity(PAGE);
    let mut buffer = vec![0; CHUNK];
    let changed = |_| io::Error::other("the file changed while it was read");
    loop {
        let size = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(size) => size,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        reader.push(&buffer[..size], &mut |entry| page.push(entry)).map_err(changed)?;
        if page.len() >= PAGE && pages.blocking_send(std::mem::take(&mut page)).is_err() {
            return Ok(());
        }
    }
    reader.finish(&mut |entry| page.push(entry)).map_err(changed)?;
    // Whoever waited for the last page and is gone has its own error.
    let _ = pages.blocking_send(page);
    Ok(())
}

impl Tally {
    fn count(&mut self, (outcome, amount_minor): Done) {
        let (records, sum_minor) = self.outcomes.entry(outcome).or_default();
        *records += 1;
        *sum_minor = sum_minor.saturating_add(amount_minor);
    }

    fn names(&mut self, agreement: &str) {
        if self.agreements.len() < MAX_AGREEMENTS && !self.agreements.contains(agreement) {
            self.agreements.insert(agreement.to_owned());
        }
    }

    fn told(&mut self, fact: &TitleFact, done: Done) {
        self.count(done);
        let number = &fact.title.nosso_numero;
        match done.0 {
            "unapplied" => self.note(Some(fact.line), "unapplied", "kept as an unapplied payment".to_owned(), number),
            "unmatched" => self.note(Some(fact.line), "unmatched", format!("no receivable has this title: {}", fact.event.slug()), number),
            "for_review" => self.note(Some(fact.line), "for_review", "the account does not take this record".to_owned(), number),
            _ => {}
        }
    }

    fn note(&mut self, line: Option<u64>, note: &str, text: String, nosso_numero: &str) {
        self.notes_total += 1;
        if self.notes.len() < MAX_NOTES {
            let (line, note, nosso_numero) = (line.unwrap_or(0), note.to_owned(), nosso_numero.to_owned());
            self.notes.push(proto::BankFileNote { line, note, text, nosso_numero });
        }
    }

    fn response(self, report: &Report) -> proto::ImportBankFileResponse {
        let outcome = |(outcome, (records, amount_minor)): (&str, (u64, i64))| proto::BankFileOutcome {
            outcome: outcome.to_owned(),
            records,
            amount_minor,
        };
        proto::ImportBankFileResponse {
            layout: report.format.name().to_owned(),
            bank: format!("{:03}", report.bank),
            sequence: report.sequence.clone(),
            lines: report.lines,
            titles: report.facts + report.reviews,
            outcomes: self.outcomes.into_iter().map(outcome).collect(),
            notes: self.notes,
            notes_total: self.notes_total,
            feed_known_until: self.feed_known_until.map(wire::timestamp),
        }
    }
}
