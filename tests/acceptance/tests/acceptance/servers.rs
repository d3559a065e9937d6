//! A PostgreSQL and a broker of one test's own, whose addresses are known before they run.

use crate::program;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// Servers that may come later. They end with the test, whichever way it goes.
pub struct Servers {
    folder: PathBuf,
    scripts: PathBuf,
    guardian: Child,
    ports: Vec<String>,
}

impl Servers {
    /// Chooses addresses in a folder below the running stack's and starts nothing.
    pub fn away(stack: &Path, name: &str) -> Self {
        let scripts = program::root().join("deploy/stack");
        let folder = stack.join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let choose = "DIR=$2; source \"$1/ports.sh\"; claim_ports; echo $POSTGRES_PORT $KAFKA_PORT";
        let chosen = Command::new("bash").args(["-c", choose, "ports"]).arg(&scripts).arg(&folder).output().unwrap();
        let ports: Vec<String> = String::from_utf8(chosen.stdout).unwrap().split_whitespace().map(str::to_owned).collect();
        assert_eq!(ports.len(), 2, "{}", String::from_utf8_lossy(&chosen.stderr));
        // Ends the servers and takes the folder away as soon as this process is over.
        let guard = "trap '' INT TERM; cat >/dev/null; \"$1/down.sh\" \"$2\" && rm -rf \"$2\"";
        let mut command = Command::new("bash");
        command.args(["-c", guard, "guardian"]).arg(&scripts).arg(&folder).stdin(Stdio::piped()).stdout(Stdio::null());
        Self { guardian: command.spawn().unwrap(), folder, scripts, ports }
    }

    /// Starts `postgres` or `kafka` and waits until it answers.
    pub fn up(&self, server: &str) {
        let started = Command::new(self.scripts.join("up.sh")).arg(&self.folder).args(["--only", server]).output().unwrap();
        assert!(started.status.success(), "{server}: {}", String::from_utf8_lossy(&started.stderr));
    }

    /// The sections of a configuration that lead to them.
    pub fn configuration(&self) -> String {
        format!(
            "[storage]\nkind = \"postgres\"\nurl = \"postgres://regua@127.0.0.1:{}/regua\"\n\
             [bus]\nkind = \"kafka\"\nbrokers = \"127.0.0.1:{}\"\npartitions = 2\n",
            self.ports[0], self.ports[1]
        )
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        drop(self.guardian.stdin.take());
        let _ = self.guardian.wait();
    }
}
