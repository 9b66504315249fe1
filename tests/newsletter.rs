//! When newsletters run, whatever the clocks of their zone do, and what their door says.

use germane::{
    domain::{
        newsletter::{
            Newsletter, Recurrence,
            cron::{Cron, Days},
        },
        time::LocalTime,
    },
    flow::queue::{Message, newsletter_body},
};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

use crate::{door::assert_refused, given::time};

fn recurrence(cron: &str, zone: &str) -> Recurrence {
    Recurrence { cron: cron.parse().unwrap(), zone: zone.parse().unwrap() }
}

/// The next runs after a time.
fn runs(cron: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let schedule = recurrence(cron, zone);
    let first = schedule.next_after(time(after));
    let runs = std::iter::successors(first, |run| schedule.next_after(run.at));
    runs.take(count).map(|run| format!("{} {}", run.date, run.at)).collect()
}

fn days(cron: &str) -> Days {
    cron.parse::<Cron>().unwrap().days
}

#[test]
fn a_field_takes_numbers_names_ranges_steps_and_lists() {
    for (cron, months) in [
        ("0 9 * * *", vec![1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
        ("0 9 * 1 *", vec![1]),
        ("0 9 * JAN,dec *", vec![1, 12]),
        ("0 9 * */5 *", vec![1, 6, 11]),
        ("0 9 * mar-may,9 *", vec![3, 4, 5, 9]),
        ("0 9 * 2-8/3 *", vec![2, 5, 8]),
    ] {
        let found = cron.parse::<Cron>().unwrap().months;
        assert_eq!(found.into_iter().collect::<Vec<_>>(), months, "{cron}");
    }
    assert_eq!(days("0 9 * * sun"), Days::OfWeek([0].into()));
    assert_eq!(days("0 9 * * 7"), Days::OfWeek([0].into()));
    assert_eq!(days("0 9 * * fri-sun"), Days::OfWeek([0, 5, 6].into()));
    assert_eq!(days("0 9 * * mon-fri"), days("0 9 * * 1-5"));
    assert_eq!(days("0 9 * * */2"), Days::OfWeek([0, 2, 4, 6].into()));
    assert_eq!(days("0 9 */10 * *"), Days::OfMonth([1, 11, 21, 31].into()));
    assert_eq!(days("0 9 29 feb *"), Days::OfMonth([29].into()));
    let spaced: Cron = " 00  09 * *\tMON ".parse().unwrap();
    assert_eq!((spaced.time.to_string(), spaced.as_str()), ("09:00:00".to_owned(), "00 09 * * MON"));
}

#[test]
fn what_is_no_schedule_of_at_most_one_run_a_day_is_refused_with_what_is_wanted() {
    for (cron, wanted) in [
        ("", "five fields"),
        ("0 9 * *", "five fields"),
        ("0 9 * * * *", "five fields"),
        ("@weekly", "five fields"),
        ("* 9 * * *", "one minute"),
        ("*/15 9 * * *", "one minute"),
        ("0,30 9 * * *", "one minute"),
        ("60 9 * * *", "one minute"),
        ("+1 9 * * *", "one minute"),
        ("-1 9 * * *", "one minute"),
        ("0 * * * *", "one hour"),
        ("0 9,15 * * *", "one hour"),
        ("0 24 * * *", "one hour"),
        ("0 9 0 * *", "days of the month"),
        ("0 9 32 * *", "days of the month"),
        ("0 9 L * *", "days of the month"),
        ("0 9 ? * mon", "days of the month"),
        ("0 9 1- * *", "days of the month"),
        ("0 9 1,,2 * *", "days of the month"),
        ("0 9 9-1 * *", "days of the month"),
        ("0 9 5/2 * *", "days of the month"),
        ("0 9 */0 * *", "days of the month"),
        ("0 9 * 13 *", "months"),
        ("0 9 * january *", "months"),
        ("0 9 * mon *", "months"),
        ("0 9 * * 8", "days of the week"),
        ("0 9 * * jan", "days of the week"),
        ("0 9 * * mon#2", "days of the week"),
        ("0 9 * * sat-fri", "days of the week"),
        ("0 9 1 * mon", "its third or its fifth"),
        ("0 9 30 2 *", "none of its months"),
        ("0 9 31 4,6,9,11 *", "none of its months"),
        ("0 9 999999999999 * *", "days of the month"),
    ] {
        let refused = cron.parse::<Cron>().unwrap_err().0;
        assert!(refused.contains(wanted), "{cron}: {refused}");
    }
}

#[test]
fn a_run_is_at_the_local_time_of_its_zone() {
    let berlin = "Europe/Berlin";
    assert_eq!(
        runs("0 9 * * mon", berlin, "2026-11-23T08:00:00Z", 2),
        ["2026-11-30 2026-11-30T08:00:00Z", "2026-12-07 2026-12-07T08:00:00Z"],
        "one that is now has come"
    );
    assert_eq!(runs("0 9 * * mon", berlin, "2026-11-23T07:59:59Z", 1), ["2026-11-23 2026-11-23T08:00:00Z"]);
    // The date is that of the zone.
    assert_eq!(runs("0 1 * * *", "Pacific/Auckland", "2026-11-23T09:00:00Z", 1), ["2026-11-24 2026-11-23T12:00:00Z"]);
    assert_eq!(
        runs("0 23 * * *", "America/Los_Angeles", "2026-11-23T06:59:00Z", 1),
        ["2026-11-22 2026-11-23T07:00:00Z"]
    );
    // From one month and year to the next; months without the day are left out.
    assert_eq!(
        runs("0 0 31 * *", "UTC", "2026-12-31T00:00:00Z", 3),
        ["2027-01-31 2027-01-31T00:00:00Z", "2027-03-31 2027-03-31T00:00:00Z", "2027-05-31 2027-05-31T00:00:00Z",]
    );
    assert_eq!(runs("0 9 29 2 *", "UTC", "2026-11-23T00:00:00Z", 1), ["2028-02-29 2028-02-29T09:00:00Z"]);
    // 2100 has none.
    assert_eq!(runs("0 9 29 2 *", "UTC", "2096-02-29T09:00:00Z", 1), ["2104-02-29 2104-02-29T09:00:00Z"]);
}

#[test]
fn a_time_that_daylight_saving_skips_is_the_next_that_exists_and_of_one_that_exists_twice_the_first_is_meant() {
    let berlin = "Europe/Berlin";
    assert_eq!(
        runs("30 2 * * *", berlin, "2027-03-27T00:00:00Z", 3),
        ["2027-03-27 2027-03-27T01:30:00Z", "2027-03-28 2027-03-28T01:00:00Z", "2027-03-29 2027-03-29T00:30:00Z",]
    );
    assert_eq!(
        runs("30 2 * * *", berlin, "2026-10-24T12:00:00Z", 2),
        ["2026-10-25 2026-10-25T00:30:00Z", "2026-10-26 2026-10-26T01:30:00Z",]
    );
    // At the edges of the hour.
    assert_eq!(runs("0 2 28 3 *", berlin, "2027-01-01T00:00:00Z", 1), ["2027-03-28 2027-03-28T01:00:00Z"]);
    assert_eq!(runs("0 3 28 3 *", berlin, "2027-01-01T00:00:00Z", 1), ["2027-03-28 2027-03-28T01:00:00Z"]);
    assert_eq!(runs("0 3 31 10 *", berlin, "2027-01-01T00:00:00Z", 1), ["2027-10-31 2027-10-31T02:00:00Z"]);
    // Half an hour, and at midnight.
    assert_eq!(
        runs("15 2 * * sun", "Australia/Lord_Howe", "2026-10-03T12:00:00Z", 1),
        ["2026-10-04 2026-10-03T15:30:00Z"]
    );
    assert_eq!(runs("15 0 * * fri", "Africa/Cairo", "2027-04-29T00:00:00Z", 1), ["2027-04-30 2027-04-29T22:00:00Z"]);
    // A day that a zone left out altogether comes as the next one begins.
    assert_eq!(runs("0 9 30 12 *", "Pacific/Apia", "2011-12-01T00:00:00Z", 1), ["2011-12-30 2011-12-30T10:00:00Z"]);
}

#[test]
fn a_run_is_found_by_its_time_and_by_either_time_of_an_hour_that_comes_twice() {
    let daily = recurrence("30 2 * * *", "Europe/Berlin");
    for (at, date) in [
        ("2026-10-25T00:30:00Z", "2026-10-25"),
        ("2026-10-25T01:30:00Z", "2026-10-25"),
        ("2027-03-28T01:00:00Z", "2027-03-28"),
        ("2027-03-29T00:30:00Z", "2027-03-29"),
    ] {
        assert_eq!(daily.run_at(time(at)).unwrap().date.to_string(), date, "{at}");
    }
    let weekly = recurrence("30 2 * * sun", "Europe/Berlin");
    assert_eq!(weekly.run_at(time("2027-03-29T00:30:00Z")), None, "a Monday");
    let apia = recurrence("0 9 30 12 *", "Pacific/Apia");
    assert_eq!(apia.run_at(time("2011-12-30T10:00:00Z")).unwrap().date.to_string(), "2011-12-30");
}

fn crons() -> impl Strategy<Value = String> {
    let days = select(vec![
        "* * *",
        "* * 0",
        "* * 1-5",
        "* */5 */3",
        "1 * *",
        "31 * *",
        "*/7 2-11 *",
        "29 2 *",
        "28 3 *",
        "25,31 10,3 *",
    ]);
    // Where clocks are changed.
    let hour = select(vec![0_u8, 1, 2, 3, 9, 23]);
    (0..60_u8, hour, days).prop_map(|(minute, hour, days)| format!("{minute} {hour} {days}"))
}

fn zones() -> impl Strategy<Value = &'static str> {
    select(vec![
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Africa/Cairo",
        "Asia/Kathmandu",
        "America/Santiago",
        "Pacific/Apia",
    ])
}

proptest! {
    #[test]
    fn the_next_run_is_on_the_first_of_its_dates_whose_time_is_still_to_come(
        cron in crons(), zone in zones(), after in 1_700_000_000_i64..1_900_000_000,
    ) {
        let schedule = recurrence(&cron, zone);
        let after = Timestamp::from_second(after).unwrap();
        let run = schedule.next_after(after).unwrap();
        prop_assert!(run.at > after && schedule.cron.falls_on(run.date));
        let clock = TimeZone::get(zone).unwrap();
        let wanted = run.date.to_datetime(schedule.cron.time);
        let shown = run.at.to_zoned_datetime(clock.clone()).datetime();
        let just_before = (run.at - 1.second()).to_zoned_datetime(clock.clone()).datetime();
        match run.local {
            LocalTime::Once => prop_assert_eq!(shown, wanted),
            LocalTime::Skipped => prop_assert!(just_before < wanted && wanted < shown),
            LocalTime::Twice => {
                prop_assert_eq!(shown, wanted);
                // The second is the one that counts from the end.
                prop_assert!(clock.to_ambiguous_timestamp(wanted).later().unwrap() > run.at);
            }
        }
        // Whatever lies between falls on no date of the schedule, or has come.
        let mut date: Date = after.to_zoned_datetime(clock).date().yesterday().unwrap();
        let first = schedule.next_after(after - 72.hours());
        let runs = std::iter::successors(first, |run| schedule.next_after(run.at));
        let come: Vec<Date> = runs.take_while(|run| run.at <= after).map(|run| run.date).collect();
        while date < run.date {
            prop_assert!(!schedule.cron.falls_on(date) || come.contains(&date), "{}", date);
            date = date.tomorrow().unwrap();
        }
        prop_assert_eq!(schedule.run_at(run.at).map(|run| run.at), Some(run.at));
    }

    #[test]
    fn no_text_is_more_than_refused(text in "[0-9a-z*/, -]{0,24}", zone in zones()) {
        if let Ok(cron) = text.parse::<Cron>() {
            let schedule = Recurrence { cron, zone: zone.parse().unwrap() };
            prop_assert!(schedule.next_after(time("2026-11-23T09:00:00Z")).is_some(), "{} never comes", text);
        }
    }
}

fn newsletter() -> Value {
    json!({
        "cron": "0 9 * * mon", "time_zone": "Europe/Berlin",
        "campaign": { "id": "rust-{{date}}", "topic": "rust", "channel": "work", "template": "newsletter",
            "not_before": null, "expires_at": null },
    })
}

#[test]
fn each_fault_of_a_newsletter_is_named_with_its_place() {
    assert_refused(
        &newsletter(),
        Newsletter::parse,
        [
            ("/cron", json!("0 9 1 * mon"), "its third or its fifth"),
            ("/cron", json!(9), "text"),
            ("/cron", json!(null), "text"),
            ("/time_zone", json!("CET+1"), "IANA"),
            ("/time_zone", json!(null), "text"),
            ("/campaign", json!("rust-{{date}}"), "the body of a campaign"),
            ("/campaign", json!([]), "the body of a campaign"),
            ("/campaign/id", json!("rust-weekly"), "{{date}}"),
            ("/campaign/not_before", json!("2026-11-30T09:00:00Z"), "starts at its own time"),
            ("/campaign/expires_at", json!("2026-11-30T09:00:00Z"), "7 days after"),
            ("/day", json!(1), "no such field"),
        ],
    );
    let faults = Newsletter::parse(&json!({ "cron": "9", "zone": 1, "campaign": { "id": "a", "not_before": 1 } }));
    let fields: Vec<String> = faults.unwrap_err().into_iter().map(|fault| fault.field).collect();
    assert_eq!(fields, ["/cron", "/time_zone", "/campaign/id", "/campaign/not_before", "/zone"]);
}

#[test]
fn the_campaign_of_a_run_has_its_date_and_ends_a_week_after_it() {
    let newsletter = Newsletter::parse(&newsletter()).unwrap();
    let run = newsletter.schedule.next_after(time("2026-11-23T09:00:00Z")).unwrap();
    let campaign = newsletter.campaign_of(&run);
    assert_eq!((&campaign["id"], &campaign["expires_at"]), (&json!("rust-2026-11-30"), &json!("2026-12-07T08:00:00Z")));
    assert_eq!(Newsletter::parse(&newsletter.to_json()).unwrap(), newsletter);
}

#[test]
fn the_message_of_a_run_reads_the_same_whoever_puts_its_time_in() {
    let id = "weekly".parse().unwrap();
    let body = r#"{"format":1,"kind":"newsletter","newsletter":"weekly","scheduled":"2026-11-30T08:00:00Z"}"#;
    assert_eq!(newsletter_body(&id, "2026-11-30T08:00:00Z"), body);
    let message = Message::Newsletter { newsletter: id, scheduled: time("2026-11-30T08:00:00Z") };
    assert_eq!(message.body().unwrap(), body);
    assert_eq!(Message::from_body(body).unwrap(), message);
}
