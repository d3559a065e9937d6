//! The last look: what is asked of the owner of balances and addresses, and what its answer means here.

use crate::template::{Charged, Language, PayWith};
use brazil::phone::Phone;
use contracts::invoice::v1 as proto;
use kernel::{ContactId, CustomerId, InvoiceId, NaiveDate, personal::Personal};
use lettre::Address as MailAddress;
use notice::{Address, Channel, Item, Occurrence, OwnerAnswer, OwnerRefusal, Reach, Reachability};
use std::collections::BTreeMap;

/// The owner's answer, as the gate and the message need it.
#[derive(Debug, Clone, Default)]
pub struct Look {
    /// For each item asked for.
    pub verdicts: BTreeMap<Occurrence, OwnerAnswer>,
    /// What a message shows of a receivable, where the owner says.
    pub shown: BTreeMap<InvoiceId, Shown>,
    /// The payer.
    pub payer: Payer,
    /// Whether the contact's day is a local holiday of the payer.
    pub local_holiday: bool,
}

/// What a message shows of a receivable.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// What the payer calls it.
    pub document: String,
    /// When it is due.
    pub due_on: Option<NaiveDate>,
    /// Charges and discount of today.
    pub charged: Charged,
    /// What it can be paid with today.
    pub pay_with: PayWith,
}

/// A payer's contact data: for one message, never kept.
#[derive(Debug, Clone, Default)]
pub struct Payer {
    /// Name; may be empty.
    pub name: Personal,
    /// Language, BCP 47; may be empty.
    pub language: String,
    /// Postal address; may be empty.
    pub address: Personal,
    /// State, two letters; may be empty.
    pub state: String,
    /// Municipality, seven digits of IBGE; may be empty.
    pub municipality: String,
    email: Personal,
    phones: Vec<Personal>,
    consents: Vec<String>,
}

impl Payer {
    /// Where the payer is reached on a channel; empty where nowhere. Text messages need a phone that takes them.
    pub fn address_of(&self, channel: Channel) -> Personal {
        match channel {
            Channel::Email => self.email.clone(),
            Channel::Whatsapp | Channel::Sms => self.phones.iter().find(|phone| takes_text(phone)).cloned().unwrap_or_default(),
            Channel::Voice => self.phones.first().cloned().unwrap_or_default(),
            Channel::Letter => self.address.clone(),
        }
    }

    /// What is known of the channels that there is a way out for. Without a list of consents every channel may be used
    /// but WhatsApp, which needs a recorded yes (brazil.md section 7).
    pub fn reach(&self, has_way_out: impl Fn(Channel) -> bool) -> Reach {
        let consent = |channel: Channel| {
            if self.consents.is_empty() { channel != Channel::Whatsapp } else { self.consents.iter().any(|named| named == channel.slug()) }
        };
        let reachability =
            |channel: Channel| Reachability { address: validity(channel, &self.address_of(channel)), consent: consent(channel) };
        Channel::ALL.into_iter().filter(|channel| has_way_out(*channel)).map(|channel| (channel, reachability(channel))).collect()
    }
}

/// A landline takes no text. What the owner stored was read as a phone before; anything else is left to the provider.
fn takes_text(phone: &Personal) -> bool {
    Phone::parse(phone.reveal()).map_or(true, |phone| phone.takes_text())
}

fn validity(channel: Channel, address: &Personal) -> Address {
    match channel {
        _ if address.is_empty() => Address::Missing,
        Channel::Email if address.reveal().parse::<MailAddress>().is_err() => Address::Invalid,
        Channel::Email | Channel::Whatsapp | Channel::Sms | Channel::Voice | Channel::Letter => Address::Valid,
    }
}

/// What is asked of the owner for the items of a contact.
pub fn look_request(customer_id: &CustomerId, contact_id: &ContactId, items: &[&Item]) -> proto::AuthorizeReminderRequest {
    let item = |item: &&Item| proto::ReminderItem {
        invoice_id: item.invoice_id.to_string(),
        cycle: item.cycle,
        step_id: item.step_id.to_string(),
        occurrence: item.occurrence,
        min_outstanding_minor: item.min_outstanding_minor,
        overdue: item.overdue,
        disputed_minor: item.disputed_minor,
        purpose: item.purpose.slug().to_owned(),
    };
    proto::AuthorizeReminderRequest {
        customer_id: customer_id.to_string(),
        contact_id: contact_id.to_string(),
        items: items.iter().map(item).collect(),
    }
}

/// The owner's answer to it; `None` where it does not answer what was asked.
pub fn look(items: &[&Item], answer: proto::AuthorizeReminderResponse) -> Option<Look> {
    let fits = |(item, verdict): (&&Item, &proto::ReminderVerdict)| item.invoice_id.as_str() == verdict.invoice_id;
    if items.len() != answer.verdicts.len() || !items.iter().zip(&answer.verdicts).all(fits) {
        return None;
    }
    let pairs = || items.iter().zip(&answer.verdicts);
    let language = Language::of(answer.customer.as_ref().and_then(|customer| customer.attributes.as_ref()).map_or("", |of| &of.language));
    let document = |verdict: &proto::ReminderVerdict| document(verdict, language);
    let shown = |(item, verdict): (&&Item, &proto::ReminderVerdict)| {
        let due_on = host::request::date("due_on", &verdict.due_on).ok();
        (item.invoice_id.clone(), Shown { document: document(verdict), due_on, charged: charged(verdict), pay_with: pay_with(verdict) })
    };
    Some(Look {
        verdicts: pairs().map(|(item, verdict)| (item.key(), owner_answer(verdict))).collect(),
        shown: pairs().map(shown).collect(),
        payer: answer.customer.map(payer).unwrap_or_default(),
        local_holiday: false,
    })
}

/// What the payer reads of which debt it is: the creditor's document, which instalment of which agreement, or the receivable's id.
fn document(verdict: &proto::ReminderVerdict, language: Language) -> String {
    let (number, count, agreement) = (verdict.instalment, verdict.instalments, &verdict.agreement_id);
    match (verdict.document.is_empty(), agreement.is_empty(), language) {
        (false, _, _) => verdict.document.clone(),
        (true, true, _) => verdict.invoice_id.clone(),
        (true, false, Language::Portuguese) => format!("parcela {number}/{count} do acordo {agreement}"),
        (true, false, Language::English) => format!("instalment {number}/{count} of agreement {agreement}"),
    }
}

fn charged(verdict: &proto::ReminderVerdict) -> Charged {
    Charged { fine_minor: verdict.fine_minor, interest_minor: verdict.interest_minor, discount_minor: verdict.discount_minor }
}

/// A boleto is shown only where paying it pays what is asked: one over another amount would be paid too much or too little.
fn pay_with(verdict: &proto::ReminderVerdict) -> PayWith {
    let instruments = verdict.instruments.clone().unwrap_or_default();
    let (boleto, pix) = (instruments.boleto.unwrap_or_default(), instruments.pix.unwrap_or_default().code);
    if verdict.boleto_fits {
        PayWith { pix, line: boleto.line, bar_code: boleto.bar_code, boleto_differs: false }
    } else {
        PayWith { pix, boleto_differs: !boleto.line.is_empty(), ..PayWith::default() }
    }
}

/// The answer of an owner who knows nothing of the payer.
pub fn unknown_to_owner(items: &[&Item]) -> Look {
    let unknown = |item: &&Item| (item.key(), OwnerAnswer::Refused(OwnerRefusal::Unknown));
    Look { verdicts: items.iter().map(unknown).collect(), ..Look::default() }
}

fn owner_answer(verdict: &proto::ReminderVerdict) -> OwnerAnswer {
    if verdict.authorized {
        return OwnerAnswer::Authorized { net_minor: verdict.net_minor };
    }
    // A reason that is newer than this program still means no.
    OwnerAnswer::Refused(OwnerRefusal::named(&verdict.reason).unwrap_or(OwnerRefusal::Unknown))
}

fn payer(m: proto::Customer) -> Payer {
    let attributes = m.attributes.unwrap_or_default();
    Payer {
        name: Personal::new(m.name),
        language: attributes.language,
        state: attributes.state,
        municipality: attributes.municipality,
        address: Personal::new(m.address),
        email: Personal::new(m.email),
        phones: m.phones.into_iter().map(Personal::new).collect(),
        consents: m.consents,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payer_with(phones: &[&str], consents: &[&str]) -> Payer {
        payer(proto::Customer {
            email: "ana@payer.example".into(),
            phones: phones.iter().map(ToString::to_string).collect(),
            consents: consents.iter().map(ToString::to_string).collect(),
            ..proto::Customer::default()
        })
    }

    #[test]
    fn a_landline_takes_calls_and_no_texts() {
        let payer = payer_with(&["+551133334444", "+5511999990000"], &[]);
        assert_eq!(payer.address_of(Channel::Voice).reveal(), "+551133334444");
        assert_eq!(payer.address_of(Channel::Sms).reveal(), "+5511999990000");
        assert!(payer_with(&["+551133334444"], &[]).address_of(Channel::Sms).is_empty());
    }

    #[test]
    fn whatsapp_needs_a_recorded_yes_and_the_others_do_not() {
        let reach = payer_with(&["+5511999990000"], &[]).reach(|channel| channel != Channel::Voice);
        let told: Vec<_> = reach.iter().map(|(channel, known)| (channel.slug(), known.address, known.consent)).collect();
        assert_eq!(
            told,
            [
                ("email", Address::Valid, true),
                ("whatsapp", Address::Valid, false),
                ("sms", Address::Valid, true),
                ("letter", Address::Missing, true),
            ]
        );
        let listed = payer_with(&["+5511999990000"], &["whatsapp"]).reach(|_| true);
        assert!(listed[&Channel::Whatsapp].consent && !listed[&Channel::Email].consent);
    }
}
