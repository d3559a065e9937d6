//! What four processes show to Prometheus once a reminder went out.

use crate::http;

/// Begins of lines, for each service in the order of its ports: how far behind, since when, parked, due, sent by outcome.
const TOLD: [&[&str]; 4] = [
    &[
        "consumer_lag_events{consumer=\"invoice.views\"} 0",
        "held_partitions{consumer=\"invoice.views\"} 0",
        "stopped_consumers{consumer=\"invoice.views\"} 0",
        "troubled_consumers{consumer=\"invoice.views\"} 0",
        "active_relays{topic=\"regua.invoice.v1\"} 1",
        "troubled_relays{topic=\"regua.invoice.v1\"} 0",
        "unpublished_events{topic=\"regua.invoice.v1\"} 0",
        "oldest_unpublished_seconds{topic=\"regua.invoice.v1\"} 0",
        "parked_streams{consumer=\"invoice.views\"} 0",
        "timers_due{log=\"own\"} 0",
    ],
    &[
        "consumer_lag_events{consumer=\"dunning.inbound\"} 0",
        "unpublished_events{topic=\"regua.dunning.v1\"} 0",
        "oldest_unpublished_seconds{topic=\"regua.dunning.v1\"} 0",
        "parked_streams{consumer=\"dunning.inbound\"} 0",
        "timers_due{log=\"own\"} 0",
        "stuck_timers{log=\"own\"} 0",
    ],
    &[
        "consumer_lag_events{consumer=\"notification.inbound\"} 0",
        "unpublished_events{topic=\"regua.notification.v1\"} 0",
        "oldest_unpublished_seconds{topic=\"regua.notification.v1\"} 0",
        "parked_streams{consumer=\"notification.inbound\"} 0",
        "sent_total{channel=\"email\",outcome=\"accepted\"} 1",
    ],
    &["consumer_lag_events{consumer=\"reporting\"} 0", "parked_streams{consumer=\"reporting\"} 0"],
];

/// Asks every service.
pub async fn are_told(ports: &[u16]) {
    assert_eq!(ports.len(), TOLD.len());
    for (port, lines) in ports.iter().zip(TOLD) {
        let (status, text) = http::get(*port, "/metrics").await.unwrap();
        assert_eq!(status, 200);
        for line in lines {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
