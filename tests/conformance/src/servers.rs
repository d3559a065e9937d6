//! Servers of a test's own, which may be killed: started by the scripts of `deploy/stack`, ended by process id.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::chance::Chance;
use crate::moment::{unique, until};

/// The scripts.
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/stack");

/// A server that can be killed and started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    Kafka,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Postgres => "postgres",
            Kind::Kafka => "kafka",
        }
    }
}

/// A server in a folder of its own. Its address stays the same over all its lives.
pub(crate) struct Server {
    kind: Kind,
    folder: PathBuf,
    guardian: Child,
}

impl Server {
    /// Starts a server; None, with a line that says so, where no folder is given for it.
    pub(crate) async fn start(kind: Kind) -> Result<Option<Server>> {
        let Ok(stack) = std::env::var("REGUA_TEST_STACK") else {
            println!("skipped with a {} that is killed: REGUA_TEST_STACK is not set", kind.name());
            return Ok(None);
        };
        let folder = Path::new(&stack).join(unique("killed"));
        std::fs::create_dir_all(&folder)?;
        let server = Server { kind, guardian: guard(&folder)?, folder };
        server.up().await?;
        Ok(Some(server))
    }

    /// Starts it where it does not run; it recovers its data. On a busy machine the script may give a start up that goes on behind it:
    /// then that start is waited for, and the script asked again.
    pub(crate) async fn up(&self) -> Result<()> {
        let started = async || match self.script("up.sh", &["--only", self.kind.name()]).await {
            Ok(()) => Ok(true),
            Err(error) => {
                println!("asking again: {error:#}");
                until("the start has come to an end", async || Ok(self.is_up_or_gone())).await?;
                Ok(false)
            }
        };
        until("the server has started", started).await
    }

    fn is_up_or_gone(&self) -> bool {
        if !self.process().is_ok_and(is_running) {
            return true;
        }
        match self.kind {
            // PostgreSQL writes its state into the eighth line of its lock file.
            Kind::Postgres => {
                let lock = std::fs::read_to_string(self.folder.join("postgres/postmaster.pid")).unwrap_or_default();
                lock.lines().nth(7).is_some_and(|state| state.starts_with("ready"))
            }
            // Its clients wait for the rest.
            Kind::Kafka => true,
        }
    }

    /// Ends it in order, as an operator does.
    pub(crate) async fn down(&self) -> Result<()> {
        self.script("down.sh", &[]).await
    }

    /// SIGKILL of the server and all processes it has started, the parent first, so that it starts none anew.
    pub(crate) async fn kill(&self) -> Result<()> {
        let parent = self.process()?;
        let mut processes = vec![parent];
        processes.extend(children(parent)?);
        let arguments: Vec<String> = processes.iter().map(u32::to_string).collect();
        // A child may have ended by itself meanwhile, which `kill` reports.
        tokio::process::Command::new("kill").arg("-KILL").args(&arguments).output().await?;
        println!("killed {} and {} children", self.kind.name(), processes.len() - 1);
        until("the killed processes are gone", async || Ok(!processes.iter().any(|process| is_running(*process)))).await
    }

    /// SIGKILL of one of the processes that the server has started.
    pub(crate) async fn kill_a_child(&self, chance: &mut Chance) -> Result<()> {
        let children = children(self.process()?)?;
        let child = *children.get(chance.below(children.len() as u64) as usize).context("no children")?;
        tokio::process::Command::new("kill").args(["-KILL", &child.to_string()]).status().await?;
        println!("killed one of {} children of {}", children.len(), self.kind.name());
        until("the killed process is gone", async || Ok(!is_running(child))).await
    }

    /// Where it listens: a URL for PostgreSQL, `host:port` for Kafka.
    pub(crate) fn address(&self) -> Result<String> {
        let key = match self.kind {
            Kind::Postgres => "url = ",
            Kind::Kafka => "brokers = ",
        };
        let text = std::fs::read_to_string(self.folder.join("regua.toml"))?;
        let line = text.lines().find_map(|line| line.strip_prefix(key)).context("no address in regua.toml")?;
        Ok(line.trim_matches('"').to_string())
    }

    fn process(&self) -> Result<u32> {
        let text = std::fs::read_to_string(self.folder.join(format!("{}.pid", self.kind.name())))?;
        text.trim().parse().with_context(|| format!("no process id: {text:?}"))
    }

    async fn script(&self, script: &str, arguments: &[&str]) -> Result<()> {
        let path = Path::new(SCRIPTS).join(script);
        let output = tokio::process::Command::new(&path).arg(&self.folder).args(arguments).output().await?;
        if !output.status.success() {
            bail!("{script}: {}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its standard input ends, and with it the server.
        drop(self.guardian.stdin.take());
        let _ = self.guardian.wait();
    }
}

/// A process that ends the server and takes its folder away as soon as this one is over, whichever way that goes.
fn guard(folder: &Path) -> Result<Child> {
    let text = "trap '' INT TERM; cat >/dev/null; \"$1/down.sh\" \"$2\" && rm -rf \"$2\"";
    let mut command = Command::new("bash");
    command.args(["-c", text, "guardian", SCRIPTS]).arg(folder).stdin(Stdio::piped()).stdout(Stdio::null());
    Ok(command.spawn()?)
}

/// Processes that were started by a process, from the fourth field of their `stat`.
fn children(parent: u32) -> Result<Vec<u32>> {
    let mut children = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(process) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        if field(process, 1).as_deref() == Some(parent.to_string().as_str()) {
            children.push(process);
        }
    }
    Ok(children)
}

/// A zombie runs no more.
fn is_running(process: u32) -> bool {
    field(process, 0).is_some_and(|state| !matches!(state.as_str(), "Z" | "X"))
}

/// A field of `/proc/<process>/stat` after the name in parentheses: 0 is the state, 1 the parent.
fn field(process: u32, index: usize) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(index).map(String::from)
}
