//! Checks every row of a directory of vectors: `REGUA_VECTORS`, or the project's own copy.
//!
//! Prints for each file how many rows it holds and how many were checked. It fails unless all were and all agree.

mod rows;

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let own = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors"));
    let given = std::env::var_os("REGUA_VECTORS").filter(|path| !path.is_empty()).map(PathBuf::from);
    let path = given.unwrap_or_else(|| own.clone());
    // The project's own copy is whole; somebody else's may be of some files only.
    let whole = path.canonicalize().is_ok_and(|path| own.canonicalize().is_ok_and(|own| path == own));
    match rows::read(&path, whole) {
        Ok(outcome) => {
            print!("{outcome}");
            if outcome.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("{} cannot be read: {error}", path.display());
            ExitCode::FAILURE
        }
    }
}
