//! Statements that wait to be sent together: one way to the thread of a SQLite connection, and back, for all of them.

use std::borrow::Cow;

use crate::Value;

/// More arguments than this are not put off: a text of its own for every number of rows would push others out of the statement cache,
/// and where there is so much to write the way does not matter.
const ARGUMENTS: usize = 200;
const STATEMENTS: usize = 8;

/// What the database has not been told yet.
#[derive(Default)]
pub(crate) struct Unsent {
    /// BEGIN is among it.
    begins: bool,
    /// Texts with `?` for each argument, in the order of the arguments.
    texts: Vec<String>,
    values: Vec<Value>,
}

impl Unsent {
    /// A transaction that the database does not know yet.
    pub(crate) fn begin() -> Self {
        Self { begins: true, ..Self::default() }
    }

    /// Whether the database knows nothing of the transaction.
    pub(crate) fn has_begin(&self) -> bool {
        self.begins
    }

    pub(crate) fn has_statements(&self) -> bool {
        !self.texts.is_empty()
    }

    /// Whether one more statement with that many arguments may wait.
    pub(crate) fn takes(&self, arguments: usize) -> bool {
        self.texts.len() < STATEMENTS && self.values.len() + arguments <= ARGUMENTS
    }

    pub(crate) fn add(&mut self, text: &str, values: Vec<Value>) {
        let text = in_order(text, values, &mut self.values);
        self.texts.push(text);
    }

    /// One text and its arguments for all that waits and `then` after it, and how many statements stand before those of `then`.
    pub(crate) fn followed_by(mut self, then: Vec<(Cow<'_, str>, Vec<Value>)>) -> (String, Vec<Value>, usize) {
        let before = self.texts.len() + usize::from(self.begins);
        let begin = if self.begins { "BEGIN IMMEDIATE; " } else { "" };
        if let [_] = then.as_slice()
            && self.texts.is_empty()
        {
            let (text, values) = then.into_iter().next().unwrap_or_default();
            return (format!("{begin}{text}"), values, before);
        }
        for (text, values) in then {
            self.add(&text, values);
        }
        (format!("{begin}{}", self.texts.join("; ")), self.values, before)
    }
}

/// The text with `?` in place of each `$n`, and the arguments in the order in which the text names them: several texts in a row have one
/// list of arguments. A text that has `?` already is left as it is. No text of ours has `$` or `?` inside quotes.
fn in_order(text: &str, values: Vec<Value>, into: &mut Vec<Value>) -> String {
    if !text.contains('$') {
        into.extend(values);
        return text.to_owned();
    }
    let mut parts = text.split('$');
    let mut ordered = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = part.split_at(digits);
        let named = number.parse::<usize>().ok().and_then(|number| values.get(number.checked_sub(1)?));
        into.extend(named.cloned());
        ordered.push('?');
        ordered.push_str(rest);
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ints(values: &[i64]) -> Vec<Value> {
        values.iter().map(|value| Value::Int(*value)).collect()
    }

    #[test]
    fn what_waits_goes_in_one_text_with_its_arguments_in_order() {
        let mut unsent = Unsent::begin();
        unsent.add("INSERT INTO t (a, b) VALUES (?, ?)", ints(&[1, 2]));
        unsent.add("UPDATE t SET a = $2 WHERE b = $1 AND a <> $2", ints(&[3, 4]));
        let (text, values, before) = unsent.followed_by(vec![("SELECT $1".into(), ints(&[5]))]);
        let expected = "BEGIN IMMEDIATE; INSERT INTO t (a, b) VALUES (?, ?); UPDATE t SET a = ? WHERE b = ? AND a <> ?; SELECT ?";
        assert_eq!((text.as_str(), before), (expected, 3));
        assert_eq!(values, ints(&[1, 2, 4, 3, 4, 5]));
    }

    #[test]
    fn begin_alone_leaves_the_first_statement_as_it_is() {
        let (text, values, before) = Unsent::begin().followed_by(vec![("SELECT $1, $1".into(), ints(&[5]))]);
        assert_eq!((text.as_str(), values, before), ("BEGIN IMMEDIATE; SELECT $1, $1", ints(&[5]), 1));
        let (text, _, before) = Unsent::default().followed_by(vec![("SELECT 1".into(), Vec::new())]);
        assert_eq!((text.as_str(), before), ("SELECT 1", 0));
        assert_eq!(Unsent::begin().followed_by(Vec::new()).0.trim(), "BEGIN IMMEDIATE;");
    }

    #[test]
    fn much_is_not_put_off() {
        let mut unsent = Unsent::default();
        assert!(unsent.takes(ARGUMENTS) && !unsent.takes(ARGUMENTS + 1));
        for _ in 0..STATEMENTS {
            unsent.add("DELETE FROM t", Vec::new());
        }
        assert!(!unsent.takes(0));
    }
}
