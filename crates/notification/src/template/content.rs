//! What a text is made from.

use super::{
    Language,
    figure::{Drawing, Figure},
    form,
};
use kernel::{Currency, Money, NaiveDate, personal::Personal};
use minijinja::{Value, context};

/// Names of pictures.
const QR: &str = "pix";
const BARS: &str = "boleto";

/// Who is owed: shown in every message (CDC 42-A).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Creditor {
    /// Name.
    pub name: String,
    /// Address in one line.
    pub address: String,
    /// CPF or CNPJ with its name before it, as `CNPJ 12.345.678/0001-95`.
    pub tax_id: String,
    /// Where a payer can write to.
    pub contact: String,
}

/// A receivable that a text mentions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The creditor's document number, else the receivable's id.
    pub document: String,
    /// Minor units that are asked for.
    pub amount_minor: i64,
    /// Due date.
    pub due_on: NaiveDate,
    /// Whether it is overdue.
    pub overdue: bool,
    /// Whether a payment of it was returned since the last contact.
    pub payment_returned: bool,
    /// What of the amount are charges, and what was taken off.
    pub charged: Charged,
    /// What it can be paid with.
    pub pay_with: PayWith,
}

/// Charges and discount within an amount, minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Charged {
    /// Fine.
    pub fine_minor: i64,
    /// Interest.
    pub interest_minor: i64,
    /// Discount for paying today.
    pub discount_minor: i64,
}

/// What a receivable can be paid with; empty texts where there is no such thing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PayWith {
    /// Pix "copia e cola" over the amount.
    pub pix: String,
    /// Typed line of the boleto, with its mask; only where paying it pays the amount.
    pub line: String,
    /// Its 44 digits.
    pub bar_code: String,
    /// Whether there is a boleto, but over another amount.
    pub boleto_differs: bool,
}

impl PayWith {
    /// Whether there is anything to say about it.
    pub fn is_empty(&self) -> bool {
        self.pix.is_empty() && self.line.is_empty() && !self.boleto_differs
    }
}

/// Most receivables whose codes a message tells; the others are told on demand.
const MAX_PAYABLE: usize = 10;
/// Most receivables whose codes are shown as pictures too.
pub(super) const MAX_PICTURED: usize = 5;

/// What is said to whom, whatever the channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Language of the reader.
    pub language: Language,
    /// The reader's name; may be empty.
    pub name: Personal,
    /// The reader's postal address; may be empty.
    pub address: Personal,
    /// Who is owed.
    pub creditor: Creditor,
    /// The reader's local day.
    pub day: NaiveDate,
    /// Currency of all amounts.
    pub currency: Currency,
    /// In reading order: overdue first, oldest due first.
    pub lines: Vec<Line>,
    /// Whether the lines are asked for; else they are over, and are listed as such.
    pub asks: bool,
}

impl Letter {
    /// The first word of the name.
    pub fn first_name(&self) -> String {
        self.name.reveal().split_whitespace().next().unwrap_or_default().to_owned()
    }

    /// All values that a template may name. In HTML the texts of other people are escaped.
    pub(super) fn values(&self, html: bool, brief: bool, summary: &str) -> Value {
        let text = |text: &str| if html { Value::from_safe_string(escaped(text)) } else { Value::from(text) };
        let asked = |line: &&Line, overdue: bool| self.asks && line.overdue == overdue;
        let lines = |overdue: bool| self.lines.iter().filter(move |line| asked(line, overdue));
        let shown = |overdue: bool| -> Vec<Value> {
            let one = |line: &Line| {
                context! {
                    document => text(&line.document),
                    amount => Value::from_safe_string(self.amount(line.amount_minor)),
                    due => Value::from_safe_string(form::date(line.due_on, self.language)),
                    returned => line.payment_returned,
                    rolled => self.is_rolled(line),
                    fine => self.shown(line.charged.fine_minor),
                    interest => self.shown(line.charged.interest_minor),
                    discount => self.shown(line.charged.discount_minor),
                }
            };
            lines(overdue).map(one).collect()
        };
        let closed: Vec<Value> = self.lines.iter().filter(|_| !self.asks).map(|line| self.over(line, text)).collect();
        let payable: Vec<&Line> = self.lines.iter().filter(|line| self.asks && !line.pay_with.is_empty()).collect();
        let pay = |(place, line): (usize, &&Line)| {
            let pictured = html && place < MAX_PICTURED;
            let picture =
                |name: &str, code: &str| if pictured && !code.is_empty() { format!("{name}-{}", place + 1) } else { String::new() };
            context! {
                document => text(&line.document),
                amount => Value::from_safe_string(self.amount(line.amount_minor)),
                pix => text(&line.pay_with.pix),
                line => text(&line.pay_with.line),
                qr => picture(QR, &line.pay_with.pix),
                bars => picture(BARS, &line.pay_with.bar_code),
                boleto_differs => line.pay_with.boleto_differs,
                late => line.charged.fine_minor + line.charged.interest_minor > 0,
                early => line.charged.discount_minor > 0,
            }
        };
        let total = |overdue: bool| lines(overdue).map(|line| line.amount_minor).fold(0_i64, i64::saturating_add);
        let first_due = self.lines.iter().map(|line| line.due_on).min().unwrap_or(self.day);
        context! {
            name => text(self.name.reveal()),
            first_name => text(&self.first_name()),
            address => text(self.address.reveal()),
            creditor => context! {
                name => text(&self.creditor.name),
                address => text(&self.creditor.address),
                tax_id => text(&self.creditor.tax_id),
                contact => text(&self.creditor.contact),
            },
            today => form::date(self.day, self.language),
            overdue => shown(true),
            upcoming => shown(false),
            overdue_total => Value::from_safe_string(self.amount(total(true))),
            upcoming_total => Value::from_safe_string(self.amount(total(false))),
            closed => closed,
            total => self.amount(self.lines.iter().map(|line| line.amount_minor).fold(0_i64, i64::saturating_add)),
            count => self.lines.len(),
            first_due => form::date(first_due, self.language),
            payable => payable.iter().take(MAX_PAYABLE).enumerate().map(pay).collect::<Vec<Value>>(),
            more_payable => payable.len() > MAX_PAYABLE,
            any_rolled => self.lines.iter().any(|line| self.is_rolled(line)),
            any_returned => self.lines.iter().any(|line| line.payment_returned),
            brief => brief,
            summary => summary,
        }
    }

    /// A line that is over: nothing of it is asked for, and no charges are told.
    fn over(&self, line: &Line, text: impl Fn(&str) -> Value) -> Value {
        context! {
            document => text(&line.document),
            amount => Value::from_safe_string(self.amount(line.amount_minor)),
            due => Value::from_safe_string(form::date(line.due_on, self.language)),
            returned => false,
            rolled => false,
            fine => "",
            interest => "",
            discount => "",
        }
    }

    /// Whether its due day was no business day and it may be paid today as if it were that day.
    fn is_rolled(&self, line: &Line) -> bool {
        !line.overdue && line.due_on < self.day && line.charged.fine_minor == 0 && line.charged.interest_minor == 0
    }

    /// An amount; nothing for zero.
    fn shown(&self, minor: i64) -> Value {
        if minor == 0 { Value::from("") } else { Value::from_safe_string(self.amount(minor)) }
    }

    /// The pictures that the HTML of this letter names.
    pub(super) fn figures(&self) -> Vec<Figure> {
        let payable = self.lines.iter().filter(|line| self.asks && !line.pay_with.is_empty()).take(MAX_PICTURED).enumerate();
        let figure = |name: &str, place: usize, code: &str, drawing: fn(String) -> Drawing| {
            (!code.is_empty()).then(|| Figure { content_id: format!("{name}-{}", place + 1), drawing: drawing(code.to_owned()) })
        };
        let of = |(place, line): (usize, &Line)| {
            let qr = figure(QR, place, &line.pay_with.pix, Drawing::Qr);
            [qr, figure(BARS, place, &line.pay_with.bar_code, Drawing::Bars)]
        };
        payable.flat_map(of).flatten().collect()
    }

    fn amount(&self, minor: i64) -> String {
        form::amount(Money { minor, currency: self.currency }, self.language)
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
