//! Views of invoices and ratings of payers: what who reminds may ask for.

use super::ready::{command_key, without_rates};
use super::{INVOICE, Ready, Server};
use crate::wire;
use contracts::invoice::v1 as proto;
use host::Refusal;

impl Server {
    pub(super) async fn ready_view(&self, tenant: &str, m: &proto::RecordViewRequest) -> Result<Ready, Refusal> {
        let key = command_key("RecordView", (&m.command_id, m))?;
        let (invoice_id, command) = wire::view(m, self.clock.now())?;
        let customer_id = self.payer_of(tenant, INVOICE, "invoice_id", invoice_id.as_str()).await?;
        let ready = self.ready(tenant, without_rates(customer_id, command), ("RecordViewRequest", key));
        Ok(ready.answering(move |account| wire::viewed(account, &invoice_id)))
    }

    pub(super) fn ready_rating(&self, tenant: &str, m: &proto::RateCustomerRequest) -> Result<Ready, Refusal> {
        let key = command_key("RateCustomer", (&m.command_id, m))?;
        let (customer_id, command) = wire::rate(m, self.today())?;
        let ready = self.ready(tenant, without_rates(customer_id, command), ("RateCustomerRequest", key));
        Ok(ready.answering(|account| proto::RateCustomerResponse { rating: wire::rating(account) }))
    }
}
