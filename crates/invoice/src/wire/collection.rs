//! Collection accounts: requests, events and responses. Errors name the field as the caller wrote it.

use super::charges;
use super::command::optional_text;
use super::event::{DecodeFault, message};
use brazil::{
    pix::{self, BrCodeFault, Draft, Initiation, StaticTxid, kind_of_key},
    tax_id::TaxId,
};
use contracts::invoice::v1 as proto;
use host::{Refusal, request::id};
use kernel::{CollectionAccountId, personal::Personal, text};
use prost::Message;
use receivable::collection::{AccountTerms, Agreement, Block, Collection, CollectionEvent, CollectionRejection};

/// Longest text of digits in an agreement.
const MAX_DIGITS: usize = 20;

/// Who receives the money of an account: in no event, kept in a table of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receiver {
    /// Name on boletos.
    pub name: Personal,
    /// CPF or CNPJ, digits and letters only.
    pub tax_id: Personal,
    /// One line.
    pub address: Personal,
    /// Pix key; empty where there is none.
    pub pix_key: Personal,
    /// Name in Pix codes.
    pub pix_name: Personal,
    /// City in Pix codes.
    pub pix_city: Personal,
}

impl Receiver {
    /// "Copia e cola" over an amount; `None` without a key, and for an amount that fits no code.
    pub fn pix_code(&self, txid: &str, amount_minor: i64) -> Option<String> {
        let amount_cents = u64::try_from(amount_minor).ok().filter(|cents| *cents > 0)?;
        let txid = StaticTxid::new(txid).ok().filter(|_| !self.pix_key.is_empty())?;
        self.draft(txid, amount_cents).code().ok().map(|code| code.text())
    }

    fn draft(&self, txid: StaticTxid, amount_cents: u64) -> Draft {
        Draft {
            account: pix::Account::Static { key: self.pix_key.reveal().to_owned(), info: None, fss: None },
            initiation: Initiation::Unstated,
            amount_cents: Some(amount_cents),
            name: self.pix_name.reveal().to_owned(),
            city: self.pix_city.reveal().to_owned(),
            cep: None,
            txid: Some(txid),
            recurrence_url: None,
        }
    }
}

/// An account to be registered. Errors: INVALID_ARGUMENT on the field at fault.
pub fn collection_account(message: Option<proto::CollectionAccount>) -> Result<(AccountTerms, Receiver), Refusal> {
    let m = message.ok_or_else(|| Refusal::invalid("account", "missing", "is missing"))?;
    let account_id = id("account.account_id", &m.account_id, CollectionAccountId::new)?;
    let agreement = m.boleto.as_ref().map(agreement_asked).transpose()?;
    let mut receiver = beneficiary(m.beneficiary.as_ref(), agreement.is_some())?;
    if let Some(pix) = &m.pix {
        receive_pix(pix, &mut receiver)?;
    }
    let charges = m.charges.as_ref().map(|terms| charges::charge_terms("account.charges", terms)).transpose()?;
    Ok((AccountTerms { account_id, agreement, has_pix: m.pix.is_some(), is_default: m.is_default, charges }, receiver))
}

fn agreement_asked(m: &proto::BoletoAgreement) -> Result<Agreement, Refusal> {
    let digits = |name: &str, text: &str| {
        if text.len() <= MAX_DIGITS && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Ok(text.to_owned());
        }
        Err(Refusal::invalid(&format!("account.boleto.{name}"), "text_refused", "should be at most 20 letters and digits without mask"))
    };
    Ok(Agreement {
        bank: u16::try_from(m.bank).unwrap_or(u16::MAX),
        agency: digits("agency", &m.agency)?,
        agency_digit: digits("agency_digit", &m.agency_digit)?,
        account: digits("account", &m.account)?,
        account_digit: digits("account_digit", &m.account_digit)?,
        agreement: digits("agreement", &m.agreement)?,
        wallet: digits("wallet", &m.wallet)?,
        modality: digits("modality", &m.modality)?,
        post: digits("post", &m.post)?,
        first_number: m.first_number.max(1),
    })
}

fn beneficiary(message: Option<&proto::Beneficiary>, needed: bool) -> Result<Receiver, Refusal> {
    let Some(m) = message else {
        let missing = Refusal::invalid("account.beneficiary", "missing", "boletos are printed with who receives the money");
        return if needed { Err(missing) } else { Ok(Receiver::default()) };
    };
    let bounded = |name: &str, value: &str, max| {
        let refused = |fault: text::TextFault| Refusal::invalid(&format!("account.beneficiary.{name}"), "text_refused", fault.to_string());
        text::bounded(value, max).map(Personal::new).map_err(refused)
    };
    let tax_id =
        TaxId::parse(&m.tax_id).map_err(|fault| Refusal::invalid("account.beneficiary.tax_id", "tax_id_malformed", fault.to_string()))?;
    Ok(Receiver {
        name: bounded("name", &m.name, 120)?,
        tax_id: Personal::new(tax_id.reveal()),
        address: bounded("address", &m.address, 250)?,
        ..Receiver::default()
    })
}

fn receive_pix(m: &proto::PixReceiver, receiver: &mut Receiver) -> Result<(), Refusal> {
    if kind_of_key(&m.key).is_none() {
        let text = "should be a CPF, a CNPJ, +55 and a mobile, an e-mail address in lower case or a random key";
        return Err(Refusal::invalid("account.pix.key", "pix_key_malformed", text));
    }
    receiver.pix_key = Personal::new(&*m.key);
    receiver.pix_name = Personal::new(optional_text("account.pix.name", &m.name, 120)?.unwrap_or_default());
    receiver.pix_city = Personal::new(optional_text("account.pix.city", &m.city, 120)?.unwrap_or_default());
    // The longest id and amount: what fits now fits for every invoice.
    let longest = StaticTxid::new(&"X".repeat(25)).map_err(|_| Refusal::internal("the longest id is none"))?;
    receiver.draft(longest, 999_999_999_999).code().map(|_| ()).map_err(pix_refused)
}

fn pix_refused(fault: BrCodeFault) -> Refusal {
    let field = match fault {
        BrCodeFault::Value(59) | BrCodeFault::Missing(59) => "account.pix.name",
        BrCodeFault::Value(60) | BrCodeFault::Missing(60) => "account.pix.city",
        _ => "account.pix.key",
    };
    Refusal::invalid(field, "pix_code_refused", fault.to_string())
}

/// The refusal of a command on collection accounts.
pub fn collection_refused(rejection: CollectionRejection) -> Refusal {
    let (slug, text) = (rejection.slug(), rejection.to_string());
    match rejection {
        CollectionRejection::NothingToPayWith => Refusal::invalid("account", slug, text),
        CollectionRejection::Charges(_) => Refusal::invalid("account.charges", slug, text),
        CollectionRejection::Agreement(fault) => Refusal::invalid(&format!("account.boleto.{}", fault.field()), slug, text),
        CollectionRejection::InUse => Refusal::precondition("account.boleto", slug, text),
        CollectionRejection::Unknown | CollectionRejection::NoAgreement | CollectionRejection::NumbersExhausted => {
            Refusal::precondition("invoice.collection_account_id", slug, text)
        }
    }
}

/// An account as callers see it; `None` where there is no such one.
pub fn collection_account_view(
    account_id: &CollectionAccountId,
    state: &Collection,
    receiver: &Receiver,
) -> Option<proto::CollectionAccount> {
    let account = state.accounts.get(account_id)?;
    let shown = |value: &Personal| value.reveal().to_owned();
    let beneficiary = (!receiver.name.is_empty()).then(|| proto::Beneficiary {
        name: shown(&receiver.name),
        tax_id: shown(&receiver.tax_id),
        address: shown(&receiver.address),
    });
    let pix = account.has_pix.then(|| proto::PixReceiver {
        key: shown(&receiver.pix_key),
        name: shown(&receiver.pix_name),
        city: shown(&receiver.pix_city),
    });
    Some(proto::CollectionAccount {
        account_id: account_id.to_string(),
        boleto: account.agreement.as_ref().map(agreement_out),
        beneficiary,
        pix,
        is_default: state.default.as_ref() == Some(account_id),
        charges: account.charges.as_ref().map(charges::charge_terms_out),
    })
}

/// Type name and bytes of an event.
pub fn encode_collection(event: &CollectionEvent) -> (&'static str, Vec<u8>) {
    match event {
        CollectionEvent::Registered(terms) => {
            let AccountTerms { account_id, agreement, has_pix, is_default, charges } = terms.clone();
            let (account_id, boleto) = (account_id.to_string(), agreement.as_ref().map(agreement_out));
            let charges = charges.as_ref().map(charges::charge_terms_out);
            let m = proto::CollectionAccountRegistered { account_id, boleto, has_pix, is_default, charges };
            ("CollectionAccountRegistered", m.encode_to_vec())
        }
        CollectionEvent::Amended(terms) => {
            let AccountTerms { account_id, agreement, has_pix, is_default, charges } = terms.clone();
            let (account_id, boleto) = (account_id.to_string(), agreement.as_ref().map(agreement_out));
            let charges = charges.as_ref().map(charges::charge_terms_out);
            let m = proto::CollectionAccountAmended { account_id, boleto, has_pix, is_default, charges };
            ("CollectionAccountAmended", m.encode_to_vec())
        }
        CollectionEvent::NumbersReserved { account_id, block } => {
            let m = proto::NossoNumerosReserved { account_id: account_id.to_string(), first: block.first, count: block.count };
            ("NossoNumerosReserved", m.encode_to_vec())
        }
    }
}

/// The event of stored bytes; `None` for a type that is no event of collection accounts.
pub fn decode_collection(event_type: &str, payload: &[u8]) -> Result<Option<CollectionEvent>, DecodeFault> {
    let event = match event_type {
        "CollectionAccountRegistered" => {
            let m: proto::CollectionAccountRegistered = message("CollectionAccountRegistered", payload)?;
            CollectionEvent::Registered(terms_in(&m.account_id, m.boleto, m.charges, (m.has_pix, m.is_default))?)
        }
        "CollectionAccountAmended" => {
            let m: proto::CollectionAccountAmended = message("CollectionAccountAmended", payload)?;
            CollectionEvent::Amended(terms_in(&m.account_id, m.boleto, m.charges, (m.has_pix, m.is_default))?)
        }
        "NossoNumerosReserved" => {
            let m: proto::NossoNumerosReserved = message("NossoNumerosReserved", payload)?;
            let block = Block { first: m.first, count: m.count };
            CollectionEvent::NumbersReserved { account_id: account_id_in(&m.account_id)?, block }
        }
        _ => return Ok(None),
    };
    Ok(Some(event))
}

fn account_id_in(text: &str) -> Result<CollectionAccountId, DecodeFault> {
    CollectionAccountId::new(text).map_err(|_| DecodeFault::Field("account_id"))
}

fn terms_in(
    account_id: &str,
    boleto: Option<proto::BoletoAgreement>,
    charges: Option<proto::ChargeTerms>,
    (has_pix, is_default): (bool, bool),
) -> Result<AccountTerms, DecodeFault> {
    let agreement = boleto.map(agreement_in).transpose()?;
    let charges = charges.as_ref().map(charges::charge_terms_in).transpose()?;
    Ok(AccountTerms { account_id: account_id_in(account_id)?, agreement, has_pix, is_default, charges })
}

fn agreement_in(m: proto::BoletoAgreement) -> Result<Agreement, DecodeFault> {
    Ok(Agreement {
        bank: u16::try_from(m.bank).map_err(|_| DecodeFault::Field("boleto.bank"))?,
        agency: m.agency,
        agency_digit: m.agency_digit,
        account: m.account,
        account_digit: m.account_digit,
        agreement: m.agreement,
        wallet: m.wallet,
        modality: m.modality,
        post: m.post,
        first_number: m.first_number,
    })
}

fn agreement_out(a: &Agreement) -> proto::BoletoAgreement {
    proto::BoletoAgreement {
        bank: a.bank.into(),
        agency: a.agency.clone(),
        agency_digit: a.agency_digit.clone(),
        account: a.account.clone(),
        account_digit: a.account_digit.clone(),
        agreement: a.agreement.clone(),
        wallet: a.wallet.clone(),
        modality: a.modality.clone(),
        post: a.post.clone(),
        first_number: a.first_number,
    }
}
