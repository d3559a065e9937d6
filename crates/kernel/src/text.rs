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
    /// A character that nobody sees, or that turns the direction of what is read: one name looks like another.
    #[error("has an invisible character or one that turns the direction of writing")]
    Invisible,
}

/// A trimmed text of 1 to `max_chars` characters without control characters and without invisible ones.
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
    if trimmed.chars().any(is_invisible) {
        return Err(TextFault::Invisible);
    }
    Ok(trimmed.to_string())
}

/// Format characters, fillers and noncharacters of Unicode. Joiners are among them: no name needs one, and an emoji falls apart without.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a text has the form of a language tag (BCP 47): a language of two to eight letters, then parts of one to eight letters and
/// digits, as `pt-BR`. Whether there is such a language is not known here.
pub fn is_language_tag(text: &str) -> bool {
    let mut parts = text.split('-');
    let language = parts.next().unwrap_or("");
    (2..=8).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
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
    fn what_nobody_sees_is_refused_and_letters_of_all_writings_are_taken() {
        for bad in
            ["Ana\u{202e}avliS", "A\u{200b}na", "\u{feff}Ana", "Ana\u{2066}", "A\u{ad}na", "\u{3164}", "Ana\u{e0041}", "👩\u{200d}🚀"]
        {
            assert_eq!(bounded(bad, 50), Err(TextFault::Invisible), "{bad:?}");
        }
        for good in ["José d'Ávila Conceição", "Müller & Söhne", "Łukasz", "Nguyễn Thị", "Иван", "山田", "Ana 😀", "A\u{a0}B", "e\u{301}"]
        {
            assert!(bounded(good, 50).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn a_language_tag_has_parts_of_letters_and_digits() {
        for good in ["pt", "pt-BR", "zh-Hant-TW", "es-419", "sl-rozaj"] {
            assert!(is_language_tag(good), "{good}");
        }
        for bad in ["", "p", "pt_BR", "pt-", "-BR", "pt BR", "pt--BR", "português", "pt-BR!", "portuguese", "1t-BR"] {
            assert!(!is_language_tag(bad), "{bad}");
        }
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
