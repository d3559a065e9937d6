//! Where a bank's remittance is not FEBRABAN's.

use super::order::{Company, OrderFault, Title};
use super::text::Line;
use crate::cnab::layout::Column;
use crate::cnab::segments_out::segment_p;
use crate::cnab::{caixa_out as caixa, frame240 as febraban, santander_out as santander};
use alloc::{format, string::String};

const SANTANDER: u16 = 33;
const INTER: u16 = 77;
const CAIXA: u16 = 104;

/// A bank's layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// FEBRABAN V10.6 as it stands.
    Febraban,
    /// Santander H7815.
    Santander,
    /// Caixa SIGCB.
    Caixa,
}

/// The records of a layout.
pub(super) struct Records {
    pub file_header: &'static [Column],
    pub lot_header: &'static [Column],
    pub title: &'static [Column],
    pub lot_trailer: &'static [Column],
    pub file_trailer: &'static [Column],
}

/// Columns of segment P that are not where FEBRABAN has them, and codes that mean something else.
pub(super) struct TitleColumns {
    pub nosso_numero: Column,
    pub document: Column,
    pub write_off_days: Column,
    /// 60: 1 traditional, 2 escritural.
    pub document_kind: char,
    /// 61 and 62, where the layout has them: issued and sent by the company.
    pub issue: Option<(u64, char)>,
    /// 221 where there is no protest. Santander reads 3 as "as the beneficiary's profile says".
    pub no_protest: u64,
    /// 228-229: the real.
    pub currency: u64,
}

impl Dialect {
    /// The layout of a bank. Errors: a bank without a CNAB 240 remittance that is known here: Inter's is not public.
    pub fn of(bank: u16) -> Result<Self, OrderFault> {
        match bank {
            SANTANDER => Ok(Dialect::Santander),
            CAIXA => Ok(Dialect::Caixa),
            1..=999 if bank != INTER => Ok(Dialect::Febraban),
            _ => Err(OrderFault::UnsupportedBank(bank)),
        }
    }

    pub fn records(self) -> Records {
        match self {
            Dialect::Febraban => Records {
                file_header: febraban::file_header::ALL,
                lot_header: febraban::lot_header::ALL,
                title: segment_p::ALL,
                lot_trailer: febraban::lot_trailer::ALL,
                file_trailer: febraban::file_trailer::ALL,
            },
            Dialect::Santander => Records {
                file_header: santander::file_header::ALL,
                lot_header: santander::lot_header::ALL,
                title: santander::segment_p::ALL,
                lot_trailer: santander::lot_trailer::ALL,
                file_trailer: santander::file_trailer::ALL,
            },
            Dialect::Caixa => Records {
                file_header: caixa::file_header::ALL,
                lot_header: caixa::lot_header::ALL,
                title: caixa::segment_p::ALL,
                lot_trailer: caixa::lot_trailer::ALL,
                file_trailer: febraban::file_trailer::ALL,
            },
        }
    }

    pub fn title(self) -> TitleColumns {
        match self {
            Dialect::Febraban => TitleColumns {
                nosso_numero: segment_p::NOSSO_NUMERO,
                document: segment_p::DOCUMENT,
                write_off_days: segment_p::WRITE_OFF_DAYS,
                document_kind: '1',
                issue: Some((2, '2')),
                no_protest: 3,
                currency: 9,
            },
            Dialect::Santander => TitleColumns {
                nosso_numero: santander::segment_p::NOSSO_NUMERO,
                document: santander::segment_p::DOCUMENT,
                write_off_days: santander::segment_p::WRITE_OFF_DAYS,
                document_kind: '2',
                issue: None,
                no_protest: 0,
                currency: 0,
            },
            Dialect::Caixa => TitleColumns {
                nosso_numero: caixa::segment_p::NOSSO_NUMERO,
                document: caixa::segment_p::DOCUMENT,
                write_off_days: caixa::segment_p::WRITE_OFF_DAYS,
                document_kind: '2',
                issue: Some((2, '0')),
                no_protest: 3,
                currency: 9,
            },
        }
    }

    /// Who writes, by the columns between id and name of the file header.
    pub fn put_file_company(self, line: &mut Line, company: &Company) {
        use febraban::file_header as h;
        match self {
            Dialect::Febraban => {
                line.put_exact(&h::AGREEMENT, &company.agreement);
                put_agency(line, (&h::AGENCY, &h::AGENCY_DIGIT), company);
                line.put_code(&h::ACCOUNT, &company.account);
                line.put_char(&h::ACCOUNT_DIGIT, company.account_digit);
                line.put_char(&h::AGENCY_ACCOUNT_DIGIT, company.agency_account_digit);
            }
            Dialect::Santander => line.put_code(&santander::file_header::TRANSMISSION, &transmission(company)),
            Dialect::Caixa => {
                use caixa::file_header as h;
                put_agency(line, (&h::AGENCY, &h::AGENCY_DIGIT), company);
                line.put_code(&h::BENEFICIARY, &company.agreement);
            }
        }
    }

    /// The same of the lot header.
    pub fn put_lot_company(self, line: &mut Line, company: &Company) {
        use febraban::lot_header as l;
        match self {
            Dialect::Febraban => {
                line.put_exact(&l::AGREEMENT, &company.agreement);
                put_agency(line, (&l::AGENCY, &l::AGENCY_DIGIT), company);
                line.put_code(&l::ACCOUNT, &company.account);
                line.put_char(&l::ACCOUNT_DIGIT, company.account_digit);
                line.put_char(&l::AGENCY_ACCOUNT_DIGIT, company.agency_account_digit);
            }
            Dialect::Santander => line.put_code(&santander::lot_header::TRANSMISSION, &transmission(company)),
            Dialect::Caixa => {
                use caixa::lot_header as l;
                line.put_code(&l::AGREEMENT, &company.agreement);
                put_agency(line, (&l::AGENCY, &l::AGENCY_DIGIT), company);
                line.put_code(&l::BENEFICIARY, &company.agreement);
            }
        }
    }

    /// Whose title, and the bank's number of it: positions 18 to 57 of segment P.
    pub fn put_title_number(self, line: &mut Line, company: &Company, title: &Title) {
        match self {
            Dialect::Febraban => {
                use segment_p as p;
                put_agency(line, (&p::AGENCY, &p::AGENCY_DIGIT), company);
                line.put_code(&p::ACCOUNT, &company.account);
                line.put_char(&p::ACCOUNT_DIGIT, company.account_digit);
                line.put_char(&p::AGENCY_ACCOUNT_DIGIT, company.agency_account_digit);
                line.put_exact(&p::NOSSO_NUMERO, &title.nosso_numero);
            }
            Dialect::Santander => {
                use santander::segment_p as p;
                // Numbers: a digit that is not known is a zero.
                let digit = |digit: char| if digit == ' ' { '0' } else { digit };
                line.put_code(&p::AGENCY, &company.agency);
                line.put_char(&p::AGENCY_DIGIT, digit(company.agency_digit));
                for (account, account_digit) in [(p::ACCOUNT, p::ACCOUNT_DIGIT), (p::COLLECTION_ACCOUNT, p::COLLECTION_ACCOUNT_DIGIT)] {
                    line.put_code(&account, &company.account);
                    line.put_char(&account_digit, digit(company.account_digit));
                }
                line.put_code(&p::NOSSO_NUMERO, &title.nosso_numero);
            }
            Dialect::Caixa => {
                use caixa::segment_p as p;
                put_agency(line, (&p::AGENCY, &p::AGENCY_DIGIT), company);
                line.put_code(&p::BENEFICIARY, &company.agreement);
                line.put_code(&p::NOSSO_NUMERO, &title.nosso_numero);
            }
        }
    }
}

fn put_agency(line: &mut Line, (agency, digit): (&Column, &Column), company: &Company) {
    line.put_code(agency, &company.agency);
    line.put_char(digit, company.agency_digit);
}

/// Santander's código de transmissão: the agency, then the beneficiary's code.
fn transmission(company: &Company) -> String {
    format!("{:0>4}{:0>11}", company.agency, company.agreement)
}
