//! All four services in one process, on files of their own and a virtual clock.

use contracts::invoice::v1::invoice_service_client::InvoiceServiceClient;
use eventlog::{Activity, Clock};
use host::clock::VirtualClock;
use regua::{
    settings::{Mode, Settings},
    system::System,
};
use std::sync::Arc;
use tonic::transport::Channel;

/// They run until it is dropped.
pub struct World {
    pub system: System,
    clock: Arc<VirtualClock>,
    activity: Activity,
    pub invoices: InvoiceServiceClient<Channel>,
    _sleepers: Box<dyn std::any::Any>,
    _data: tempfile::TempDir,
}

impl World {
    /// Everything on files of its own, on the first of March.
    pub async fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut settings = Settings::load(None).unwrap().on_free_ports();
        settings.storage.directory = data.path().to_owned();
        settings.throwaway = true;
        let activity = Activity::new();
        let clock = VirtualClock::new("2026-03-01T03:00:00Z".parse().unwrap(), activity.clone());
        let checked = Arc::clone(&clock);
        let sleepers = activity.register("clock", Box::new(move || checked.is_idle()));
        let system = System::start(&settings, Mode::Replay, Arc::clone(&clock) as Arc<dyn Clock>, activity.clone()).await.unwrap();
        let channel = host::client::channel(&system.url(invoice::NAME).unwrap(), system.access()).unwrap();
        let invoices = InvoiceServiceClient::new(channel);
        Self { system, clock, activity, invoices, _sleepers: Box::new(sleepers), _data: data }
    }

    /// Lets the days pass until noon of one.
    pub async fn until(&self, day: &str) {
        let noon = format!("{day}T15:00:00Z").parse().unwrap();
        loop {
            match self.activity.settled_with(|| self.clock.next_deadline()).await {
                Some(at) if at <= noon => self.clock.advance_to(at),
                Some(_) | None => break,
            }
        }
        self.clock.advance_to(noon);
        self.activity.settled().await;
    }

    /// How many events of a type a service's log holds about a payer.
    pub async fn count(&self, service: &str, event_type: &str, customer_id: &str) -> usize {
        let service = self.system.services().find(|one| one.name() == service).unwrap();
        let events = service.environment().log.read(0, 100_000).await.unwrap();
        events.iter().filter(|event| event.event_type == event_type && event.stream.ends_with(&format!("/{customer_id}"))).count()
    }
}
