//! `regua holidays`

use super::{
    DONE, Shared, data, day,
    invoices::{self, Access, Dunning, command_id, paged, told},
};
use crate::output::Table;
use brazil::Place;
use chrono::NaiveDate;
use clap::{Args, Subcommand};
use contracts::dunning::v1 as proto;
use csv::{ReaderBuilder, StringRecord, Trim};
use serde_json::json;
use std::{collections::BTreeMap, path::PathBuf};

/// Days of one request; as the engine takes them.
const DAYS_AT_A_TIME: usize = 2_000;
/// Longest name, in characters; as the engine takes it.
const NAME_CHARS: usize = 120;
/// Columns of a file, in their order.
const COLUMNS: [&str; 3] = ["place", "date", "name"];

/// Local holidays: days on which payers of a state, of a municipality or of the whole tenant are not contacted. No due date moves
#[derive(Args)]
#[command(after_help = "Examples:
  regua holidays list --place 3550308
  regua holidays add 3550308 --day 2027-01-25 --name \"Aniversário de São Paulo\" --by ana --reason \"Lei municipal\"
  regua holidays add tenant --day 2026-12-28 --name recesso --by ana --reason \"escritório fechado\"
  regua holidays remove tenant --day 2026-12-28 --by ana --reason \"haverá plantão\"
  regua holidays import holidays.csv --by ana --reason \"feriados de 2027\"
A place is two letters of a state, seven digits of IBGE, or `tenant`. A file has lines of place,date,name, as 3550308,2027-01-25,Aniversário;
all of it is recorded or none. Asks the running dunning engine.")]
pub struct HolidaysArgs {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    access: Access,
}

#[derive(Subcommand)]
enum What {
    /// Those that are in force, by day
    List(List),
    /// Record a day; doing it again changes nothing, another name replaces the one before
    Add {
        #[command(flatten)]
        at: At,
        /// For people who ask why somebody was not contacted
        #[arg(long)]
        name: String,
        #[command(flatten)]
        signed: Signed,
    },
    /// Withdraw a day; doing it again changes nothing
    Remove {
        #[command(flatten)]
        at: At,
        #[command(flatten)]
        signed: Signed,
    },
    /// Record the days of a file; those that are recorded already change nothing
    Import {
        /// CSV
        file: PathBuf,
        #[command(flatten)]
        signed: Signed,
    },
}

#[derive(Args)]
struct List {
    /// Only this place's
    #[arg(long, value_parser = place)]
    place: Option<Place>,
    /// Not before this day, YYYY-MM-DD
    #[arg(long, value_parser = day)]
    from: Option<NaiveDate>,
    /// Not after this day, YYYY-MM-DD
    #[arg(long, value_parser = day)]
    until: Option<NaiveDate>,
    /// At most this many lines
    #[arg(long, default_value_t = 1000)]
    limit: usize,
}

#[derive(Args)]
struct At {
    /// Two letters of a state, seven digits of IBGE, or `tenant`
    #[arg(value_parser = place)]
    place: Place,
    /// The day, YYYY-MM-DD
    #[arg(long, value_parser = day)]
    day: NaiveDate,
}

/// Who does it, and why.
#[derive(Args)]
struct Signed {
    /// Who, as an operator id
    #[arg(long)]
    by: String,
    /// Why
    #[arg(long)]
    reason: String,
}

pub async fn run(args: HolidaysArgs, shared: &Shared) -> anyhow::Result<u8> {
    let mut engine = invoices::dunning(&args.access, shared)?;
    let table = match args.what {
        What::List(asked) => list(&mut engine, &asked).await?,
        What::Add { at, name, signed } => {
            let one = proto::NewLocalHoliday { place: at.place.to_string(), day: at.day.to_string(), name };
            record(&mut engine, vec![one], signed).await?
        }
        What::Import { file, signed } => {
            record(&mut engine, data::table(&file, "holidays", (DAYS_AT_A_TIME, "days"), rows)?, signed).await?
        }
        What::Remove { at, signed } => remove(&mut engine, &at, signed).await?,
    };
    table.print(shared.format)?;
    Ok(DONE)
}

async fn record(engine: &mut Dunning, holidays: Vec<proto::NewLocalHoliday>, signed: Signed) -> anyhow::Result<Table> {
    let days = holidays.len();
    let asked = proto::RecordLocalHolidaysRequest { command_id: command_id(), holidays, by: signed.by, reason: signed.reason };
    let answer = engine.record_local_holidays(asked).await.map_err(|status| told(&status))?.into_inner();
    let mut table = Table::new("Local holidays", &["days", "recorded"]);
    table.row(vec![json!(days), json!(answer.recorded)]);
    Ok(table)
}

async fn remove(engine: &mut Dunning, at: &At, signed: Signed) -> anyhow::Result<Table> {
    let holidays = vec![proto::LocalDay { place: at.place.to_string(), day: at.day.to_string() }];
    let asked = proto::WithdrawLocalHolidaysRequest { command_id: command_id(), holidays, by: signed.by, reason: signed.reason };
    let answer = engine.withdraw_local_holidays(asked).await.map_err(|status| told(&status))?.into_inner();
    let mut table = Table::new("Local holidays", &["days", "withdrawn"]);
    table.row(vec![json!(1), json!(answer.withdrawn)]);
    Ok(table)
}

async fn list(engine: &mut Dunning, asked: &List) -> anyhow::Result<Table> {
    let text = |day: Option<NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
    let holidays = paged(asked.limit, async |page_size, page_token| {
        let request = proto::ListLocalHolidaysRequest {
            place: asked.place.map(|place| place.to_string()).unwrap_or_default(),
            day_from: text(asked.from),
            day_until: text(asked.until),
            page_size,
            page_token,
        };
        let answer = engine.list_local_holidays(request).await.map_err(|status| told(&status))?.into_inner();
        Ok((answer.holidays, answer.next_page_token))
    })
    .await?;
    let mut table = Table::new("Local holidays", &["date", "place", "name", "by", "reason"]);
    for one in holidays {
        table.row(vec![json!(one.day), json!(one.place), json!(one.name), json!(one.by), json!(one.reason)]);
    }
    Ok(table)
}

fn place(text: &str) -> Result<Place, String> {
    Place::parse(text).map_err(|fault| format!("`{text}` {fault}"))
}

/// The holidays of a text. Errors: every line that is none, by its number.
fn rows(text: &str) -> Result<Vec<proto::NewLocalHoliday>, Vec<String>> {
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).trim(Trim::All).from_reader(text.as_bytes());
    let (mut holidays, mut faults, mut seen) = (Vec::new(), Vec::new(), BTreeMap::new());
    for (at, record) in reader.records().enumerate() {
        // A text of good UTF-8 with rows of any length is read to its end.
        let Ok(record) = record else { continue };
        let line = record.position().map_or(0, csv::Position::line);
        // The first line may be the columns' names.
        if at == 0 && record.iter().eq(COLUMNS) {
            continue;
        }
        match row(&record) {
            Ok(holiday) => match seen.insert((holiday.place.clone(), holiday.day.clone()), line) {
                Some(first) => faults.push(format!("line {line}: the same day of the same place as line {first}")),
                None => holidays.push(holiday),
            },
            Err(all) => faults.extend(all.into_iter().map(|fault| format!("line {line}: {fault}"))),
        }
    }
    if faults.is_empty() { Ok(holidays) } else { Err(faults) }
}

/// One row. Errors: each of its faults.
fn row(record: &StringRecord) -> Result<proto::NewLocalHoliday, Vec<String>> {
    let cells: Vec<&str> = record.iter().collect();
    let [at, date, name] = cells.as_slice() else { return Err(vec!["should be place,date,name".to_owned()]) };
    let (at, date) = (place(at), day(date).map_err(|fault| format!("`{date}` {fault}")));
    let name = kernel::text::bounded(name, NAME_CHARS).map_err(|fault| format!("the name: {fault}"));
    match (at, date, name) {
        (Ok(place), Ok(day), Ok(name)) => Ok(proto::NewLocalHoliday { place: place.to_string(), day: day.to_string(), name }),
        (at, date, name) => Err([at.err(), date.err(), name.err()].into_iter().flatten().collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_holidays_is_read_as_spreadsheets_write_it() {
        let text = "\u{feff}place,date,name\r\n3550308,2027-01-25,\"Aniversário, São Paulo\"\r\nsp, 2026-07-09 ,Revolução\n\ntenant,2026-12-28,recesso";
        let read: Vec<_> = rows(text).unwrap().into_iter().map(|one| (one.place, one.day, one.name)).collect();
        let expected =
            [("3550308", "2027-01-25", "Aniversário, São Paulo"), ("SP", "2026-07-09", "Revolução"), ("tenant", "2026-12-28", "recesso")];
        assert_eq!(read, expected.map(|(place, day, name)| (place.to_owned(), day.to_owned(), name.to_owned())));
    }

    #[test]
    fn every_fault_of_a_file_of_holidays_is_told_by_its_line() {
        let text = "SP,2026-07-09,Revolução\n3550307,2026-02-30,\nXX,2026-07-09,x\nSP;2026-07-09;x\nSP,2026-07-09,again\nSP,2026-7-9,x\n";
        let faults = rows(text).unwrap_err();
        let lines: Vec<&str> = faults.iter().map(|fault| &fault[..6]).collect();
        assert_eq!(lines, ["line 2", "line 2", "line 2", "line 3", "line 4", "line 5", "line 6"], "{faults:#?}");
        assert!(faults[0].contains("check digit") && faults[5].ends_with("as line 1"), "{faults:#?}");
    }
}
