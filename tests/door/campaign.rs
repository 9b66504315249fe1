//! Campaigns at the door, checked against the policy, the clock and themselves.

use germane::domain::{
    campaign::{Audience, Campaign, Kind, OnCap},
    door::Fault,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{assert_refused, assert_taken, nested, places};
use crate::given::{campaign_document, days_ago, millis, now, policy, with};

fn parse(document: &Value) -> Result<Campaign, Vec<Fault>> {
    Campaign::parse(document, &policy(), now())
}

fn in_days(days: i64) -> Timestamp {
    days_ago(-days)
}

#[test]
fn each_bad_field_of_a_campaign_is_named() {
    let window = |opens: &str, closes: &str, days: Value| json!({ "opens": opens, "closes": closes, "days": days });
    assert_refused(
        &campaign_document(),
        parse,
        [
            ("/id", json!("a b"), "A-Z a-z 0-9"),
            ("/id", json!("someone@example.com"), "A-Z a-z 0-9"),
            ("/id", json!(""), "1 to 128"),
            ("/id", json!(7), "a text"),
            ("/id", json!(null), "a text"),
            ("/kind", json!("advert"), "marketing or notice"),
            ("/topic", json!("Rust"), "a topic: segments"),
            ("/topic", json!("rust//async"), "a topic: segments"),
            ("/topic", json!("python"), "a topic of the policy"),
            ("/topic", json!("rusty"), "a topic of the policy"),
            ("/channel", json!("home"), "work or personal"),
            ("/template", json!("../secrets"), "A-Z a-z 0-9"),
            ("/content", json!([]), "an object"),
            ("/audience", json!("nobody"), "everyone"),
            ("/audience", json!([]), "everyone"),
            ("/min_interest", json!(-0.1), "from 0 to 1"),
            ("/min_interest", json!(1.1), "from 0 to 1"),
            ("/min_interest", json!("0.3"), "from 0 to 1"),
            ("/promotes", json!("course"), "a list"),
            ("/promotes/0", json!("a b"), "A-Z a-z 0-9"),
            ("/frequency/exempt", json!("yes"), "true or false"),
            ("/frequency/counts", json!(1), "true or false"),
            ("/on_cap", json!("wait"), "skip or defer"),
            ("/send_window", window("09:00", "09:00", json!(["mon"])), "a window that opens"),
            ("/send_window", window("09:00", "18:00", json!([])), "a window that opens"),
            ("/not_before", json!("2026-11-24T09:00:00"), "a time with its zone"),
            ("/not_before", json!("tomorrow"), "a time with its zone"),
            ("/expires_at", json!("2026-11-30"), "a time with its zone"),
            ("/expires_at", json!("2026-11-30T00:00:00"), "a time with its zone"),
            ("/expires_at", json!(1_764_460_800), "a text"),
            ("/expires_at", json!("2026-11-30T25:00:00Z"), "a time with its zone"),
            ("/holdout_percent", json!(101), "from 0 to 100"),
            ("/holdout_percent", json!(-1), "from 0 to 100"),
            ("/holdout_percent", json!(0.5), "a whole number"),
            ("/chanel", json!("work"), "no such field; known are: id, kind, topic"),
            ("/frequency/cap", json!(1), "known are: exempt, counts"),
            ("/a~1b~0c", json!("someone@example.com"), "no such field"),
        ],
    );
}

#[test]
fn a_windows_faults_are_named_inside_it() {
    let window = json!({ "opens": "09:00", "closes": "18:00", "days": ["mon"] });
    let good = with(campaign_document(), "/send_window", window);
    assert_refused(
        &good,
        parse,
        [
            ("/send_window/opens", json!("9:00"), "a local time"),
            ("/send_window/opens", json!(" 9:00"), "a local time"),
            ("/send_window/opens", json!("+9:00"), "a local time"),
            ("/send_window/opens", json!("09:0 "), "a local time"),
            ("/send_window/opens", json!("24:00"), "a local time"),
            ("/send_window/opens", json!("09:60"), "a local time"),
            ("/send_window/closes", json!("09.30"), "a local time"),
            ("/send_window/closes", json!(18), "a text"),
            ("/send_window/days", json!("mon"), "a list"),
            ("/send_window/days/0", json!("Monday"), "mon, tue"),
            ("/send_window/zone", json!("UTC"), "known are: opens, closes, days"),
        ],
    );
    assert_taken(
        &good,
        parse,
        [("/send_window", json!({ "opens": "22:00", "closes": "02:00" })), ("/send_window/closes", json!("00:00"))],
    );
}

#[test]
fn required_fields_are_named_where_they_are_missing() {
    let faults = parse(&json!({})).unwrap_err();
    assert_eq!(places(&faults), ["/id", "/topic", "/channel", "/template"]);
    assert!(faults.iter().all(|fault| fault.found == "nothing"));
    let faults = parse(&json!("campaign")).unwrap_err();
    assert_eq!((places(&faults), faults[0].wanted.as_str()), (vec![""], "an object"));
}

#[test]
fn every_fault_is_named_at_once() {
    let document = json!({
        "id": "a b", "topic": "python", "channel": "home", "template": "a/b", "min_interest": 7,
        "promotes": ["ok", "not ok", 3], "frequency": { "exempt": 1, "more": 2 }, "on_cap": "maybe",
        "send_window": { "opens": "9", "days": ["someday"] }, "expires_at": "2026-11-22T00:00:00Z",
        "holdout_percent": 101, "sendd_window": {},
    });
    let faults = parse(&document).unwrap_err();
    let expected = [
        "/id",
        "/channel",
        "/template",
        "/min_interest",
        "/promotes/1",
        "/promotes/2",
        "/frequency/exempt",
        "/frequency/more",
        "/on_cap",
        "/send_window/opens",
        "/send_window/closes",
        "/send_window/days/0",
        "/holdout_percent",
        "/sendd_window",
        "/topic",
        "/expires_at",
    ];
    assert_eq!(places(&faults), expected);
}

#[test]
fn a_channel_that_the_topic_does_not_allow_is_refused() {
    let good = with(with(campaign_document(), "/topic", json!("garden/tools")), "/channel", json!("personal"));
    assert_refused(&good, parse, [("/channel", json!("work"), "allows for this topic: personal")]);
}

#[test]
fn the_closest_topic_of_the_policy_says_which_channels_are_allowed() {
    let narrower = json!({ "rust": { "channels": ["work", "personal"] }, "rust/jobs": { "channels": ["personal"] } });
    let document = with(crate::given::policy_document(), "/topics", narrower);
    let policy = germane::domain::policy::Policy::parse(&document).unwrap();
    let on = |topic: &str| Campaign::parse(&with(campaign_document(), "/topic", json!(topic)), &policy, now());
    assert!(on("rust/async").is_ok());
    assert_eq!(places(&on("rust/jobs").unwrap_err()), ["/channel"]);
    assert_eq!(places(&on("rust/jobs/remote").unwrap_err()), ["/channel"]);
}

#[test]
fn a_campaign_ends_after_it_starts_and_within_30_days() {
    let end = |at: Timestamp| json!(at);
    assert_refused(
        &campaign_document(),
        parse,
        [
            ("/expires_at", end(now()), "after now"),
            ("/expires_at", end(now() - millis(1)), "after now"),
            ("/expires_at", end(in_days(30) + millis(1)), "at most 30 days"),
        ],
    );
    assert_taken(
        &campaign_document(),
        parse,
        [
            ("/expires_at", end(now() + millis(1))),
            ("/expires_at", end(in_days(30))),
            ("/expires_at", json!("2026-11-30T01:00:00+01:00")),
            ("/not_before", json!("2020-01-01T00:00:00Z")),
        ],
    );
    let starts = with(campaign_document(), "/not_before", json!("2026-11-29T00:00:00Z"));
    assert_refused(&starts, parse, [("/expires_at", json!("2026-11-29T00:00:00Z"), "after not_before")]);
}

#[test]
fn a_start_is_less_than_30_days_away_whatever_the_end() {
    let open_end = with(campaign_document(), "/expires_at", json!(null));
    assert_refused(&open_end, parse, [("/not_before", json!(in_days(30)), "less than 30 days")]);
    assert_taken(&open_end, parse, [("/not_before", json!(in_days(30) - millis(1)))]);
}

#[test]
fn a_campaign_without_an_end_ends_7_days_after_its_start_and_never_later_than_30_days_from_now() {
    let ends = |not_before: Value| {
        let open_end = with(campaign_document(), "/expires_at", json!(null));
        parse(&with(open_end, "/not_before", not_before)).unwrap().expires_at
    };
    assert_eq!(ends(json!(null)), in_days(7));
    assert_eq!(ends(json!("2026-11-20T09:00:00Z")), in_days(7));
    assert_eq!(ends(json!(in_days(2))), in_days(9));
    assert_eq!(ends(json!(in_days(25))), in_days(30));
}

#[test]
fn a_notice_promotes_nothing_and_uses_a_template_that_the_policy_lists() {
    let faults = parse(&with(campaign_document(), "/kind", json!("notice"))).unwrap_err();
    assert_eq!(places(&faults), ["/promotes", "/template"]);
    let notice = with(with(campaign_document(), "/promotes", json!([])), "/template", json!("data-notice"));
    assert_eq!(parse(&with(notice, "/kind", json!("notice"))).unwrap().kind, Kind::Notice);
}

#[test]
fn what_is_absent_or_null_has_the_defaults_of_the_contract() {
    let least = json!({ "id": "c-1", "topic": "rust", "channel": "work", "template": "newsletter" });
    let campaign = parse(&least).unwrap();
    assert_eq!((campaign.kind, campaign.on_cap), (Kind::Marketing, OnCap::Skip));
    assert_eq!(campaign.audience, Audience::Everyone);
    assert!(!campaign.frequency.exempt && campaign.frequency.counts);
    assert_eq!((campaign.min_interest, campaign.send_window.clone(), campaign.not_before), (None, None, None));
    assert_eq!(campaign.holdout_percent, 0);
    let mut nulls = least;
    for field in
        ["kind", "content", "audience", "min_interest", "promotes", "frequency", "on_cap", "send_window", "expires_at"]
    {
        nulls[field] = Value::Null;
    }
    assert_eq!(parse(&nulls).unwrap(), campaign);
}

#[test]
fn a_listed_audience_has_1_to_1000_ids_each_once() {
    let ids = |n: usize| json!({ "recipients": (0..n).map(|n| format!("r-{n}")).collect::<Vec<_>>() });
    let listed = with(campaign_document(), "/audience", json!({ "recipients": ["r-2", "r-1", "r-2"] }));
    let Audience::Recipients(recipients) = parse(&listed).unwrap().audience else { panic!("expected a list") };
    assert_eq!(recipients.iter().map(ToString::to_string).collect::<Vec<_>>(), ["r-1", "r-2"]);
    assert_refused(
        &listed,
        parse,
        [
            ("/audience/recipients", json!([]), "at least one id"),
            ("/audience/recipients", ids(1_001)["recipients"].clone(), "at most 1000 items"),
            ("/audience/recipients/1", json!("someone@example.com"), "A-Z a-z 0-9"),
            ("/audience/segment", json!("vip"), "known are: recipients"),
        ],
    );
    assert_taken(&campaign_document(), parse, [("/audience", ids(1_000))]);
    let empty = parse(&with(campaign_document(), "/audience", json!({}))).unwrap_err();
    assert_eq!(places(&empty), ["/audience/recipients"]);
}

#[test]
fn content_is_limited_in_size_and_depth() {
    let text = |bytes: usize| json!({ "t": "x".repeat(bytes - r#"{"t":""}"#.len()) });
    assert_taken(&campaign_document(), parse, [("/content", text(65_536)), ("/content/deep", nested(30))]);
    assert_refused(&campaign_document(), parse, [("/content", text(65_537), "at most 65536 bytes")]);
    let too_deep = with(campaign_document(), "/content/deep", nested(31));
    let faults = parse(&too_deep).unwrap_err();
    assert_eq!((places(&faults), faults[0].wanted.as_str()), (vec![""], "at most 32 levels of nesting"));
}

#[test]
fn what_is_found_is_shown_short_and_without_addresses() {
    let found = |value: Value| parse(&with(campaign_document(), "/id", value)).unwrap_err()[0].found.clone();
    assert_eq!(found(json!("a b")), "\"a b\"");
    assert_eq!(found(json!("a\nb\u{9b}")), "\"a\\nb\\u{9b}\"");
    assert_eq!(found(json!("someone@example.com")), "a text of 19 characters with an @");
    assert_eq!(found(json!({ "a": 1 })), "an object");
    assert_eq!(found(json!("x ".repeat(500))).chars().count(), 61);
}

#[test]
fn a_restored_campaign_is_the_one_that_was_accepted_also_after_its_end() {
    let campaign = parse(&campaign_document()).unwrap();
    assert_eq!(Campaign::restore(&json!(campaign)), Ok(campaign));
}

#[test]
fn times_are_kept_to_the_millisecond_as_they_will_be_read_back() {
    let now = now() + SignedDuration::from_nanos(123_456_789);
    let open_end = with(campaign_document(), "/expires_at", json!(null));
    let campaign = Campaign::parse(&open_end, &policy(), now).unwrap();
    assert_eq!(campaign.expires_at.to_string(), "2026-11-30T09:00:00.123Z");
    assert_eq!(Campaign::restore(&json!(campaign)), Ok(campaign));
}
