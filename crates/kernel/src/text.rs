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

/// Whether a text has the form of one e-mail address: something, one `@`, a domain with a dot inside. What a mail server makes of
/// it is known only by sending.
pub fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && domain.contains('.')
            && !domain.contains('@')
            && !domain.starts_with('.')
            && !domain.ends_with('.')
            && !text.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, ',' | ';' | '<' | '>'))
    })
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

    #[test]
    fn an_email_is_one_address_and_nothing_around_it() {
        for good in ["ana@example.invalid", "a.b+c@sub.example.invalid", "ação@example.invalid"] {
            assert!(is_email(good), "{good}");
        }
        for bad in [
            "",
            "ana",
            "@x.com",
            "ana@com",
            "ana@.com",
            "ana@x.com.",
            "a@x.com; b@y.com",
            "a@x.com,b",
            "joao silva@x.com",
            "<a@x.com>",
            "a@b@x.com",
        ] {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
