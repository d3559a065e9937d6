//! A portfolio of any size is read in bounded memory. `REGUA_TEST_CSV_MB` makes it larger (`make large-file` takes 1 GB).

use crate::program;
use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

/// A portfolio larger than the memory that its reader may take.
const DEFAULT_MB: usize = 250;
/// A portfolio that a reader may keep whole without anybody seeing it.
const SMALL_MB: usize = 2;
/// What a portfolio of any size may take beyond the small one: buffers and pages of the files of rows that are kept. A limit on the whole
/// process would measure the machine instead: its page cache of the program, its number of threads, its allocator.
const MAY_GROW_MB: usize = 48;

fn size_mb() -> usize {
    std::env::var("REGUA_TEST_CSV_MB").map_or(DEFAULT_MB, |text| text.parse().expect("a number of megabytes"))
}

/// Counts of what was written.
#[derive(Default, Debug, PartialEq, Eq)]
struct Written {
    good: u64,
    wrong: u64,
}

/// Writes a portfolio of wrong rows, of repeated ones, and of good ones that are issued after the last day of the replay: those are kept
/// and not played.
fn write(mut out: impl Write, bytes: usize) -> Written {
    let mut count = Written::default();
    let mut left = bytes;
    let mut put = |row: &str| {
        out.write_all(row.as_bytes()).unwrap();
        left = left.saturating_sub(row.len());
        left > 0
    };
    put("customer_id,customer_name,email,invoice_id,issued_on,due_on,amount\n");
    put("C0,Fulana de Exemplo,c0@example.invalid,I0,2024-01-02,2024-01-20,100.00\n");
    count.good += 1;
    for n in 1_u64.. {
        let payer = format!("C{},Fulano {n} de Exemplo,c{n}@example.invalid", n % 1000);
        let row = match n % 20 {
            0 => format!("{payer},I{n},2025-01-02,2025-01-20,{n}.00\n"),
            1 => format!("{payer},I0,2024-01-02,2024-01-20,100.00\n"),
            2..10 => format!("{payer},I{n},2024-13-02,2024-01-20,100.00\n"),
            _ => format!("{payer},I{n},2024-01-02,2024-01-20,100.001\n"),
        };
        if n % 20 == 0 {
            count.good += 1
        } else {
            count.wrong += 1
        }
        if !put(&row) {
            return count;
        }
    }
    count
}

fn fifo(directory: &Path) -> PathBuf {
    let path = directory.join("portfolio.csv");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

/// The most memory that a process has had so far, in megabytes; `None` when it has ended.
fn peak_mb(process: u32) -> Option<usize> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<usize>().unwrap() / 1024)
}

/// Waits for the end of a process and tells the most memory that it had.
fn until_ended(process: &mut Child) -> usize {
    let mut peak = 0;
    while process.try_wait().unwrap().is_none() {
        peak = peak.max(peak_mb(process.id()).unwrap_or(0));
        thread::sleep(Duration::from_millis(20));
    }
    peak
}

fn replay(portfolio: &Path, report: &Path) -> Child {
    let paths = [portfolio, report].map(|path| path.to_str().unwrap().to_owned());
    let mut command = program::regua();
    command.args(["replay", "--portfolio", &paths[0], "--policy", "policies/simples.toml", "--until", "2024-02-29", "--report", &paths[1]]);
    command.current_dir(program::root()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Plays a portfolio of so many megabytes and tells the most memory that this took.
fn peak_of(megabytes: usize) -> usize {
    let directory = tempfile::tempdir().unwrap();
    let (portfolio, report) = (fifo(directory.path()), directory.path().join("report.json"));
    let mut process = replay(&portfolio, &report);
    // A pipe: what the reader has not taken is not written, and nothing of that size is on the disk.
    let bytes = megabytes * 1024 * 1024;
    let writer = thread::spawn(move || write(BufWriter::with_capacity(64 * 1024, File::create(portfolio).unwrap()), bytes));
    let peak = until_ended(&mut process);
    let written = writer.join().unwrap();
    println!("{megabytes} MB of CSV ({written:?}): at most {peak} MB of memory");
    let report: serde_json::Value = serde_json::from_str(&fs::read_to_string(report).unwrap()).unwrap();
    assert_eq!(report["portfolio"]["refused_rows"], written.wrong);
    assert_eq!(report["portfolio"]["invoices"], 1, "what is issued after the last day is not played");
    assert!(peak > 0, "no memory was seen");
    peak
}

#[test]
fn a_file_larger_than_the_memory_is_read_row_by_row() {
    let (small, large) = (peak_of(SMALL_MB), peak_of(size_mb()));
    assert!(large < size_mb(), "the file is smaller than the {large} MB of its reader: nothing is shown");
    assert!(large <= small + MAY_GROW_MB, "{SMALL_MB} MB of rows took {small} MB, {} MB of rows {large} MB", size_mb());
}
