//! A directory that a bureau's own program reads and writes: `out/` holds batches of commands, `in/` takes its answers.
//!
//! A batch is a file of JSON lines, one command each, and appears only when it is whole. Its name comes from its commands, and a copy stays
//! in `sent/`: that is how a command that was handed over is known again after a crash, though its batch was fetched. Between the copy that
//! says "about to" and the batch itself nobody knows, and nothing is written a second time.
//!
//! An answer is a line of JSON, `{"key", "status", "reason", "reference"}`. A file that was read goes to `done/`, with a report of the lines
//! that could not be used (`<name>.report`: line, slug, field). The same file again changes nothing.

use super::{
    EntryKey, OrderKey,
    provider::{Handover, Incoming, LineFault, Outcome, Provider, Standing, Word, as_json, reference_of, slug_of},
};
use async_trait::async_trait;
use host::spool;
use ladder::listing::Answer;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{
    fmt::Write,
    fs, io,
    path::{Path, PathBuf},
};

/// Ending of a batch and of a file of answers.
const LINES: &str = ".jsonl";
/// Ending of a copy whose batch may not be out yet.
const PART: &str = ".part";
/// Longest file of answers, in bytes.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// The way to it.
#[derive(Debug, Clone)]
pub(super) struct Directory {
    path: PathBuf,
}

impl Directory {
    /// Makes the directories. Errors: those of the file system.
    pub fn open(path: &Path) -> io::Result<Self> {
        for part in ["out", "in", "sent", "done"] {
            fs::create_dir_all(path.join(part))?;
        }
        for part in ["out", "sent"] {
            spool::remove_stale(&path.join(part))?;
        }
        Ok(Self { path: path.to_owned() })
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Written {
        let (out, sent) = (self.path.join("out"), self.path.join("sent"));
        if sent.join(name).exists() {
            return Written::Out;
        }
        let part = format!("{name}{PART}");
        if sent.join(&part).exists() {
            // Somebody was about to, and it is not known how far that went.
            return self.finished(name);
        }
        let aside = spool::write_once(&sent, &part, bytes);
        let written = aside.and_then(|()| spool::write_once(&out, name, bytes));
        match written {
            Ok(()) => self.finished(name),
            Err(error) => {
                tracing::warn!(%error, "a batch of a bureau could not be written");
                // Whether the batch is there is looked up when it is asked for.
                if out.join(name).exists() { self.finished(name) } else { self.given_up(&part) }
            }
        }
    }

    /// The batch is out where its file is; where it is not, it may have been fetched.
    fn finished(&self, name: &str) -> Written {
        let sent = self.path.join("sent");
        if !self.path.join("out").join(name).exists() {
            return Written::Unclear;
        }
        // Where the name stays, the batch is known by its file in `out/` until that is fetched, and unclear after.
        let _ = fs::rename(sent.join(format!("{name}{PART}")), sent.join(name));
        Written::Out
    }

    /// Nothing of it is out.
    fn given_up(&self, part: &str) -> Written {
        match fs::remove_file(self.path.join("sent").join(part)) {
            Ok(()) => Written::Nothing,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Written::Nothing,
            Err(_) => Written::Unclear,
        }
    }

    /// Looks for a command in the copies of all batches.
    fn look_for(&self, key: &OrderKey) -> io::Result<Standing> {
        for entry in fs::read_dir(self.path.join("sent"))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let Some(batch) = name.strip_suffix(PART).or(Some(name.as_str())).filter(|name| name.ends_with(LINES)) else { continue };
            let text = fs::read_to_string(self.path.join("sent").join(&name))?;
            if !text.lines().any(|line| is_of(line, key)) {
                continue;
            }
            let is_out = !name.ends_with(PART) || matches!(self.finished(batch), Written::Out);
            return Ok(if is_out { Standing::Taken(Word::taken(key.order)) } else { Standing::Unclear });
        }
        Ok(Standing::NotTaken)
    }

    fn read_all(&self) -> io::Result<Vec<Incoming>> {
        let mut names: Vec<String> = Vec::new();
        for entry in fs::read_dir(self.path.join("in"))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            // A writer that cannot rename writes to a name that begins with a full stop, or does not end so, first.
            if name.ends_with(LINES) && !name.starts_with('.') {
                names.push(name);
            }
        }
        names.sort();
        names.into_iter().map(|name| self.read(name)).collect()
    }

    fn read(&self, name: String) -> io::Result<Incoming> {
        let path = self.path.join("in").join(&name);
        if fs::metadata(&path)?.len() > MAX_FILE_BYTES {
            return Ok(Incoming { name, words: Vec::new(), faults: vec![LineFault { line: 1, slug: "file_too_large", field: "" }] });
        }
        let bytes = fs::read(&path)?;
        let mut incoming = Incoming { name, ..Incoming::default() };
        let lines = bytes.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.trim_ascii().is_empty());
        for (at, line) in lines {
            match understood(line) {
                Ok((key, word)) => incoming.words.push((at + 1, key, word)),
                Err((slug, field)) => incoming.faults.push(LineFault { line: at + 1, slug, field }),
            }
        }
        Ok(incoming)
    }

    fn store(&self, name: &str, faults: &[LineFault]) -> io::Result<()> {
        let done = self.path.join("done");
        if !faults.is_empty() {
            let mut report = String::from("line,slug,field\n");
            for LineFault { line, slug, field } in faults {
                let _ = writeln!(report, "{line},{slug},{field}");
            }
            fs::write(done.join(format!("{name}.report")), report)?;
        }
        fs::rename(self.path.join("in").join(name), done.join(name))
    }

    /// File work off the threads of the runtime.
    async fn apart<T: Send + 'static>(&self, work: impl FnOnce(&Self) -> T + Send + 'static) -> Option<T> {
        let this = self.clone();
        tokio::task::spawn_blocking(move || work(&this)).await.ok()
    }
}

/// What became of a batch.
enum Written {
    Out,
    Nothing,
    Unclear,
}

#[async_trait]
impl Provider for Directory {
    async fn send(&self, commands: &[Handover]) -> Vec<Outcome> {
        let (name, bytes) = batch(commands);
        let written = self.apart(move |this| this.write(&name, &bytes)).await;
        let outcome = |command: &Handover| match &written {
            Some(Written::Out) => Outcome::Taken(Word::taken(command.key.order)),
            Some(Written::Nothing) => Outcome::NotNow("directory_unwritable".to_owned()),
            Some(Written::Unclear) | None => Outcome::Unknown("directory_interrupted".to_owned()),
        };
        commands.iter().map(outcome).collect()
    }

    async fn ask(&self, key: &OrderKey) -> Standing {
        let key = key.clone();
        let found = self.apart(move |this| this.look_for(&key)).await;
        found.and_then(Result::ok).unwrap_or(Standing::Unclear)
    }

    async fn fetch(&self) -> Vec<Incoming> {
        match self.apart(Self::read_all).await {
            Some(Ok(incoming)) => incoming,
            Some(Err(error)) => {
                tracing::warn!(%error, "answers of a bureau cannot be read");
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    async fn put_away(&self, incoming: &Incoming, faults: &[LineFault]) {
        let (name, faults) = (incoming.name.clone(), faults.to_vec());
        if let Some(Err(error)) = self.apart(move |this| this.store(&name, &faults)).await {
            tracing::warn!(%error, "a file of a bureau's answers stays where it was");
        }
    }
}

/// Name and bytes of a batch: the same commands have the same name.
fn batch(commands: &[Handover]) -> (String, Vec<u8>) {
    let (mut text, mut hash) = (String::new(), Sha256::new());
    for command in commands {
        hash.update(command.key.to_string());
        hash.update(b"\n");
        text.push_str(&as_json(command).to_string());
        text.push('\n');
    }
    let kind = commands.first().map_or("none", |command| command.opened.kind.slug());
    (format!("{kind}-{}{LINES}", &hex::encode(hash.finalize())[..24]), text.into_bytes())
}

fn is_of(line: &str, key: &OrderKey) -> bool {
    let Ok(value) = serde_json::from_str::<Value>(line) else { return false };
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    text("key") == key.entry.to_string() && text("command") == key.order.slug()
}

/// Slug and field of what is wrong with a line.
type Wrong = (&'static str, &'static str);

fn understood(line: &[u8]) -> Result<(EntryKey, Word), Wrong> {
    let value: Value = serde_json::from_slice(line).map_err(|_| ("line_malformed", ""))?;
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    let key = text("key").parse().map_err(|_| ("key_malformed", "key"))?;
    let answer = Answer::named(text("status")).ok_or(("unknown_status", "status"))?;
    Ok((key, Word { answer, reason: slug_of(text("reason")), reference: reference_of(text("reference")) }))
}
