//! One row: checked, in our own terms.

use super::{amount, columns::Columns};
use chrono::NaiveDate;
use kernel::{Currency, CustomerId, InvoiceId};
use std::fmt;

/// A row that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    /// Line of the file, the header is line 1.
    pub line: u64,
    /// Our name of the column.
    pub column: &'static str,
    /// For a person.
    pub reason: String,
}

impl fmt::Display for RowFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {} {}", self.line, self.column, self.reason)
    }
}

/// A good row: an invoice, and perhaps a payment of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Line of the file.
    pub line: u64,
    /// The payer.
    pub customer_id: CustomerId,
    /// Name; may be empty.
    pub name: String,
    /// CPF or CNPJ; may be empty.
    pub tax_id: String,
    /// May be empty.
    pub email: String,
    /// May be empty.
    pub phone: String,
    /// Two letters; may be empty.
    pub state: String,
    /// Seven digits of IBGE; may be empty.
    pub municipality: String,
    /// The receivable.
    pub invoice_id: InvoiceId,
    /// Civil date.
    pub issued_on: NaiveDate,
    /// Civil date.
    pub due_on: NaiveDate,
    /// Minor units.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: Currency,
    /// When it was paid; `None` = this row has no payment.
    pub paid_on: Option<NaiveDate>,
    /// Minor units; `None` = all that is open.
    pub paid_minor: Option<i64>,
}

/// Where a row's values come from.
pub trait Cells {
    /// The value of one of our columns; `None` where the file has no such column.
    fn cell(&self, own: &'static str) -> Option<String>;
}

/// Checks one row. The first fault in the order of [`super::columns::OWN`] is reported.
pub fn check(line: u64, cells: &impl Cells, columns: &Columns) -> Result<Row, RowFault> {
    let fault = |column: &'static str, reason: String| RowFault { line, column, reason };
    let cell = |own: &'static str| cells.cell(own).unwrap_or_default().trim().to_owned();
    let date = |own: &'static str| {
        let text = cell(own);
        let parsed = NaiveDate::parse_from_str(&text, &columns.date_format).ok();
        let in_range = parsed.filter(|day| (1900..=2199).contains(&chrono::Datelike::year(day)));
        in_range.ok_or_else(|| fault(own, format!("`{}` is no date of the form {}", shown(&text), columns.date_format)))
    };
    let money = |own: &'static str| {
        amount::parse(&cell(own), columns.decimal).map_err(|reason| fault(own, format!("`{}` {reason}", shown(&cell(own)))))
    };
    let customer_id = CustomerId::new(&cell("customer_id")).map_err(|f| fault("customer_id", f.to_string()))?;
    let invoice_id = InvoiceId::new(&cell("invoice_id")).map_err(|f| fault("invoice_id", f.to_string()))?;
    let (issued_on, due_on) = (date("issued_on")?, date("due_on")?);
    if due_on < issued_on {
        return Err(fault("due_on", format!("{due_on} is before issued_on {issued_on}")));
    }
    let amount_minor = money("amount")?;
    let code = cell("currency");
    let code = if code.is_empty() { "BRL" } else { &code };
    let currency = Currency::new(code).ok_or_else(|| fault("currency", format!("`{}` is no known currency with cents", shown(code))))?;
    let paid_on = if cell("paid_on").is_empty() { None } else { Some(date("paid_on")?) };
    let paid_minor = if cell("paid_amount").is_empty() { None } else { Some(money("paid_amount")?) };
    if paid_minor.is_some() && paid_on.is_none() {
        return Err(fault("paid_on", "is missing where paid_amount is given".into()));
    }
    Ok(Row {
        line,
        customer_id,
        name: cell("customer_name"),
        tax_id: cell("tax_id"),
        email: cell("email"),
        phone: cell("phone"),
        state: cell("state"),
        municipality: cell("municipality"),
        invoice_id,
        issued_on,
        due_on,
        amount_minor,
        currency,
        paid_on,
        paid_minor,
    })
}

/// At most 40 characters of a wrong value, so that a report stays readable.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(40).collect()
}
