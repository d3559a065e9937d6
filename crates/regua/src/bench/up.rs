//! `regua up` in processes of its own: started, given work, asked whether it is through with it.

use super::{grpc, machine};
use crate::progress;
use anyhow::{Context, ensure};
use contracts::reporting::v1::{GetPortfolioRequest, reporting_service_client::ReportingServiceClient};
use eventlog::Clock;
use host::{clock::SystemClock, config::Access};
use kernel::calendar::add_days;
use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tonic::transport::Channel;

/// How long a process is left alone before its memory counts as at rest.
const REST: Duration = Duration::from_millis(500);
/// How often processes are asked whether anything is left to do: for an answer they ask their broker about each consumer's topics, through a
/// client that they open for it.
const AGAIN: Duration = Duration::from_secs(1);
/// Work of which nothing is done for so long never will be, and who does not answer for so long never will.
const PATIENCE: Duration = Duration::from_secs(120);
/// Metrics that count what is left to do.
const LEFT: [&str; 3] = ["consumer_lag_events{", "unpublished_events{", "timers_due{"];

/// Ends with its owner: what it wrote is thrown away.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `regua up`, listening and at rest; ends with its owner.
pub struct Up {
    running: Running,
    listens: serde_json::Value,
    /// From the start until it listened.
    pub took: Duration,
}

impl Up {
    /// Starts a program in its directory, where it leaves what it writes. Errors: it ends before it listens.
    pub async fn start(program: &Path, arguments: &[&str], config: Option<&PathBuf>) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        let place = program.parent().context("the program has no directory")?;
        command.args(["up", "--format", "json"]).args(arguments).current_dir(place).stdout(Stdio::piped()).stderr(Stdio::null());
        // Embedded where nothing else is said, whatever configuration this run has.
        command.env_remove("REGUA_CONFIG");
        if let Some(config) = config {
            command.arg("--config").arg(config);
        }
        let watch = progress::stopwatch();
        let mut running = Running(command.spawn().context("regua up cannot be started")?);
        let out = running.0.stdout.take().context("no output")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        ensure!(!line.is_empty(), "regua up ended before it was ready");
        let took = watch();
        tokio::time::sleep(REST).await;
        Ok(Self { running, listens: serde_json::from_str(&line)?, took })
    }

    /// Memory of the process, by the name that the kernel has for it. Errors: it has ended.
    pub fn megabytes(&self, of: &str) -> anyhow::Result<f64> {
        machine::megabytes(&self.running.0.id().to_string(), of)
    }

    /// Where it listens by a protocol; of every service where none is named.
    fn addresses(&self, service: Option<&str>, protocol: &str) -> Vec<String> {
        let is_it = |one: &serde_json::Value| one["protocol"] == protocol && service.is_none_or(|name| one["service"] == name);
        let all = self.listens.as_array().into_iter().flatten().filter(|one| is_it(one));
        all.filter_map(|one| one["address"].as_str()).map(str::to_owned).collect()
    }
}

/// A copy of this program in a directory, of which the system keeps nothing in memory: so is what a machine that was just started runs. Of a
/// file that was just written the kernel maps more at once than is asked for. Errors: it cannot be copied, or `dd` does not let go of it.
pub fn program_on_disk(place: &Path) -> anyhow::Result<PathBuf> {
    let copy = place.join("regua");
    fs::copy(std::env::current_exe().context("this program has no file")?, &copy)?;
    File::open(&copy)?.sync_all()?;
    let mut lets_go = Command::new("dd");
    let input = format!("if={}", copy.display());
    let done = lets_go.args([input.as_str(), "iflag=nocache", "count=0", "status=none"]).status().context("dd cannot be started")?;
    ensure!(done.success(), "dd: {done}");
    Ok(copy)
}

/// Issues so many invoices of as many payers to processes that together are an installation, waits until each service is through with
/// what follows from them, and looks whether all of them are in the views. Errors: one is refused, or not there.
pub async fn load(all: &[&Up], invoices: u64) -> anyhow::Result<()> {
    // Two months ahead: at whatever hour this runs, nobody is to be reminded yet.
    let due_on = add_days(SystemClock.now().date_naive(), 60);
    grpc::one_each(&mut grpc::Client::new(channel(all, invoice::NAME)?), invoices, due_on).await?;
    let metrics: Vec<String> = all.iter().flat_map(|up| up.addresses(None, "http")).collect();
    let (watch, mut last, mut moved, mut through) = (progress::stopwatch(), u64::MAX, Duration::ZERO, 0);
    // Twice: what one service has just handed over the next one may not have counted yet.
    while through < 2 {
        let mut left = 0;
        for address in &metrics {
            let told = tokio::time::timeout(PATIENCE, get_metrics(address)).await;
            left += left_to_do(&told.with_context(|| format!("{address} does not tell its metrics"))??);
        }
        through = if left == 0 { through + 1 } else { 0 };
        // It may become more, too: some of it begins only when a window opens.
        if left != last {
            (last, moved) = (left, watch());
        }
        ensure!(through > 0 || watch().saturating_sub(moved) < PATIENCE, "{left} pieces of work are left and nothing of it is done");
        tokio::time::sleep(AGAIN).await;
    }
    let mut reporting = ReportingServiceClient::new(channel(all, reporting::NAME)?);
    let told = reporting.get_portfolio(GetPortfolioRequest::default()).await?.into_inner();
    let expected = i64::try_from(invoices)?;
    ensure!((told.customers, told.invoices) == (expected, expected), "{invoices} invoices became {told:?}");
    Ok(())
}

fn channel(all: &[&Up], service: &str) -> anyhow::Result<Channel> {
    let address = all.iter().find_map(|up| up.addresses(Some(service), "grpc").pop());
    let address = address.with_context(|| format!("{service} does not listen"))?;
    host::client::channel(&format!("http://{address}"), &Access::default())
}

async fn get_metrics(address: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    ensure!(answer.lines().next().is_some_and(|line| line.ends_with("200 OK")), "{address} does not tell its metrics");
    Ok(answer)
}

/// Adds up what metrics say is left to do.
fn left_to_do(metrics: &str) -> u64 {
    let of_line = |line: &str| line.rsplit_once(' ').and_then(|(_, count)| count.parse::<u64>().ok()).unwrap_or(0);
    metrics.lines().filter(|line| LEFT.into_iter().any(|name| line.starts_with(name))).map(of_line).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_what_waits_to_be_read_to_be_published_or_to_fire() {
        let text = "HTTP/1.0 200 OK\n# TYPE consumer_lag_events gauge\nconsumer_lag_events{consumer=\"a\"} 7\nconsumer_lag_events{consumer=\"b\"} 0\n\
                    unpublished_events{topic=\"t\"} 2\noldest_unpublished_seconds{topic=\"t\"} 90\ntimers_due{log=\"own\"} 1\n";
        assert_eq!(left_to_do(text), 10);
    }
}
