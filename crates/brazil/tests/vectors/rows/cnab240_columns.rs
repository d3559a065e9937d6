//! `cnab240_layout.csv`: positions of the standard.

use super::row::{Checked, Row};
use brazil::cnab::layout::{Column, Kind};
use brazil::cnab::{frame240 as frame, segments_in, segments_out};

/// Columns of the records that are read or written.
pub const LAYOUTS: [(&str, &[Column]); 9] = [
    ("0", frame::file_header::ALL),
    ("1", frame::lot_header::ALL),
    ("P", segments_out::segment_p::ALL),
    ("Q", segments_out::segment_q::ALL),
    ("R", segments_out::segment_r::ALL),
    ("T", segments_in::segment_t::ALL),
    ("U", segments_in::segment_u::ALL),
    ("5", frame::lot_trailer::ALL),
    ("9", frame::file_trailer::ALL),
];

pub fn check(row: &Row) -> Checked {
    let layout = LAYOUTS.iter().find(|(record, _)| *record == row.text("record"));
    let (_, columns) = layout.ok_or_else(|| row.unchecked("record", "is a kind that is not known"))?;
    let number = row.number::<usize>("field_no")?;
    let column = number.checked_sub(1).and_then(|index| columns.get(index));
    let column = column.ok_or_else(|| row.differs("field_no", format!("1 to {}", columns.len())))?;
    row.same("from", &row.number("from")?, &column.from)?;
    row.same("to", &row.number("to")?, &column.to)?;
    let decimals: usize = row.number("decimals")?;
    // The size column leaves decimals out.
    row.same("size", &(row.number::<usize>("size")? + decimals), &column.size())?;
    let kind = match (row.one_of("type", &["A", "N"])?, decimals) {
        ("A", _) => Kind::Text,
        (_, 0) => Kind::Number,
        _ => Kind::Cents,
    };
    row.same(if kind == Kind::Text { "type" } else { "decimals" }, &kind, &column.kind)?;
    row.is("fixed", column.fixed)
}
