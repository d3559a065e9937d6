//! CNAB 400, bank by bank. The bank's name in the header decides; other banks are refused by name.

use super::layout::{Column, Kind};

pub(super) const BANCO_DO_BRASIL: u16 = 1;
pub(super) const SANTANDER: u16 = 33;
pub(super) const BRADESCO: u16 = 237;
pub(super) const ITAU: u16 = 341;

/// Columns that all four banks share.
pub(super) mod shared {
    use super::{Column, Kind};

    pub const HEADER: Column = Column::at("HEADER", 1, 11, Kind::Text);
    pub const BANK: Column = Column::at("BANK", 77, 79, Kind::Number);
    pub const ACCOUNT: Column = Column::at("ACCOUNT", 27, 46, Kind::Text);
    pub const CREATED_ON: Column = Column::at("CREATED_ON", 95, 100, Kind::Number);
    pub const MOVEMENT: Column = Column::at("MOVEMENT", 109, 110, Kind::Number);
    pub const EVENT_ON: Column = Column::at("EVENT_ON", 111, 116, Kind::Number);
    pub const DOCUMENT: Column = Column::at("DOCUMENT", 117, 126, Kind::Text);
    pub const DUE: Column = Column::at("DUE", 147, 152, Kind::Number);
    pub const NOMINAL: Column = Column::at("NOMINAL", 153, 165, Kind::Cents);
    pub const ABATEMENT: Column = Column::at("ABATEMENT", 228, 240, Kind::Cents);
    pub const DISCOUNT: Column = Column::at("DISCOUNT", 241, 253, Kind::Cents);
    /// Already with interest, less discount and abatement.
    pub const PAID: Column = Column::at("PAID", 254, 266, Kind::Cents);
    /// Part of PAID, never added to it.
    pub const INTEREST: Column = Column::at("INTEREST", 267, 279, Kind::Cents);
    /// Transaction id in Santander's record 2.
    pub const PIX_TXID: Column = Column::at("PIX_TXID", 80, 114, Kind::Text);
    /// BR Code in Itaú's record 3.
    pub const PIX_CODE: Column = Column::at("PIX_CODE", 2, 391, Kind::Text);
    /// Titles, in Itaú's trailer.
    pub const TRAILER_TITLES: Column = Column::at("TRAILER_TITLES", 213, 220, Kind::Number);
    /// Sum of nominal values, in Itaú's trailer.
    pub const TRAILER_NOMINAL: Column = Column::at("TRAILER_NOMINAL", 221, 234, Kind::Cents);
}

/// Columns of one kind of detail.
#[derive(Debug, Clone, Copy)]
pub(super) struct Detail {
    /// Position 1.
    pub record_type: char,
    pub agreement: Column,
    pub company_use: Column,
    pub nosso_numero: Column,
    pub check: Option<Column>,
    pub wallet: Column,
    pub fee: Column,
    pub credit_on: Column,
}

/// What all but Banco do Brasil share.
const COMMON: Detail = Detail {
    record_type: '1',
    agreement: Column::at("AGREEMENT", 18, 37, Kind::Text),
    company_use: Column::at("COMPANY_USE", 38, 62, Kind::Text),
    nosso_numero: Column::at("NOSSO_NUMERO", 63, 70, Kind::Text),
    check: None,
    wallet: Column::at("WALLET", 108, 108, Kind::Text),
    fee: Column::at("FEE", 176, 188, Kind::Cents),
    credit_on: Column::at("CREDIT_ON", 296, 301, Kind::Number),
};

/// Agreements of 7 digits.
const BB_SEVEN: Detail = Detail {
    record_type: '7',
    agreement: Column::at("AGREEMENT", 32, 38, Kind::Number),
    company_use: Column::at("COMPANY_USE", 39, 63, Kind::Text),
    nosso_numero: Column::at("NOSSO_NUMERO", 64, 80, Kind::Number),
    check: None,
    wallet: Column::at("WALLET", 107, 108, Kind::Number),
    fee: Column::at("FEE", 182, 188, Kind::Cents),
    credit_on: Column::at("CREDIT_ON", 176, 181, Kind::Number),
};

/// Agreements of up to 6 digits.
const BB_SIX: Detail = Detail {
    record_type: '1',
    agreement: Column::at("AGREEMENT", 32, 37, Kind::Number),
    company_use: Column::at("COMPANY_USE", 38, 62, Kind::Text),
    nosso_numero: Column::at("NOSSO_NUMERO", 63, 73, Kind::Number),
    check: Some(Column::at("CHECK", 74, 74, Kind::Text)),
    ..BB_SEVEN
};

/// A bank's dialect.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    pub bank: u16,
    /// Its kinds of detail.
    pub details: &'static [Detail],
    /// Number of the file, in the header.
    pub sequence: Option<Column>,
    /// Type of an optional record with a Pix, after its detail.
    pub pix_record: Option<char>,
    /// Types of optional records that are not used.
    pub ignored: &'static [char],
    /// The amount column is credited net of the fee.
    pub adds_fee: bool,
}

const DIALECTS: &[Dialect] = &[
    Dialect {
        bank: BANCO_DO_BRASIL,
        details: &[BB_SEVEN, BB_SIX],
        sequence: Some(Column::at("SEQUENCE", 101, 107, Kind::Number)),
        pix_record: None,
        ignored: &['2', '3', '5'],
        adds_fee: false,
    },
    Dialect { bank: SANTANDER, details: &[COMMON], sequence: None, pix_record: Some('2'), ignored: &[], adds_fee: false },
    Dialect {
        bank: BRADESCO,
        details: &[Detail {
            agreement: Column::at("AGREEMENT", 21, 37, Kind::Text),
            nosso_numero: Column::at("NOSSO_NUMERO", 71, 82, Kind::Text),
            ..COMMON
        }],
        sequence: Some(Column::at("SEQUENCE", 109, 113, Kind::Number)),
        pix_record: None,
        ignored: &['3'],
        adds_fee: false,
    },
    Dialect {
        bank: ITAU,
        details: &[Detail { wallet: Column::at("WALLET", 83, 85, Kind::Number), ..COMMON }],
        sequence: Some(Column::at("SEQUENCE", 109, 113, Kind::Number)),
        pix_record: Some('3'),
        ignored: &['4'],
        adds_fee: true,
    },
];

/// The dialect of a bank; `None` where it is not read.
pub(super) fn dialect(bank: u16) -> Option<&'static Dialect> {
    DIALECTS.iter().find(|dialect| dialect.bank == bank)
}
