//! The built program, and how a test runs it.

use std::{
    ffi::OsString,
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::OnceLock,
};

/// The root of the project.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A program of the project, built once for all tests of this file with the profile that they have.
pub fn program(name: &str) -> Command {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let path = BUILT.get_or_init(|| {
        let profile = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().to_path_buf();
        // Asked every time: a program that an older build left there would prove nothing. What is fresh takes no time, and it is
        // fresh because it is asked for with the tests: without their dependencies' features half of everything is compiled again.
        let cargo = option_env!("CARGO").unwrap_or("cargo");
        let mut build = Command::new(cargo);
        build.args(["build", "--workspace", "--bins", "--tests"]).current_dir(root());
        // What cargo tells this test of its own package would make build scripts run again, and all that hangs on them.
        std::env::vars_os().map(|(name, _)| name).filter(is_of_this_package).for_each(|name| _ = build.env_remove(name));
        let built = build.status().unwrap();
        assert!(built.success(), "the program could not be built");
        profile
    });
    Command::new(path.join(name))
}

/// Where a program of the project is.
pub fn path(name: &str) -> PathBuf {
    program(name).get_program().into()
}

/// The command line.
pub fn regua() -> Command {
    program("regua")
}

fn is_of_this_package(name: &OsString) -> bool {
    let name = name.to_string_lossy();
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_", "CARGO_BIN_"].iter().any(|start| name.starts_with(start))
}

/// Runs a command line to its end.
pub fn run(arguments: &[&str]) -> Output {
    regua().args(arguments).current_dir(root()).output().unwrap()
}

/// Standard output of a command that must succeed.
pub fn succeed(arguments: &[&str]) -> String {
    let output = run(arguments);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "regua {arguments:?}: {}\n{}", output.status, text(&output.stderr));
    text(&output.stdout)
}

/// Where a stack of PostgreSQL and Kafka runs; `None` = those tests say that they are skipped.
pub fn stack() -> Option<PathBuf> {
    let found = std::env::var_os("REGUA_TEST_STACK").map(PathBuf::from);
    if found.is_none() {
        println!("skipped: REGUA_TEST_STACK names no running stack (make test starts one)");
    }
    found
}

/// A process that ends with its test.
pub struct Running {
    child: Child,
}

impl Running {
    /// Starts it and waits until it has printed a line that begins so.
    pub fn start(arguments: &[&str], ready: &str) -> Self {
        let mut command = regua();
        command.args(arguments);
        Self::start_command(command, ready)
    }

    /// As [`Running::start`], with any command line.
    pub fn start_command(mut command: Command, ready: &str) -> Self {
        command.current_dir(root()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let running = Self { child };
        while let Some(line) = lines.next() {
            if line.unwrap().starts_with(ready) {
                std::thread::spawn(move || lines.for_each(drop));
                return running;
            }
        }
        panic!("{command:?} ended before it was ready");
    }

    /// Starts a program and waits for nothing; what it says goes to a file.
    pub fn spawn(name: &str, arguments: &[&str], log: &Path) -> Self {
        let log = File::create(log).unwrap();
        let mut command = program(name);
        command.args(arguments).current_dir(root()).stdout(log.try_clone().unwrap()).stderr(log);
        Self { child: command.spawn().unwrap() }
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, as an operator does, and waits for it.
    pub fn terminate(&mut self) -> ExitStatus {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(asked.success());
        self.child.wait().unwrap()
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until it has ended by itself.
    pub fn ended(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
