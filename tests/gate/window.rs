//! Gate 9: the local hours and days in which this person may be mailed, also where the clocks change.

use germane::domain::{
    decision::{Decision, ReasonCode},
    time::ZoneName,
    window::{SendWindow, WindowState},
};
use jiff::{
    civil::{Time, Weekday},
    tz::TimeZone,
};
use serde_json::json;

use crate::given::{Given, millis, time};

const EVERY_DAY: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];
const WORKDAYS: &[Weekday] =
    &[Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];

fn window(opens: &str, closes: &str, days: &[Weekday]) -> SendWindow {
    let clock = |raw| Time::strptime("%H:%M", raw).unwrap();
    SendWindow::new(clock(opens), clock(closes), days).unwrap()
}

/// Checks that the window is closed just before `opens`, names it as the next opening, is open from it until just
/// before `closes`, and closed at `closes`.
fn assert_open(zone: &str, window: &SendWindow, opens: &str, closes: &str) {
    let zone = TimeZone::get(zone).unwrap();
    let (opens, closes) = (time(opens), time(closes));
    assert_eq!(window.state(opens - millis(1), &zone), WindowState::OpensAt(opens), "before it opens");
    assert_eq!(window.state(opens, &zone), WindowState::Open, "at its opening");
    assert_eq!(window.state(closes - millis(1), &zone), WindowState::Open, "before it closes");
    assert_ne!(window.state(closes, &zone), WindowState::Open, "at its closing");
}

fn assert_opens_at(zone: &str, window: &SendWindow, now: &str, opens: &str) {
    let state = window.state(time(now), &TimeZone::get(zone).unwrap());
    assert_eq!(state, WindowState::OpensAt(time(opens)), "{now}");
}

#[test]
fn a_window_is_open_from_its_opening_until_just_before_its_closing_in_the_persons_zone() {
    let office = window("09:00", "18:00", WORKDAYS);
    assert_open("Europe/Berlin", &office, "2026-11-23T08:00:00Z", "2026-11-23T17:00:00Z");
    assert_open("America/New_York", &office, "2026-11-23T14:00:00Z", "2026-11-23T23:00:00Z");
    // In Auckland Monday begins while it is Sunday in London.
    assert_open("Pacific/Auckland", &office, "2026-11-22T20:00:00Z", "2026-11-23T05:00:00Z");
    assert_open("Asia/Kathmandu", &office, "2026-11-23T03:15:00Z", "2026-11-23T12:15:00Z");
}

#[test]
fn a_closed_window_opens_on_the_next_of_its_days() {
    let office = window("09:00", "18:00", WORKDAYS);
    assert_opens_at("Europe/Berlin", &office, "2026-11-23T17:00:00Z", "2026-11-24T08:00:00Z");
    // From Friday evening over the weekend.
    assert_opens_at("Europe/Berlin", &office, "2026-11-27T17:00:00Z", "2026-11-30T08:00:00Z");
    assert_opens_at("Europe/Berlin", &office, "2026-11-28T10:00:00Z", "2026-11-30T08:00:00Z");
    let sundays = window("09:00", "18:00", &[Weekday::Sunday]);
    assert_opens_at("Europe/Berlin", &sundays, "2026-11-22T17:00:00Z", "2026-11-29T08:00:00Z");
}

#[test]
fn a_window_past_midnight_belongs_to_the_day_on_which_it_opens() {
    let friday_night = window("22:00", "02:00", &[Weekday::Friday]);
    assert_open("Europe/Berlin", &friday_night, "2026-11-27T21:00:00Z", "2026-11-28T01:00:00Z");
    // The small hours of Friday belong to Thursday.
    assert_opens_at("Europe/Berlin", &friday_night, "2026-11-27T00:00:00Z", "2026-11-27T21:00:00Z");
    assert_opens_at("Europe/Berlin", &friday_night, "2026-11-28T22:00:00Z", "2026-12-04T21:00:00Z");
}

#[test]
fn a_window_until_midnight_ends_with_its_day() {
    let evening = window("18:00", "00:00", &[Weekday::Monday]);
    assert_open("Europe/Berlin", &evening, "2026-11-23T17:00:00Z", "2026-11-23T23:00:00Z");
}

#[test]
fn an_opening_that_daylight_saving_skips_is_the_next_time_that_exists() {
    let early = window("02:30", "06:00", &EVERY_DAY);
    // Berlin goes from 02:00 to 03:00 at 01:00 UTC, New York at 07:00 UTC.
    assert_open("Europe/Berlin", &early, "2026-03-29T01:00:00Z", "2026-03-29T04:00:00Z");
    assert_open("America/New_York", &early, "2026-03-08T07:00:00Z", "2026-03-08T10:00:00Z");
}

#[test]
fn a_closing_that_daylight_saving_skips_is_the_next_time_that_exists() {
    let night = window("22:00", "02:30", &[Weekday::Saturday]);
    assert_open("Europe/Berlin", &night, "2026-03-28T21:00:00Z", "2026-03-29T01:00:00Z");
    assert_open("America/New_York", &night, "2026-03-08T03:00:00Z", "2026-03-08T07:00:00Z");
}

#[test]
fn an_opening_that_exists_twice_is_the_first() {
    // Berlin goes from 03:00 back to 02:00 at 01:00 UTC, New York from 02:00 to 01:00 at 06:00 UTC.
    assert_open("Europe/Berlin", &window("02:30", "06:00", &EVERY_DAY), "2026-10-25T00:30:00Z", "2026-10-25T05:00:00Z");
    assert_open(
        "America/New_York",
        &window("01:30", "06:00", &EVERY_DAY),
        "2026-11-01T05:30:00Z",
        "2026-11-01T11:00:00Z",
    );
}

#[test]
fn a_closing_that_exists_twice_is_the_first() {
    let night = window("22:00", "02:30", &[Weekday::Saturday]);
    assert_open("Europe/Berlin", &night, "2026-10-24T20:00:00Z", "2026-10-25T00:30:00Z");
    let night = window("22:00", "01:30", &[Weekday::Saturday]);
    assert_open("America/New_York", &night, "2026-11-01T02:00:00Z", "2026-11-01T05:30:00Z");
}

#[test]
fn a_window_over_a_change_of_the_clocks_is_an_hour_shorter_or_longer() {
    let night = window("00:00", "06:00", &EVERY_DAY);
    assert_open("Europe/Berlin", &night, "2026-03-28T23:00:00Z", "2026-03-29T04:00:00Z");
    assert_open("Europe/Berlin", &night, "2026-10-24T22:00:00Z", "2026-10-25T05:00:00Z");
}

#[test]
fn a_window_that_daylight_saving_swallows_whole_opens_on_its_next_day() {
    let swallowed = window("02:10", "02:50", &[Weekday::Sunday]);
    assert_opens_at("Europe/Berlin", &swallowed, "2026-03-28T12:00:00Z", "2026-04-05T00:10:00Z");
    assert_opens_at("Europe/Berlin", &swallowed, "2026-03-29T01:00:00Z", "2026-04-05T00:10:00Z");
    // Samoa left out Friday, 30 December 2011.
    let friday = window("09:00", "18:00", &[Weekday::Friday]);
    assert_opens_at("Pacific/Apia", &friday, "2011-12-30T05:00:00Z", "2012-01-05T19:00:00Z");
}

#[test]
fn a_midnight_that_daylight_saving_skips_opens_and_closes_at_the_next_time_that_exists() {
    // Santiago goes from 24:00 on Saturday to 01:00 on Sunday, at 04:00 UTC.
    let sunday = window("00:00", "03:00", &[Weekday::Sunday]);
    assert_open("America/Santiago", &sunday, "2026-09-06T04:00:00Z", "2026-09-06T06:00:00Z");
    let saturday = window("20:00", "00:00", &[Weekday::Saturday]);
    assert_open("America/Santiago", &saturday, "2026-09-06T00:00:00Z", "2026-09-06T04:00:00Z");
}

#[test]
fn a_window_that_never_opens_cannot_be_made() {
    let nine = Time::constant(9, 0, 0, 0);
    assert_eq!(SendWindow::new(nine, nine, &EVERY_DAY), None);
    assert_eq!(SendWindow::new(nine, Time::midnight(), &[]), None);
}

#[test]
fn outside_the_window_a_person_waits_until_it_opens() {
    let given = Given::germane().but(|g| g.campaign.send_window = Some(window("12:00", "18:00", &EVERY_DAY)));
    let Decision::Defer { reason, until } = given.decide() else { panic!("expected to wait") };
    assert_eq!(until, time("2026-11-23T11:00:00Z"));
    assert_eq!(reason.code(), ReasonCode::OutsideSendWindow);
    assert_eq!(reason.detail(), json!({ "opens_at": "2026-11-23T11:00:00Z", "time_zone": "Europe/Berlin" }));
}

#[test]
fn a_person_without_a_time_zone_is_skipped_only_where_a_window_is_set() {
    let nowhere = Given::germane().but(|g| g.recipient.profile.time_zone = None);
    assert!(nowhere.sends());
    let always = window("00:00", "23:59", &EVERY_DAY);
    let by_campaign = nowhere.clone().but(|g| g.campaign.send_window = Some(always.clone()));
    assert_eq!(by_campaign.skip(), (ReasonCode::NoTimeZone, json!({})));
    let by_policy = nowhere.but(|g| g.policy.send_window = Some(always));
    assert_eq!(by_policy.skip(), (ReasonCode::NoTimeZone, json!({})));
}

#[test]
fn a_time_zone_that_the_database_has_lost_is_none() {
    let lost: ZoneName = serde_json::from_value(json!("Atlantis/Capital")).unwrap();
    let given = Given::germane().but(|g| {
        g.recipient.profile.time_zone = Some(lost);
        g.campaign.send_window = Some(window("00:00", "23:59", &EVERY_DAY));
    });
    assert_eq!(given.skip(), (ReasonCode::NoTimeZone, json!({})));
}

#[test]
fn a_campaigns_window_replaces_the_policys() {
    let (open, closed) = (window("09:00", "18:00", WORKDAYS), window("12:00", "18:00", WORKDAYS));
    let with = |campaign: Option<&SendWindow>, policy: Option<&SendWindow>| {
        Given::germane().but(|g| {
            g.campaign.send_window = campaign.cloned();
            g.policy.send_window = policy.cloned();
        })
    };
    assert!(with(Some(&open), Some(&closed)).sends());
    assert!(!with(Some(&closed), Some(&open)).sends());
    assert!(!with(None, Some(&closed)).sends());
}
