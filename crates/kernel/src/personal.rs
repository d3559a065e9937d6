//! Personal data: values that never show themselves by accident.

use alloc::string::String;
use core::fmt;

/// A personal text (name, document, address, phone): Debug and Display print a mask, never the text.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Personal(String);

impl Personal {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself; call it only where it is handed to its reader.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "Personal(empty)" } else { "Personal(***)" })
    }
}

impl fmt::Display for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn a_personal_value_does_not_print_itself() {
        let name = Personal::new("Maria das Dores");
        assert_eq!(format!("{name} {name:?}"), "*** Personal(***)");
        assert_eq!(name.reveal(), "Maria das Dores");
    }
}
