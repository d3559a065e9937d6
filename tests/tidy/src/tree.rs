//! The files of the project, as text.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A text file: its path from the root, with `/` between folders, and its content.
#[derive(Clone, Debug)]
pub struct TextFile {
    /// For example `crates/kernel/src/money.rs`.
    pub path: String,
    /// The whole content.
    pub text: String,
}

impl TextFile {
    /// A file that exists only here; tests plant violations with it.
    pub fn new(path: &str, text: &str) -> Self {
        TextFile { path: path.to_owned(), text: text.to_owned() }
    }
}

/// The project's root: two folders above this crate.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// All UTF-8 files below `root`, in order of their paths, without build output and version control.
///
/// # Errors
/// When a folder can not be listed. A file that disappears meanwhile is left out.
pub fn files(root: &Path) -> io::Result<Vec<TextFile>> {
    let mut found = Vec::new();
    collect(root, "", &mut found)?;
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// The files whose path ends with `suffix`.
pub fn ending<'a>(files: &'a [TextFile], suffix: &'a str) -> impl Iterator<Item = &'a TextFile> {
    files.iter().filter(move |file| file.path.ends_with(suffix))
}

fn collect(folder: &Path, prefix: &str, found: &mut Vec<TextFile>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        // In a second work tree `.git` is a file that names the first one's folder.
        if matches!(name.as_str(), "target" | ".git" | "node_modules") {
            continue;
        }
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{path}/"), found)?;
        } else if let Ok(text) = fs::read_to_string(entry.path()) {
            // What is not UTF-8 is a font, an image or a golden byte file: no text rule reads it.
            found.push(TextFile { path, text });
        }
    }
    Ok(())
}
