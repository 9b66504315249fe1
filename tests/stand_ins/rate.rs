//! The send rate and the daily quota: the windows by themselves, and what a call over them is told.

use aws_sdk_sesv2::{
    error::ProvideErrorMetadata,
    operation::send_email::builders::SendEmailFluentBuilder,
    types::{Body, BulkEmailEntry, Content, Destination, EmailContent, Message},
};
use germane::local::ses::{Allowance, Room, SesConfig, Tally, Throttle};
use jiff::{SignedDuration, Timestamp};
use proptest::{collection::vec, prelude::*, sample::select};

use super::{Stack, data, entry, statuses};

const ANY: f64 = -1.0;

fn at_ns(nanoseconds: i64) -> Timestamp {
    let start: Timestamp = "2026-11-23T09:00:00Z".parse().unwrap();
    start + SignedDuration::from_nanos(nanoseconds)
}

fn at_ms(milliseconds: i64) -> Timestamp {
    at_ns(milliseconds * 1_000_000)
}

fn at_s(seconds: i64) -> Timestamp {
    at_ms(seconds * 1_000)
}

#[test]
fn what_was_taken_leaves_exactly_a_second_later() {
    let mut allowance = Allowance::new(5.0, ANY);
    assert_eq!(allowance.fits(at_s(0)), 5);

    allowance.take(at_s(0), 3);
    allowance.take(at_ms(400), 2);

    let fits = [400, 999, 1_000, 1_399, 1_400].map(|ms| allowance.fits(at_ms(ms)));
    assert_eq!(fits, [0, 0, 3, 3, 5]);
}

#[test]
fn a_rate_below_one_takes_one_in_as_many_seconds() {
    for (rate, nanoseconds) in [(0.5, 2_000_000_000), (0.25, 4_000_000_000), (0.3, 3_333_333_334)] {
        let mut allowance = Allowance::new(rate, ANY);
        allowance.take(at_s(0), 1);
        assert_eq!([nanoseconds - 1, nanoseconds].map(|ns| allowance.fits(at_ns(ns))), [0, 1], "{rate} a second");
    }
}

#[test]
fn a_second_holds_whole_recipients_and_none_at_a_rate_of_none() {
    let fits = [1.0, 1.9, 14.0, 5_000.0, f64::INFINITY, 0.0, -1.0, f64::NAN]
        .map(|rate| Allowance::new(rate, ANY).fits(at_s(0)));

    assert_eq!(fits, [1, 1, 14, 5_000, usize::MAX, 0, 0, 0]);
}

#[test]
fn the_quota_slides_over_24_hours() {
    let mut allowance = Allowance::new(100.0, 60.0);
    let hour = 60 * 60;
    allowance.take(at_s(0), 40);
    allowance.take(at_s(hour), 15);

    assert_eq!(allowance.room(at_s(2 * hour)), Room { rate: 100, quota: 5 });
    assert_eq!(allowance.fits(at_ms(24 * hour * 1_000 - 1)), 5);
    assert_eq!(allowance.fits(at_s(24 * hour)), 45);
    assert_eq!(allowance.sent_last_24_hours(at_s(24 * hour)), 15);
    assert_eq!(allowance.fits(at_s(25 * hour)), 60);
}

#[test]
fn a_quota_of_minus_one_is_any_number() {
    let mut allowance = Allowance::new(f64::INFINITY, ANY);
    allowance.take(at_s(0), 10_000_000);

    assert_eq!(allowance.room(at_s(0)).quota, usize::MAX - 10_000_000);
}

#[test]
fn what_was_taken_under_a_higher_limit_counts_under_a_lower_one() {
    let mut allowance = Allowance::new(2.0, 3.0);
    allowance.take(at_s(0), 50);

    assert_eq!(allowance.room(at_ms(999)), Room { rate: 0, quota: 0 });
    assert_eq!(allowance.room(at_s(1)), Room { rate: 2, quota: 0 });
}

#[test]
fn a_clock_that_goes_back_fills_no_second_twice() {
    let mut allowance = Allowance::new(5.0, ANY);
    allowance.take(at_s(10), 4);
    allowance.take(at_s(11), 5);

    assert_eq!(allowance.time(at_s(3)), at_s(11));
    assert_eq!(allowance.fits(at_s(3)), 0);
    assert_eq!(allowance.fits(at_s(12)), 5);
}

/// A rate, and what it means: how many in how many milliseconds.
fn rates() -> impl Strategy<Value = (f64, usize, i64)> {
    select(vec![
        (0.1, 1, 10_000),
        (0.5, 1, 2_000),
        (1.0, 1, 1_000),
        (2.5, 2, 1_000),
        (14.0, 14, 1_000),
        (50.0, 50, 1_000),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_second_and_no_day_holds_more_than_its_limit_and_all_that_fits_is_let_in(
        (rate, limit, length) in rates(),
        quota in 1_usize..200,
        arrivals in vec((select(vec![-500_i64, 0, 0, 1, 50, 250, 999, 1_000, 1_001, 40_000_000]), 0_usize..60), 1..120),
    ) {
        #[expect(clippy::cast_precision_loss, reason = "it is below 200")]
        let mut allowance = Allowance::new(rate, quota as f64);
        let (mut now, mut latest) = (0, i64::MIN);
        let mut taken: Vec<(i64, usize)> = Vec::new();
        for (gap, wanted) in arrivals {
            now += gap;
            latest = latest.max(now);
            let since = |length: i64| taken.iter().filter(|(at, _)| at + length > latest).map(|(_, n)| n).sum::<usize>();
            let room = (limit - since(length)).min(quota - since(24 * 60 * 60 * 1_000));
            prop_assert_eq!(allowance.fits(at_ms(now)), room);

            let fitting = wanted.min(room);
            allowance.take(at_ms(now), fitting);
            taken.push((latest, fitting));
        }
        for (start, _) in &taken {
            let within = |length: i64| {
                taken.iter().filter(|(at, _)| (*start..start + length).contains(at)).map(|(_, n)| n).sum::<usize>()
            };
            prop_assert!(within(length) <= limit);
            prop_assert!(within(24 * 60 * 60 * 1_000) <= quota);
        }
    }
}

async fn slow(max_send_rate: f64, daily_quota: f64, throttle: Throttle) -> Stack {
    let config = SesConfig { max_send_rate, daily_quota, throttle, ..SesConfig::default() };
    let stack = Stack::start_with(config).await;
    stack.plain().await;
    stack
}

fn people(count: usize) -> Vec<BulkEmailEntry> {
    (0..count).map(|n| entry(&format!("r-{n}@example.com")).build()).collect()
}

impl Stack {
    fn single(&self) -> SendEmailFluentBuilder {
        let part = |data: &str| Content::builder().data(data).build().unwrap();
        let body = Body::builder().text(part("Text")).build();
        let message = Message::builder().subject(part("A test")).body(body).build();
        self.mailer
            .send_email()
            .from_email_address("news@example.com")
            .destination(Destination::builder().to_addresses("qa@example.com").build())
            .content(EmailContent::builder().simple(message).build())
    }

    async fn sent_last_24_hours(&self) -> String {
        self.mailer.get_account().send().await.unwrap().send_quota().unwrap().sent_last24_hours().to_string()
    }
}

#[tokio::test]
async fn a_throttled_call_takes_nothing() {
    let stack = slow(10.0, ANY, Throttle::Whole).await;
    let call = |count| stack.bulk("plain", "{}").set_bulk_email_entries(Some(people(count)));
    assert_eq!(statuses(call(8)).await, ["SUCCESS"; 8]);

    let throttled = call(3).send().await.unwrap_err();

    assert_eq!(throttled.raw_response().unwrap().status().as_u16(), 429);
    let throttled = throttled.into_service_error();
    assert!(throttled.is_too_many_requests_exception());
    assert_eq!(throttled.message(), Some("Maximum sending rate exceeded."));
    assert_eq!((stack.ses.count(), stack.sent_last_24_hours().await.as_str()), (8, "8"));
    assert_eq!(statuses(call(2)).await, ["SUCCESS"; 2], "what fits is still taken");
    stack.clock.advance(1);
    assert_eq!(statuses(call(10)).await, ["SUCCESS"; 10]);
}

#[tokio::test]
async fn throttled_by_entry_the_first_that_fit_are_taken() {
    let stack = slow(3.0, ANY, Throttle::Entry).await;
    let call = || stack.bulk("plain", "{}").set_bulk_email_entries(Some(people(5)));

    assert_eq!(statuses(call()).await, ["SUCCESS", "SUCCESS", "SUCCESS", "ACCOUNT_THROTTLED", "ACCOUNT_THROTTLED"]);
    assert_eq!(statuses(call()).await, ["ACCOUNT_THROTTLED"; 5]);
    let to: Vec<String> = stack.ses.mails().iter().map(|mail| mail.to.clone()).collect();
    assert_eq!(to, ["r-0@example.com", "r-1@example.com", "r-2@example.com"]);
}

#[tokio::test]
async fn one_mail_over_the_rate_is_refused_in_both_forms() {
    for throttle in [Throttle::Whole, Throttle::Entry] {
        let stack = slow(1.0, ANY, throttle).await;
        stack.single().send().await.unwrap();

        let refused = stack.single().send().await.unwrap_err();

        assert_eq!(refused.raw_response().unwrap().status().as_u16(), 429);
        assert!(refused.into_service_error().is_too_many_requests_exception());
        assert_eq!(stack.ses.count(), 1);
    }
}

#[tokio::test]
async fn what_breaks_a_rule_uses_no_rate_and_what_does_not_render_does() {
    let stack = slow(2.0, ANY, Throttle::Entry).await;
    stack.template("t", "Hello {{name}}", "Text", "<p>HTML</p>").await;
    let entries = [
        entry("not an address").build(),
        entry("a@example.com").build(),
        entry("b@example.com").replacement_email_content(data(r#"{"name":"B"}"#)).build(),
        entry("c@example.com").replacement_email_content(data(r#"{"name":"C"}"#)).build(),
        entry("not an address").build(),
    ];

    let call = stack.bulk("t", "{}").set_bulk_email_entries(Some(entries.to_vec()));

    let wanted = ["INVALID_PARAMETER", "SUCCESS", "SUCCESS", "ACCOUNT_THROTTLED", "INVALID_PARAMETER"];
    assert_eq!(statuses(call).await, wanted);
    assert_eq!(stack.ses.count(), 1, "a@example.com's was not rendered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn however_many_call_at_once_a_second_holds_the_rate() {
    let stack = slow(500.0, ANY, Throttle::Whole).await;

    let calls =
        (0..30).map(|_| tokio::spawn(stack.bulk("plain", "{}").set_bulk_email_entries(Some(people(50))).send()));
    let answers = futures_util::future::join_all(calls).await;

    assert_eq!(answers.iter().filter(|answer| answer.as_ref().unwrap().is_ok()).count(), 10);
    assert_eq!(stack.ses.count(), 500);
    assert_eq!(stack.ses.tally(), Tally { calls: 30, throttled_calls: 20, busiest_second: 500 });
}

#[tokio::test]
async fn the_busiest_second_is_the_fullest_that_begins_anywhere() {
    let stack = slow(100.0, ANY, Throttle::Whole).await;
    for (seconds, count) in [(0, 5), (0, 20), (1, 10), (1, 7)] {
        stack.clock.advance(seconds);
        statuses(stack.bulk("plain", "{}").set_bulk_email_entries(Some(people(count)))).await;
    }
    stack.mailer.get_account().send().await.unwrap();

    assert_eq!(stack.ses.tally(), Tally { calls: 4, throttled_calls: 0, busiest_second: 25 });
}

#[tokio::test]
async fn a_clock_that_goes_back_dates_no_mail_back() {
    let stack = slow(2.0, ANY, Throttle::Entry).await;
    let call = || stack.bulk("plain", "{}").set_bulk_email_entries(Some(people(1)));
    statuses(call()).await;
    stack.clock.advance(-1);

    assert_eq!([statuses(call()).await, statuses(call()).await], [["SUCCESS"], ["ACCOUNT_THROTTLED"]]);
    let mails = stack.ses.mails();
    assert_eq!(mails[1].at, mails[0].at);
}

#[tokio::test]
async fn entries_beyond_the_quota_are_told_so_until_the_oldest_is_24_hours_old() {
    for throttle in [Throttle::Whole, Throttle::Entry] {
        let stack = slow(100.0, 3.0, throttle).await;
        let call = |count| stack.bulk("plain", "{}").set_bulk_email_entries(Some(people(count)));
        statuses(call(1)).await;
        stack.clock.advance(60 * 60);

        let beyond = "ACCOUNT_DAILY_QUOTA_EXCEEDED";
        assert_eq!(statuses(call(3)).await, ["SUCCESS", "SUCCESS", beyond]);
        stack.clock.advance(23 * 60 * 60 - 1);
        assert_eq!(statuses(call(1)).await, [beyond]);
        stack.clock.advance(1);
        assert_eq!(statuses(call(2)).await, ["SUCCESS", beyond]);
        assert_eq!(stack.ses.tally().throttled_calls, 0);
    }
}

#[tokio::test]
async fn one_mail_beyond_the_quota_exceeds_a_limit() {
    let stack = slow(100.0, 1.0, Throttle::Whole).await;
    stack.single().send().await.unwrap();

    let refused = stack.single().send().await.unwrap_err();

    assert_eq!(refused.raw_response().unwrap().status().as_u16(), 400);
    let refused = refused.into_service_error();
    assert!(refused.is_limit_exceeded_exception());
    assert_eq!(refused.message(), Some("Daily message quota exceeded."));
    assert_eq!(stack.ses.count(), 1);
}

#[tokio::test]
async fn a_call_over_both_limits_hears_of_the_quota_first() {
    let stack = slow(2.0, 3.0, Throttle::Entry).await;

    let call = stack.bulk("plain", "{}").set_bulk_email_entries(Some(people(5)));

    let beyond = "ACCOUNT_DAILY_QUOTA_EXCEEDED";
    assert_eq!(statuses(call).await, ["SUCCESS", "SUCCESS", "ACCOUNT_THROTTLED", beyond, beyond]);

    let stack = slow(2.0, 2.0, Throttle::Whole).await;
    let call = stack.bulk("plain", "{}").set_bulk_email_entries(Some(people(3)));
    assert_eq!(statuses(call).await, ["SUCCESS", "SUCCESS", beyond], "within the quota it fits as a whole");
}

#[tokio::test]
async fn the_account_reports_its_limits_as_they_are_and_what_was_sent() {
    let stack = slow(0.5, ANY, Throttle::Whole).await;
    statuses(stack.bulk("plain", "{}").set_bulk_email_entries(Some(people(1)))).await;

    let account = stack.mailer.get_account().send().await.unwrap();

    let quota = account.send_quota().unwrap();
    let figures = [quota.max_send_rate(), quota.max24_hour_send(), quota.sent_last24_hours()];
    assert_eq!(figures.map(|figure| figure.to_string()), ["0.5", "-1", "1"]);
    stack.clock.advance(1);
    let call = stack.bulk("plain", "{}").set_bulk_email_entries(Some(people(1)));
    assert!(call.send().await.unwrap_err().into_service_error().is_too_many_requests_exception());
    stack.clock.advance(1);
    let call = stack.bulk("plain", "{}").set_bulk_email_entries(Some(people(1)));
    assert_eq!(statuses(call).await, ["SUCCESS"]);
}
