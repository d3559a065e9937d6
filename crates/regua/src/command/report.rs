//! `regua report`

use super::{DONE, Shared, data, day};
use crate::{
    output::{Format, Table},
    settings::{Mode, Settings},
    system,
};
use anyhow::Context;
use chrono::NaiveDate;
use clap::{Args, Subcommand};
use contracts::reporting::v1::{self as proto, reporting_service_client::ReportingServiceClient};
use eventlog::Activity;
use host::{Service, client::Credentials, clock::SystemClock};
use std::{path::PathBuf, sync::Arc};
use tonic::{service::interceptor::InterceptedService, transport::Channel};

/// Receivables, delinquency, aging, settlement, results: as of any day
#[derive(Args)]
#[command(after_help = "Examples:
  regua report aging --as-of 2026-09-30 --as-of 2026-10-31
  regua report delinquency --by segment --format csv
  regua report receivables --status overdue --customer C0001
  regua report channels --from 2026-10-01 --until 2026-10-31 --within-days 10
Asks the running service; with --data it reads the files of that directory.")]
pub struct Report {
    #[command(subcommand)]
    what: What,
    /// Directory of the SQLite files (embedded storage), read without a running service
    #[arg(long, global = true)]
    data: Option<PathBuf>,
    /// Bearer token, where the service asks for one
    #[arg(long, global = true, env = "REGUA_TOKEN", default_value = "", hide_env_values = true)]
    token: String,
}

#[derive(Subcommand)]
enum What {
    /// One line per receivable
    Receivables {
        /// End of this day; today without it
        #[arg(long, value_parser = day)]
        as_of: Option<NaiveDate>,
        /// Only this payer's
        #[arg(long, default_value = "")]
        customer: String,
        /// Only this segment
        #[arg(long, default_value = "")]
        segment: String,
        /// open, overdue, settled, cancelled or renegotiated
        #[arg(long, default_value = "")]
        status: String,
        /// At most this many lines
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Who owes how much since when, longest overdue first
    Delinquency {
        /// End of this day; today without it
        #[arg(long, value_parser = day)]
        as_of: Option<NaiveDate>,
        /// customer or segment
        #[arg(long, default_value = "customer")]
        by: String,
        /// Only lines at least this many days late
        #[arg(long, default_value_t = 0)]
        min_days_late: i32,
        /// At most this many lines
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Open amounts by days late
    Aging {
        /// End of this day, again for more days; today without it
        #[arg(long, value_parser = day)]
        as_of: Vec<NaiveDate>,
        /// Only this currency; all added up without it
        #[arg(long, default_value = "")]
        currency: String,
        /// Only this segment
        #[arg(long, default_value = "")]
        segment: String,
    },
    /// How fast invoices were paid
    Settlement {
        /// Facts until the end of this day; today without it
        #[arg(long, value_parser = day)]
        as_of: Option<NaiveDate>,
    },
    /// How the steps of the ladders ended
    Steps {
        /// At 24:00 of this day; today without it
        #[arg(long, value_parser = day)]
        as_of: Option<NaiveDate>,
    },
    /// What each channel brought, by step: contacts, what became of them, and the money that came in after them
    Channels {
        /// At 24:00 of this day; today without it
        #[arg(long, value_parser = day)]
        as_of: Option<NaiveDate>,
        /// Only this ladder
        #[arg(long, default_value = "")]
        policy: String,
        /// Only this step
        #[arg(long, default_value = "")]
        step: String,
        /// email, whatsapp, sms, voice or letter
        #[arg(long, default_value = "")]
        channel: String,
        /// Only contacts from this day on
        #[arg(long, value_parser = day)]
        from: Option<NaiveDate>,
        /// Only contacts until this day
        #[arg(long, value_parser = day)]
        until: Option<NaiveDate>,
        /// Days after a contact in which a payment counts for it, 1 to 90
        #[arg(long, default_value_t = 7)]
        within_days: i32,
    },
    /// Contacts by month and channel
    Contacts {
        /// Until the end of this day; today without it
        #[arg(long, value_parser = day)]
        as_of: Option<NaiveDate>,
    },
}

type Client = ReportingServiceClient<InterceptedService<Channel, Credentials>>;

pub async fn run(args: Report, shared: &Shared) -> anyhow::Result<u8> {
    let settings = shared.settings(args.data.as_ref())?;
    let (mut client, own) = connect(&settings, args.data.is_some(), &args.token).await?;
    let answered = answer(&mut client, args.what, shared.format).await;
    if let Some(service) = own {
        service.stop().await;
    }
    answered?;
    Ok(DONE)
}

/// A client of the running service, or of one of our own on the files.
async fn connect(settings: &Settings, on_files: bool, token: &str) -> anyhow::Result<(Client, Option<Service>)> {
    let (url, own) = if on_files {
        let service = on_data(settings).await?;
        let address = service.grpc().context("reporting does not listen")?;
        (format!("http://{address}"), Some(service))
    } else {
        let listen = &settings.reporting;
        let scheme = if settings.access.certificate.is_empty() { "http" } else { "https" };
        (if listen.url.is_empty() { format!("{scheme}://{}", listen.grpc) } else { listen.url.clone() }, None)
    };
    let channel = host::client::channel(&url, &settings.access)?;
    let credentials = if token.is_empty() { Credentials::new(&settings.access)? } else { Credentials::with_token(token)? };
    Ok((ReportingServiceClient::new(InterceptedService::new(channel, credentials)), own))
}

/// The reporting service alone, on the files of a directory.
async fn on_data(settings: &Settings) -> anyhow::Result<Service> {
    data::database(settings, reporting::NAME).await?;
    let settings = settings.clone().on_free_ports();
    let process = system::process(&settings, Mode::Live, Arc::new(SystemClock), Activity::new());
    system::start_service(reporting::NAME, &settings, Mode::Live, &process, String::new()).await
}

fn text(day: Option<NaiveDate>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}

async fn answer(client: &mut Client, what: What, format: Format) -> anyhow::Result<()> {
    match what {
        What::Receivables { as_of, customer, segment, status, limit } => {
            let asked = proto::ListReceivablesRequest { as_of: text(as_of), customer_id: customer, segment, status, ..Default::default() };
            receivables(client, asked, limit).await?.print(format)
        }
        What::Delinquency { as_of, by, min_days_late, limit } => {
            let asked = proto::ListDelinquencyRequest { as_of: text(as_of), group_by: by, min_days_late, ..Default::default() };
            delinquency(client, asked, limit).await?.print(format)
        }
        What::Aging { as_of, currency, segment } => {
            let as_of = as_of.iter().map(NaiveDate::to_string).collect();
            let lines = client.get_aging(proto::GetAgingRequest { as_of, currency, segment, known_at: None }).await?.into_inner().lines;
            aging(lines).print(format)
        }
        What::Settlement { as_of } => {
            let s = client.get_settlement(proto::GetSettlementRequest { as_of: text(as_of) }).await?.into_inner();
            let mut table =
                Table::new("How fast invoices were paid", &["paid_by_due", "paid_late", "days_late_total", "days_to_settle_total"]);
            table.row(vec![s.paid_by_due.into(), s.paid_late.into(), s.days_late_total.into(), s.days_to_settle_total.into()]);
            table.print(format)
        }
        What::Steps { as_of } => {
            let asked = proto::GetStepResultsRequest { as_of: text(as_of), policy_id: String::new() };
            steps(client.get_step_results(asked).await?.into_inner().steps).print(format)
        }
        What::Channels { as_of, policy, step, channel, from, until, within_days } => {
            let asked = proto::GetChannelResultsRequest {
                as_of: text(as_of),
                policy_id: policy,
                step_id: step,
                channel,
                day_from: text(from),
                day_until: text(until),
                within_days,
            };
            channels(client.get_channel_results(asked).await?.into_inner().results).print(format)
        }
        What::Contacts { as_of } => {
            contacts(client.get_contact_results(proto::GetContactResultsRequest { as_of: text(as_of) }).await?.into_inner()).print(format)
        }
    }
}

const PAGE: usize = 500;

fn page_size(left: usize) -> i32 {
    i32::try_from(left.clamp(1, PAGE)).unwrap_or(1)
}

async fn receivables(client: &mut Client, mut asked: proto::ListReceivablesRequest, limit: usize) -> anyhow::Result<Table> {
    let columns = ["invoice", "customer", "currency", "amount_minor", "open_minor", "issued_on", "due_on", "days_late", "status"];
    let mut table = Table::new("Receivables", &columns);
    let mut left = limit;
    while left > 0 {
        asked.page_size = page_size(left);
        let page = client.list_receivables(asked.clone()).await?.into_inner();
        for r in page.receivables {
            left = left.saturating_sub(1);
            table.row(vec![
                r.invoice_id.into(),
                r.customer_id.into(),
                r.currency.into(),
                r.amount_minor.into(),
                r.open_minor.into(),
                r.issued_on.into(),
                r.due_on.into(),
                r.days_late.into(),
                r.status.into(),
            ]);
        }
        asked.page_token = page.next_page_token;
        if asked.page_token.is_empty() {
            break;
        }
    }
    Ok(table)
}

async fn delinquency(client: &mut Client, mut asked: proto::ListDelinquencyRequest, limit: usize) -> anyhow::Result<Table> {
    let mut table =
        Table::new("Who owes", &["group", "currency", "open_count", "open_minor", "overdue_minor", "oldest_due", "days_late", "bucket"]);
    let mut left = limit;
    while left > 0 {
        asked.page_size = page_size(left);
        let page = client.list_delinquency(asked.clone()).await?.into_inner();
        for l in page.lines {
            left = left.saturating_sub(1);
            table.row(vec![
                l.group.into(),
                l.currency.into(),
                l.open_count.into(),
                l.open_minor.into(),
                l.overdue_minor.into(),
                l.oldest_due.into(),
                l.days_late.into(),
                l.bucket.into(),
            ]);
        }
        asked.page_token = page.next_page_token;
        if asked.page_token.is_empty() {
            break;
        }
    }
    Ok(table)
}

/// Aging as a table.
pub fn aging(lines: Vec<proto::AgingLine>) -> Table {
    let columns = [
        "date",
        "open_count",
        "open_minor",
        "current_minor",
        "overdue_1_30_minor",
        "overdue_31_60_minor",
        "overdue_61_90_minor",
        "overdue_over_90_minor",
        "disputed_minor",
    ];
    let mut table = Table::new("Open amounts by days late", &columns);
    for l in lines {
        table.row(vec![
            l.date.into(),
            l.open_count.into(),
            l.open_minor.into(),
            l.current_minor.into(),
            l.overdue_1_30_minor.into(),
            l.overdue_31_60_minor.into(),
            l.overdue_61_90_minor.into(),
            l.overdue_over_90_minor.into(),
            l.disputed_minor.into(),
        ]);
    }
    table
}

fn steps(results: Vec<proto::StepResult>) -> Table {
    let columns = ["policy", "step", "executed", "superseded", "suppressed", "expired", "undeliverable", "open", "reasons"];
    let mut table = Table::new("How the steps ended", &columns);
    for s in results {
        let mut reasons: Vec<String> = s.reasons.iter().map(|(reason, n)| format!("{reason} {n}")).collect();
        reasons.sort();
        table.row(vec![
            s.policy_id.into(),
            s.step_id.into(),
            s.executed.into(),
            s.superseded.into(),
            s.suppressed.into(),
            s.expired.into(),
            s.undeliverable.into(),
            s.open.into(),
            reasons.join(", ").into(),
        ]);
    }
    table
}

fn channels(results: Vec<proto::ChannelResult>) -> Table {
    let columns =
        ["policy", "step", "channel", "currency", "sent", "delivered", "read", "failed", "opted_out", "payments", "received_minor"];
    let mut table = Table::new("What each channel brought, by step", &columns);
    for r in results {
        table.row(vec![
            r.policy_id.into(),
            r.step_id.into(),
            r.channel.into(),
            r.currency.into(),
            r.sent.into(),
            r.delivered.into(),
            r.read.into(),
            r.failed.into(),
            r.opted_out.into(),
            r.payments.into(),
            r.received_minor.into(),
        ]);
    }
    table
}

fn contacts(results: proto::GetContactResultsResponse) -> Table {
    let mut table = Table::new("Contacts that went out", &["what", "count"]);
    for (what, count) in [("total", results.total), ("payers", results.payers), ("most on one payer's day", results.max_per_payer_day)] {
        table.row(vec![what.into(), count.into()]);
    }
    let mut lines: Vec<(String, i64)> = results.by_month.into_iter().chain(results.by_channel).collect();
    lines.sort();
    for (what, count) in lines {
        table.row(vec![what.into(), count.into()]);
    }
    table
}
