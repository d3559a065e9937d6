//! Contacts that went out.

use crate::{facts::tell, site::Site};
use contracts::reporting::v1 as proto;
use std::collections::BTreeMap;

async fn contacts(site: &Site, day: &str) -> String {
    let request = proto::GetContactResultsRequest { as_of: day.to_owned() };
    let r = site.client.clone().get_contact_results(request).await.unwrap().into_inner();
    let text = |map: &std::collections::HashMap<String, i64>| {
        let sorted: BTreeMap<&String, &i64> = map.iter().collect();
        sorted.iter().map(|(key, n)| format!("{key}={n}")).collect::<Vec<_>>().join(",")
    };
    format!("{} to {}, at most {} a day; {}; {}", r.total, r.payers, r.max_per_payer_day, text(&r.by_month), text(&r.by_channel))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contacts_are_counted_by_month_channel_and_payer() {
    for site in Site::every().await {
        assert_eq!(contacts(&site, "").await, "0 to 0, at most 0 a day; ; ", "{}", site.database);
        tell(
            &site,
            "
            2026-01-30 contact K1 A email
            2026-01-30 contact K2 B email,sms
            2026-02-02 contact K3 A whatsapp
            2026-02-02 contact K4 A email
            2026-02-03 contact K5 C -
            2026-02-04 contact K1 B sms",
        )
        .await;
        for (day, expected) in [
            ("2026-01-29", "0 to 0, at most 0 a day; ; "),
            ("2026-01-31", "2 to 2, at most 1 a day; 2026-01=2; email=2,sms=1"),
            ("2026-02-03", "4 to 2, at most 2 a day; 2026-01=2,2026-02=2; email=3,sms=1,whatsapp=1"),
            ("", "5 to 2, at most 2 a day; 2026-01=2,2026-02=3; email=3,sms=2,whatsapp=1"),
        ] {
            assert_eq!(contacts(&site, day).await, expected, "{} {day}", site.database);
        }
    }
}
