//! One row: its columns by name, and what can be wrong with it.

use brazil::NaiveDate;
use brazil::pix::{decimal_text, parse_decimal};
use std::collections::BTreeMap;
use std::fmt::{self, Display};

/// What is wrong in a row, and in which column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub column: String,
    pub kind: FaultKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// The rule gives another value than the row.
    Differs { stated: String, computed: String },
    /// The row cannot be checked.
    Unchecked { stated: String, why: String },
}

/// Ends with the first fault of the row.
pub type Checked<T = ()> = Result<T, Fault>;

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            FaultKind::Differs { stated, computed } => write!(f, "column {}: {stated:?} in the file, {computed} by the rule", self.column),
            FaultKind::Unchecked { stated, why } => write!(f, "column {}: {stated:?} {why}", self.column),
        }
    }
}

/// A row and its line in the file.
#[derive(Debug, Clone)]
pub struct Row {
    pub line: u64,
    pub values: BTreeMap<String, String>,
    /// Values on the line, where they are not as many as the columns.
    pub misfit: Option<usize>,
}

impl Row {
    /// Every column has a value, and every value a column.
    pub fn fits(&self) -> Checked {
        let Some(found) = self.misfit else { return Ok(()) };
        let kind = FaultKind::Unchecked { stated: format!("{found} values"), why: "are not as many as the columns".to_owned() };
        Err(Fault { column: "(all)".to_owned(), kind })
    }

    /// A value as written. The column is one of the file's: [`super::table`] has compared their names.
    pub fn text(&self, column: &str) -> &str {
        self.values.get(column).map_or("", String::as_str)
    }

    /// A value that is there.
    pub fn given(&self, column: &str) -> Option<&str> {
        Some(self.text(column)).filter(|text| !text.is_empty())
    }

    /// A value as `read` understands it; a fault where it does not.
    pub fn read<T>(&self, column: &str, read: impl FnOnce(&str) -> Option<T>) -> Checked<T> {
        read(self.text(column)).ok_or_else(|| self.unchecked(column, "cannot be read"))
    }

    /// A date.
    pub fn day(&self, column: &str) -> Checked<NaiveDate> {
        self.read(column, |text| text.parse().ok())
    }

    /// A date, or nothing.
    pub fn day_if_given(&self, column: &str) -> Checked<Option<NaiveDate>> {
        self.given(column).map(|_| self.day(column)).transpose()
    }

    /// A whole number.
    pub fn number<T: std::str::FromStr>(&self, column: &str) -> Checked<T> {
        self.read(column, |text| text.parse().ok())
    }

    /// An amount with two decimals, in cents.
    pub fn cents(&self, column: &str) -> Checked<i64> {
        self.read(column, |text| parse_decimal(text)?.try_into().ok())
    }

    /// An amount must be what the rule gives, in cents.
    pub fn is_cents(&self, column: &str, computed: i64) -> Checked {
        let stated = self.cents(column)?;
        let text = u64::try_from(computed).ok().and_then(decimal_text);
        self.holds(column, stated == computed, text.unwrap_or_else(|| computed.to_string()))
    }

    /// One of the values that a column may have.
    pub fn one_of(&self, column: &str, known: &[&'static str]) -> Checked<&'static str> {
        let found = known.iter().find(|value| **value == self.text(column)).copied();
        found.ok_or_else(|| self.unchecked(column, "is a kind that is not known"))
    }

    /// The row's text must be what the rule gives.
    pub fn is(&self, column: &str, computed: impl Display) -> Checked {
        let computed = computed.to_string();
        if self.text(column) == computed { Ok(()) } else { Err(self.differs(column, format!("{computed:?}"))) }
    }

    /// A value read from the row must be what the rule gives.
    pub fn same<T: PartialEq + fmt::Debug>(&self, column: &str, stated: &T, computed: &T) -> Checked {
        if stated == computed { Ok(()) } else { Err(self.differs(column, format!("{computed:?}"))) }
    }

    /// Something that the rule says of a column must hold.
    pub fn holds(&self, column: &str, holds: bool, computed: impl Display) -> Checked {
        if holds { Ok(()) } else { Err(self.differs(column, computed)) }
    }

    /// The verdict columns: `source` as printed, `computed` as the author of the file found it, and `check`, which says
    /// `agree` where both are the same. The rule must give what was computed.
    pub fn verdict(&self, source: &str, computed: &str, by_rule: impl Display) -> Checked {
        self.is(computed, by_rule)?;
        let (agree, same) = (self.text("check") == "agree", self.text(source) == self.text(computed));
        match (agree, same) {
            (true, false) => Err(self.differs(source, format!("{:?}, and the row says that both agree", self.text(computed)))),
            (false, true) => Err(self.differs("check", "agree")),
            _ => Ok(()),
        }
    }

    /// The rule gives another value than the row.
    pub fn differs(&self, column: &str, computed: impl Display) -> Fault {
        let kind = FaultKind::Differs { stated: self.text(column).to_owned(), computed: computed.to_string() };
        Fault { column: column.to_owned(), kind }
    }

    /// The row cannot be checked.
    pub fn unchecked(&self, column: &str, why: impl Display) -> Fault {
        let kind = FaultKind::Unchecked { stated: self.text(column).to_owned(), why: why.to_string() };
        Fault { column: column.to_owned(), kind }
    }
}
