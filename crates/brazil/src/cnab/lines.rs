//! Bytes to lines, a chunk at a time: line ends, byte-order marks, end-of-file marks and encodings.
//!
//! Memory is one line. UTF-8, Latin-1 and UTF-16 are told apart; a file that mixes them is refused, because one of
//! its halves would shift every column.

use super::Refusal;
use alloc::{borrow::Cow, string::String, vec::Vec};
use memchr::{memchr, memchr2};

/// Longest line in bytes: 426 characters in UTF-16, and room.
const MAX_LINE_BYTES: usize = 1024;

/// How the bytes are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    /// Not known before three bytes are seen.
    Unknown,
    Bytes,
    LittleEndian,
    BigEndian,
}

/// The encoding of a file's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Encoding {
    /// Nothing beyond ASCII.
    #[default]
    Ascii,
    /// UTF-8.
    Utf8,
    /// Latin-1, one byte a character.
    Latin1,
    /// UTF-16, either order of bytes.
    Utf16,
}

impl Encoding {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Ascii => "ascii",
            Encoding::Utf8 => "utf-8",
            Encoding::Latin1 => "latin-1",
            Encoding::Utf16 => "utf-16",
        }
    }
}

/// How a file's text was written: what is read the same whichever way it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct TextForm {
    /// Its encoding.
    pub encoding: Encoding,
    /// It begins with a byte-order mark.
    pub byte_order_mark: bool,
    /// It has an end-of-file mark (Ctrl-Z).
    pub end_mark: bool,
    /// Lines end in LF alone, or in CR alone.
    pub bare_line_ends: bool,
    /// It has lines without anything on them.
    pub blank_lines: bool,
}

/// Cuts a stream of bytes into decoded lines.
#[derive(Debug)]
pub struct Lines {
    width: Width,
    form: TextForm,
    /// Bytes of the line being read.
    buffer: Vec<u8>,
    /// Lines so far, empty ones not counted.
    line: u64,
    /// The last line end, while it may be half of CRLF.
    ended_by: Option<u8>,
}

impl Default for Lines {
    fn default() -> Self {
        Self { width: Width::Unknown, form: TextForm::default(), buffer: Vec::new(), line: 0, ended_by: None }
    }
}

impl Lines {
    /// Takes bytes; gives each whole line with its number from 1. Errors: [`Refusal::MixedEncodings`],
    /// [`Refusal::LineTooLong`], and whatever `each` refuses.
    pub fn push(&mut self, bytes: &[u8], each: &mut dyn FnMut(&str, u64) -> Result<(), Refusal>) -> Result<(), Refusal> {
        let mut rest = bytes;
        while self.width == Width::Unknown {
            let Some((byte, later)) = rest.split_first() else { return Ok(()) };
            rest = later;
            self.buffer.push(*byte);
            if self.buffer.len() >= 3 {
                self.detect();
                // What was kept back may hold whole lines.
                let kept = core::mem::take(&mut self.buffer);
                self.take(&kept, each)?;
            }
        }
        self.take(rest, each)
    }

    /// Takes bytes of a known width.
    fn take(&mut self, bytes: &[u8], each: &mut dyn FnMut(&str, u64) -> Result<(), Refusal>) -> Result<(), Refusal> {
        let mut rest = bytes;
        if self.width == Width::Bytes {
            while let Some(at) = memchr2(b'\n', b'\r', rest) {
                let (begun, ended) = rest.split_at(at);
                self.hold(begun)?;
                if let Some((end, later)) = ended.split_first() {
                    self.end(*end, each)?;
                    rest = later;
                }
            }
            return self.hold(rest);
        }
        for byte in rest {
            self.buffer.push(*byte);
            self.cut(each)?;
        }
        Ok(())
    }

    /// Keeps bytes of a line. Errors: [`Refusal::LineTooLong`].
    fn hold(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        if self.buffer.len() + bytes.len() > MAX_LINE_BYTES {
            return Err(Refusal::LineTooLong { line: self.line + 1 });
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// CRLF makes an empty line after CR: neither it nor a blank line is counted.
    fn end(&mut self, end: u8, each: &mut dyn FnMut(&str, u64) -> Result<(), Refusal>) -> Result<(), Refusal> {
        self.note_end(end);
        if self.buffer.is_empty() { Ok(()) } else { self.give(each) }
    }

    /// Gives what is left as the last line. Errors: as [`Lines::push`].
    pub fn finish(&mut self, each: &mut dyn FnMut(&str, u64) -> Result<(), Refusal>) -> Result<(), Refusal> {
        if self.width == Width::Unknown {
            self.detect();
        }
        self.form.bare_line_ends |= self.ended_by == Some(b'\r');
        if self.buffer.is_empty() { Ok(()) } else { self.give(each) }
    }

    /// How the text so far was written.
    pub fn form(&self) -> TextForm {
        self.form
    }

    /// Byte-order mark, or the zero byte that ASCII in UTF-16 always has.
    fn detect(&mut self) {
        let (width, mark) = match self.buffer.as_slice() {
            [0xEF, 0xBB, 0xBF, ..] => (Width::Bytes, 3),
            [0xFF, 0xFE, ..] => (Width::LittleEndian, 2),
            [0xFE, 0xFF, ..] => (Width::BigEndian, 2),
            [0, byte, ..] if *byte != 0 => (Width::BigEndian, 0),
            [byte, 0, ..] if *byte != 0 => (Width::LittleEndian, 0),
            _ => (Width::Bytes, 0),
        };
        self.form.byte_order_mark = mark > 0;
        self.form.encoding = match width {
            Width::LittleEndian | Width::BigEndian => Encoding::Utf16,
            Width::Bytes | Width::Unknown => {
                if mark == 3 {
                    Encoding::Utf8
                } else {
                    Encoding::Ascii
                }
            }
        };
        self.width = width;
        self.buffer.drain(..mark);
    }

    /// Gives the line if the bytes of two each so far end one.
    fn cut(&mut self, each: &mut dyn FnMut(&str, u64) -> Result<(), Refusal>) -> Result<(), Refusal> {
        let even = self.buffer.len().is_multiple_of(2);
        let end = match (self.width, self.buffer.as_slice()) {
            (Width::LittleEndian, [.., end @ (b'\n' | b'\r'), 0]) if even => *end,
            (Width::BigEndian, [.., 0, end @ (b'\n' | b'\r')]) if even => *end,
            _ => return self.hold(&[]),
        };
        self.buffer.truncate(self.buffer.len() - 2);
        self.end(end, each)
    }

    /// Takes a line end into account; the line is still in the buffer.
    fn note_end(&mut self, end: u8) {
        let empty = self.buffer.is_empty();
        let pair = empty && end == b'\n' && self.ended_by == Some(b'\r');
        self.form.blank_lines |= empty && !pair;
        // A CR that no LF follows was a whole line end.
        self.form.bare_line_ends |= (!empty && end == b'\n') || (self.ended_by == Some(b'\r') && !pair);
        self.ended_by = if pair { None } else { Some(end) };
    }

    fn give(&mut self, each: &mut dyn FnMut(&str, u64) -> Result<(), Refusal>) -> Result<(), Refusal> {
        let bytes = core::mem::take(&mut self.buffer);
        let given = self.give_line(&bytes, each);
        // The buffer's room is kept for the next line.
        self.buffer = bytes;
        self.buffer.clear();
        given
    }

    fn give_line(&mut self, bytes: &[u8], each: &mut dyn FnMut(&str, u64) -> Result<(), Refusal>) -> Result<(), Refusal> {
        self.line += 1;
        let text = match self.width {
            Width::LittleEndian => self.wide(bytes, u16::from_le_bytes).map(Cow::Owned),
            Width::BigEndian => self.wide(bytes, u16::from_be_bytes).map(Cow::Owned),
            Width::Bytes | Width::Unknown => self.narrow(bytes),
        };
        let text = text.ok_or(Refusal::MixedEncodings { line: self.line })?;
        self.form.end_mark |= memchr(b'\x1a', text.as_bytes()).is_some();
        let text = text.trim_end_matches(['\u{1a}', '\0']);
        // From one end alone: the other one is half a line of blanks.
        if text.trim_start().is_empty() {
            self.form.blank_lines |= !self.form.end_mark;
            return Ok(());
        }
        each(text, self.line)
    }

    fn narrow<'line>(&mut self, bytes: &'line [u8]) -> Option<Cow<'line, str>> {
        let (found, text) = match core::str::from_utf8(bytes) {
            Ok(text) if text.is_ascii() => (Encoding::Ascii, Cow::Borrowed(text)),
            Ok(text) => (Encoding::Utf8, Cow::Borrowed(text)),
            Err(_) => (Encoding::Latin1, bytes.iter().map(|byte| char::from(*byte)).collect()),
        };
        match (self.form.encoding, found) {
            (_, Encoding::Ascii) => {}
            (Encoding::Ascii, other) => self.form.encoding = other,
            (before, now) if before == now => {}
            _ => return None,
        }
        Some(text)
    }

    /// UTF-16. A unit past the Latin blocks, or half a unit, is other text that was glued in.
    fn wide(&self, bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
        let halves = bytes.chunks_exact(2);
        if !matches!(halves.remainder(), [] | [0x1a] | [0]) {
            return None;
        }
        let mut text = String::with_capacity(bytes.len() / 2);
        for half in halves {
            let code = unit(half.try_into().ok()?);
            text.push(char::from_u32(u32::from(code)).filter(|c| *c < '\u{250}' || ('\u{2000}'..'\u{2100}').contains(c))?);
        }
        Some(text)
    }
}
