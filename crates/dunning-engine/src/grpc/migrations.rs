//! Migrations: what one would do, and doing it.

use super::{Server, command_key, refusal, rejected, unreadable};
use crate::aggregate::{Addressed, Order, Payer, meta, stream};
use crate::migration::{Asked, Report, Version};
use crate::policies::{self, Change, Migrated, Shelf};
use crate::query;
use crate::wire::{self, Fact};
use contracts::dunning::v1 as proto;
use eventlog::{Aggregate, CommandKey, Submission};
use host::Refusal;
use kernel::CustomerId;
use ladder::Command;
use prost::Message;
use tonic::Status;

/// Payers that are looked up at a time.
const PAGE: i64 = 500;

impl Server {
    pub(super) async fn rehearse(&self, tenant: &str, m: &proto::RehearseMigrationRequest) -> Result<proto::MigrationReport, Refusal> {
        let (from, to) = self.versions(tenant, m.from.as_ref(), m.to.as_ref()).await?;
        let (mut total, mut after) = (Report::default(), String::new());
        loop {
            let page = self.payers_on(tenant, &from, &after).await?;
            let Some(last) = page.last() else { return Ok(wire::report(&total)) };
            after.clone_from(last);
            for customer in &page {
                let (payer, _) = self.writer.state(&stream(tenant, customer)).await.map_err(unreadable)?;
                let order = self.order(tenant, customer, (&from, &to), (String::new(), String::new()))?;
                let facts = self.ladders.decide(&payer, &order).map_err(rejected)?;
                let moved = facts.iter().fold(Payer::clone(&payer), |payer, fact| self.ladders.evolve(payer, fact));
                total.add(&self.report_of(tenant, &from, &moved, &facts));
            }
        }
    }

    /// Payer by payer, each once for the key; then the whole is noted once, and its first report answers every call with the key.
    pub(super) async fn migrate(&self, tenant: &str, m: &proto::MigrateTracksRequest) -> Result<proto::MigrationReport, Status> {
        let (from, to) = self.versions(tenant, m.from.as_ref(), m.to.as_ref()).await?;
        let (by, why) = wire::signature(&m.by, &m.reason)?;
        let key = command_key(&m.command_id, m)?;
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
        let written = self.writer.submit(submission).await.map_err(|error| refusal(error, rejected))?;
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
        for (policy_id, number) in [&from, &to] {
            self.version(tenant, policy_id, *number).await?;
        }
        Ok((from, to))
    }
}
