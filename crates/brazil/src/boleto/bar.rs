//! The symbol: Interleaved 2 of 5 over the 44 digits, without a checksum of its own.

use alloc::vec::Vec;

/// Wide (`true`) or narrow for the five elements of each digit.
const PATTERNS: [&[u8; 5]; 10] = [b"nnwwn", b"wnnnw", b"nwnnw", b"wwnnn", b"nnwnw", b"wnwnn", b"nwwnn", b"nnnww", b"wnnwn", b"nwnwn"];

/// Widths of the elements, first a bar, then a space, and so on; `true` is wide (three narrow units).
/// 44 digits make 227 elements and 405 narrow units. `None` unless `digits` is an even number of ASCII digits.
pub fn widths(digits: &str) -> Option<Vec<bool>> {
    let values = crate::check_digit::values(digits)?;
    if values.len() % 2 != 0 {
        return None;
    }
    let mut out = Vec::from([false; 4]);
    for pair in values.chunks_exact(2) {
        let pattern = |value: u8| PATTERNS.get(usize::from(value));
        let (bars, spaces) = (pattern(pair[0])?, pattern(pair[1])?);
        out.extend(bars.iter().zip(spaces.iter()).flat_map(|(bar, space)| [*bar == b'w', *space == b'w']));
    }
    out.extend([true, false, false]);
    Some(out)
}
