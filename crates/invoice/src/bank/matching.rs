//! Which receivable a bank's record or a Pix names.
//!
//! A title is found by bank, agreement or account, and nosso número; else by what the remittance gave as the company's own text, which
//! the bank gives back: the receivable's id.

use crate::{
    aggregate,
    grpc::{BOLETO, INVOICE, Server, TXID, unreadable},
    receipts::Target,
};
use brazil::cnab::{TitleFact, TitleRef};
use host::Refusal;
use kernel::{CollectionAccountId, CustomerId, InvoiceId};
use receivable::{Account, Slip, collection::Agreement};
use std::sync::Arc;

impl Server {
    /// The receivable of a Pix by its txid; `None` where it names none.
    pub(crate) async fn of_txid(&self, tenant: &str, txid: &str) -> Result<Option<Target>, Refusal> {
        let Some((customer_id, account)) = self.owner_state(tenant, TXID, txid).await? else { return Ok(None) };
        let mut invoices = account.invoices.iter();
        let named = invoices.find(|(_, invoice)| {
            let assigned = invoice.instruments.as_ref().and_then(|instruments| instruments.txid.as_ref());
            assigned.is_some_and(|assigned| assigned.as_str() == txid)
        });
        Ok(named.map(|(invoice_id, _)| (customer_id, invoice_id.clone())))
    }

    /// The receivable of a record of a bank's file; else why there is none: `not_named`, `no_receivable`, `ambiguous`.
    pub(crate) async fn of_title(&self, tenant: &str, fact: &TitleFact) -> Result<Result<Target, &'static str>, Refusal> {
        let accounts = self.allotment.accounts(tenant).await.map_err(unreadable)?;
        let mut found: Vec<Target> = Vec::new();
        for (account_id, account) in &accounts.accounts {
            let ours = account.agreement.as_ref().is_some_and(|agreement| is_ours(agreement, fact.bank, &fact.title.agreement));
            if ours && let Some(target) = self.of_number(tenant, account_id, &fact.title).await? {
                found.push(target);
            }
        }
        found.dedup();
        match (found.pop(), found.is_empty()) {
            (Some(target), true) => Ok(Ok(target)),
            (Some(_), false) => Ok(Err("ambiguous")),
            (None, _) => self.of_company_use(tenant, fact).await,
        }
    }

    async fn of_number(&self, tenant: &str, account_id: &CollectionAccountId, title: &TitleRef) -> Result<Option<Target>, Refusal> {
        for number in look_up_numbers(&title.nosso_numero) {
            let owner = self.owner_state(tenant, BOLETO, &format!("{account_id}/{number}")).await?;
            let Some((customer_id, account)) = owner else { continue };
            let is_it = |slip: &Slip| slip.look_up_number() == number && title.is(&slip.nosso_numero);
            let mut invoices = account.invoices.iter();
            let named = invoices.find(|(_, invoice)| {
                let assigned = invoice.instruments.as_ref().filter(|instruments| instruments.account_id == *account_id);
                assigned.and_then(|instruments| instruments.boleto.as_ref()).is_some_and(is_it)
            });
            if let Some((invoice_id, _)) = named {
                return Ok(Some((customer_id, invoice_id.clone())));
            }
        }
        Ok(None)
    }

    /// By the receivable's id, which must have no boleto of another bank.
    async fn of_company_use(&self, tenant: &str, fact: &TitleFact) -> Result<Result<Target, &'static str>, Refusal> {
        let Ok(invoice_id) = InvoiceId::new(&fact.title.company_use) else {
            let named = fact.title.barcode.is_some() || fact.title.nosso_numero.bytes().any(|byte| byte != b'0');
            return Ok(Err(if named { "no_receivable" } else { "not_named" }));
        };
        let Some((customer_id, account)) = self.owner_state(tenant, INVOICE, invoice_id.as_str()).await? else {
            return Ok(Err("no_receivable"));
        };
        let Some(invoice) = account.invoices.get(&invoice_id) else { return Ok(Err("no_receivable")) };
        let slip = invoice.instruments.as_ref().and_then(|instruments| instruments.boleto.as_ref());
        let other_bank = slip.is_some_and(|slip| slip.boleto.bank() != fact.bank);
        Ok(if other_bank { Err("no_receivable") } else { Ok((customer_id, invoice_id)) })
    }

    async fn owner_state(&self, tenant: &str, kind: &'static str, id: &str) -> Result<Option<(CustomerId, Arc<Account>)>, Refusal> {
        let Some(customer_id) = self.owner(tenant, kind, id).await? else { return Ok(None) };
        let (account, _) = self.writer.state(&aggregate::stream(tenant, customer_id.as_str())).await.map_err(unreadable)?;
        Ok(Some((customer_id, account)))
    }
}

/// Whether a file's agreement is one of ours. Banks write it into columns of up to 20 characters, beside agency, wallet and zeros; a
/// file that has none tells its bank alone.
pub(super) fn is_ours(agreement: &Agreement, bank: u16, told: &str) -> bool {
    let digits: String = told.chars().filter(char::is_ascii_digit).collect();
    let holds = |ours: &String| {
        let ours = ours.trim_start_matches('0');
        !ours.is_empty() && digits.contains(ours)
    };
    agreement.bank == bank && (digits.is_empty() || holds(&agreement.agreement) || holds(&agreement.account))
}

/// The number as it is looked up: without zeros on the left, with and without a check digit at its end.
fn look_up_numbers(nosso_numero: &str) -> Vec<String> {
    let bare: String = nosso_numero.trim_start_matches('0').chars().filter(char::is_ascii_alphanumeric).collect();
    let mut without = bare.clone();
    without.pop();
    [bare, without].into_iter().filter(|number| !number.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agreement_is_ours_by_its_number_or_its_account_among_other_digits() {
        let ours = |agreement: &str, account: &str| Agreement {
            bank: 1,
            agreement: agreement.to_owned(),
            account: account.to_owned(),
            ..Agreement::default()
        };
        for (agreement, account, bank, told, expected) in [
            ("1234567", "", 1, "0012345670014", true),
            ("1234567", "", 1, "0012345680014", false),
            ("1234567", "", 33, "001234567", false),
            ("", "0056789", 1, "01234/000000056789/0", true),
            ("", "", 1, "1234567", false),
            ("1234567", "", 1, "", true),
        ] {
            assert_eq!(is_ours(&ours(agreement, account), bank, told), expected, "{told}");
        }
    }

    #[test]
    fn a_number_is_looked_up_with_and_without_its_check_digit() {
        assert_eq!(look_up_numbers("0000012X"), ["12X", "12"]);
        assert_eq!(look_up_numbers("7"), ["7"]);
        assert!(look_up_numbers("000").is_empty());
    }
}
