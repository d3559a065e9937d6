//! Instruments of an invoice: in events, and as callers see them.

use super::event::{DecodeFault, Fact, fact, invoice_id};
use brazil::{
    boleto::{Boleto, NossoNumero},
    pix::StaticTxid,
};
use contracts::invoice::v1 as proto;
use kernel::CollectionAccountId;
use receivable::{Event, Instruments, InstrumentsAssigned, Slip};

pub(super) fn assigned_out(customer_id: String, e: &InstrumentsAssigned) -> proto::InstrumentsAssigned {
    let boleto = |slip: &Slip| proto::BoletoFacts {
        bank: slip.boleto.bank().into(),
        nosso_numero: slip.nosso_numero.number.clone(),
        check_digit: slip.nosso_numero.check.map(String::from).unwrap_or_default(),
        bar_code: slip.boleto.barcode(),
        line: slip.boleto.line(),
    };
    proto::InstrumentsAssigned {
        customer_id,
        invoice_id: e.invoice_id.to_string(),
        account_id: e.instruments.account_id.to_string(),
        boleto: e.instruments.boleto.as_ref().map(boleto),
        txid: e.instruments.txid.as_ref().map(StaticTxid::to_string).unwrap_or_default(),
    }
}

pub(super) fn assigned_in(m: proto::InstrumentsAssigned) -> Result<Fact, DecodeFault> {
    let boleto = |m: proto::BoletoFacts| {
        let nosso_numero = NossoNumero { number: m.nosso_numero, check: m.check_digit.chars().next() };
        let boleto = Boleto::from_barcode(&m.bar_code).map_err(|_| DecodeFault::Field("boleto.bar_code"))?;
        Ok(Slip { boleto, nosso_numero })
    };
    let txid = if m.txid.is_empty() { None } else { Some(StaticTxid::new(&m.txid).map_err(|_| DecodeFault::Field("txid"))?) };
    let instruments = Instruments {
        account_id: CollectionAccountId::new(&m.account_id).map_err(|_| DecodeFault::Field("account_id"))?,
        boleto: m.boleto.map(boleto).transpose()?,
        txid,
    };
    fact(&m.customer_id, Event::InstrumentsAssigned(InstrumentsAssigned { invoice_id: invoice_id(&m.invoice_id)?, instruments }))
}

/// As callers see them; the Pix code is added where its receiver is known.
pub fn instruments_view(instruments: &Instruments) -> proto::Instruments {
    let boleto = |slip: &Slip| proto::Boleto {
        bank: slip.boleto.bank().into(),
        nosso_numero: slip.nosso_numero.to_string(),
        bar_code: slip.boleto.barcode(),
        line: slip.boleto.printed_line(),
    };
    proto::Instruments {
        collection_account_id: instruments.account_id.to_string(),
        boleto: instruments.boleto.as_ref().map(boleto),
        pix: instruments.txid.as_ref().map(|txid| proto::PixCode { txid: txid.to_string(), code: String::new() }),
    }
}
