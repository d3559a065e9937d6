//! `regua unapplied`

use super::{
    DONE, Shared,
    invoices::{self, Access, Client, command_id, paged, told},
};
use crate::output::Table;
use clap::{Args, Subcommand, ValueEnum};
use contracts::invoice::v1 as proto;
use serde_json::json;

/// Payments that are on no receivable: list them, put them on one, or say that they are for none
#[derive(Args)]
#[command(after_help = "Examples:
  regua unapplied list
  regua unapplied apply E1234567820261120101512345678901 F1
  regua unapplied dismiss cnab-0f3a… --reason \"meant for another company\"
Asks the running invoice service.")]
pub struct UnappliedArgs {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    access: Access,
}

#[derive(Subcommand)]
enum What {
    /// Those that wait, oldest payment first
    List {
        /// Those of another status
        #[arg(long, value_enum, default_value_t = Status::Waiting)]
        status: Status,
        /// At most this many lines
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Put a payment on a receivable; doing it again changes nothing
    Apply {
        /// The payment, as `list` shows it
        payment: String,
        /// The receivable
        invoice: String,
    },
    /// Say that a payment is for no receivable
    Dismiss {
        /// The payment
        payment: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Status {
    Waiting,
    Assigned,
    Applied,
    Dismissed,
    Returned,
}

impl Status {
    fn asked(self) -> proto::UnappliedStatus {
        match self {
            Status::Waiting => proto::UnappliedStatus::Waiting,
            Status::Assigned => proto::UnappliedStatus::Assigned,
            Status::Applied => proto::UnappliedStatus::Applied,
            Status::Dismissed => proto::UnappliedStatus::Dismissed,
            Status::Returned => proto::UnappliedStatus::Returned,
        }
    }
}

pub async fn run(args: UnappliedArgs, shared: &Shared) -> anyhow::Result<u8> {
    let mut client = invoices::connect(&args.access, shared)?;
    match args.what {
        What::List { status, limit } => list(&mut client, status, limit).await?.print(shared.format)?,
        What::Apply { payment, invoice } => apply(&mut client, payment, invoice).await?.print(shared.format)?,
        What::Dismiss { payment, reason } => {
            let asked = proto::DismissPaymentRequest { command_id: command_id(), payment_id: payment, reason };
            client.dismiss_payment(asked).await.map_err(|status| told(&status))?;
        }
    }
    Ok(DONE)
}

async fn list(client: &mut Client, status: Status, limit: usize) -> anyhow::Result<Table> {
    let columns = ["payment", "source", "paid_on", "amount_minor", "returned_minor", "reference", "reason", "suggested", "invoice"];
    let mut table = Table::new("Payments on no receivable", &columns);
    let found = paged(limit, async |page_size, page_token| {
        let asked = proto::ListUnappliedPaymentsRequest { status: status.asked().into(), page_size, page_token };
        let answer = client.list_unapplied_payments(asked).await.map_err(|status| told(&status))?.into_inner();
        Ok((answer.payments, answer.next_page_token))
    })
    .await?;
    for one in found {
        let p = one.payment.unwrap_or_default();
        table.row(vec![
            json!(p.payment_id),
            json!(p.source),
            json!(p.paid_on),
            json!(p.amount_minor),
            json!(one.returned_minor),
            json!(p.reference),
            json!(p.reason),
            json!(p.suggested_invoice_id),
            json!(one.invoice_id),
        ]);
    }
    Ok(table)
}

async fn apply(client: &mut Client, payment_id: String, invoice_id: String) -> anyhow::Result<Table> {
    let asked = proto::ApplyPaymentRequest { command_id: command_id(), payment_id: payment_id.clone(), invoice_id };
    let answer = client.apply_payment(asked).await.map_err(|status| told(&status))?.into_inner();
    let invoice = answer.invoice.unwrap_or_default();
    let mut table = Table::new("Applied", &["payment", "invoice", "customer", "outstanding_minor", "credit_minor"]);
    table.row(vec![
        json!(payment_id),
        json!(invoice.invoice_id),
        json!(invoice.customer_id),
        json!(invoice.outstanding_minor),
        json!(answer.unapplied_minor),
    ]);
    Ok(table)
}
