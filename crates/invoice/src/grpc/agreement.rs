//! Agreements: made, broken and shown.

use super::{AGREEMENT, INVOICE, Ready, Server, collection, ready::command_key};
use crate::{
    aggregate::{self, Addressed},
    allotment::Allotted,
    wire,
};
use brazil::charges::LegalRates;
use contracts::invoice::v1 as proto;
use eventlog::CommandKey;
use host::{
    Refusal,
    request::{self, Page},
};
use kernel::{AgreementId, Currency, CustomerId};
use receivable::Command;
use std::sync::Arc;

/// An agreement to be made, before numbers are taken for its instalments.
#[derive(Clone)]
pub(super) struct Making {
    asked: wire::NewAgreement,
    key: CommandKey,
    rates: Arc<LegalRates>,
}

impl Server {
    pub(super) async fn ready_agreement(&self, tenant: &str, m: &proto::MakeAgreementRequest) -> Result<Ready, Refusal> {
        let key = command_key("MakeAgreement", (&m.command_id, m))?;
        let mut asked = wire::new_agreement(m.agreement.clone(), self.today())?;
        let currency = self.currency_of_debts(tenant, &asked).await?;
        asked.make.instalments.iter_mut().for_each(|issue| issue.currency = currency);
        let rates = self.rates(tenant).await?;
        self.ready_making(tenant, Making { asked, key, rates }).await
    }

    /// The debts are the payer's own; what else is wrong with them the account says.
    async fn currency_of_debts(&self, tenant: &str, asked: &wire::NewAgreement) -> Result<Currency, Refusal> {
        const FIELD: &str = "agreement.invoice_ids";
        for invoice_id in &asked.make.originals {
            let owner = self.payer_of(tenant, INVOICE, FIELD, invoice_id.as_str()).await?;
            if owner != asked.customer_id {
                return Err(Refusal::invalid(FIELD, "invoice_of_another_payer", format!("{invoice_id} is another payer's")));
            }
        }
        match asked.make.originals.first() {
            Some(first) => self.currency_of(&aggregate::stream(tenant, asked.customer_id.as_str()), first).await,
            None => Ok(Currency::BRL),
        }
    }

    /// Takes a number for each instalment, where their account has any.
    pub(super) async fn ready_making(&self, tenant: &str, making: Making) -> Result<Ready, Refusal> {
        let Making { asked, key, rates } = making.clone();
        let wire::NewAgreement { customer_id, mut make, account_id } = asked;
        let (mut allotted, mut claims): (Vec<Allotted>, Vec<(&'static str, String)>) = (Vec::new(), Vec::new());
        for issue in &mut make.instalments {
            let paid_with = self.paid_with(tenant, issue, account_id.clone()).await?;
            issue.instruments = paid_with.instruments;
            issue.charges = issue.charges.take().or(paid_with.charges);
            allotted.extend(paid_with.allotted);
            claims.push((INVOICE, issue.invoice_id.to_string()));
            claims.extend(collection::claims(issue));
        }
        let agreement_id = make.agreement_id.clone();
        let addressed = Addressed { customer_id: customer_id.clone(), command: Command::MakeAgreement(make), rates };
        let ready =
            self.ready(tenant, addressed, ("MakeAgreementRequest", key)).claiming(AGREEMENT, agreement_id.as_str()).claiming_too(claims);
        let ready = ready.with_numbers(allotted, making);
        Ok(ready.answering(move |account| proto::MakeAgreementResponse {
            agreement: wire::agreement_view(&customer_id, &agreement_id, account),
        }))
    }

    pub(super) async fn ready_break(&self, tenant: &str, m: &proto::BreakAgreementRequest) -> Result<Ready, Refusal> {
        let key = command_key("BreakAgreement", (&m.command_id, m))?;
        let (agreement_id, command) = wire::agreement_break(m, self.today())?;
        let customer_id = self.payer_of(tenant, AGREEMENT, "agreement_id", agreement_id.as_str()).await?;
        let rates = self.rates(tenant).await?;
        let addressed = Addressed { customer_id: customer_id.clone(), command, rates };
        let ready = self.ready(tenant, addressed, ("BreakAgreementRequest", key));
        Ok(ready.answering(move |account| proto::BreakAgreementResponse {
            agreement: wire::agreement_view(&customer_id, &agreement_id, account),
        }))
    }

    pub(super) async fn show_agreement(&self, tenant: &str, agreement_id: &str) -> Result<proto::GetAgreementResponse, Refusal> {
        let agreement_id = request::id("agreement_id", agreement_id, AgreementId::new)?;
        let customer_id = self.payer_of(tenant, AGREEMENT, "agreement_id", agreement_id.as_str()).await?;
        let account = self.account(tenant, &customer_id).await?;
        Ok(proto::GetAgreementResponse { agreement: wire::agreement_view(&customer_id, &agreement_id, &account) })
    }

    pub(super) async fn list_payers_agreements(
        &self,
        tenant: &str,
        m: &proto::ListAgreementsRequest,
    ) -> Result<proto::ListAgreementsResponse, Refusal> {
        let page = Page::of(m.page_size, &m.page_token)?;
        let customer_id = request::id("customer_id", &m.customer_id, CustomerId::new)?;
        let account = self.account(tenant, &customer_id).await?;
        let after = account.agreements.keys().filter(|agreement_id| agreement_id.as_str() > page.after.as_str());
        let view = |agreement_id: &AgreementId| wire::agreement_view(&customer_id, agreement_id, &account);
        let mut agreements: Vec<_> = after.take(page.size + 1).filter_map(view).collect();
        let next_page_token = page.cut(&mut agreements, |agreement| agreement.agreement_id.clone());
        Ok(proto::ListAgreementsResponse { agreements, next_page_token })
    }
}
