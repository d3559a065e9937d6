//! Bad arguments are refused with the field at fault; tenants see their own figures only.

use crate::{
    facts::tell,
    site::{Site, told},
};
use contracts::reporting::v1 as proto;
use host::client::for_tenant;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_lists_are_refused() {
    for site in Site::every().await {
        let good = proto::ListReceivablesRequest::default;
        for (request, expected) in [
            (proto::ListReceivablesRequest { as_of: "today".to_owned(), ..good() }, "date_malformed as_of"),
            (proto::ListReceivablesRequest { as_of: "1899-01-01".to_owned(), ..good() }, "date_malformed as_of"),
            (proto::ListReceivablesRequest { status: "unpaid".to_owned(), ..good() }, "unknown_status status"),
            (proto::ListReceivablesRequest { customer_id: "a b".to_owned(), ..good() }, "id_malformed customer_id"),
            (proto::ListReceivablesRequest { segment: "\0".to_owned(), ..good() }, "text_refused segment"),
            (proto::ListReceivablesRequest { segment: "x".repeat(65), ..good() }, "text_refused segment"),
            (proto::ListReceivablesRequest { page_size: -5, ..good() }, "page_size_out_of_range page_size"),
            (proto::ListReceivablesRequest { page_size: 1001, ..good() }, "page_size_out_of_range page_size"),
            (proto::ListReceivablesRequest { page_token: "zz".to_owned(), ..good() }, "page_token_malformed page_token"),
        ] {
            let got = told(&site.client.clone().list_receivables(request).await);
            assert_eq!(got, format!("InvalidArgument {expected}"), "{}", site.database);
        }
        let good = proto::ListDelinquencyRequest::default;
        for (request, expected) in [
            (proto::ListDelinquencyRequest { group_by: "state".to_owned(), ..good() }, "unknown_group group_by"),
            (proto::ListDelinquencyRequest { min_days_late: -1, ..good() }, "negative min_days_late"),
            (proto::ListDelinquencyRequest { segment: "\u{1}".to_owned(), ..good() }, "text_refused segment"),
            // Good tokens of other lists: `-1` and `I1`.
            (proto::ListDelinquencyRequest { page_token: "2d31".to_owned(), ..good() }, "page_token_malformed page_token"),
            (proto::ListDelinquencyRequest { page_token: "4931".to_owned(), ..good() }, "page_token_malformed page_token"),
        ] {
            let got = told(&site.client.clone().list_delinquency(request).await);
            assert_eq!(got, format!("InvalidArgument {expected}"), "{}", site.database);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_figures_are_refused() {
    for site in Site::every().await {
        let mut client = site.client.clone();
        let at =
            |seconds, nanos| proto::GetAgingRequest { known_at: Some(prost_types::Timestamp { seconds, nanos }), ..Default::default() };
        for (request, expected) in [
            (proto::GetAgingRequest { as_of: vec!["2026-02-30".to_owned()], ..Default::default() }, "date_malformed as_of"),
            (proto::GetAgingRequest { as_of: vec!["2026-02-01".to_owned(); 401], ..Default::default() }, "too_many as_of"),
            (proto::GetAgingRequest { currency: "brl".to_owned(), ..Default::default() }, "unknown_currency currency"),
            (proto::GetAgingRequest { segment: "a\n".to_owned() + "b", ..Default::default() }, "text_refused segment"),
            (at(i64::MAX, 0), "instant_out_of_range known_at"),
            (at(i64::MIN, 0), "instant_out_of_range known_at"),
            (at(-62_135_596_801, 0), "instant_out_of_range known_at"),
            (at(1_700_000_000, -1), "instant_out_of_range known_at"),
        ] {
            let got = told(&client.get_aging(request).await);
            assert_eq!(got, format!("InvalidArgument {expected}"), "{}", site.database);
        }
        let malformed = "InvalidArgument date_malformed as_of";
        assert_eq!(told(&client.get_settlement(proto::GetSettlementRequest { as_of: "x".to_owned() }).await), malformed);
        assert_eq!(told(&client.get_contact_results(proto::GetContactResultsRequest { as_of: "x".to_owned() }).await), malformed);
        let steps = proto::GetStepResultsRequest { as_of: "x".to_owned(), policy_id: String::new() };
        assert_eq!(told(&client.get_step_results(steps).await), malformed);
        let steps = proto::GetStepResultsRequest { as_of: String::new(), policy_id: "\0".to_owned() };
        assert_eq!(told(&client.get_step_results(steps).await), "InvalidArgument id_malformed policy_id");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_sees_its_own_figures_only() {
    for site in Site::every().await {
        tell(
            &site,
            "
            2026-03-01 issued I1 A 100 due=2026-03-10
            2026-03-01 enrolled I1 padrao steps=d+1:2026-03-11:
            2026-03-05 paid P1 I1 40
            2026-03-05 contact K1 A email",
        )
        .await;
        let mut client = site.client.clone();
        let aging = client.get_aging(for_tenant(proto::GetAgingRequest::default(), "other")).await.unwrap().into_inner();
        assert_eq!(aging.lines[0].open_count, 0, "{}", site.database);
        let listed = client.list_receivables(for_tenant(proto::ListReceivablesRequest::default(), "other")).await.unwrap().into_inner();
        assert!(listed.receivables.is_empty());
        let lines = client.list_delinquency(for_tenant(proto::ListDelinquencyRequest::default(), "other")).await.unwrap().into_inner();
        assert!(lines.lines.is_empty());
        let steps = client.get_step_results(for_tenant(proto::GetStepResultsRequest::default(), "other")).await.unwrap().into_inner();
        assert!(steps.steps.is_empty());
        let sent = client.get_contact_results(for_tenant(proto::GetContactResultsRequest::default(), "other")).await.unwrap().into_inner();
        assert_eq!(sent.total, 0);
        let portfolio = client.get_portfolio(for_tenant(proto::GetPortfolioRequest {}, "other")).await.unwrap().into_inner();
        assert_eq!(portfolio, proto::GetPortfolioResponse::default());
    }
}
