//! The one table that holds personal data.

use sql::Migration;

/// Migrations of this service, beside those of the event log.
pub const MIGRATIONS: &[Migration] = &[Migration {
    version: 1001,
    name: "customer contact",
    // The only place of the installation that holds names, documents and addresses: erasing a payer is one DELETE.
    sqlite: "CREATE TABLE customer_contact (
        tenant TEXT NOT NULL, customer_id TEXT NOT NULL,
        name TEXT NOT NULL, tax_id TEXT NOT NULL, email TEXT NOT NULL, phones TEXT NOT NULL, address TEXT NOT NULL,
        PRIMARY KEY (tenant, customer_id)) WITHOUT ROWID",
    postgres: "CREATE TABLE customer_contact (
        tenant TEXT NOT NULL, customer_id TEXT NOT NULL,
        name TEXT NOT NULL, tax_id TEXT NOT NULL, email TEXT NOT NULL, phones TEXT NOT NULL, address TEXT NOT NULL,
        PRIMARY KEY (tenant, customer_id))",
}];
