//! `regua pix`

use super::bank_file::fields::{Field, print};
use super::{DONE, FOUND, Shared};
use crate::output::Table;
use brazil::pix::{Account, BrCode, BrCodeFault, Initiation};
use clap::{Args, Subcommand};
use serde_json::json;

/// Look into a Pix code
#[derive(Args)]
#[command(after_help = "Examples:\n  regua pix show '00020126360014br.gov.bcb.pix0114…'")]
pub struct PixArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Fields of a code ("copia e cola"), or what is wrong with it; exit code 3 then
    Show {
        /// The text of the QR code
        text: String,
    },
}

pub fn run(args: PixArgs, shared: &Shared) -> anyhow::Result<u8> {
    let What::Show { text } = args.what;
    match BrCode::parse(&text) {
        Err(fault) => {
            let mut table = Table::new("Faults", &["slug", "reason"]);
            table.row(vec![fault.slug().into(), fault.to_string().into()]);
            table.print(shared.format)?;
            Ok(FOUND)
        }
        Ok(code) => {
            print(&fields(&code), shared.format)?;
            Ok(DONE)
        }
    }
}

fn fields(code: &BrCode) -> Vec<Field> {
    let (kind, key, url, info) = match code.account() {
        Account::Static { key, info, .. } => ("static", Some(key), None, info.as_ref()),
        Account::Dynamic { url } => ("dynamic", None, Some(url), None),
        Account::RecurrenceOnly => ("recurrence", None, None, None),
    };
    let once = match code.initiation() {
        Initiation::Once => true,
        Initiation::Reusable | Initiation::Unstated => false,
    };
    let notes: Vec<String> = code.deviations().iter().map(BrCodeFault::to_string).collect();
    vec![
        ("kind", json!(kind)),
        ("once", json!(once)),
        ("key", json!(key)),
        ("info", json!(info)),
        ("url", json!(url)),
        ("recurrence_url", json!(code.recurrence_url())),
        ("amount_minor", json!(code.amount_cents())),
        ("name", json!(code.name())),
        ("city", json!(code.city())),
        ("postal_code", json!(code.postal_code())),
        ("txid", json!(code.txid())),
        ("notes", json!(notes)),
    ]
}
