//! Where segment T holds what, by bank. Segment U is the same everywhere.

use super::entry::TitleRef;
use super::layout::{Column, Kind};
use super::record::Record;
use super::segments_in::segment_t as t;
use crate::{TaxId, tax_id::TaxIdKind};
use alloc::string::String;

const SANTANDER: u16 = 33;
const CAIXA: u16 = 104;
const ITAU: u16 = 341;
const SICOOB: u16 = 756;

/// Columns of segment T.
#[derive(Debug, Clone, Copy)]
pub(super) struct SegmentT {
    pub nosso_numero: Column,
    pub check: Option<Column>,
    pub wallet: Column,
    pub instalment: Option<Column>,
    /// The beneficiary's code, where it stands in the place of the account.
    pub beneficiary: Option<Column>,
    pub document: Column,
    pub due: Column,
    pub nominal: Column,
    pub company_use: Column,
    pub payer_id_type: Column,
    pub payer_id: Column,
    pub fee: Column,
    pub reasons: Column,
}

/// FEBRABAN's own.
const FEBRABAN: SegmentT = SegmentT {
    nosso_numero: t::NOSSO_NUMERO,
    check: None,
    wallet: t::WALLET,
    instalment: None,
    beneficiary: None,
    document: t::DOCUMENT,
    due: t::DUE,
    nominal: t::NOMINAL,
    company_use: t::COMPANY_USE,
    payer_id_type: t::PAYER_ID_TYPE,
    payer_id: t::PAYER_ID,
    fee: t::FEE,
    reasons: t::REASONS,
};

/// The columns of a bank.
pub(super) fn segment_t(bank: u16) -> SegmentT {
    match bank {
        SANTANDER => SegmentT {
            nosso_numero: Column::at("NOSSO_NUMERO", 41, 53, Kind::Text),
            wallet: Column::at("WALLET", 54, 54, Kind::Number),
            document: Column::at("DOCUMENT", 55, 69, Kind::Text),
            due: Column::at("DUE", 70, 77, Kind::Number),
            nominal: Column::at("NOMINAL", 78, 92, Kind::Cents),
            company_use: Column::at("COMPANY_USE", 101, 125, Kind::Text),
            payer_id_type: Column::at("PAYER_ID_TYPE", 128, 128, Kind::Number),
            payer_id: Column::at("PAYER_ID", 129, 143, Kind::Number),
            fee: Column::at("FEE", 194, 208, Kind::Cents),
            reasons: Column::at("REASONS", 209, 218, Kind::Text),
            ..FEBRABAN
        },
        CAIXA => SegmentT {
            nosso_numero: Column::at("NOSSO_NUMERO", 40, 56, Kind::Text),
            check: Some(Column::at("CHECK", 57, 57, Kind::Text)),
            beneficiary: Some(Column::at("BENEFICIARY", 24, 29, Kind::Number)),
            ..FEBRABAN
        },
        ITAU => SegmentT {
            wallet: Column::at("WALLET", 38, 40, Kind::Number),
            nosso_numero: Column::at("NOSSO_NUMERO", 41, 48, Kind::Text),
            check: Some(Column::at("CHECK", 49, 49, Kind::Text)),
            ..FEBRABAN
        },
        SICOOB => SegmentT {
            nosso_numero: Column::at("NOSSO_NUMERO", 38, 47, Kind::Text),
            instalment: Some(Column::at("INSTALMENT", 48, 49, Kind::Number)),
            wallet: Column::at("WALLET", 50, 51, Kind::Number),
            ..FEBRABAN
        },
        _ => FEBRABAN,
    }
}

impl SegmentT {
    /// The title of a segment T; `agreement` is the lot's, used where the segment has no beneficiary of its own.
    pub fn title(&self, record: &Record, agreement: &str) -> TitleRef {
        let own = self.beneficiary.map(|column| record.text(&column)).filter(|code| !code.is_empty());
        let account = || {
            let parts = [record.text(&t::AGENCY), record.text(&t::ACCOUNT), record.text(&t::ACCOUNT_DIGIT)];
            parts.join("/")
        };
        let agreement = match own {
            Some(code) => String::from(code),
            None if agreement.is_empty() => account(),
            None => String::from(agreement),
        };
        TitleRef {
            agreement,
            nosso_numero: String::from(record.text(&self.nosso_numero)),
            check: self.check.map(|column| record.char_at(column.from)).filter(|check| *check != ' '),
            wallet: String::from(record.text(&self.wallet)),
            instalment: self.instalment.map(|column| String::from(record.text(&column))).unwrap_or_default(),
            company_use: String::from(record.text(&self.company_use)),
            document: String::from(record.text(&self.document)),
            payer: payer(record, &self.payer_id_type, &self.payer_id),
            barcode: None,
        }
    }
}

/// A payer's CPF (type 1) or CNPJ (type 2) if it is a good one. A CNPJ may hold letters though the field is numeric.
pub(super) fn payer(record: &Record, kind: &Column, id: &Column) -> Option<TaxId> {
    let kind = match record.char_at(kind.to) {
        '1' => TaxIdKind::Cpf,
        '2' => TaxIdKind::Cnpj,
        _ => return None,
    };
    TaxId::from_padded(kind, record.run(id)).ok()
}
