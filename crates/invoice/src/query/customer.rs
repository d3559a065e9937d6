//! Payers by the beginning of their id, of their document, or of the words of their name.

use brazil::ascii;
use host::request::Page;
use kernel::personal::Personal;
use sql::{Db, SqlError, Value};

/// Words of a name that are looked for; more change nothing.
const MAX_WORDS: usize = 5;
/// Fewer characters of a document say nothing.
const MIN_TAX_ID_CHARS: usize = 3;

/// A payer that was found.
pub struct Found {
    /// Id.
    pub customer_id: String,
    /// Name.
    pub name: Personal,
}

/// A name as it is stored for the search: a blank before each word, lower case, no accents, letters and digits only.
pub fn searchable(name: &str) -> String {
    words(name).flat_map(|word| [" ".to_owned(), word]).collect()
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let plain = ascii::plain(text).to_ascii_lowercase();
    let words: Vec<String> = plain.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    words.into_iter()
}

/// Payers that match, in order of their id.
pub async fn search(db: &Db, tenant: &str, text: &str, page: &Page) -> Result<Vec<Found>, SqlError> {
    let tax_id: String = text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    // A document is digits, or letters of a CNPJ after digits: words of a name are no document.
    let is_tax_id = tax_id.len() >= MIN_TAX_ID_CHARS && tax_id.starts_with(|c: char| c.is_ascii_digit());
    let tax_id = if is_tax_id { tax_id } else { String::new() };
    let looked_for: Vec<String> = words(text).take(MAX_WORDS).map(|word| format!(" {word}")).collect();
    let mut args: Vec<Value> = vec![tenant.into(), page.after.as_str().into(), text.into(), tax_id.as_str().into()];
    let mut named = Vec::new();
    for word in looked_for {
        args.push(Value::Text(format!("%{word}%")));
        named.push(format!("name_search LIKE ${}", args.len()));
    }
    let named = if named.is_empty() { "1 = 0".to_owned() } else { named.join(" AND ") };
    args.push(page.limit().into());
    let sql = format!(
        "SELECT customer_id, name FROM customer_contact WHERE tenant = $1 AND customer_id > $2 \
         AND (substr(customer_id, 1, length($3)) = $3 OR ($4 <> '' AND substr(tax_id, 1, length($4)) = $4) OR ({named})) \
         ORDER BY customer_id LIMIT ${}",
        args.len()
    );
    let rows = db.query(&sql, &args).await?;
    rows.iter().map(|row| Ok(Found { customer_id: row.text("customer_id")?, name: Personal::new(row.text("name")?) })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_searched_without_case_accents_and_marks() {
        assert_eq!(searchable("Padaria São João-Ltda. 7%"), " padaria sao joao ltda 7");
        assert_eq!(searchable("  "), "");
    }
}
