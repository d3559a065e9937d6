//! Reads of boletos.

use crate::project::BOLETO;
use eventlog::projection::{ProjectionError, Views};
use host::request::Page;
use kernel::{CustomerId, InvoiceId};

/// Receivables that have a boleto of a collection account, with their payers, in order of their id.
pub async fn titles(views: &Views, tenant: &str, account_id: &str, page: &Page) -> Result<Vec<(InvoiceId, CustomerId)>, ProjectionError> {
    let text = "SELECT DISTINCT invoice_id, customer_id FROM {instrument} WHERE tenant = $1 AND kind = $2 AND account_id = $3 AND invoice_id > $4 \
                ORDER BY invoice_id LIMIT $5";
    let args = [tenant.into(), BOLETO.into(), account_id.into(), page.after.as_str().into(), page.limit().into()];
    let mut titles = Vec::new();
    for row in views.query(text, &args).await? {
        // Ids that were taken once are ids.
        if let (Ok(invoice_id), Ok(customer_id)) = (InvoiceId::new(&row.text("invoice_id")?), CustomerId::new(&row.text("customer_id")?)) {
            titles.push((invoice_id, customer_id));
        }
    }
    Ok(titles)
}
