//! The last look: what may still be said, in one order with the payments.

use crate::{
    script::play,
    site::{NOON, Site, told},
};
use contracts::invoice::v1 as proto;

fn item(invoice_id: &str, min_outstanding_minor: i64) -> proto::ReminderItem {
    let (overdue, invoice_id) = invoice_id.strip_prefix("late:").map_or((false, invoice_id), |id| (true, id));
    let (invoice_id, step_id) = (invoice_id.to_owned(), "d-7".to_owned());
    proto::ReminderItem {
        invoice_id,
        cycle: 1,
        step_id,
        occurrence: 1,
        min_outstanding_minor,
        overdue,
        disputed_minor: 0,
        purpose: String::new(),
    }
}

/// `I1 I2>500 late:I3`: an invoice, one with a minimum, one that is said to be overdue.
pub fn look(customer_id: &str, contact_id: &str, items: &str) -> proto::AuthorizeReminderRequest {
    let one = |text: &str| {
        let (invoice_id, minimum) = text.split_once('>').unwrap_or((text, "0"));
        item(invoice_id, minimum.parse().unwrap())
    };
    let items = items.split_whitespace().map(one).collect();
    proto::AuthorizeReminderRequest { customer_id: customer_id.to_owned(), contact_id: contact_id.to_owned(), items }
}

pub async fn ask(site: &Site, request: proto::AuthorizeReminderRequest) -> proto::AuthorizeReminderResponse {
    site.client.clone().authorize_reminder(request).await.unwrap().into_inner()
}

/// `I1 600 of 1000` where authorised, else `I1 paid`.
pub fn verdicts(response: &proto::AuthorizeReminderResponse) -> Vec<String> {
    let one = |v: &proto::ReminderVerdict| match v.authorized {
        true => format!("{} {} of {}", v.invoice_id, v.net_minor, v.outstanding_minor),
        false => format!("{} {}", v.invoice_id, v.reason),
    };
    response.verdicts.iter().map(one).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_verdict_has_its_reason() {
    for site in Site::every().await {
        play(
            &site,
            "register A
             issue PAID A 1000 due=2026-03-20
             pay P1 PAID 1000
             issue GONE A 1000 due=2026-03-20
             cancel GONE
             issue SMALL A 2000 due=2026-03-20
             issue REST A 1100 due=2026-03-20
             pay P2 REST 1000
             issue OPEN A 5000 due=2026-03-20 document=NF-5
             pay P3 OPEN 1500
             register B
             issue OTHER B 5000 due=2026-03-20",
        )
        .await;
        let answer = ask(&site, look("A", "K1", "PAID GONE SMALL>2001 REST OPEN>3500 OTHER NONE")).await;
        let expected = [
            "PAID paid",
            "GONE cancelled",
            "SMALL below_minimum",
            "REST within_tolerance",
            "OPEN 3500 of 3500",
            "OTHER unknown",
            "NONE unknown",
        ];
        assert_eq!(verdicts(&answer), expected, "{}", site.database);
        let shown = &answer.verdicts[4];
        assert_eq!((shown.currency.as_str(), shown.due_on.as_str(), shown.document.as_str()), ("BRL", "2026-03-20", "NF-5"));
        assert_eq!(answer.looked_at.unwrap().seconds, NOON.parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credit_covers_the_oldest_due_first_and_only_its_own_currency() {
    for site in Site::every().await {
        play(
            &site,
            "register A
             issue LATE A 3000 due=2026-04-20
             issue MID A 3000 due=2026-03-25
             issue EARLY A 2000 due=2026-03-15
             issue USD A 3000 due=2026-03-11 currency=USD
             issue DONE A 1000 due=2026-03-20
             pay P1 DONE 4500",
        )
        .await;
        let answer = ask(&site, look("A", "K1", "LATE MID EARLY USD")).await;
        let expected = ["LATE 3000 of 3000", "MID 1500 of 3000", "EARLY covered_by_credit", "USD 3000 of 3000"];
        assert_eq!(verdicts(&answer), expected, "{}", site.database);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_authorisation_is_in_the_log_before_the_answer() {
    for site in Site::every().await {
        play(&site, "register A\nissue I1 A 1000 due=2026-03-20\nissue I2 A 1000 due=2026-03-20").await;
        let answer = ask(&site, look("A", "K1", "I1 I2>1001")).await;
        let events = site.events().await;
        let last = events.last().unwrap();
        assert_eq!((last.event_type.as_str(), last.position), ("ReminderAuthorized", answer.position), "{}", site.database);
        let stored: proto::ReminderAuthorized = prost::Message::decode(last.payload.as_slice()).unwrap();
        let items: Vec<String> = stored.items.iter().map(|item| format!("{} {}", item.invoice_id, item.net_minor)).collect();
        assert_eq!((stored.contact_id.as_str(), items), ("K1", vec!["I1 1000".to_owned()]));

        // Asked again the same contact gets the same place; where the balance moved on, a new one.
        let again = ask(&site, look("A", "K1", "I1 I2>1001")).await;
        assert_eq!((again.position, site.events().await.len()), (answer.position, events.len()));
        play(&site, "pay P1 I1 400").await;
        let less = ask(&site, look("A", "K1", "I1 I2>1001")).await;
        assert_eq!((verdicts(&less)[0].as_str(), less.position), ("I1 600 of 600", answer.position + 2));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_authorised_leaves_no_event_and_shows_no_contact_data() {
    for site in Site::every().await {
        let customer = proto::Customer { email: "a@example.com".to_owned(), ..crate::script::customer("A") };
        let request = proto::RegisterCustomerRequest { command_id: "r".to_owned(), customer: Some(customer) };
        site.client.clone().register_customer(request).await.unwrap();
        play(&site, "issue I1 A 1000 due=2026-03-20").await;
        assert_eq!(ask(&site, look("A", "K1", "I1")).await.customer.unwrap().email, "a@example.com");
        play(&site, "pay P1 I1 1000").await;
        let before = site.events().await.len();
        let answer = ask(&site, look("A", "K2", "I1")).await;
        assert_eq!((answer.position, answer.customer.unwrap().email.as_str()), (0, ""));
        assert_eq!(verdicts(&ask(&site, look("A", "K3", "")).await), [""; 0]);
        assert_eq!(site.events().await.len(), before);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erased_payer_is_never_reminded() {
    for site in Site::every().await {
        play(&site, "register A\nissue I1 A 1000 due=2026-03-20\nerase A").await;
        let answer = ask(&site, look("A", "K1", "I1")).await;
        assert_eq!((verdicts(&answer), answer.position), (vec!["I1 customer_erased".to_owned()], 0), "{}", site.database);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_an_acknowledged_payment_no_reminder_is_authorised() {
    for site in Site::every().await {
        play(&site, "register A").await;
        // Many payers at once: asking and paying race, and each race is decided by the log.
        let races = (0..60).map(|n| race(&site, n));
        for outcome in futures::future::join_all(races).await {
            assert!(outcome, "{}", site.database);
        }
    }
}

/// One payment against a stream of questions; true when no answer that was asked for after the acknowledgement authorises.
async fn race(site: &Site, n: u32) -> bool {
    let (customer, invoice) = (format!("R{n}"), format!("RI{n}"));
    play(site, &format!("register {customer}\nissue {invoice} {customer} 1000 due=2026-03-20")).await;
    let asking = async {
        for attempt in 0..6 {
            ask(site, look(&customer, &format!("K{n}-{attempt}"), &invoice)).await;
        }
    };
    let paying = async {
        play(site, &format!("pay P{n} {invoice} 1000")).await;
        verdicts(&ask(site, look(&customer, &format!("after-{n}"), &invoice)).await)
    };
    let (_, after) = futures::join!(asking, paying);
    let events = site.service().environment().log.read_streams(&[(format!("account/default/{customer}"), 0)]).await.unwrap();
    let order: Vec<&str> = events.iter().map(|event| event.event_type.as_str()).collect();
    let paid = order.iter().position(|kind| *kind == "PaymentReceived").unwrap();
    after == [format!("{invoice} paid")] && !order[paid..].contains(&"ReminderAuthorized")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_questions_are_refused() {
    let site = Site::embedded(Default::default()).await;
    play(&site, "register A\nissue I1 A 1000 due=2026-03-20").await;
    let before = site.events().await.len();
    let many = "I1 ".repeat(1001);
    let good = look("A", "K1", "I1");
    let with_item = |change: fn(&mut proto::ReminderItem)| {
        let mut request = good.clone();
        change(&mut request.items[0]);
        request
    };
    let cases = [
        (look("X", "K1", "I1"), "NotFound unknown_customer customer_id"),
        (look("", "K1", "I1"), "InvalidArgument id_malformed customer_id"),
        (look("A", "", "I1"), "InvalidArgument id_malformed contact_id"),
        (look("A", "K\u{7}", "I1"), "InvalidArgument id_malformed contact_id"),
        (look("A", "K1", &many), "InvalidArgument too_many items"),
        (look("A", "K1", "I1>-1"), "InvalidArgument minimum_negative items.min_outstanding_minor"),
        (with_item(|item| item.invoice_id = String::new()), "InvalidArgument id_malformed items.invoice_id"),
        (with_item(|item| item.step_id = "a b".to_owned()), "InvalidArgument id_malformed items.step_id"),
        (with_item(|item| item.purpose = "birthday".to_owned()), "InvalidArgument unknown_purpose items.purpose"),
    ];
    for (request, expected) in cases {
        assert_eq!(told(&site.client.clone().authorize_reminder(request).await), expected);
    }
    assert_eq!(site.events().await.len(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thanks_and_corrections_are_allowed_while_they_are_true_and_name_no_way_to_pay() {
    for site in Site::every().await {
        let script = "register A\nissue PAID A 1000 due=2026-03-20\nissue VOID A 2000 due=2026-03-20\nissue OPEN A 3000 due=2026-03-20";
        play(&site, script).await;
        play(&site, "pay P1 PAID 1000\ncancel VOID").await;
        let asked = |contact_id: &str, purpose: &str| {
            let mut asked = look("A", contact_id, "PAID VOID OPEN");
            asked.items.iter_mut().for_each(|item| item.purpose = purpose.to_owned());
            asked
        };
        let thanks = ask(&site, asked("K1", "thank_you")).await;
        assert_eq!(verdicts(&thanks), ["PAID 1000 of 0", "VOID cancelled", "OPEN owed_again"]);
        let corrections = ask(&site, asked("K2", "correction")).await;
        assert_eq!(verdicts(&corrections), ["PAID paid", "VOID 2000 of 0", "OPEN owed_again"]);
        assert!(thanks.verdicts.iter().chain(&corrections.verdicts).all(|verdict| verdict.instruments.is_none() && !verdict.boleto_fits));
        assert!(thanks.position > 0, "what is allowed is in the log before the answer");
        play(&site, "reverse P1").await;
        assert_eq!(verdicts(&ask(&site, asked("K3", "thank_you")).await)[0], "PAID owed_again");
    }
}
