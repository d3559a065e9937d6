//! What each channel brought, by step: contacts, what became of them, and the money of the days after.

use crate::{
    facts::tell,
    site::{Site, told},
};
use contracts::reporting::v1 as proto;
use host::client::for_tenant;

/// `policy step channel: sent delivered read failed opted_out, payments received`.
fn line(r: &proto::ChannelResult) -> String {
    let currency = if r.currency == "BRL" { String::new() } else { format!(" {}", r.currency) };
    format!(
        "{} {} {}: {} {} {} {} {}, {} {}{currency}",
        r.policy_id, r.step_id, r.channel, r.sent, r.delivered, r.read, r.failed, r.opted_out, r.payments, r.received_minor
    )
}

async fn channels(site: &Site, request: proto::GetChannelResultsRequest) -> Vec<String> {
    site.client.clone().get_channel_results(request).await.unwrap().into_inner().results.iter().map(line).collect()
}

fn all() -> proto::GetChannelResultsRequest {
    proto::GetChannelResultsRequest::default()
}

fn as_of(day: &str) -> proto::GetChannelResultsRequest {
    proto::GetChannelResultsRequest { as_of: day.to_owned(), ..all() }
}

const LADDER: &str = "steps=d+1:2026-03-11:,d+7:2026-03-17:";

/// Two payers with three receivables on one ladder.
fn enrolled() -> String {
    let of = |invoice: &str, customer: &str| {
        format!(
            "2026-03-01 issued {invoice} {customer} 1000 due=2026-03-10\n2026-03-01 enrolled {invoice} padrao {LADDER}
            "
        )
    };
    [of("I1", "A"), of("I2", "A"), of("I3", "B")].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contacts_are_counted_by_step_and_channel_with_what_became_of_them() {
    for site in Site::every().await {
        tell(
            &site,
            &format!(
                "{}
            2026-03-11 attempt K1 A whatsapp refused
            2026-03-11 attempt K1 A sms accepted
            2026-03-11 attempt K1 A email accepted
            2026-03-11 concluded K1 A items=I1:d+1,I2:d+7
            2026-03-11 attempt K2 B whatsapp accepted
            2026-03-11 concluded K2 B items=I3:d+1
            2026-03-12 receipt K2 B whatsapp delivered
            2026-03-13 receipt K2 B whatsapp read
            2026-03-13 receipt K1 A email failed
            2026-03-14 opted B whatsapp
            2026-03-17 attempt K3 B whatsapp refused
            2026-03-17 concluded K3 B items=I3:d+7:undeliverable",
                enrolled()
            ),
        )
        .await;
        for (day, expected) in [
            ("2026-03-10", vec![]),
            (
                "2026-03-11",
                vec![
                    "padrao d+1 email: 1 0 0 0 0, 0 0",
                    "padrao d+1 sms: 1 0 0 0 0, 0 0",
                    "padrao d+1 whatsapp: 1 0 0 1 0, 0 0",
                    "padrao d+7 email: 1 0 0 0 0, 0 0",
                    "padrao d+7 sms: 1 0 0 0 0, 0 0",
                    "padrao d+7 whatsapp: 0 0 0 1 0, 0 0",
                ],
            ),
            (
                "2026-03-12",
                vec![
                    "padrao d+1 email: 1 0 0 0 0, 0 0",
                    "padrao d+1 sms: 1 0 0 0 0, 0 0",
                    "padrao d+1 whatsapp: 1 1 0 1 0, 0 0",
                    "padrao d+7 email: 1 0 0 0 0, 0 0",
                    "padrao d+7 sms: 1 0 0 0 0, 0 0",
                    "padrao d+7 whatsapp: 0 0 0 1 0, 0 0",
                ],
            ),
            (
                "",
                vec![
                    "padrao d+1 email: 1 0 0 1 0, 0 0",
                    "padrao d+1 sms: 1 0 0 0 0, 0 0",
                    "padrao d+1 whatsapp: 1 1 1 1 1, 0 0",
                    "padrao d+7 email: 1 0 0 1 0, 0 0",
                    "padrao d+7 sms: 1 0 0 0 0, 0 0",
                    "padrao d+7 whatsapp: 0 0 0 2 0, 0 0",
                ],
            ),
        ] {
            assert_eq!(channels(&site, as_of(day)).await, expected, "{} {day}", site.database);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_counts_once_for_the_last_contact_before_it_and_for_its_strongest_message() {
    for site in Site::every().await {
        tell(
            &site,
            &format!(
                "{}
            2026-03-11 attempt K1 A email accepted
            2026-03-11 concluded K1 A items=I1:d+1,I2:d+1
            2026-03-13 paid P1 I2 400
            2026-03-17 attempt K2 A email accepted
            2026-03-17 attempt K2 A sms accepted
            2026-03-17 concluded K2 A items=I1:d+7,I2:d+7:superseded
            2026-03-18 receipt K2 A sms delivered
            2026-03-18 paid P0 I1 10 on=2026-03-10
            2026-03-18 paid P2 I1 300 on=2026-03-16
            2026-03-18 paid P3 I1 200 on=2026-03-17
            2026-03-24 paid P4 I1 100
            2026-03-25 paid P5 I1 50
            2026-03-25 paid P6 I2 600
            2026-03-26 reversed P3",
                enrolled()
            ),
        )
        .await;
        // P1 and P2 came after K1, P3 and P4 after K2; P0 was paid before any contact, P5 and P6 too long after.
        for (asked, expected) in [
            (
                as_of("2026-03-25"),
                vec!["padrao d+1 email: 1 0 0 0 0, 2 700", "padrao d+7 email: 1 0 0 0 0, 0 0", "padrao d+7 sms: 1 1 0 0 0, 2 300"],
            ),
            (as_of("2026-03-16"), vec!["padrao d+1 email: 1 0 0 0 0, 2 700"]),
            // What went back is no money; a longer time takes what came later.
            (
                proto::GetChannelResultsRequest { within_days: 14, ..all() },
                vec!["padrao d+1 email: 1 0 0 0 0, 3 1300", "padrao d+7 email: 1 0 0 0 0, 0 0", "padrao d+7 sms: 1 1 0 0 0, 2 150"],
            ),
            // A contact outside the period keeps what is its own.
            (
                proto::GetChannelResultsRequest { day_until: "2026-03-16".to_owned(), ..as_of("2026-03-25") },
                vec!["padrao d+1 email: 1 0 0 0 0, 2 700"],
            ),
            (
                proto::GetChannelResultsRequest { day_from: "2026-03-12".to_owned(), channel: "sms".to_owned(), ..as_of("2026-03-25") },
                vec!["padrao d+7 sms: 1 1 0 0 0, 2 300"],
            ),
            (
                proto::GetChannelResultsRequest { step_id: "d+1".to_owned(), policy_id: "padrao".to_owned(), ..as_of("2026-03-25") },
                vec!["padrao d+1 email: 1 0 0 0 0, 2 700"],
            ),
            (proto::GetChannelResultsRequest { policy_id: "outra".to_owned(), ..all() }, vec![]),
        ] {
            assert_eq!(channels(&site, asked.clone()).await, expected, "{} {asked:?}", site.database);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_came_back_brings_nothing_and_currencies_are_apart() {
    for site in Site::every().await {
        tell(
            &site,
            "
            2026-03-01 issued I1 A 1000 due=2026-03-10
            2026-03-01 enrolled I1 padrao steps=d+1:2026-03-11:
            2026-03-01 issued I2 A 1000 due=2026-03-10 in=USD
            2026-03-01 enrolled I2 padrao steps=d+1:2026-03-11:
            2026-03-11 attempt K1 A email accepted
            2026-03-11 concluded K1 A items=I1:d+1
            2026-03-11 attempt K2 A email accepted
            2026-03-11 concluded K2 A items=I2:d+1 in=USD
            2026-03-12 receipt K1 A email failed
            2026-03-12 paid P1 I1 400
            2026-03-12 paid P2 I2 1500
            2026-03-13 opted A email
            2026-03-14 opted A email",
        )
        .await;
        // The money past what is open is no money for the receivable; an opting out is one, said twice or not.
        let expected = ["padrao d+1 email: 1 0 0 1 0, 0 0", "padrao d+1 email: 1 0 0 0 1, 1 1000 USD"];
        assert_eq!(channels(&site, all()).await, expected, "{}", site.database);
        let other = site.client.clone().get_channel_results(for_tenant(all(), "other")).await.unwrap().into_inner();
        assert!(other.results.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_questions_about_channels_are_refused() {
    for site in Site::every().await {
        for (request, expected) in [
            (as_of("x"), "date_malformed as_of"),
            (proto::GetChannelResultsRequest { policy_id: "\0".to_owned(), ..all() }, "id_malformed policy_id"),
            (proto::GetChannelResultsRequest { step_id: "a b".to_owned(), ..all() }, "id_malformed step_id"),
            (proto::GetChannelResultsRequest { channel: "pigeon".to_owned(), ..all() }, "unknown_channel channel"),
            (proto::GetChannelResultsRequest { day_from: "2026-02-30".to_owned(), ..all() }, "date_malformed day_from"),
            (proto::GetChannelResultsRequest { day_until: "1".to_owned(), ..all() }, "date_malformed day_until"),
            (proto::GetChannelResultsRequest { within_days: -1, ..all() }, "days_out_of_range within_days"),
            (proto::GetChannelResultsRequest { within_days: 91, ..all() }, "days_out_of_range within_days"),
        ] {
            let got = told(&site.client.clone().get_channel_results(request).await);
            assert_eq!(got, format!("InvalidArgument {expected}"), "{}", site.database);
        }
    }
}
