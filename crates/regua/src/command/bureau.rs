//! `regua bureau`

use super::{
    DONE, Shared,
    invoices::{self, Access, Dunning, paged, told},
};
use crate::output::Table;
use clap::{Args, Subcommand, ValueEnum};
use contracts::dunning::v1 as proto;
use serde_json::json;

/// Entries at credit bureaus and protest offices: where they stand, and what must leave until when
#[derive(Args)]
#[command(after_help = "Examples:
  regua bureau list
  regua bureau list --status leaving
  regua bureau list --kind protest --status all
Asks the running dunning engine. What a person has to do about entries is in `regua tasks list`.")]
pub struct BureauArgs {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    access: Access,
}

#[derive(Subcommand)]
enum What {
    /// Entries, by payer and receivable
    List(List),
}

#[derive(Args)]
struct List {
    /// Only this payer's
    #[arg(long, default_value = "")]
    customer: String,
    /// Only this receivable's
    #[arg(long, default_value = "")]
    invoice: String,
    /// Only of this kind
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// Those of another status
    #[arg(long, value_enum, default_value_t = Status::Open)]
    status: Status,
    /// At most this many lines
    #[arg(long, default_value_t = 50)]
    limit: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Bureau,
    Protest,
}

#[derive(Clone, Copy, ValueEnum)]
enum Status {
    /// There is an entry, or may be one
    Open,
    /// It must leave
    Leaving,
    Over,
    All,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Bureau => "bureau",
            Kind::Protest => "protest",
        }
    }
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Status::Open => "open",
            Status::Leaving => "leaving",
            Status::Over => "over",
            Status::All => "all",
        }
    }
}

pub async fn run(args: BureauArgs, shared: &Shared) -> anyhow::Result<u8> {
    let mut client = invoices::dunning(&args.access, shared)?;
    match args.what {
        What::List(asked) => list(&mut client, asked).await?.print(shared.format)?,
    }
    Ok(DONE)
}

const COLUMNS: [&str; 13] = [
    "customer",
    "invoice",
    "cycle",
    "step",
    "kind",
    "phase",
    "amount_minor",
    "requested_on",
    "cause",
    "until",
    "alarm",
    "reason",
    "reference",
];

async fn list(client: &mut Dunning, asked: List) -> anyhow::Result<Table> {
    let mut table = Table::new("Entries", &COLUMNS);
    let found = paged(asked.limit, async |page_size, page_token| {
        let request = proto::ListListingsRequest {
            customer_id: asked.customer.clone(),
            invoice_id: asked.invoice.clone(),
            kind: asked.kind.map(Kind::name).unwrap_or_default().to_owned(),
            status: asked.status.name().to_owned(),
            page_size,
            page_token,
        };
        let answer = client.list_listings(request).await.map_err(|status| told(&status))?.into_inner();
        Ok((answer.listings, answer.next_page_token))
    })
    .await?;
    for one in found {
        table.row(vec![
            json!(one.customer_id),
            json!(one.invoice_id),
            json!(one.cycle),
            json!(one.step_id),
            json!(one.kind),
            json!(one.phase),
            json!(one.amount_minor),
            json!(one.requested_on),
            json!(one.cause),
            json!(one.until),
            json!(one.alarm),
            json!(one.reason),
            json!(one.reference),
        ]);
    }
    Ok(table)
}
