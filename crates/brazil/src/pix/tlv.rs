//! Tag, length, value: two digits of tag, two of length in characters, the value.

use alloc::{format, string::String, vec::Vec};

/// One tag with its value, as sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// 0 to 99.
    pub tag: u8,
    /// As sent, at most 99 characters.
    pub value: String,
}

/// The fields of a text, in order; `Err` is the position in characters (from 1) where it stops making sense.
/// Lengths count characters; texts from senders that count bytes are tried second.
pub(super) fn fields(text: &str) -> Result<Vec<Field>, usize> {
    by_chars(text).or_else(|at| if text.is_ascii() { Err(at) } else { by_bytes(text).ok_or(at) })
}

fn number(digits: Option<&str>) -> Option<u8> {
    digits.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
}

fn by_chars(text: &str) -> Result<Vec<Field>, usize> {
    let mut out = Vec::new();
    let (mut rest, mut at) = (text, 1);
    while !rest.is_empty() {
        let tag = number(rest.get(..2)).ok_or(at)?;
        let length = number(rest.get(2..4)).ok_or(at + 2)?;
        let body = rest.get(4..).ok_or(at + 4)?;
        let mut ends = body.char_indices().map(|(index, _)| index).chain([body.len()]);
        let end = ends.nth(usize::from(length)).ok_or(at + 4)?;
        let (value, next) = body.split_at_checked(end).ok_or(at + 4)?;
        out.push(Field { tag, value: String::from(value) });
        (rest, at) = (next, at + 4 + usize::from(length));
    }
    Ok(out)
}

fn by_bytes(text: &str) -> Option<Vec<Field>> {
    let mut out = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (tag, length) = (number(rest.get(..2))?, number(rest.get(2..4))?);
        let (value, next) = rest.get(4..)?.split_at_checked(usize::from(length))?;
        out.push(Field { tag, value: String::from(value) });
        rest = next;
    }
    Some(out)
}

/// The text of fields; `None` where a value is longer than 99 characters.
pub(super) fn text(fields: &[Field]) -> Option<String> {
    let mut out = String::new();
    for field in fields {
        let length = field.value.chars().count();
        if length > 99 || field.tag > 99 {
            return None;
        }
        out.push_str(&format!("{:02}{length:02}{}", field.tag, field.value));
    }
    Some(out)
}

/// The value of the first field with a tag.
pub(super) fn value(fields: &[Field], tag: u8) -> Option<&str> {
    fields.iter().find(|field| field.tag == tag).map(|field| field.value.as_str())
}
