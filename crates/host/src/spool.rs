//! Files that appear under their name only when they are whole and on the disk: written aside, synced, renamed, directory synced.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

/// How long another process may take to write a file aside.
const WRITTEN_WITHIN: Duration = Duration::from_secs(60);

/// Removes what was written aside and never renamed: its process was killed. Ours has written nothing yet; a file of another process goes
/// when that is gone or the file is old.
pub fn remove_stale(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(process) = name.to_str().and_then(process_of_aside) else { continue };
        let is_running = process != std::process::id() && Path::new(&format!("/proc/{process}")).exists();
        let age = entry.metadata().and_then(|file| file.modified()).ok().and_then(|at| at.elapsed().ok());
        if !is_running || age.is_some_and(|age| age > WRITTEN_WITHIN) {
            // Another process that starts now may be faster.
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

/// The process in the name of a file that is written aside; `None` for another file.
fn process_of_aside(name: &str) -> Option<u32> {
    let (rest, thread) = name.strip_prefix('.')?.rsplit_once('.')?;
    let (message, process) = rest.rsplit_once('.')?;
    let digits = !thread.is_empty() && thread.bytes().all(|byte| byte.is_ascii_digit());
    if digits && !message.is_empty() { process.parse().ok() } else { None }
}

/// Writes a file once: one of that name stays as it is. Errors: those of the file system; then there is no file of that name.
pub fn write_once(directory: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    if directory.join(name).exists() { Ok(()) } else { replace(directory, name, bytes) }
}

/// Writes a file in the place of one that may be there. Errors: those of the file system; then what was there is as it was.
pub fn replace(directory: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let target = directory.join(name);
    // Two writers of one message write the same bytes to names of their own.
    let aside = tempfile_name(directory, name);
    let written = write_whole(&aside, bytes).and_then(|()| fs::rename(&aside, &target));
    if written.is_err() {
        // What is left aside has no name that a reader looks at; removing it is a courtesy.
        let _ = fs::remove_file(&aside);
    }
    written.and_then(|()| File::open(directory)?.sync_all())
}

fn tempfile_name(directory: &Path, name: &str) -> PathBuf {
    let process = std::process::id();
    let thread = format!("{:?}", std::thread::current().id());
    let thread: String = thread.chars().filter(char::is_ascii_digit).collect();
    let short: String = name.chars().take(200).collect();
    directory.join(format!(".{short}.{process}.{thread}"))
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_aside_is_removed_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let ours = tempfile_name(directory.path(), "a.eml");
        let others = [".b.eml.4194999.7", ".b.eml.1.7", ".keep", "c.eml", ".d.eml.x.7"].map(|name| directory.path().join(name));
        for path in others.iter().chain([&ours]) {
            fs::write(path, "x").unwrap();
        }
        remove_stale(directory.path()).unwrap();
        let left: Vec<bool> = others.iter().map(|path| path.exists()).collect();
        assert_eq!((ours.exists(), left), (false, vec![false, true, true, true, true]));
    }
}
