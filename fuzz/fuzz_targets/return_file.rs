//! Bank files of any bytes, in pieces of two sizes: no panic, and the size of the pieces does not matter.
#![no_main]

use brazil::cnab::{Entry, Refusal, Report, ReturnReader};
use libfuzzer_sys::fuzz_target;

fn read(bytes: &[u8], size: usize) -> (Result<Report, Refusal>, Vec<Entry>) {
    let (mut reader, mut entries) = (ReturnReader::new(), Vec::new());
    for piece in bytes.chunks(size) {
        if let Err(refusal) = reader.push(piece, &mut |entry| entries.push(entry)) {
            return (Err(refusal), entries);
        }
    }
    (reader.finish(&mut |entry| entries.push(entry)), entries)
}

fuzz_target!(|bytes: &[u8]| {
    assert_eq!(read(bytes, 7), read(bytes, 1 << 20));
});
