//! `regua rates`

use super::{
    DONE, Shared, data,
    invoices::{self, Access, Client, command_id, told},
};
use crate::output::Table;
use clap::{Args, Subcommand};
use contracts::invoice::v1 as proto;
use serde_json::json;
use std::path::PathBuf;

/// Months of one request; as the invoice service takes them.
const MONTHS_AT_A_TIME: usize = 600;
/// Digits after the decimal mark of a rate: millionths of a percent.
const DECIMALS: usize = 6;

/// Legal rates by month (Central Bank, SGS 29543): list them, record them. Charges at the legal rate need every month until the day
#[derive(Args)]
#[command(after_help = "Examples:
  regua rates list
  regua rates set 2026-10 0,61
  regua rates set 2026-10 0,62 --correct
  regua rates import legal-rates.csv
A file has lines of month;percent, as 2026-10;0,61 or \"01/10/2026\";\"0,61\" (as the Central Bank exports them). All of it is recorded or
none. Asks the running invoice service.")]
pub struct RatesArgs {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    access: Access,
}

#[derive(Subcommand)]
enum What {
    /// Those that were recorded, newest month first
    List,
    /// Record the rate of a month; doing it again changes nothing
    Set {
        /// The month, YYYY-MM, from 2024-08 on
        #[arg(value_parser = month)]
        month: String,
        /// Percent for the whole month, as 0,61
        #[arg(value_parser = percent_micros)]
        percent: u64,
        #[command(flatten)]
        how: How,
    },
    /// Record the months of a file; those that are known already change nothing
    Import {
        /// CSV
        file: PathBuf,
        #[command(flatten)]
        how: How,
    },
}

#[derive(Args)]
struct How {
    /// Replace what is recorded of a month; charges that were computed with it change
    #[arg(long)]
    correct: bool,
}

pub async fn run(args: RatesArgs, shared: &Shared) -> anyhow::Result<u8> {
    let mut client = invoices::connect(&args.access, shared)?;
    let (rates, correct) = match args.what {
        What::List => {
            list(&mut client).await?.print(shared.format)?;
            return Ok(DONE);
        }
        What::Set { month, percent, how } => (vec![proto::LegalRate { month, percent_micros: percent }], how.correct),
        What::Import { file, how } => (data::table(&file, "months", (MONTHS_AT_A_TIME, "months"), rows)?, how.correct),
    };
    let months = rates.len();
    let asked = proto::RecordLegalRatesRequest { command_id: command_id(), rates, correct };
    let answer = client.record_legal_rates(asked).await.map_err(|status| told(&status))?.into_inner();
    let mut table = Table::new("Legal rates", &["months", "recorded"]);
    table.row(vec![json!(months), json!(answer.recorded)]);
    table.print(shared.format)?;
    Ok(DONE)
}

async fn list(client: &mut Client) -> anyhow::Result<Table> {
    let answer = client.list_legal_rates(proto::ListLegalRatesRequest {}).await.map_err(|status| told(&status))?.into_inner();
    let mut table = Table::new("Legal rates", &["month", "percent_micros", "percent"]);
    for rate in answer.rates {
        table.row(vec![json!(rate.month), json!(rate.percent_micros), json!(percent_text(rate.percent_micros))]);
    }
    Ok(table)
}

/// The rates of a text. Errors: every line that is none, by its number.
fn rows(text: &str) -> Result<Vec<proto::LegalRate>, Vec<String>> {
    let (mut rates, mut faults) = (Vec::new(), Vec::new());
    for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let cells: Vec<&str> = line.split(';').map(|cell| cell.trim().trim_matches('"').trim()).collect();
        let row = match cells.as_slice() {
            [""] => continue,
            // The first line may be the columns' names.
            [first, ..] if at == 0 && !first.starts_with(|c: char| c.is_ascii_digit()) => continue,
            [month_text, percent] => month(month_text).and_then(|month| Ok((month, percent_micros(percent)?))),
            _ => Err("should be month;percent".to_owned()),
        };
        match row {
            Ok((month, percent_micros)) => rates.push(proto::LegalRate { month, percent_micros }),
            Err(fault) => faults.push(format!("line {}: {fault}", at + 1)),
        }
    }
    if faults.is_empty() { Ok(rates) } else { Err(faults) }
}

/// `2026-10`, `10/2026` or `01/10/2026`, as the service takes it. Which months there can be is the service's to say.
fn month(text: &str) -> Result<String, String> {
    let digits = |part: &str, size: usize| part.len() == size && part.bytes().all(|byte| byte.is_ascii_digit());
    let by_dash = text.split_once('-').filter(|(year, month)| digits(year, 4) && digits(month, 2));
    let by_slash = text.strip_prefix("01/").filter(|rest| rest.len() == 7).unwrap_or(text).split_once('/');
    let by_slash = by_slash.filter(|(month, year)| digits(month, 2) && digits(year, 4)).map(|(month, year)| (year, month));
    let (year, month) = by_dash.or(by_slash).ok_or_else(|| format!("`{text}` is no month YYYY-MM"))?;
    Ok(format!("{year}-{month}"))
}

/// Millionths of a percent of `0,61` or `0.61`.
fn percent_micros(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no percentage with at most {DECIMALS} decimals, as 0,61");
    let (whole, part) = text.split_once([',', '.']).unwrap_or((text, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 3 || part.len() > DECIMALS || !is_number(whole) || !is_number(part) {
        return Err(wrong());
    }
    format!("{whole}{part:0<DECIMALS$}").parse().map_err(|_| wrong())
}

fn percent_text(micros: u64) -> String {
    let text = format!("{},{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches(',').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_months_is_read_as_people_and_the_central_bank_write_it() {
        let text = "\u{feff}\"data\";\"valor\"\r\n\"01/09/2026\";\"0,610000\"\r\n2026-10;0.5\n\n11/2026; 1\n";
        let read: Vec<_> = rows(text).unwrap().into_iter().map(|rate| (rate.month, rate.percent_micros)).collect();
        let expected = [("2026-09", 610_000), ("2026-10", 500_000), ("2026-11", 1_000_000)];
        assert_eq!(read, expected.map(|(month, micros)| (month.to_owned(), micros)));
    }

    #[test]
    fn every_line_that_is_none_is_told_by_its_number() {
        let faults = rows("2026-09;0,61\n2026-9;0,61\n2026-10\n2026-11;-1\n2026-12;0,1234567\n02/09/2026;1\n").unwrap_err();
        let lines: Vec<&str> = faults.iter().map(|fault| &fault[..6]).collect();
        assert_eq!(lines, ["line 2", "line 3", "line 4", "line 5", "line 6"], "{faults:?}");
    }

    #[test]
    fn a_rate_is_shown_as_it_is_written() {
        for text in ["0,61", "1", "0,000001", "20", "0"] {
            assert_eq!(percent_text(percent_micros(text).unwrap()), text);
        }
    }
}
