//! `regua agreements`

use super::{
    DONE, Shared,
    invoices::{self, Access, Client, command_id, paged, told},
};
use crate::output::Table;
use anyhow::Context;
use clap::{Args, Subcommand};
use contracts::invoice::v1 as proto;
use serde_json::json;

/// Agreements: debts of a payer that are owed anew, in instalments
#[derive(Args)]
#[command(after_help = "Examples:
  regua agreements make A1 --customer C1 --invoices F1,F2 --instalments 2027-01-15=25000,2027-02-15=25000
  regua agreements show A1
  regua agreements break A1 --reason \"no answer\"
Amounts are in minor units (cents). Asks the running invoice service.")]
pub struct AgreementsArgs {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    access: Access,
}

#[derive(Subcommand)]
enum What {
    /// Make one; making the same again changes nothing
    Make {
        /// Its id, new
        agreement: String,
        /// The payer
        #[arg(long)]
        customer: String,
        /// The debts: open receivables of the payer
        #[arg(long, value_delimiter = ',', required = true)]
        invoices: Vec<String>,
        /// Due dates and amounts in minor units, in order
        #[arg(long, value_delimiter = ',', required = true, value_name = "DATE=MINOR")]
        instalments: Vec<String>,
        /// Days overdue after which an instalment breaks it
        #[arg(long, default_value_t = 30)]
        breach_after_days: u32,
        /// Where instalments are paid; else at the default account
        #[arg(long, default_value = "")]
        account: String,
    },
    /// One agreement with its instalments
    Show {
        /// Its id
        agreement: String,
    },
    /// Those of a payer
    List {
        /// The payer
        customer: String,
        /// At most this many lines
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// End one that is not kept: its debts are owed again, less what was paid
    Break {
        /// Its id
        agreement: String,
        /// Why; nothing personal
        #[arg(long)]
        reason: String,
    },
}

pub async fn run(args: AgreementsArgs, shared: &Shared) -> anyhow::Result<u8> {
    let mut client = invoices::connect(&args.access, shared)?;
    let shown = match args.what {
        What::Make { agreement, customer, invoices, instalments, breach_after_days, account } => {
            let instalments = instalments.iter().map(|text| instalment(text)).collect::<anyhow::Result<Vec<_>>>()?;
            let agreement = proto::NewAgreement {
                agreement_id: agreement,
                customer_id: customer,
                invoice_ids: invoices,
                total_minor: instalments.iter().map(|one| one.amount_minor).fold(0, i64::saturating_add),
                instalments,
                breach_after_days: Some(breach_after_days),
                collection_account_id: account,
                charges: None,
            };
            let asked = proto::MakeAgreementRequest { command_id: command_id(), agreement: Some(agreement) };
            client.make_agreement(asked).await.map_err(|status| told(&status))?.into_inner().agreement
        }
        What::Show { agreement } => {
            let asked = proto::GetAgreementRequest { agreement_id: agreement };
            client.get_agreement(asked).await.map_err(|status| told(&status))?.into_inner().agreement
        }
        What::Break { agreement, reason } => {
            let asked = proto::BreakAgreementRequest { command_id: command_id(), agreement_id: agreement, reason };
            client.break_agreement(asked).await.map_err(|status| told(&status))?.into_inner().agreement
        }
        What::List { customer, limit } => {
            list(&mut client, customer, limit).await?.print(shared.format)?;
            return Ok(DONE);
        }
    };
    table(&shown.unwrap_or_default()).print(shared.format)?;
    Ok(DONE)
}

fn instalment(text: &str) -> anyhow::Result<proto::NewInstalment> {
    let (due_on, amount) = text.split_once('=').with_context(|| format!("{text:?} should be a date, =, and minor units"))?;
    let amount_minor = amount.parse().with_context(|| format!("{amount:?} should be minor units"))?;
    Ok(proto::NewInstalment { due_on: due_on.to_owned(), amount_minor })
}

fn status(agreement: &proto::Agreement) -> &'static str {
    match agreement.status() {
        proto::AgreementStatus::Unspecified => "",
        proto::AgreementStatus::Open => "open",
        proto::AgreementStatus::Completed => "completed",
        proto::AgreementStatus::Broken => "broken",
    }
}

/// The instalments of an agreement.
fn table(agreement: &proto::Agreement) -> Table {
    let title = format!(
        "Agreement {} of {}: {} {} for {} owed, {}{}",
        agreement.agreement_id,
        agreement.customer_id,
        agreement.total_minor,
        agreement.currency,
        agreement.owed_minor,
        status(agreement),
        if agreement.breaks_on.is_empty() { String::new() } else { format!(", breaks on {}", agreement.breaks_on) },
    );
    let mut table = Table::new(&title, &["number", "invoice", "due_on", "amount_minor", "outstanding_minor", "status"]);
    for one in &agreement.instalments {
        let status = one.status().as_str_name().trim_start_matches("INVOICE_STATUS_").to_lowercase();
        table.row(vec![
            json!(one.number),
            json!(one.invoice_id),
            json!(one.due_on),
            json!(one.amount_minor),
            json!(one.outstanding_minor),
            json!(status),
        ]);
    }
    table
}

async fn list(client: &mut Client, customer_id: String, limit: usize) -> anyhow::Result<Table> {
    let columns = ["agreement", "status", "made_on", "owed_minor", "total_minor", "open_minor", "breaks_on", "ended_on", "cause"];
    let mut table = Table::new("Agreements", &columns);
    let found = paged(limit, async |page_size, page_token| {
        let asked = proto::ListAgreementsRequest { customer_id: customer_id.clone(), page_size, page_token };
        let answer = client.list_agreements(asked).await.map_err(|status| told(&status))?.into_inner();
        Ok((answer.agreements, answer.next_page_token))
    })
    .await?;
    for one in found {
        table.row(vec![
            json!(one.agreement_id),
            json!(status(&one)),
            json!(one.made_on),
            json!(one.owed_minor),
            json!(one.total_minor),
            json!(one.instalments.iter().map(|instalment| instalment.outstanding_minor).sum::<i64>()),
            json!(one.breaks_on),
            json!(one.ended_on),
            json!(one.cause),
        ]);
    }
    Ok(table)
}
