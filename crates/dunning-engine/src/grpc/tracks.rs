//! Tracks: lists, one with its steps, the explanation of a day.

use super::{Server, unreadable};
use crate::aggregate::{Payer, stream};
use crate::explain::{self, Asked};
use crate::{query, wire};
use chrono::NaiveDate;
use contracts::dunning::v1 as proto;
use host::{
    Refusal,
    request::{self, Page},
};
use kernel::{CustomerId, InvoiceId, Zone, calendar};
use ladder::{
    Ladder,
    track::{Occurrence, Phase, Track},
};
use std::sync::Arc;

/// `field`: what the request names it by.
pub(super) fn unknown_invoice(field: &str, invoice_id: &str) -> Refusal {
    Refusal::not_found(field, "unknown_invoice", format!("{invoice_id} is on no ladder"))
}

impl Server {
    pub(super) async fn tracks(&self, tenant: &str, m: &proto::ListTracksRequest) -> Result<proto::ListTracksResponse, Refusal> {
        let page = Page::of(m.page_size, &m.page_token)?;
        let customer_id = request::optional_id("customer_id", &m.customer_id, CustomerId::new)?;
        let customer_id = customer_id.as_ref().map_or("", |id| id.as_str());
        if !m.phase.is_empty() && Phase::ALL.iter().all(|phase| phase.slug() != m.phase) {
            return Err(request::unknown_word("phase", "unknown_phase", Phase::ALL.iter().map(|phase| phase.slug())));
        }
        let filter = query::Filter { tenant, customer_id, word: &m.phase, after: &page.after, limit: page.limit() };
        let mut tracks = query::tracks(&self.views, filter).await.map_err(unreadable)?;
        let next_page_token = page.cut(&mut tracks, |track| track.invoice_id.clone());
        Ok(proto::ListTracksResponse { tracks, next_page_token })
    }

    pub(super) async fn track(&self, tenant: &str, invoice_id: &str) -> Result<proto::GetTrackResponse, Refusal> {
        let invoice_id = request::id("invoice_id", invoice_id, InvoiceId::new)?;
        let found = query::track(&self.views, tenant, invoice_id.as_str()).await.map_err(unreadable)?;
        let mut track = found.ok_or_else(|| unknown_invoice("invoice_id", invoice_id.as_str()))?;
        track.steps = query::steps(&self.views, tenant, invoice_id.as_str()).await.map_err(unreadable)?;
        let payer = self.payer(tenant, &track.customer_id).await?;
        if let Some(known) = payer.ladder.tracks.get(&invoice_id) {
            let today = self.zone(&payer).day_of(self.clock.now());
            if let Some(pause) = known.pause_on(today).filter(|_| known.phase.is_running()) {
                pause.kind().state().clone_into(&mut track.phase);
            }
            track.steps.iter_mut().for_each(|step| self.read_as_of(tenant, known, step, today));
        }
        Ok(proto::GetTrackResponse { track: Some(track) })
    }

    /// An open step whose last day is over reads as expired, whether or not the engine has run since.
    fn read_as_of(&self, tenant: &str, track: &Track, step: &mut proto::StepOccurrence, today: NaiveDate) {
        let is_same = |at: &&Occurrence| at.cycle == step.cycle && at.occurrence == step.occurrence && at.step_id.as_str() == step.step_id;
        let Some(at) = track.occurrences.iter().find(is_same).filter(|at| at.is_open()) else { return };
        let book = self.books().of(tenant);
        if let Some(reason) = explain::expired(&*book, track, at, today) {
            "expired".clone_into(&mut step.status);
            reason.slug().clone_into(&mut step.reason);
            step.ended_on = at.last_day.map(|last| calendar::next(last).to_string()).unwrap_or_default();
        }
    }

    async fn payer(&self, tenant: &str, customer_id: &str) -> Result<Arc<Payer>, Refusal> {
        let (payer, _) = self.writer.state(&stream(tenant, customer_id)).await.map_err(unreadable)?;
        Ok(payer)
    }

    fn zone(&self, payer: &Payer) -> Zone {
        payer.ladder.zone(&*self.books().of(&payer.tenant)).unwrap_or(self.zone)
    }

    pub(super) async fn explain(&self, tenant: &str, m: &proto::ExplainDayRequest) -> Result<proto::ExplainDayResponse, Refusal> {
        let customer_id = request::id("customer_id", &m.customer_id, CustomerId::new)?;
        let day = request::date("day", &m.day)?;
        let to = stream(tenant, customer_id.as_str());
        let (payer, version) = self.writer.state(&to).await.map_err(unreadable)?;
        if version == 0 {
            return Err(Refusal::not_found("customer_id", "unknown_customer", "the engine knows no such payer"));
        }
        let zone = self.zone(&payer);
        let (ladder, known) = self.ladder_at_end_of(&to, day, zone).await?;
        let holiday = self.holiday_of(tenant, &ladder, (day, zone.midnight(calendar::next(day)))).await?;
        let decisions = query::decisions(&self.views, tenant, customer_id.as_str(), day).await.map_err(unreadable)?;
        let mut explained = explain::explain(&Asked {
            day,
            today: zone.day_of(self.clock.now()),
            ladder: &ladder,
            book: &*self.books().of(tenant),
            approvals_given: self.ladders.approvals_given(),
            decisions: &decisions,
            holiday: holiday.as_deref(),
        });
        explained.lines.extend(self.entries_on(tenant, customer_id.as_str(), zone.midnight(calendar::next(day))).await?);
        Ok(wire::explanation(explained, known))
    }

    /// The ladders of a stream as they were at 24:00 of a local day, and how many events made them.
    async fn ladder_at_end_of(&self, stream: &str, day: NaiveDate, zone: Zone) -> Result<(Ladder, u64), Refusal> {
        let end = zone.midnight(calendar::next(day));
        let events = self.log.read_streams(&[(stream.to_owned(), 0)]).await.map_err(unreadable)?;
        let (mut ladder, mut known) = (Ladder::default(), 0);
        for event in events.iter().take_while(|event| event.recorded_at < end) {
            if let Some(fact) = wire::decode(&event.tenant, &event.event_type, &event.payload).map_err(unreadable)? {
                ladder = ladder::evolve(ladder, &fact.event);
            }
            known = event.version;
        }
        Ok((ladder, known))
    }
}
