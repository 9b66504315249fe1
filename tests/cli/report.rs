//! Reports as they are read on a terminal of 80 columns.

use germane::cli::{
    report::{Report, Tense},
    screen::Paint,
};
use serde_json::{Value, json};

fn text(report: &Value, tense: Tense) -> String {
    let text = Report::read(report).unwrap().text(tense, Paint::PLAIN);
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "too wide: {line}");
        assert_eq!(line, line.trim_end());
    }
    text
}

fn complete() -> Value {
    json!({
        "campaign": "rust-weekly-2026-47", "status": "complete", "status_detail": null, "decided": 10_000,
        "audience": 10_000,
        "outcomes": { "sent": 3120, "skipped": 6850, "deferred": 0, "held_out": 30, "failed": 0, "in_doubt": 0 },
        "reasons": { "no_consent": 2100, "not_interested": 3300, "frequency_cap": 900, "no_address": 550, "holdout": 30 },
        "feedback": { "delivered": 3100, "hard_bounced": 4, "soft_bounced": 9, "complained": 1 },
    })
}

#[test]
fn a_report_is_a_table_of_reasons_with_bars() {
    insta::assert_snapshot!(text(&complete(), Tense::Done));
}

#[test]
fn a_preview_adds_examples_and_an_estimate() {
    let mut report = complete();
    report["examples"] = json!({
        "sent": ["r-1", "r-9"], "no_consent": ["r-2", "r-3", "r-4", "r-5", "r-6"], "holdout": ["r-77"],
    });
    report["estimate"] = json!({ "sends": 3120, "duration_seconds": 223, "cost_usd": 0.4992 });
    insta::assert_snapshot!(text(&report, Tense::Foreseen));
}

#[test]
fn a_refused_campaign_says_why_and_shows_no_empty_table() {
    let report = json!({
        "campaign": "rust-weekly-2026-47", "status": "refused",
        "status_detail": { "code": "template", "message": "the template newsletter is not known" },
        "decided": 0, "audience": null, "outcomes": {}, "reasons": {},
    });
    insta::assert_snapshot!(text(&report, Tense::Done), @r"
    rust-weekly-2026-47: refused, 0 people decided so far
    the template newsletter is not known
    ");
}

#[test]
fn a_million_people_and_the_longest_words_still_fit() {
    let report = json!({
        "campaign": "c-1", "status": "waiting_for_window", "decided": 9_999_999, "audience": 9_999_999, "unknown": 2,
        "status_detail": { "code": "window", "message": "it is night for some", "until": "2026-11-24T08:00:00Z" },
        "outcomes": { "sent": 5_000_000, "skipped": 4_999_999 },
        "reasons": { "profiling_not_permitted": 4_000_000, "no_address": 999_998, "a_reason_of_tomorrow": 1 },
    });
    insta::assert_snapshot!(text(&report, Tense::Done));
}
