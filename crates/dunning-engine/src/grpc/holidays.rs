//! Local holidays: record, withdraw, list; and which one a payer had on a day.

use super::{Server, command_key, refusal, unreadable};
use crate::holidays::{Change, Holidays, Key, Signed, stream};
use crate::policies::{Book, meta, streams_row};
use crate::wire;
use brazil::Place;
use chrono::{DateTime, NaiveDate, Utc};
use contracts::dunning::v1 as proto;
use eventlog::{CommandKey, Submission};
use host::{
    Refusal,
    request::{self, FIRST_DAY, LAST_DAY, Page},
};
use ladder::Ladder;
use std::{ops::Bound, sync::Arc};

impl Server {
    pub(super) async fn record_holidays(
        &self,
        tenant: &str,
        m: &proto::RecordLocalHolidaysRequest,
    ) -> Result<proto::RecordLocalHolidaysResponse, Refusal> {
        let (key, holidays) = (command_key(&m.command_id, m)?, wire::new_holidays(m)?);
        let change = Change::Record { holidays, signed: self.signed(&m.by, &m.reason)? };
        Ok(proto::RecordLocalHolidaysResponse { recorded: self.change_holidays(tenant, key, change).await? })
    }

    pub(super) async fn withdraw_holidays(
        &self,
        tenant: &str,
        m: &proto::WithdrawLocalHolidaysRequest,
    ) -> Result<proto::WithdrawLocalHolidaysResponse, Refusal> {
        let (key, days) = (command_key(&m.command_id, m)?, wire::local_days(m)?);
        let change = Change::Withdraw { days, signed: self.signed(&m.by, &m.reason)? };
        Ok(proto::WithdrawLocalHolidaysResponse { withdrawn: self.change_holidays(tenant, key, change).await? })
    }

    fn signed(&self, by: &str, why: &str) -> Result<Signed, Refusal> {
        let (by, why) = wire::signature(by, why)?;
        Ok(Signed { by, why, at: self.clock.now() })
    }

    /// Appends a change and takes it into the book, whether or not the caller still waits. Answers how many days changed.
    async fn change_holidays(&self, tenant: &str, key: CommandKey, change: Change) -> Result<u32, Refusal> {
        let to = stream(tenant);
        let submission: Submission<Holidays> = Submission::new(to.clone(), meta(tenant), change)
            .with_key(key)
            .with_answer(|_, events| u32::try_from(events.len()).unwrap_or(u32::MAX).to_be_bytes().to_vec());
        let submission = if self.log.db().is_some() { submission.with_side(streams_row(&to)) } else { submission };
        let (holidays, books) = (self.holidays.clone(), Arc::clone(self.books()));
        let task = tokio::spawn(async move {
            let written = holidays.submit(submission).await.map_err(|error| refusal(error, |never| match never {}))?;
            books.refresh().await.map_err(unreadable)?;
            Ok::<_, Refusal>(written)
        });
        let written = task.await.map_err(|_| Refusal::internal("the change was cut off"))??;
        written.appended.answer.try_into().map(u32::from_be_bytes).map_err(|_| Refusal::internal("no count"))
    }

    pub(super) async fn local_holidays(
        &self,
        tenant: &str,
        m: &proto::ListLocalHolidaysRequest,
    ) -> Result<proto::ListLocalHolidaysResponse, Refusal> {
        let page = Page::of(m.page_size, &m.page_token)?;
        let place = if m.place.is_empty() { None } else { Some(wire::asked_place("place", &m.place)?) };
        let (from, until) = (request::date_or("day_from", &m.day_from, FIRST_DAY)?, request::date_or("day_until", &m.day_until, LAST_DAY)?);
        let after = match page.after.as_str() {
            "" => Bound::Unbounded,
            text => Bound::Excluded(read_key(text).ok_or_else(wrong_token)?),
        };
        let (kept, _) = self.holidays.state(&stream(tenant)).await.map_err(unreadable)?;
        let is_asked = |(day, at): &Key| (from..=until).contains(day) && place.is_none_or(|place| place == *at);
        let found = kept.range((after, Bound::Unbounded)).filter(|(key, _)| is_asked(key)).take(page.size + 1);
        let mut rows: Vec<(&Key, proto::LocalHoliday)> = found.map(|(key, holiday)| (key, wire::local_holiday(key, holiday))).collect();
        let next_page_token = page.cut(&mut rows, |((day, place), _)| format!("{day} {place}"));
        Ok(proto::ListLocalHolidaysResponse { holidays: rows.into_iter().map(|(_, row)| row).collect(), next_page_token })
    }

    /// The name of the local holiday that a payer had on a day, by what was recorded before an instant.
    pub(super) async fn holiday_of(
        &self,
        tenant: &str,
        ladder: &Ladder,
        (day, end): (NaiveDate, DateTime<Utc>),
    ) -> Result<Option<String>, Refusal> {
        let mut book = Book::default();
        let events = self.log.read_streams(&[(stream(tenant), 0)]).await.map_err(unreadable)?;
        for event in events.iter().take_while(|event| event.recorded_at < end) {
            if let Some(heard) = wire::decode_holiday(&event.event_type, &event.payload).map_err(unreadable)? {
                book.absorb_holiday(heard);
            }
        }
        Ok(ladder.local_holiday(&book, day).map(str::to_owned))
    }
}

fn read_key(text: &str) -> Option<Key> {
    let (day, place) = text.split_once(' ')?;
    Some((day.parse().ok()?, Place::parse(place).ok()?))
}

fn wrong_token() -> Refusal {
    Refusal::invalid("page_token", "page_token_malformed", "is not a token of ours")
}
