//! Layouts as data: where a column is and what it holds.

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Digits, zeros on the left. Company numbers may hold letters since 2026.
    Number,
    /// An amount or rate in hundredths, zeros on the left.
    Cents,
    /// Text, blanks on the right.
    Text,
}

/// A column of a record: positions from 1, ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// First position.
    pub from: usize,
    /// Last position.
    pub to: usize,
    /// What it holds.
    pub kind: Kind,
    /// The only value that it may have; empty where there is none.
    pub fixed: &'static str,
}

impl Column {
    /// A column without a fixed value.
    pub const fn at(name: &'static str, from: usize, to: usize, kind: Kind) -> Self {
        Self { name, from, to, kind, fixed: "" }
    }

    /// Positions that it takes.
    pub const fn size(&self) -> usize {
        self.to - self.from + 1
    }
}

/// A module of columns for one record: a constant for each, and all of them in order.
macro_rules! columns {
    ($(#[$doc:meta])* $module:ident { $($name:ident $from:literal $to:literal $kind:ident $(= $fixed:literal)?,)+ }) => {
        $(#[$doc])*
        pub mod $module {
            use crate::cnab::layout::{Column, Kind};
            $(
                #[allow(missing_docs, reason = "the name says it; the standard has the rest")]
                pub const $name: Column = Column {
                    name: stringify!($name),
                    from: $from,
                    to: $to,
                    kind: Kind::$kind,
                    fixed: concat!("" $(, $fixed)?),
                };
            )+
            /// All columns in order, without gaps.
            pub const ALL: &[Column] = &[$($name),+];
        }
    };
}
pub(crate) use columns;
