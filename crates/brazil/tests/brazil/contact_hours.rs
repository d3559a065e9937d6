//! Contact windows by state.

use brazil::contact_window::{Closed, ContactWindow, Hours, LAWS, SATURDAY_BY_CHOICE, for_payer, law_of, widest};
use brazil::{Calendar, LocalHolidays, Municipality, Place, State};
use kernel::{DateTime, Utc, Zone};

#[test]
fn the_default_is_legal_everywhere() {
    for state in State::ALL {
        assert_eq!(for_payer(None, Some(*state)), ContactWindow::default(), "{state}");
        assert_eq!(law_of(*state).map(|law| law.window), law_of(*state).map(|_| widest(Some(*state))), "{state}");
    }
    assert_eq!(LAWS.len(), 5);
}

#[test]
fn a_tenant_widens_to_the_law_of_the_state_and_not_past_it() {
    let wish = ContactWindow { weekdays: Some(Hours::of(6, 22)), saturday: Some(Hours::of(7, 16)) };
    let cut = |state| for_payer(Some(wish), Some(state));
    assert_eq!(cut(State::SP), ContactWindow { weekdays: Some(Hours::of(8, 20)), saturday: Some(Hours::of(8, 14)) });
    assert_eq!(cut(State::RJ), ContactWindow { weekdays: Some(Hours::of(9, 19)), saturday: None });
    assert_eq!(for_payer(Some(wish), None), ContactWindow { weekdays: Some(Hours::of(9, 19)), saturday: None });
    let night = ContactWindow { weekdays: Some(Hours::of(21, 23)), saturday: None };
    assert_eq!(for_payer(Some(night), Some(State::SP)).weekdays, None);
}

#[test]
fn hours_are_the_payers_and_holidays_are_shut() {
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    let city = |code: &str| Municipality::parse(code).unwrap();
    let mut local = LocalHolidays::default();
    for (day, place, name) in [
        ("2027-01-25", "3550308", "Aniversário"),
        ("2026-07-09", "SP", "Revolução"),
        ("2026-11-24", "AC", "uma vez"),
        ("2026-12-28", "tenant", "recesso"),
    ] {
        local.set(day.parse().unwrap(), Place::parse(place).unwrap(), name.into());
    }
    let closed = |state, municipality| Closed { calendar: Calendar::BrSettlement, local: &local, state, municipality };
    let window = for_payer(Some(ContactWindow { weekdays: Some(Hours::of(8, 20)), saturday: Some(SATURDAY_BY_CHOICE) }), Some(State::SP));
    let next = |now: &str, state: State, municipality| {
        window.next_open(at(now), state.zone(), &closed(Some(state), municipality)).map(|at| at.to_rfc3339())
    };
    for (now, state, municipality, opens) in [
        ("2026-11-23T10:59:00Z", State::SP, None, "2026-11-23T11:00:00+00:00"),
        ("2026-11-23T22:59:59Z", State::SP, None, "2026-11-23T22:59:59+00:00"),
        ("2026-11-23T23:00:00Z", State::SP, None, "2026-11-24T11:00:00+00:00"),
        ("2026-11-19T23:00:00Z", State::SP, None, "2026-11-21T12:00:00+00:00"), // holiday, then Saturday at nine
        ("2026-11-21T16:00:00Z", State::SP, None, "2026-11-23T11:00:00+00:00"),
        ("2026-11-23T12:00:00Z", State::AC, None, "2026-11-23T13:00:00+00:00"),
        ("2026-11-24T12:00:00Z", State::AC, None, "2026-11-25T13:00:00+00:00"),
        ("2026-07-09T12:00:00Z", State::SP, None, "2026-07-10T11:00:00+00:00"),
        ("2027-01-25T12:00:00Z", State::SP, Some(city("3550308")), "2027-01-26T11:00:00+00:00"),
        ("2027-01-25T12:00:00Z", State::SP, Some(city("3304557")), "2027-01-25T12:00:00+00:00"),
        ("2026-12-28T12:00:00Z", State::RJ, None, "2026-12-29T11:00:00+00:00"),
    ] {
        assert_eq!(next(now, state, municipality).as_deref(), Some(opens), "{now} {state}");
    }
    let never = ContactWindow { weekdays: None, saturday: None };
    assert_eq!(never.next_open(at("2026-11-23T12:00:00Z"), Zone::SAO_PAULO, &closed(None, None)), None);
}
