//! The owner's last look, as its service gives it: the command on the account, then the answer from the state after it.

use crate::history::day_of;
use crate::journal::Refusal;
use crate::world::World;
use contracts::invoice::v1 as proto;
use kernel::{ContactId, InvoiceId, StepId, Zone};
use receivable::{Account, Answer, AuthorizationItem, AuthorizeReminder, Command, Verdict};

impl World {
    /// Asks the owner. `None` where it does not answer; an answer without verdicts where it knows no such payer.
    pub(crate) fn authorize(&mut self, payer: usize, asked: &proto::AuthorizeReminderRequest) -> Option<proto::AuthorizeReminderResponse> {
        if self.is_out(crate::history::Who::Invoice) {
            self.count("fault: owner out of reach");
            return None;
        }
        let feed_stale = self.chance.permille(self.history.faults_permille / 2);
        let look = AuthorizeReminder {
            contact_id: ContactId::new(&asked.contact_id).expect("contacts have ids"),
            items: asked.items.iter().map(item).collect(),
            at: self.now,
            day: day_of(self.now),
            tolerance_minor: 0,
            zone: Zone::SAO_PAULO,
            feed_stale,
        };
        match self.of_invoice(payer, Command::AuthorizeReminder(look.clone()), None) {
            Ok(_) => {}
            Err(Refusal::Rejected(_)) => return Some(proto::AuthorizeReminderResponse::default()),
            Err(error @ (Refusal::Fenced | Refusal::Fault(_))) => {
                self.accuse(crate::witness::Invariant::Contracts, format!("a look: {error:?}"));
                return None;
            }
        }
        let account = self.account(payer);
        let verdicts = receivable::last_look(&account, &look, &Default::default());
        let customer =
            verdicts.iter().any(|verdict| matches!(verdict.answer, Answer::Authorized { .. })).then(|| self.customer(payer, &account));
        if self.chance.permille(self.history.faults_permille) {
            self.count("fault: answer of a look lost");
            return None;
        }
        let verdicts = verdicts.iter().map(|verdict| shown(verdict, &account)).collect();
        Some(proto::AuthorizeReminderResponse { verdicts, customer, ..proto::AuthorizeReminderResponse::default() })
    }

    /// A payer's account as its service has it.
    pub(crate) fn account(&mut self, payer: usize) -> Account {
        let stream = invoice::aggregate::stream(self.history.tenant, &self.history.payers[payer].id);
        self.invoice.journal.state(&stream).0
    }

    fn customer(&self, payer: usize, account: &Account) -> proto::Customer {
        let known = &self.history.payers[payer];
        let told = |is_known: bool, text: &str| if is_known { text.to_owned() } else { String::new() };
        proto::Customer {
            customer_id: known.id.clone(),
            name: "Ana".to_owned(),
            email: told(known.email, "ana@payer.example"),
            phones: known.phone.then(|| "+5511999990000".to_owned()).into_iter().collect(),
            address: told(known.address, "Rua A, 1"),
            consents: account.consents.iter().cloned().collect(),
            ..proto::Customer::default()
        }
    }
}

fn item(item: &proto::ReminderItem) -> AuthorizationItem {
    AuthorizationItem {
        invoice_id: InvoiceId::new(&item.invoice_id).expect("an id that was made here"),
        cycle: item.cycle,
        step_id: StepId::new(&item.step_id).expect("an id that was made here"),
        occurrence: item.occurrence,
        min_outstanding_minor: item.min_outstanding_minor,
        overdue: item.overdue,
        disputed_minor: item.disputed_minor,
        purpose: kernel::Purpose::named(&item.purpose).expect("a purpose that was made here"),
    }
}

fn shown(verdict: &Verdict, account: &Account) -> proto::ReminderVerdict {
    let invoice_id = &verdict.item.invoice_id;
    let (authorized, net_minor, reason) = match verdict.answer {
        Answer::Authorized { net_minor } => (true, net_minor, ""),
        Answer::Refused(reason) => (false, 0, reason.slug()),
    };
    proto::ReminderVerdict {
        invoice_id: invoice_id.to_string(),
        authorized,
        reason: reason.to_owned(),
        net_minor,
        outstanding_minor: account.open_minor(invoice_id),
        currency: "BRL".to_owned(),
        due_on: account.invoices.get(invoice_id).map(|invoice| invoice.due_on.to_string()).unwrap_or_default(),
        ..proto::ReminderVerdict::default()
    }
}
