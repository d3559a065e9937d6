//! Tables that are no views: who people are (payers, and those who receive the money), and work that a crash may leave half done.

use sql::Migration;

/// Migrations of this service, beside those of the event log.
pub const MIGRATIONS: &[Migration] = &[CUSTOMER_CONTACT, COLLECTION_RECEIVER, UNAPPLIED_ASSIGNMENT, CUSTOMER_SEARCH];

const CUSTOMER_CONTACT: Migration = Migration {
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
};

const COLLECTION_RECEIVER: Migration = Migration {
    version: 1002,
    name: "collection receiver",
    sqlite: "CREATE TABLE collection_receiver (
        tenant TEXT NOT NULL, account_id TEXT NOT NULL,
        name TEXT NOT NULL, tax_id TEXT NOT NULL, address TEXT NOT NULL,
        pix_key TEXT NOT NULL, pix_name TEXT NOT NULL, pix_city TEXT NOT NULL,
        PRIMARY KEY (tenant, account_id)) WITHOUT ROWID",
    postgres: "CREATE TABLE collection_receiver (
        tenant TEXT NOT NULL, account_id TEXT NOT NULL,
        name TEXT NOT NULL, tax_id TEXT NOT NULL, address TEXT NOT NULL,
        pix_key TEXT NOT NULL, pix_name TEXT NOT NULL, pix_city TEXT NOT NULL,
        PRIMARY KEY (tenant, account_id))",
};

/// A row for each payment that was assigned and has not arrived: what a start looks at after a crash.
const UNAPPLIED_ASSIGNMENT: Migration = Migration {
    version: 1003,
    name: "unapplied payments on their way to a receivable",
    sqlite: "CREATE TABLE unapplied_assignment (tenant TEXT NOT NULL, payment_id TEXT NOT NULL, PRIMARY KEY (tenant, payment_id)) WITHOUT ROWID",
    postgres: "CREATE TABLE unapplied_assignment (tenant TEXT NOT NULL, payment_id TEXT NOT NULL, PRIMARY KEY (tenant, payment_id))",
};

/// The name as it is searched by: a blank before each word, lower case, no accents. Rows of before are filled in by the next start.
const CUSTOMER_SEARCH: Migration = Migration {
    version: 1004,
    name: "search of customers",
    sqlite: "ALTER TABLE customer_contact ADD COLUMN name_search TEXT NOT NULL DEFAULT '';
        CREATE INDEX customer_contact_tax_id ON customer_contact (tenant, tax_id)",
    postgres: "ALTER TABLE customer_contact ADD COLUMN name_search TEXT NOT NULL DEFAULT '';
        CREATE INDEX customer_contact_tax_id ON customer_contact (tenant, tax_id)",
};
