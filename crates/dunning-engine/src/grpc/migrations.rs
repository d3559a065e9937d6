//! Migrations: what one would do, and doing it.

use super::{Server, command_key, refusal, rejected, unreadable};
use crate::aggregate::{Addressed, Order, Payer, meta, stream};
use crate::migration::{Asked, Report, Version};
use crate::policies::{self, Change, Migrated, Shelf};
use crate::query;
use crate::wire::{self, Fact};
use chrono::NaiveDate;
use contracts::dunning::v1 as proto;
use eventlog::{Aggregate, CommandKey, Submission};
use host::Refusal;
use kernel::{CustomerId, calendar};
use ladder::Command;
use prost::Message;
use sha2::{Digest, Sha256};
use tonic::Status;

/// One more track in so many, and as many more at all, are no surprise: debts come in while somebody reads the report.
const MORE_TRACKS: u64 = 20;
/// Letters of the digest in a rehearsal's name.
const DIGEST_CHARS: usize = 16;

/// What a rehearsal was of. Its name says day and tracks, and holds all of it together; it is no secret.
struct Rehearsed<'a> {
    tenant: &'a str,
    from: &'a Version,
    to: &'a Version,
    day: NaiveDate,
    tracks: u64,
}

impl Rehearsed<'_> {
    /// `2026-11-26.1200.5f0c…`
    fn name(&self) -> String {
        let head = format!("{}.{}", self.day, self.tracks);
        let all = [self.tenant, self.from.0.as_str(), &self.from.1.to_string(), self.to.0.as_str(), &self.to.1.to_string(), &head];
        let digest: String = Sha256::digest(all.join("\n")).iter().map(|byte| format!("{byte:02x}")).take(DIGEST_CHARS / 2).collect();
        format!("{head}.{digest}")
    }

    /// Day and tracks of a name.
    fn parts(name: &str) -> Option<(NaiveDate, u64)> {
        let mut parts = name.split('.');
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    }
}

/// Whether a rehearsal of a day and so many tracks says enough of a move on another day. Fewer tracks are among those that were rehearsed.
fn covers((day, then): (NaiveDate, u64), (today, now): (NaiveDate, u64)) -> bool {
    let is_fresh = (0..=1).contains(&calendar::days_between(day, today));
    is_fresh && now <= then.saturating_add(then / MORE_TRACKS).saturating_add(MORE_TRACKS)
}

/// Payers that are looked up at a time.
const PAGE: i64 = 500;

impl Server {
    pub(super) async fn rehearse(
        &self,
        tenant: &str,
        m: &proto::RehearseMigrationRequest,
    ) -> Result<proto::RehearseMigrationResponse, Refusal> {
        let (from, to) = self.versions(tenant, m.from.as_ref(), m.to.as_ref()).await?;
        let tracks = self.tracks_on(tenant, &from).await?;
        let rehearsed = Rehearsed { tenant, from: &from, to: &to, day: self.today(), tracks };
        let rehearsal = rehearsed.name();
        let report = self.rehearse_moves(tenant, (&from, &to)).await?;
        Ok(proto::RehearseMigrationResponse { report: Some(wire::report(&report)), rehearsal })
    }

    async fn rehearse_moves(&self, tenant: &str, (from, to): (&Version, &Version)) -> Result<Report, Refusal> {
        let (mut total, mut after) = (Report::default(), String::new());
        loop {
            let page = self.payers_on(tenant, from, &after).await?;
            let Some(last) = page.last() else { return Ok(total) };
            after.clone_from(last);
            for customer in &page {
                let (payer, _) = self.writer.state(&stream(tenant, customer)).await.map_err(unreadable)?;
                let order = self.order(tenant, customer, (from, to), (String::new(), String::new()))?;
                let facts = self.ladders.decide(&payer, &order).map_err(|refused| rejected(refused, "RehearseMigrationRequest"))?;
                let moved = facts.iter().fold(Payer::clone(&payer), |payer, fact| self.ladders.evolve(payer, fact));
                total.add(&self.report_of(tenant, from, &moved, &facts));
            }
        }
    }

    /// Payer by payer, each once for the key; then the whole is noted once, and its first report answers every call with the key.
    pub(super) async fn migrate(&self, tenant: &str, m: &proto::MigrateTracksRequest) -> Result<proto::MigrationReport, Status> {
        let (from, to) = self.versions(tenant, m.from.as_ref(), m.to.as_ref()).await?;
        let (by, why) = wire::signature(&m.by, &m.reason)?;
        let key = command_key(&m.command_id, m)?;
        self.was_rehearsed(tenant, (&from, &to), &m.rehearsal).await?;
        let (mut total, mut after) = (Report::default(), String::new());
        loop {
            let page = self.payers_on(tenant, &from, &after).await?;
            let Some(last) = page.last() else { break };
            after.clone_from(last);
            for customer in &page {
                let order = self.order(tenant, customer, (&from, &to), (by.clone(), why.clone()))?;
                let payer_key = CommandKey { id: format!("{}/{customer}", key.id), ..key.clone() };
                total.add(&self.move_payer(tenant, customer, &from, (order, payer_key)).await?);
            }
        }
        let made = Migrated { from, to, payers: total.payers, moved: total.moved, left: total.left, by, why };
        let answer = wire::report(&total).encode_to_vec();
        let submission = Submission::new(policies::assignments_stream(tenant), policies::meta(tenant), Change::Migrate(made))
            .with_key(key)
            .with_answer(move |_: &Shelf, _| answer.clone());
        let written = self.change(submission).await?;
        Ok(wire::report(&wire::read_report(&written.appended.answer).map_err(unreadable)?))
    }

    /// Whether nobody is surprised. Where nothing is left to move, nothing is: a call that is repeated gets its answer.
    async fn was_rehearsed(&self, tenant: &str, (from, to): (&Version, &Version), rehearsal: &str) -> Result<(), Refusal> {
        if rehearsal.is_empty() {
            return Err(Refusal::invalid("rehearsal", "rehearsal_missing", "RehearseMigration shows what would happen, and names it"));
        }
        let (today, tracks) = (self.today(), self.tracks_on(tenant, from).await?);
        let is_known = |day, tracks| Rehearsed { tenant, from, to, day, tracks }.name() == rehearsal;
        if tracks == 0 || Rehearsed::parts(rehearsal).is_some_and(|(day, then)| is_known(day, then) && covers((day, then), (today, tracks)))
        {
            return Ok(());
        }
        Err(Refusal::precondition(
            "rehearsal",
            "rehearsal_outdated",
            "was of other versions, of other days, or of far fewer tracks: rehearse again",
        ))
    }

    async fn tracks_on(&self, tenant: &str, from: &Version) -> Result<u64, Refusal> {
        query::tracks_on(&self.views, tenant, (from.0.as_str(), from.1)).await.map_err(unreadable)
    }

    async fn move_payer(
        &self,
        tenant: &str,
        customer: &str,
        from: &Version,
        (order, key): (Addressed, CommandKey),
    ) -> Result<Report, Refusal> {
        let (server, tenant_of_answer, from) = (self.clone(), tenant.to_owned(), from.clone());
        let answer = move |payer: &Payer, facts: &[Fact]| {
            let report = server.report_of(&tenant_of_answer, &from, payer, facts);
            wire::report(&report).encode_to_vec()
        };
        let submission = Submission::new(stream(tenant, customer), meta(tenant, customer), order).with_key(key).with_answer(answer);
        let written =
            self.writer.submit(submission).await.map_err(|error| refusal(error, |refused| rejected(refused, "MigrateTracksRequest")))?;
        wire::read_report(&written.appended.answer).map_err(unreadable)
    }

    fn report_of(&self, tenant: &str, from: &Version, after: &Payer, facts: &[Fact]) -> Report {
        let book = self.books().of(tenant);
        let zone = after.ladder.zone(&*book).unwrap_or(self.zone);
        let day = zone.day_of(self.clock.now());
        let asked = Asked { from, day, book: &*book, approvals_given: self.ladders.approvals_given() };
        Report::of(&asked, facts.iter().map(|fact| &fact.event), &after.ladder)
    }

    fn order(
        &self,
        tenant: &str,
        customer: &str,
        (from, to): (&Version, &Version),
        (by, why): (String, String),
    ) -> Result<Addressed, Refusal> {
        let customer_id = CustomerId::new(customer).map_err(|_| Refusal::internal("a track has no payer"))?;
        let command = Command::Migrate { from: from.clone(), to: to.clone(), by, why, now: self.clock.now() };
        Ok(Addressed { tenant: tenant.to_owned(), customer_id, order: Order::Ladder(command) })
    }

    async fn payers_on(&self, tenant: &str, from: &Version, after: &str) -> Result<Vec<String>, Refusal> {
        query::payers_on(&self.views, tenant, (from.0.as_str(), from.1), (after, PAGE)).await.map_err(unreadable)
    }

    /// Both versions, which exist.
    async fn versions(
        &self,
        tenant: &str,
        from: Option<&proto::PolicyVersion>,
        to: Option<&proto::PolicyVersion>,
    ) -> Result<(Version, Version), Refusal> {
        let (from, to) = wire::versions(from, to)?;
        for (side, (policy_id, number)) in [("from", &from), ("to", &to)] {
            let found = self.version(tenant, policy_id, *number).await;
            found.map_err(|refusal| Refusal { field: format!("{side}.{}", refusal.field), ..refusal })?;
        }
        Ok((from, to))
    }
}
