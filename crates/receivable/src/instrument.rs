//! What an invoice can be paid with: a boleto whose number is its own for good, and the id of its Pix codes.
//!
//! A change of amount or due day makes a new bar code and line under the same number and id; the bank is told by an amendment of the
//! registered title. A Pix code is made when it is shown, over what is asked on that day, so it is never stored.

use crate::collection::Agreement;
use brazil::boleto::{Boleto, BuildFault, NossoNumero, bank::InputFault};
use brazil::pix::StaticTxid;
use kernel::{CollectionAccountId, NaiveDate};

/// What an invoice can be paid with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruments {
    /// Where it is paid.
    pub account_id: CollectionAccountId,
    /// The boleto.
    pub boleto: Option<Slip>,
    /// Id of its Pix codes.
    pub txid: Option<StaticTxid>,
}

/// A boleto with the bank's number of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slip {
    /// Bar code and line.
    pub boleto: Boleto,
    /// The bank's number.
    pub nosso_numero: NossoNumero,
}

/// What a new invoice shall be paid with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInstruments {
    /// Where it is paid.
    pub account_id: CollectionAccountId,
    /// Whether the caller named the account, or it is the tenant's default.
    pub named: bool,
    /// The agreement and the number set aside for this invoice.
    pub number: Option<(Agreement, u64)>,
    /// Id of its Pix codes.
    pub txid: Option<StaticTxid>,
}

impl NewInstruments {
    /// The instruments of an invoice. Errors: an amount or a due day that no boleto of the bank can carry.
    pub fn assign(&self, issued_on: NaiveDate, due_on: NaiveDate, amount_minor: i64) -> Result<Instruments, BuildFault> {
        let slip = |(agreement, number): &(Agreement, u64)| {
            let title = agreement.title(*number, issued_on).ok_or(InputFault::Value { field: "bank" })?;
            let (boleto, issued) = Boleto::issue(&title, Some(due_on), amount_minor.unsigned_abs())?;
            Ok::<_, BuildFault>(Slip { boleto, nosso_numero: issued.nosso_numero })
        };
        let boleto = self.number.as_ref().map(slip).transpose()?;
        Ok(Instruments { account_id: self.account_id.clone(), boleto, txid: self.txid.clone() })
    }
}

impl Instruments {
    /// The same number and id for another amount and due day. Errors: as [`NewInstruments::assign`].
    pub fn amended(&self, due_on: NaiveDate, amount_minor: i64) -> Result<Instruments, BuildFault> {
        let boleto = self.boleto.as_ref().map(|slip| slip.amended(due_on, amount_minor)).transpose()?;
        Ok(Instruments { boleto, ..self.clone() })
    }
}

impl Slip {
    fn amended(&self, due_on: NaiveDate, amount_minor: i64) -> Result<Slip, BuildFault> {
        let mut campo_livre = [0_u8; 25];
        for (slot, digit) in campo_livre.iter_mut().zip(self.boleto.campo_livre().bytes()) {
            *slot = digit.saturating_sub(b'0');
        }
        let boleto = Boleto::new(self.boleto.bank(), Some(due_on), amount_minor.unsigned_abs(), &campo_livre)?;
        Ok(Slip { boleto, nosso_numero: self.nosso_numero.clone() })
    }

    /// The number by which titles are looked up: zeros on the left dropped, without check digit.
    pub fn look_up_number(&self) -> &str {
        self.nosso_numero.number.trim_start_matches('0')
    }
}
