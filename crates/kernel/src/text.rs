//! Bounded text from outside.

use alloc::string::{String, ToString};

/// Why a text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextFault {
    /// Nothing but blanks.
    #[error("is empty")]
    Empty,
    /// More characters than the field takes.
    #[error("is longer than {0} characters")]
    TooLong(usize),
    /// A control character: they hide in logs and break mail headers.
    #[error("has a control character")]
    Control,
}

/// A trimmed text of 1 to `max_chars` characters without control characters.
pub fn bounded(text: &str, max_chars: usize) -> Result<String, TextFault> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(TextFault::Empty);
    }
    if trimmed.chars().count() > max_chars {
        return Err(TextFault::TooLong(max_chars));
    }
    if trimmed.chars().any(char::is_control) {
        return Err(TextFault::Control);
    }
    Ok(trimmed.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_trimmed_bounded_and_printable() {
        assert_eq!(bounded("  Ana ", 5), Ok("Ana".to_string()));
        assert_eq!(bounded("   ", 5), Err(TextFault::Empty));
        assert_eq!(bounded("ações!", 5), Err(TextFault::TooLong(5)));
        assert_eq!(bounded("a\r\nBcc: x", 50), Err(TextFault::Control));
    }
}
