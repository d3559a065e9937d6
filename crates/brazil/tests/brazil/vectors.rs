//! Rows of the vector files, by the names of their columns.

use std::collections::BTreeMap;

/// One row: column name to value.
pub type Row = BTreeMap<String, String>;

/// Rows of a file of `/vectors`, comment lines left out.
pub fn rows(text: &str) -> Vec<Row> {
    let body: String = text.lines().filter(|line| !line.starts_with('#')).flat_map(|line| [line, "\n"]).collect();
    let mut reader = csv::Reader::from_reader(body.as_bytes());
    reader.deserialize::<Row>().map(|row| row.unwrap()).collect()
}

/// The file of `/vectors` by its name.
macro_rules! vectors {
    ($name:literal) => {
        $crate::vectors::rows(include_str!(concat!("../../../../vectors/", $name)))
    };
}
