//! `regua policy`

use super::{
    DONE, FOUND, Shared, day,
    invoices::{self, Access, command_id, told},
};
use crate::output::{Format, Table, print_json};
use anyhow::Context;
use chrono::NaiveDate;
use clap::{Args, Subcommand};
use contracts::dunning::v1 as proto;
use eventlog::Clock;
use host::clock::SystemClock;
use kernel::Zone;
use ladder::{draft::Fault, policy::Audience, preview::preview};
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Check a ladder, see its dates, move running receivables to another version
#[derive(Args)]
#[command(after_help = "Examples:
  regua policy check my-ladder.toml
  regua policy preview my-ladder.toml --due 2026-12-24
  regua policy migrate --from minha-regua@1 --to minha-regua@2 --rehearse
  regua policy migrate --from minha-regua@1 --to minha-regua@2 --rehearsal 2026-11-26.1200.5f0c1d2e3a4b5c6d --by ana \\
    --reason \"texto mais brando\"
  regua policy rehearse my-ladder.toml --days 30
`rehearse` and `migrate` ask the running dunning engine.")]
pub struct PolicyArgs {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    access: Access,
}

#[derive(Subcommand)]
enum What {
    /// Every fault of a ladder at once, each with its path; exit code 3 where there are any
    Check {
        /// The ladder, TOML
        file: PathBuf,
    },
    /// What the offsets mean, for a sample due date
    Preview {
        /// The ladder, TOML
        file: PathBuf,
        /// Sample due date, YYYY-MM-DD; thirty days from today without it
        #[arg(long, value_parser = day)]
        due: Option<NaiveDate>,
    },
    /// What a draft would do to the running receivables in the days to come; nothing is stored or sent
    Rehearse {
        /// The draft, TOML
        file: PathBuf,
        /// How many days are played, from today
        #[arg(long, default_value_t = 90)]
        days: u32,
    },
    /// Move the receivables that stand on one version of a ladder to another; what was sent is not sent again
    Migrate(Migrate),
}

#[derive(Args)]
struct Migrate {
    /// The version that they stand on, as `ladder@1`
    #[arg(long, value_parser = version)]
    from: proto::PolicyVersion,
    /// The version that they move to, as `ladder@2`
    #[arg(long, value_parser = version)]
    to: proto::PolicyVersion,
    /// Only show what would happen, and name it for `--rehearsal`
    #[arg(long)]
    rehearse: bool,
    /// What was shown before, as `--rehearse` named it today or yesterday
    #[arg(long, required_unless_present = "rehearse", default_value = "")]
    rehearsal: String,
    /// Who moves them, as an operator id
    #[arg(long, required_unless_present = "rehearse", default_value = "")]
    by: String,
    /// Why
    #[arg(long, required_unless_present = "rehearse", default_value = "")]
    reason: String,
}

/// `ladder@1`
fn version(text: &str) -> Result<proto::PolicyVersion, String> {
    let (policy_id, number) = text.rsplit_once('@').ok_or("should be written as ladder@1")?;
    let policy_version = number.parse().map_err(|_| format!("{number:?} is no version"))?;
    Ok(proto::PolicyVersion { policy_id: policy_id.to_owned(), policy_version })
}

pub async fn run(args: PolicyArgs, shared: &Shared) -> anyhow::Result<u8> {
    match &args.what {
        What::Check { file } => read(file, None, shared),
        What::Preview { file, due } => read(file, Some(due.unwrap_or_else(sample_due)), shared),
        What::Rehearse { file, days } => rehearse(file, *days, &args.access, shared).await,
        What::Migrate(asked) => migrate(asked, &args.access, shared).await,
    }
}

/// Days from today to the sample due date of a preview that names none, as the dunning engine has it.
const SAMPLE_DAYS: i64 = 30;

fn sample_due() -> NaiveDate {
    kernel::calendar::add_days(Zone::SAO_PAULO.day_of(SystemClock.now()), SAMPLE_DAYS)
}

async fn migrate(asked: &Migrate, access: &Access, shared: &Shared) -> anyhow::Result<u8> {
    let mut client = invoices::dunning(access, shared)?;
    let (from, to) = (Some(asked.from.clone()), Some(asked.to.clone()));
    if asked.rehearse {
        let asked = proto::RehearseMigrationRequest { from, to };
        let answer = client.rehearse_migration(asked).await.map_err(|status| told(&status))?.into_inner();
        print_rehearsed(&answer, shared.format)?;
        return Ok(DONE);
    }
    let (by, reason, rehearsal) = (asked.by.clone(), asked.reason.clone(), asked.rehearsal.clone());
    let asked = proto::MigrateTracksRequest { command_id: command_id(), from, to, by, reason, rehearsal };
    let report = client.migrate_tracks(asked).await.map_err(|status| told(&status))?.into_inner().report;
    migration_table(&report.unwrap_or_default(), "moved").print(shared.format)?;
    Ok(DONE)
}

async fn rehearse(file: &Path, days: u32, access: &Access, shared: &Shared) -> anyhow::Result<u8> {
    let toml = fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let mut client = invoices::dunning(access, shared)?;
    let asked = proto::RehearsePolicyRequest { toml, days };
    let answer = client.rehearse_policy(asked).await.map_err(|status| told(&status))?.into_inner();
    if shared.format == Format::Json {
        let days = answer.contacts.iter().map(|one| json!({"day": one.day, "channel": one.channel, "contacts": one.contacts}));
        let told = json!({
            "payers": answer.payers,
            "tracks": answer.tracks,
            "tracks_left": answer.tracks_left,
            "payers_moved": answer.payers_moved,
            "harsh_firsts": answer.harsh_firsts,
            "harsh_first_customers": answer.harsh_first_customer_ids,
            "contacts": days.collect::<Vec<_>>(),
            "variants": variants_json(&answer.variants),
        });
        print_json(std::io::stdout().lock(), &told)?;
    } else {
        rehearsal_table(&answer).print(shared.format)?;
    }
    Ok(DONE)
}

fn rehearsal_table(answer: &proto::RehearsePolicyResponse) -> Table {
    let title = format!(
        "{} receivables of {} payers, {} left out: a step is being carried out; {} payers go on with another step; \
         {} get a first contact of tone 3 or more: {}{}",
        answer.tracks,
        answer.payers,
        answer.tracks_left,
        answer.payers_moved,
        answer.harsh_firsts,
        answer.harsh_first_customer_ids.join(" "),
        variants_told(&answer.variants)
    );
    let mut table = Table::new(&title, &["day", "channel", "contacts"]);
    for one in &answer.contacts {
        table.row(vec![one.day.as_str().into(), one.channel.as_str().into(), one.contacts.into()]);
    }
    table
}

/// `; 3 on variant vip`, nothing where the ladder has none.
fn variants_told(variants: &[proto::VariantTracks]) -> String {
    variants.iter().map(|variant| format!("; {} on variant {}", variant.tracks, variant.name)).collect()
}

fn variants_json(variants: &[proto::VariantTracks]) -> serde_json::Value {
    variants.iter().map(|variant| json!({"variant": variant.name, "tracks": variant.tracks})).collect()
}

fn print_rehearsed(answer: &proto::RehearseMigrationResponse, format: Format) -> anyhow::Result<()> {
    let report = answer.report.clone().unwrap_or_default();
    let table = migration_table(&report, "would move");
    match format {
        Format::Json => {
            let told = json!({
                "rehearsal": answer.rehearsal,
                "payers": report.payers,
                "tracks_moved": report.tracks_moved,
                "tracks_left": report.tracks_left,
                "steps": table.to_json(),
                "variants": variants_json(&report.variants),
            });
            print_json(std::io::stdout().lock(), &told)
        }
        Format::Csv => table.print(Format::Csv),
        Format::Table => {
            table.print(Format::Table)?;
            println!("rehearsal {}: `--rehearsal` takes it today and tomorrow", answer.rehearsal);
            Ok(())
        }
    }
}

fn migration_table(report: &proto::MigrationReport, verb: &str) -> Table {
    let title = format!(
        "{} receivables of {} payers {verb}, {} stay: a step is being carried out{}",
        report.tracks_moved,
        report.payers,
        report.tracks_left,
        variants_told(&report.variants)
    );
    let mut table = Table::new(&title, &["step", "added", "vanished", "due_today"]);
    for step in &report.steps {
        table.row(vec![step.step_id.as_str().into(), step.added.into(), step.vanished.into(), step.due.into()]);
    }
    table
}

fn read(file: &Path, due: Option<NaiveDate>, shared: &Shared) -> anyhow::Result<u8> {
    let text = fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    match dunning_engine::policy_toml::load(&text) {
        Err(faults) => {
            faults_table(&faults).print(shared.format)?;
            Ok(FOUND)
        }
        Ok(policy) => {
            if let Some(due) = due {
                preview_table(&policy, due).print(shared.format)?;
            } else if shared.format == Format::Json {
                print_json(std::io::stdout().lock(), &json!([]))?;
            } else {
                let variants =
                    policy.variants().iter().map(|variant| format!(", {} in variant {}", variant.ladder().steps().len(), variant.id()));
                println!("{} is good: {} steps{}", policy.id(), policy.steps().len(), variants.collect::<String>());
            }
            Ok(DONE)
        }
    }
}

fn faults_table(faults: &[Fault]) -> Table {
    let mut table = Table::new("Faults", &["path", "reason", "message"]);
    for fault in faults {
        table.row(vec![fault.path.as_str().into(), fault.slug.into(), fault.message.as_str().into()]);
    }
    table
}

/// A column that is blank nearly everywhere is read at a glance.
fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "" }
}

fn preview_table(policy: &ladder::Policy, due: NaiveDate) -> Table {
    let columns =
        ["step", "tone", "kind", "planned_on", "weekday", "last_day", "never_reached", "requires_approval", "applies_to", "variant"];
    let mut table = Table::new(&format!("{} for an invoice due on {due}", policy.id()), &columns);
    add_preview(&mut table, policy, due, "");
    for variant in policy.variants() {
        add_preview(&mut table, variant.ladder(), due, variant.id().as_str());
    }
    table
}

/// The rows of a whole ladder; the base has no name.
fn add_preview(table: &mut Table, ladder: &ladder::Policy, due: NaiveDate, variant: &str) {
    for line in preview(ladder, due) {
        let planned_on = match (line.planned_on, &line.after) {
            (Some((day, _)), _) => day.to_string(),
            (None, Some(step)) => format!("{} days after {step}", line.offset_days),
            (None, None) => String::new(),
        };
        let step = if line.occurrence > 1 { format!("{} #{}", line.step_id, line.occurrence) } else { line.step_id.to_string() };
        table.row(vec![
            step.into(),
            line.tone.into(),
            line.kind.name().into(),
            planned_on.into(),
            line.planned_on.map(|(_, weekday)| weekday.to_string()).unwrap_or_default().into(),
            line.last_day.map(|day| day.to_string()).unwrap_or_default().into(),
            yes(line.never_reached).into(),
            yes(line.requires_approval).into(),
            if line.audience == Audience::All { "" } else { line.audience.slug() }.into(),
            variant.into(),
        ]);
    }
}
