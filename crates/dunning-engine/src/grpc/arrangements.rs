//! What a person decides about debts: holds, disputes, promises, announced payments, write-off, hand-off; and what is in force.

use super::{Server, command_key, field_in, name_of, refusal, rejected, tracks::unknown_invoice, unreadable};
use crate::aggregate::{Addressed, Order, meta, stream};
use crate::query::{self, ArrangementFilter};
use crate::wire::Decision;
use contracts::dunning::v1 as proto;
use eventlog::Submission;
use host::{
    Refusal,
    request::{self, Page},
};
use kernel::{CustomerId, InvoiceId};
use ladder::{Command, Event, arrangement::ArrangementKind};
use prost::Message;

impl Server {
    /// Submits what was decided. Answers with the last day of the pause, where there is one.
    pub(super) async fn decide<M: Decision + Message>(&self, tenant: &str, command_id: &str, m: &M) -> Result<String, Refusal> {
        let decided = m.decided()?;
        let named = decided.what.invoice_ids().first().cloned();
        let invoice_id = named.ok_or_else(|| Refusal::invalid("invoice_ids", "items_not_distinct", "should name a receivable"))?;
        let found = query::track(&self.views, tenant, invoice_id.as_str()).await.map_err(unreadable)?;
        let customer = found.ok_or_else(|| unknown_invoice(field_in(name_of::<M>(), "invoice_id"), invoice_id.as_str()))?.customer_id;
        let customer_id = CustomerId::new(&customer).map_err(|_| Refusal::internal("a track has no payer"))?;
        let command = Command::Arrange { at: self.clock.now(), by: decided.by, why: decided.why, what: decided.what };
        let order = Addressed { tenant: tenant.to_owned(), customer_id, order: Order::Ladder(command) };
        let until = |_: &crate::aggregate::Payer, facts: &[crate::wire::Fact]| {
            let of = |fact: &crate::wire::Fact| if let Event::Arranged { arrangement } = &fact.event { arrangement.until } else { None };
            facts.iter().find_map(of).map(|day| day.to_string()).unwrap_or_default().into_bytes()
        };
        let submission = Submission::new(stream(tenant, &customer), meta(tenant, &customer), order)
            .with_key(command_key(command_id, m)?)
            .with_answer(until);
        let written = self.writer.submit(submission).await.map_err(|error| refusal(error, |refused| rejected(refused, name_of::<M>())))?;
        String::from_utf8(written.appended.answer).map_err(|_| Refusal::internal("no day"))
    }

    pub(super) async fn arrangements(
        &self,
        tenant: &str,
        m: &proto::ListArrangementsRequest,
    ) -> Result<proto::ListArrangementsResponse, Refusal> {
        let page = Page::of(m.page_size, &m.page_token)?;
        let customer_id = request::optional_id("customer_id", &m.customer_id, CustomerId::new)?;
        let invoice_id = request::optional_id("invoice_id", &m.invoice_id, InvoiceId::new)?;
        if !m.kind.is_empty() && ArrangementKind::named(&m.kind).is_none() {
            return Err(Refusal::invalid("kind", "unknown_kind", "should be hold, dispute, promise or announcement"));
        }
        let filter = ArrangementFilter {
            tenant,
            customer_id: customer_id.as_ref().map_or("", |id| id.as_str()),
            invoice_id: invoice_id.as_ref().map_or("", |id| id.as_str()),
            kind: &m.kind,
            open_on: m.open_only.then(|| self.today()),
            after: &page.after,
            limit: page.limit(),
        };
        let mut arrangements = query::arrangements(&self.views, filter).await.map_err(unreadable)?;
        let next_page_token = page.cut(&mut arrangements, query::arrangement_key);
        Ok(proto::ListArrangementsResponse { arrangements, next_page_token })
    }

    pub(super) async fn known_payer(&self, tenant: &str, m: &proto::GetPayerRequest) -> Result<proto::GetPayerResponse, Refusal> {
        let customer_id = request::id("customer_id", &m.customer_id, CustomerId::new)?;
        let (payer, version) = self.writer.state(&stream(tenant, customer_id.as_str())).await.map_err(unreadable)?;
        if version == 0 {
            return Err(Refusal::not_found("customer_id", "unknown_customer", "the engine knows no such payer"));
        }
        Ok(crate::wire::payer(&customer_id, &payer.ladder))
    }
}
