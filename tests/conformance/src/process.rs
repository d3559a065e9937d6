//! The process that gets killed, from outside.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::history::Acknowledged;
use crate::moment::within;

/// A running `victim`. It ends by itself when its standard input is closed, so it does not outlive the suite.
pub(crate) struct Victim {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    _stdin: ChildStdin,
}

impl Victim {
    /// Starts `program` with the arguments of the victim, for instance a shell that limits it first.
    pub(crate) fn spawn(program: &Path, arguments: &[String]) -> Result<Victim> {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().with_context(|| format!("{} cannot be started", program.display()))?;
        let lines = BufReader::new(child.stdout.take().context("no standard output")?).lines();
        let stdin = child.stdin.take().context("no standard input")?;
        Ok(Victim { child, lines, _stdin: stdin })
    }

    /// The process id.
    pub(crate) fn id(&self) -> Result<u32> {
        self.child.id().context("the process has ended")
    }

    /// The next thing it says.
    ///
    /// # Errors
    /// It has ended by itself.
    pub(crate) async fn says(&mut self) -> Result<String> {
        within("the process says something", async { Ok(self.lines.next_line().await?) }).await?.context("the process has ended")
    }

    /// Waits until it says a line that begins so.
    pub(crate) async fn until_says(&mut self, begin: &str) -> Result<String> {
        loop {
            let line = self.says().await?;
            if line.starts_with(begin) {
                return Ok(line);
            }
        }
    }

    /// SIGKILL. Returns what it had said before and nobody had read.
    pub(crate) async fn kill(mut self) -> Result<Vec<String>> {
        self.child.kill().await?;
        let mut said = Vec::new();
        while let Some(line) = self.lines.next_line().await? {
            said.push(line);
        }
        Ok(said)
    }
}

/// A line that says that a command was acknowledged: `ack 7 3 4 19 210 2`.
pub(crate) fn acknowledged(line: &str) -> Option<Acknowledged> {
    let mut words = line.strip_prefix("ack ")?.splitn(5, ' ');
    let mut number = || words.next()?.parse::<u64>().ok();
    let (n, first_version, last_version, last_position) = (number()?, number()?, number()?, number()?);
    let answer = words.next()?.as_bytes().to_vec();
    Some(Acknowledged { command: format!("c{n}"), first_version, last_version, last_position, answer })
}
