//! The work queue: what a person has to do, and what a person did.

use super::{Server, command_key, field_in, name_of, refusal, rejected, tracks::unknown_invoice, unreadable};
use crate::aggregate::{Addressed, Order, meta, stream};
use crate::query::{self, TaskFilter};
use crate::wire::{Answered, Attended};
use contracts::dunning::v1 as proto;
use eventlog::{CommandKey, Submission};
use host::{
    Refusal,
    request::{self, Page},
};
use kernel::{CustomerId, InvoiceId};
use ladder::TaskReason;
use prost::Message;

/// What a list may be asked for.
const STATUSES: [&str; 5] = ["open", "snoozed", "done", "void", "all"];

impl Server {
    pub(super) async fn tasks(&self, tenant: &str, m: &proto::ListTasksRequest) -> Result<proto::ListTasksResponse, Refusal> {
        let page = Page::of(m.page_size, &m.page_token)?;
        let customer_id = request::optional_id("customer_id", &m.customer_id, CustomerId::new)?;
        let invoice_id = request::optional_id("invoice_id", &m.invoice_id, InvoiceId::new)?;
        let status = if m.status.is_empty() { "open" } else { m.status.as_str() };
        if !STATUSES.contains(&status) {
            return Err(Refusal::invalid("status", "unknown_status", "should be open, snoozed, done, void or all"));
        }
        if !m.reason.is_empty() && TaskReason::from_slug(&m.reason).is_none() {
            return Err(request::unknown_word("reason", "unknown_reason", TaskReason::ALL.iter().map(|reason| reason.slug())));
        }
        let filter = TaskFilter {
            tenant,
            customer_id: customer_id.as_ref().map_or("", |id| id.as_str()),
            invoice_id: invoice_id.as_ref().map_or("", |id| id.as_str()),
            reason: &m.reason,
            status,
            today: self.today(),
            after: &page.after,
            limit: page.limit(),
        };
        let mut keyed = query::tasks(&self.views, filter).await.map_err(unreadable)?;
        let next_page_token = page.cut(&mut keyed, |(_, key)| key.clone());
        Ok(proto::ListTasksResponse { tasks: keyed.into_iter().map(|(task, _)| task).collect(), next_page_token })
    }

    /// Gives or refuses an approval.
    pub(super) async fn answer<M: Answered + Message>(&self, tenant: &str, command_id: &str, m: &M) -> Result<(), Refusal> {
        let answer = m.answered(self.clock.now())?;
        let invoice_id = answer.invoice_id.clone();
        self.submit(tenant, &invoice_id, Order::Approve(answer), (name_of::<M>(), command_key(command_id, m)?)).await
    }

    /// Does a task, or puts it off.
    pub(super) async fn attend<M: Attended + Message>(&self, tenant: &str, command_id: &str, m: &M) -> Result<(), Refusal> {
        let (invoice_id, command) = m.attended(self.clock.now())?;
        self.submit(tenant, &invoice_id, Order::Ladder(command), (name_of::<M>(), command_key(command_id, m)?)).await
    }

    async fn submit(&self, tenant: &str, invoice_id: &InvoiceId, order: Order, (request, key): (&str, CommandKey)) -> Result<(), Refusal> {
        let found = query::track(&self.views, tenant, invoice_id.as_str()).await.map_err(unreadable)?;
        let customer = found.ok_or_else(|| unknown_invoice(field_in(request, "invoice_id"), invoice_id.as_str()))?.customer_id;
        let customer_id = CustomerId::new(&customer).map_err(|_| Refusal::internal("a track has no payer"))?;
        let order = Addressed { tenant: tenant.to_owned(), customer_id, order };
        let submission = Submission::new(stream(tenant, &customer), meta(tenant, &customer), order).with_key(key);
        self.writer.submit(submission).await.map(|_| ()).map_err(|error| refusal(error, |refused| rejected(refused, request)))
    }
}
