//! What a file as a whole can be: refused, or read with warnings.

use super::TextForm;
use alloc::{string::String, vec::Vec};
use chrono::NaiveTime;
use core::fmt;
use kernel::NaiveDate;

/// A layout family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// CNAB 240, FEBRABAN.
    Cnab240,
    /// CNAB 400, each bank's own.
    Cnab400,
    /// FEBRABAN 150, arrecadação.
    Febraban150,
}

impl Format {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Format::Cnab240 => "cnab240",
            Format::Cnab400 => "cnab400",
            Format::Febraban150 => "febraban150",
        }
    }
}

/// Why a file is not imported at all. Nothing that was given before it may be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The first line is the header of no known layout.
    #[error("file is no bank file")]
    NotABankFile,
    /// A remittance: it was written here, it says nothing of what happened.
    #[error("file is a remittance")]
    Remittance,
    /// Caixa's answer on a remittance (3, 4, 5; 5 means that all of it was rejected): to be reported, never imported.
    #[error("file is the bank's pre-critique answer {code}")]
    PreCritique {
        /// 3, 4 or 5.
        code: u8,
    },
    /// Neither remittance nor return, and the lots do not show a return either.
    #[error("header flag {flag:?} says neither remittance nor return")]
    Direction {
        /// Position 143.
        flag: char,
    },
    /// A dialect that is not read exactly, and so not at all.
    #[error("{} of bank {bank:03} is not supported", format.name())]
    UnsupportedBank {
        /// Layout family.
        format: Format,
        /// COMPE code.
        bank: u16,
    },
    /// Something after the file trailer.
    #[error("line {line} comes after the file trailer")]
    DataAfterTrailer {
        /// Line from 1.
        line: u64,
    },
    /// The file has no trailer: its end is missing.
    #[error("file ends without its trailer, after line {line}")]
    Truncated {
        /// Last line.
        line: u64,
    },
    /// Two encodings in one file.
    #[error("line {line} is in another encoding than those before it")]
    MixedEncodings {
        /// Line from 1.
        line: u64,
    },
    /// More characters than the layout tolerates.
    #[error("line {line} is too long")]
    LineTooLong {
        /// Line from 1.
        line: u64,
    },
    /// A lot or segment of another service than collection.
    #[error("line {line} is of another service: {what}")]
    ForeignService {
        /// Line from 1.
        line: u64,
        /// Segment letter or service number.
        what: String,
    },
    /// A record where the layout has none: a detail outside a lot, a second header.
    #[error("line {line} is out of place")]
    OutOfPlace {
        /// Line from 1.
        line: u64,
    },
    /// More titles than one file may bring (4 million).
    #[error("file has too many titles")]
    TooManyTitles,
}

impl Refusal {
    /// Stable name of the refusal.
    pub fn slug(&self) -> &'static str {
        match self {
            Refusal::NotABankFile => "cnab_not_a_bank_file",
            Refusal::Remittance => "cnab_remittance",
            Refusal::PreCritique { .. } => "cnab_pre_critique",
            Refusal::Direction { .. } => "cnab_direction",
            Refusal::UnsupportedBank { .. } => "cnab_unsupported_bank",
            Refusal::DataAfterTrailer { .. } => "cnab_data_after_trailer",
            Refusal::Truncated { .. } => "cnab_truncated",
            Refusal::MixedEncodings { .. } => "cnab_mixed_encodings",
            Refusal::LineTooLong { .. } => "cnab_line_too_long",
            Refusal::ForeignService { .. } => "cnab_foreign_service",
            Refusal::OutOfPlace { .. } => "cnab_out_of_place",
            Refusal::TooManyTitles => "cnab_too_many_titles",
        }
    }
}

/// Something odd that does not stop the import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// The header's flag is neither 1 nor 2, but lots and segments are a return's.
    Direction {
        /// Position 143.
        flag: char,
    },
    /// A trailer's count or sum is not what was read.
    Trailer {
        /// Line of the trailer.
        line: u64,
        /// What it counts.
        what: &'static str,
        /// As written; `None` where it is unreadable.
        stated: Option<u64>,
        /// As read.
        counted: u64,
    },
    /// A lot was not closed by a trailer.
    OpenLot {
        /// Line of what came in its place.
        line: u64,
    },
    /// Text beyond the layout's last position was left out.
    LongLine {
        /// Line from 1.
        line: u64,
        /// Characters on it.
        chars: usize,
    },
    /// A record of another bank than the header's.
    OtherBank {
        /// Line from 1.
        line: u64,
    },
    /// An optional record that is not used.
    Ignored {
        /// Line from 1.
        line: u64,
    },
}

impl Warning {
    /// Stable name.
    pub fn slug(&self) -> &'static str {
        match self {
            Warning::Direction { .. } => "doubtful_direction",
            Warning::Trailer { .. } => "wrong_trailer",
            Warning::OpenLot { .. } => "open_lot",
            Warning::LongLine { .. } => "long_line",
            Warning::OtherBank { .. } => "other_bank",
            Warning::Ignored { .. } => "ignored_record",
        }
    }

    /// Line of the record; the header's flag is on the first.
    pub fn line(&self) -> u64 {
        match self {
            Warning::Direction { .. } => 1,
            Warning::Trailer { line, .. }
            | Warning::OpenLot { line }
            | Warning::LongLine { line, .. }
            | Warning::OtherBank { line }
            | Warning::Ignored { line } => *line,
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::Direction { flag } => write!(f, "header flag {flag:?} says neither remittance nor return; the lots are a return's"),
            Warning::Trailer { what, stated: Some(stated), counted, .. } => write!(f, "trailer says {stated} {what}, {counted} were read"),
            Warning::Trailer { what, stated: None, counted, .. } => {
                write!(f, "trailer's number of {what} cannot be read, {counted} were read")
            }
            Warning::OpenLot { .. } => f.write_str("the lot before was not closed by a trailer"),
            Warning::LongLine { chars, .. } => write!(f, "line has {chars} characters; those past the layout were left out"),
            Warning::OtherBank { .. } => f.write_str("record names another bank than the header"),
            Warning::Ignored { .. } => f.write_str("optional record that is not used"),
        }
    }
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Layout family.
    pub format: Format,
    /// COMPE code; for FEBRABAN 150 as in its header.
    pub bank: u16,
    /// Agreement of the file header.
    pub agreement: String,
    /// The file's own number, as written.
    pub sequence: String,
    /// When the bank made it.
    pub created_on: Option<NaiveDate>,
    /// At what time of that day, where the layout has one and the file says it.
    pub created_at: Option<NaiveTime>,
    /// Lines.
    pub lines: u64,
    /// Facts given.
    pub facts: u64,
    /// Records given for review.
    pub reviews: u64,
    /// First 100 warnings, in order.
    pub warnings: Vec<Warning>,
    /// Warnings in all.
    pub warnings_total: u64,
    /// Lines whose trailing blanks were cut: what is missing reads as blanks.
    pub short_lines: u64,
    /// How its text was written.
    pub text: TextForm,
}
