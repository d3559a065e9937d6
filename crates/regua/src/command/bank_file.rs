//! `regua bank-file`

pub(super) mod fields;
mod import;
mod listing;
mod notes;
mod remittance;
mod review;
mod slip;
mod spool;

use super::{
    DONE, FOUND, Shared, day,
    invoices::{self, Access},
};
use crate::output::{Format, Table, print_json};
use brazil::{NaiveDate, cnab::Refusal};
use clap::{Args, Subcommand};
use listing::Listing;
use std::{io, path::PathBuf};

/// Files of banks, and what payers paste: `show` and `line` need no server, `import`, `remittance` and `review` ask the invoice service
#[derive(Args)]
#[command(after_help = "Examples:
  regua bank-file show CB231126.RET --format json
  regua bank-file import CB231126.RET
  regua bank-file remittance --account main
  regua bank-file review
  regua bank-file review --dismiss review-0f3a… --reason \"the bank sent it twice\"
  regua bank-file line 00190.00009 01238.798977 77700.168188 3 37690000013500")]
pub struct BankFileArgs {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    access: Access,
}

#[derive(Subcommand)]
enum What {
    /// Payments of a return file (CNAB 240, CNAB 400, FEBRABAN 150) and notes on it; exit code 3 where it is refused
    Show {
        /// The file, as the bank sent it
        file: PathBuf,
    },
    /// Take a return file in: payments, confirmations, rejections, write-offs, fees; the same file again changes nothing. Exit code 3
    /// where it is refused
    Import {
        /// The file, as the bank sent it
        file: PathBuf,
    },
    /// Write the registration file (CNAB 240) of a collection account: titles, changes and write-offs that the bank was not told yet
    Remittance {
        /// The collection account
        #[arg(long)]
        account: String,
        /// An earlier file again
        #[arg(long, default_value_t = 0)]
        sequence: u32,
        /// Where to write it; without it remessa-ACCOUNT-SEQUENCE.rem
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// What a person must look at in files and Pix calls that were taken in: records that cannot be read as a fact, reversals of nothing,
    /// payments that were possibly told twice; and say that one was dealt with
    Review {
        /// Those that were dealt with
        #[arg(long)]
        dismissed: bool,
        /// At most this many lines
        #[arg(long, default_value_t = 50)]
        limit: usize,
        /// Say that this finding was dealt with
        #[arg(long, requires = "reason", value_name = "FINDING")]
        dismiss: Option<String>,
        /// What was done
        #[arg(long, requires = "dismiss")]
        reason: Option<String>,
    },
    /// Fields of a typed line or bar code (boleto, arrecadação), or every digit that is wrong; exit code 3 then
    Line {
        /// As pasted, masks and blanks included
        #[arg(required = true)]
        text: Vec<String>,
        /// Day from which the due date is seen, YYYY-MM-DD; without it today in São Paulo
        #[arg(long, value_parser = day)]
        today: Option<NaiveDate>,
    },
}

pub async fn run(args: BankFileArgs, shared: &Shared) -> anyhow::Result<u8> {
    match args.what {
        What::Show { file } => match Listing::read(&file)? {
            Ok(listing) => {
                listing.print(shared.format)?;
                Ok(DONE)
            }
            Err(refusal) => {
                print_refusal(&refusal, shared.format)?;
                Ok(FOUND)
            }
        },
        What::Import { file } => import::run(&mut invoices::connect(&args.access, shared)?, &file, shared.format).await,
        What::Remittance { account, sequence, out } => {
            let mut client = invoices::connect(&args.access, shared)?;
            remittance::run(&mut client, &account, sequence, out.as_deref(), shared.format).await
        }
        What::Review { dismissed, limit, dismiss, reason } => {
            let mut client = invoices::connect(&args.access, shared)?;
            match dismiss.zip(reason) {
                Some((finding, reason)) => review::dismiss(&mut client, finding, reason).await?,
                None => review::list(&mut client, dismissed, limit).await?.print(shared.format)?,
            }
            Ok(DONE)
        }
        What::Line { text, today } => slip::run(&text.join(" "), today, shared.format),
    }
}

fn print_refusal(refusal: &Refusal, format: Format) -> anyhow::Result<()> {
    let reason = refusal.to_string();
    if format == Format::Json {
        let object = serde_json::json!({ "refused": { "slug": refusal.slug(), "reason": reason } });
        return print_json(io::stdout().lock(), &object);
    }
    let mut table = Table::new("Refused: nothing of this file may be used", &["slug", "reason"]);
    table.row(vec![refusal.slug().into(), reason.into()]);
    table.print(format)
}
