//! Statements that wait to be sent together: one way to the thread of a SQLite connection, and back, for all of them.

use crate::sqlite::{BEGIN, Statement};

/// More arguments than this are not put off: where there is so much to write the way does not matter, and it need not be held twice.
const ARGUMENTS: usize = 2000;
const STATEMENTS: usize = 32;

/// What the database has not been told yet.
#[derive(Default)]
pub(crate) struct Unsent {
    /// The BEGIN among it.
    begin: Option<Statement>,
    statements: Vec<Statement>,
    arguments: usize,
}

impl Unsent {
    /// A transaction that the database does not know yet.
    pub(crate) fn begin(relaxed: bool) -> Self {
        let begin = Statement { relaxes: relaxed, ..Statement::new(BEGIN, Vec::new()) };
        Self { begin: Some(begin), ..Self::default() }
    }

    /// Whether the database knows nothing of the transaction.
    pub(crate) fn has_begin(&self) -> bool {
        self.begin.is_some()
    }

    pub(crate) fn has_statements(&self) -> bool {
        !self.statements.is_empty()
    }

    /// Whether one more statement with that many arguments may wait.
    pub(crate) fn takes(&self, arguments: usize) -> bool {
        self.statements.len() < STATEMENTS && self.arguments + arguments <= ARGUMENTS
    }

    pub(crate) fn add(&mut self, statement: Statement) {
        self.arguments += statement.arguments();
        self.statements.push(statement);
    }

    /// All that waits and `then` after it, and how many statements stand before those of `then`.
    pub(crate) fn followed_by(self, then: Vec<Statement>) -> (Vec<Statement>, usize) {
        let mut statements: Vec<Statement> = self.begin.into_iter().chain(self.statements).collect();
        let before = statements.len();
        statements.extend(then);
        (statements, before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Value;

    #[test]
    fn what_waits_goes_first_and_in_its_order() {
        let mut unsent = Unsent::begin(false);
        unsent.add(Statement::new("INSERT INTO t (a, b) VALUES (?, ?)", vec![Value::Int(1), Value::Int(2)]));
        unsent.add(Statement::new("UPDATE t SET a = $2 WHERE b = $1", vec![Value::Int(3), Value::Int(4)]));
        let (statements, before) = unsent.followed_by(vec![Statement::new("SELECT $1", vec![Value::Int(5)])]);
        let texts: Vec<&str> = statements.iter().map(|statement| statement.text.as_str()).collect();
        let expected = ["BEGIN IMMEDIATE", "INSERT INTO t (a, b) VALUES (?, ?)", "UPDATE t SET a = $2 WHERE b = $1", "SELECT $1"];
        assert_eq!((texts.as_slice(), before), (expected.as_slice(), 3));
    }

    #[test]
    fn much_is_not_put_off() {
        let mut unsent = Unsent::default();
        assert!(unsent.takes(ARGUMENTS) && !unsent.takes(ARGUMENTS + 1));
        for _ in 0..STATEMENTS {
            unsent.add(Statement::new("DELETE FROM t", Vec::new()));
        }
        assert!(!unsent.takes(0));
    }
}
