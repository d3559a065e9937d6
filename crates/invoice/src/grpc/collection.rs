//! Collection accounts: registered, shown, and what they make of a new invoice.

use super::{BOLETO, Server, TXID, ready, unreadable};
use crate::{
    allotment::Allotted,
    collection, query,
    wire::{self, Receiver},
};
use contracts::invoice::v1 as proto;
use eventlog::{Statement, Submission};
use host::{
    Refusal,
    request::{self, Page},
};
use kernel::{CollectionAccountId, Currency};
use prost::Message;
use receivable::{
    IssueInvoice, NewCharges, NewInstruments,
    collection::{CollectionCommand, CollectionRejection},
};
use sha2::{Digest, Sha256};

/// What a new invoice is paid with, and the number that was taken for it.
#[derive(Default)]
pub(super) struct PaidWith {
    pub(super) instruments: Option<NewInstruments>,
    pub(super) charges: Option<NewCharges>,
    pub(super) allotted: Option<Allotted>,
}

impl Server {
    pub(super) async fn register_account(
        &self,
        tenant: &str,
        m: &proto::RegisterCollectionAccountRequest,
    ) -> Result<proto::RegisterCollectionAccountResponse, Refusal> {
        let key = ready::command_key("RegisterCollectionAccount", (&m.command_id, m))?;
        let (terms, receiver) = wire::collection_account(m.account.clone())?;
        let answer = proto::RegisterCollectionAccountResponse { account_id: terms.account_id.to_string() };
        let row = store_receiver(tenant, terms.account_id.as_str(), &receiver);
        let submission = Submission::new(collection::stream(tenant), collection::meta(tenant), CollectionCommand::Register(terms));
        let submission = submission.with_key(key).with_side(row).with_answer(move |_, _| answer.encode_to_vec());
        let outcome = self.allotment.writer().submit(submission).await;
        self.allotment.changed(tenant);
        let written =
            outcome.map_err(|error| ready::refusal(error, wire::Place::default(), |rejection| wire::collection_refused(*rejection)))?;
        ready::stored_answer(&written.appended.answer)
    }

    pub(super) async fn show_account(&self, tenant: &str, account_id: &str) -> Result<proto::GetCollectionAccountResponse, Refusal> {
        let account_id = request::id("account_id", account_id, CollectionAccountId::new)?;
        let accounts = self.allotment.fresh(tenant).await.map_err(unreadable)?;
        let receiver = query::receiver(&self.db, tenant, account_id.as_str()).await?.unwrap_or_default();
        let unknown = || Refusal::not_found("account_id", "unknown_collection_account", "the collection account is unknown");
        let account = wire::collection_account_view(&account_id, &accounts, &receiver).ok_or_else(unknown)?;
        let next_number = accounts.accounts.get(&account_id).and_then(|account| account.next_number()).unwrap_or(0);
        Ok(proto::GetCollectionAccountResponse { account: Some(account), next_number })
    }

    pub(super) async fn list_accounts(
        &self,
        tenant: &str,
        m: &proto::ListCollectionAccountsRequest,
    ) -> Result<proto::ListCollectionAccountsResponse, Refusal> {
        let page = Page::of(m.page_size, &m.page_token)?;
        let state = self.allotment.fresh(tenant).await.map_err(unreadable)?;
        let receivers = query::receivers(&self.db, tenant).await?;
        let nobody = Receiver::default();
        let view = |account_id: &CollectionAccountId| {
            wire::collection_account_view(account_id, &state, receivers.get(account_id.as_str()).unwrap_or(&nobody))
        };
        let after = state.accounts.keys().filter(|account_id| account_id.as_str() > page.after.as_str());
        let mut accounts: Vec<_> = after.take(page.size + 1).filter_map(view).collect();
        let next_page_token = page.cut(&mut accounts, |account| account.account_id.clone());
        Ok(proto::ListCollectionAccountsResponse { accounts, next_page_token })
    }

    /// What a new invoice is paid with: the named account, else the default one where the currency is BRL.
    pub(super) async fn paid_with(
        &self,
        tenant: &str,
        issue: &IssueInvoice,
        named: Option<CollectionAccountId>,
    ) -> Result<PaidWith, Refusal> {
        let mut accounts = self.allotment.accounts(tenant).await.map_err(unreadable)?;
        if named.as_ref().is_some_and(|account_id| !accounts.accounts.contains_key(account_id)) {
            accounts = self.allotment.fresh(tenant).await.map_err(unreadable)?;
        }
        let by_default = || accounts.default.clone().filter(|_| issue.currency == Currency::BRL);
        let is_named = named.is_some();
        let Some(account_id) = named.or_else(by_default) else { return Ok(PaidWith::default()) };
        let unknown = || wire::collection_refused(CollectionRejection::Unknown);
        let account = accounts.accounts.get(&account_id).ok_or_else(unknown)?;
        let allotted = match &account.agreement {
            None => None,
            Some(_) => {
                let taken = self.allotment.take(tenant, &account_id).await;
                Some(
                    taken
                        .map_err(|error| ready::refusal(error, wire::Place::default(), |rejection| wire::collection_refused(*rejection)))?,
                )
            }
        };
        let number = account.agreement.clone().zip(allotted.as_ref().map(|allotted| allotted.number));
        let txid = account.has_pix.then(|| txid(tenant, issue.invoice_id.as_str())).transpose()?;
        let charges = account.charges.clone().map(|terms| NewCharges { terms, named: false });
        Ok(PaidWith { instruments: Some(NewInstruments { account_id, named: is_named, number, txid }), charges, allotted })
    }

    /// Puts the Pix code over what is due today into an answer. It names who receives the money, so no stored answer has it.
    pub(super) async fn show_pix(&self, tenant: &str, invoice: &mut Option<proto::Invoice>) -> Result<(), Refusal> {
        let Some(invoice) = invoice else { return Ok(()) };
        let due_minor = invoice.due_minor;
        self.code_pix(tenant, invoice.instruments.as_mut(), due_minor).await
    }

    /// Puts the Pix code over an amount into instruments.
    pub(super) async fn code_pix(
        &self,
        tenant: &str,
        instruments: Option<&mut proto::Instruments>,
        amount_minor: i64,
    ) -> Result<(), Refusal> {
        let Some(instruments) = instruments else { return Ok(()) };
        let Some(pix) = &mut instruments.pix else { return Ok(()) };
        let receiver = query::receiver(&self.db, tenant, &instruments.collection_account_id).await?.unwrap_or_default();
        pix.code = receiver.pix_code(&pix.txid, amount_minor).unwrap_or_default();
        Ok(())
    }
}

/// Names under which a title is found at once, and which no second account can take.
pub(super) fn claims(issue: &IssueInvoice) -> Vec<(&'static str, String)> {
    let assigned = issue.instruments.as_ref().and_then(|new| new.assign(issue.issued_on, issue.due_on, issue.amount_minor).ok());
    let Some(instruments) = assigned else { return Vec::new() };
    let boleto = instruments.boleto.as_ref().map(|slip| (BOLETO, format!("{}/{}", instruments.account_id, slip.look_up_number())));
    let txid = instruments.txid.as_ref().map(|txid| (TXID, txid.to_string()));
    boleto.into_iter().chain(txid).collect()
}

/// Id of an invoice's Pix codes: the same for ever, 25 letters and digits of a hash of its name.
fn txid(tenant: &str, invoice_id: &str) -> Result<brazil::pix::StaticTxid, Refusal> {
    const DIGITS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let hash = Sha256::digest(format!("{tenant}\n{invoice_id}"));
    let mut left = hash.iter().take(16).fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
    let mut text = String::with_capacity(25);
    for _ in 0..25 {
        let digit = usize::try_from(left % 36).unwrap_or(0);
        text.push(char::from(DIGITS[digit]));
        left /= 36;
    }
    brazil::pix::StaticTxid::new(&text).map_err(|_| Refusal::internal("no id for a Pix code"))
}

fn store_receiver(tenant: &str, account_id: &str, receiver: &Receiver) -> Statement {
    let values = [&receiver.name, &receiver.tax_id, &receiver.address, &receiver.pix_key, &receiver.pix_name, &receiver.pix_city];
    Statement {
        sql: "INSERT INTO collection_receiver (tenant, account_id, name, tax_id, address, pix_key, pix_name, pix_city) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
              ON CONFLICT (tenant, account_id) DO UPDATE SET name = excluded.name, tax_id = excluded.tax_id, address = excluded.address, \
              pix_key = excluded.pix_key, pix_name = excluded.pix_name, pix_city = excluded.pix_city"
            .to_owned(),
        args: [tenant, account_id].into_iter().chain(values.map(|value| value.reveal())).map(Into::into).collect(),
    }
}
