//! A small reader of Rust's surface: enough to tell code from comments and strings, and to match braces.

/// The text with every comment and every string, byte or character literal blanked, line breaks kept, so that
/// positions and lines stay those of the text.
pub fn blank_literals(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        // Inside an identifier no literal begins: the `br` of `abbr"` is no prefix.
        let inside_word = at > 0 && is_word(bytes[at - 1]) && is_word(bytes[at]);
        let end = if inside_word { at } else { literal_end(bytes, at) };
        blank(&mut out[at..end]);
        at = end.max(at + 1);
    }
    // Only whole literals were blanked, byte by byte with spaces, so the rest is the text's own UTF-8.
    String::from_utf8_lossy(&out).into_owned()
}

fn blank(span: &mut [u8]) {
    for byte in span.iter_mut().filter(|byte| **byte != b'\n') {
        *byte = b' ';
    }
}

/// Where the comment or literal that begins at `at` ends; `at` itself when none begins there.
fn literal_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    match rest {
        [b'/', b'/', ..] => at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => at + block_comment_length(rest),
        [b'"', ..] => at + quoted_length(rest, 0, b'"'),
        [b'\'', ..] => at + character_length(rest),
        [b'b', b'\'', ..] => at + 1 + character_length(&rest[1..]),
        [b'b' | b'c', b'"', ..] => at + quoted_length(rest, 1, b'"'),
        [b'b' | b'c', b'r', ..] => at + raw_length(rest, 2),
        [b'r', ..] => at + raw_length(rest, 1),
        _ => at,
    }
}

fn block_comment_length(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// Length of a literal with escapes, whose opening quote stands after `prefix` bytes.
fn quoted_length(rest: &[u8], prefix: usize, quote: u8) -> usize {
    let mut at = prefix + 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// Length of a character literal; nothing for a lifetime such as `'a`.
fn character_length(rest: &[u8]) -> usize {
    if rest.get(1) == Some(&b'\\') {
        return quoted_length(rest, 0, b'\'');
    }
    // One character of up to four bytes, then the quote: `'a'` is a character, `'a,` a lifetime.
    let text = &rest[1..rest.len().min(6)];
    match text.iter().position(|byte| *byte == b'\'') {
        Some(length) if length > 0 && is_one_character(&text[..length]) => length + 2,
        _ => 0,
    }
}

fn is_one_character(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| text.chars().count() == 1)
}

/// Length of a raw string whose `#`s or quote stand after `prefix` bytes; nothing for an identifier.
fn raw_length(rest: &[u8], prefix: usize) -> usize {
    let hashes = rest[prefix..].iter().take_while(|byte| **byte == b'#').count();
    if rest.get(prefix + hashes) != Some(&b'"') {
        return 0;
    }
    let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let body = prefix + hashes + 1;
    let end = rest[body..].windows(close.len()).position(|window| window == close);
    end.map_or(rest.len(), |length| body + length + close.len())
}

/// Whether the byte can be part of a Rust identifier (letters beyond ASCII count).
pub fn is_word(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric() || byte >= 0x80
}

/// The positions of `needle` in `code` where it does not continue an identifier on either side.
pub fn words<'a>(code: &'a str, needle: &'a str) -> impl Iterator<Item = usize> + 'a {
    let bytes = code.as_bytes();
    let begins = needle.bytes().next().is_some_and(is_word);
    let ends = needle.bytes().last().is_some_and(is_word);
    code.match_indices(needle).map(|(at, _)| at).filter(move |&at| {
        let before = at > 0 && is_word(bytes[at - 1]);
        let after = bytes.get(at + needle.len()).copied().is_some_and(is_word);
        !(begins && before || ends && after)
    })
}

/// The line, counted from 1, in which the position stands.
pub fn line_of(code: &str, at: usize) -> usize {
    1 + code.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count()
}

/// Position of the brace that closes the one at `open`; the end of the text when none does.
pub fn matching_brace(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, byte) in code.as_bytes()[open..].iter().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return open + offset;
        }
    }
    code.len()
}
