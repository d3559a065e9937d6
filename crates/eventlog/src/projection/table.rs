//! Tables of read models, declared as data and created for either database.

use sql::{Column, Dialect};

/// A table of a projection, without its version.
#[derive(Clone, Copy, Debug)]
pub struct TableDef {
    /// The logical name, as used in braces inside SQL text: `{receivable}`. Lower case letters, digits and underscores.
    pub name: &'static str,
    /// All columns, in the order in which rows are handed to `View::upsert`.
    pub columns: &'static [Column],
    /// The columns of the primary key, none of them nullable.
    pub key: &'static [&'static str],
    /// Secondary indexes, each a list of columns.
    pub indexes: &'static [&'static [&'static str]],
}

impl TableDef {
    /// The table's name in the database for one build of its projection, such as `receivable_v2`.
    pub fn physical(&self, suffix: &str) -> String {
        format!("{}_{suffix}", self.name)
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The statements that create the table and its indexes; text is compared byte by byte on both databases, so that order and hash of rows agree. A name that is taken is an error: two projections of a service share it.
    pub(crate) fn ddl(&self, suffix: &str, dialect: Dialect) -> Vec<String> {
        let table = self.physical(suffix);
        let columns: Vec<String> = self.columns.iter().map(|column| column.definition(dialect)).collect();
        let key = self.key.join(", ");
        // Where the key is the whole row, SQLite would keep each row twice.
        let lies_in_its_key = dialect == Dialect::Sqlite && self.key.len() == self.columns.len();
        let tail = if lies_in_its_key { " WITHOUT ROWID" } else { "" };
        let mut statements = vec![format!("CREATE TABLE {table} ({}, PRIMARY KEY ({key})){tail}", columns.join(", "))];
        statements
            .extend(self.indexes.iter().map(|index| format!("CREATE INDEX {table}_{} ON {table} ({})", index.join("_"), index.join(", "))));
        statements
    }

    /// Faults in the declaration, in words; empty when it can be used.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.key.is_empty() {
            faults.push(format!("table {} has no key", self.name));
        }
        for key in self.key {
            match self.column(key) {
                None => faults.push(format!("table {}: key column {key} is not declared", self.name)),
                Some(column) if column.nullable => faults.push(format!("table {}: key column {key} is nullable", self.name)),
                Some(_) => {}
            }
        }
        for column in self.indexes.iter().copied().flatten() {
            if self.column(column).is_none() {
                faults.push(format!("table {}: indexed column {column} is not declared", self.name));
            }
        }
        faults
    }
}

/// Puts physical names into SQL text: every `{name}` becomes what `physical` says; `{keys}` belongs to `sql` and stays.
///
/// Returns the first unknown name in braces as the error.
pub(crate) fn resolve(sql: &str, physical: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut out = String::with_capacity(sql.len() + 16);
    let mut rest = sql;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, tail)) = after.split_once('}') else {
            return Err(after.to_string());
        };
        out.push_str(before);
        match physical(name) {
            Some(table) => out.push_str(&table),
            None if name == "keys" => out.push_str("{keys}"),
            None => return Err(name.to_string()),
        }
        rest = tail;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sql::Kind;

    const TABLE: TableDef = TableDef {
        name: "receivable",
        columns: &[Column::new("tenant", Kind::Text), Column::optional("due_on", Kind::Date)],
        key: &["tenant"],
        indexes: &[&["due_on"]],
    };

    #[test]
    fn a_table_is_created_for_either_database() {
        assert_eq!(
            TABLE.ddl("v2", Dialect::Sqlite),
            [
                "CREATE TABLE receivable_v2 (tenant TEXT NOT NULL, due_on TEXT, PRIMARY KEY (tenant))",
                "CREATE INDEX receivable_v2_due_on ON receivable_v2 (due_on)",
            ]
        );
        const KEY_ALONE: TableDef = TableDef { columns: &[Column::new("tenant", Kind::Text)], indexes: &[], ..TABLE };
        assert_eq!(
            KEY_ALONE.ddl("v2", Dialect::Sqlite),
            ["CREATE TABLE receivable_v2 (tenant TEXT NOT NULL, PRIMARY KEY (tenant)) WITHOUT ROWID"]
        );
        assert!(TABLE.ddl("v2", Dialect::Postgres)[0].contains("tenant TEXT NOT NULL COLLATE \"C\", due_on DATE"));
    }

    #[test]
    fn names_in_braces_become_physical_tables() {
        let physical = |name: &str| (name == "a").then(|| "a_v1".to_string());
        let cases = [
            ("SELECT 1", Ok("SELECT 1")),
            ("SELECT * FROM {a} JOIN {a} b", Ok("SELECT * FROM a_v1 JOIN a_v1 b")),
            ("SELECT * FROM {keys} k, {a}", Ok("SELECT * FROM {keys} k, a_v1")),
            ("SELECT * FROM {b}", Err("b")),
            ("SELECT * FROM {a", Err("a")),
        ];
        for (sql, expected) in cases {
            assert_eq!(resolve(sql, physical), expected.map(String::from).map_err(String::from), "{sql}");
        }
    }

    #[test]
    fn a_nullable_or_missing_key_is_a_fault() {
        let table = TableDef { key: &["due_on", "other"], ..TABLE };
        assert_eq!(
            table.faults(),
            ["table receivable: key column due_on is nullable", "table receivable: key column other is not declared"]
        );
        assert!(TABLE.faults().is_empty());
    }
}
