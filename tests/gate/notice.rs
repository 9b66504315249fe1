//! Notices answer to the law, not to taste: gates 1 and 2 bind, nothing else does, and nobody gets one twice in 30
//! days.

use germane::domain::{
    campaign::Kind,
    decision::{Decision, Grounds, ReasonCode},
    frequency::Send,
    gate::{self, Gate},
    id::SendKey,
    recipient::{Suppression, SuppressionKind, Unusable},
};
use jiff::Timestamp;
use serde_json::json;

use crate::given::{Given, cap, days_ago, leaves, millis, now, send, topic};

fn notice() -> Given {
    Given::germane().but(|g| {
        g.campaign.kind = Kind::Notice;
        g.campaign.template = "data-notice".parse().unwrap();
        g.campaign.promotes.clear();
    })
}

/// As a notice is recorded: under its campaign, and a second time under its template.
fn noticed(campaign: &str, template: &str, at: Timestamp) -> [Send; 2] {
    let first = Send { counts: false, ..send(campaign, at) };
    [first, Send { key: SendKey::notice(&template.parse().unwrap()), ..first }]
}

#[test]
fn a_notice_passes_where_taste_consent_caps_windows_and_holdouts_would_refuse() {
    let given = notice().but(|g| {
        let profile = &mut g.recipient.profile;
        profile.consents.clear();
        profile.interests.clear();
        profile.time_zone = None;
        profile.preferences.paused_until = Some(now() + millis(1));
        profile.preferences.muted_topics = vec![topic("rust")];
        profile.preferences.max_frequency = Some(cap(1, 30));
        profile.owns = vec!["course-rust-101".parse().unwrap()];
        g.campaign.holdout_percent = 100;
        g.policy.frequency = vec![cap(1, 30)];
        g.sent([send("other", days_ago(1))]);
    });
    assert_eq!(given.decide(), Decision::Send(Grounds::default()));
}

#[test]
fn a_notice_needs_a_person_and_an_address_that_may_be_mailed() {
    let suppression = Some(Suppression { kind: SuppressionKind::Complaint, since: now() });
    let cases = [
        (notice().but(|g| g.recipient.profile.suppression = suppression), ReasonCode::Suppressed),
        (notice().but(|g| g.recipient.profile.work = None), ReasonCode::NoAddress),
        (
            notice().but(|g| g.recipient.profile.work.as_mut().unwrap().unusable = Some(Unusable::HardBounce)),
            ReasonCode::AddressUnusable,
        ),
    ];
    for (given, code) in cases {
        assert_eq!(given.skip().0, code);
    }
}

#[test]
fn a_notice_reaches_a_person_at_most_once_in_30_days() {
    let noticed_at = |at| notice().but(|g| g.sent(noticed("notice-2026-10", "data-notice", at)));
    let at = days_ago(30) + millis(1);
    let detail = json!({ "sends": 1, "days": 30, "used": 1, "next_slot": leaves(at, 30), "rule": "notice" });
    assert_eq!(noticed_at(at).skip(), (ReasonCode::FrequencyCap, detail));
    assert!(noticed_at(days_ago(30)).sends());
}

#[test]
fn another_notice_has_its_own_30_days() {
    assert!(notice().but(|g| g.sent(noticed("confirm-1", "confirm-consent", days_ago(1)))).sends());
}

#[test]
fn the_same_notice_campaign_never_comes_twice() {
    let given = notice().but(|g| g.sent(noticed("rust-weekly-2026-47", "data-notice", days_ago(2))));
    assert_eq!(given.skip(), (ReasonCode::AlreadySent, json!({ "at": days_ago(2) })));
}

#[test]
fn a_notice_needs_room_for_two_entries_in_the_history() {
    let history = |length: u32| {
        notice().but(|g| g.sent((0..length).map(|n| Send { counts: false, ..send(&format!("r-{n}"), days_ago(1)) })))
    };
    assert!(history(62).sends());
    let detail =
        json!({ "sends": 64, "days": 32, "used": 63, "next_slot": leaves(days_ago(1), 32), "rule": "history" });
    assert_eq!(history(63).skip(), (ReasonCode::FrequencyCap, detail));
}

#[test]
fn explain_lists_only_the_gates_that_bind_a_notice() {
    let given = notice();
    let verdicts = gate::explain(&given.recipient, &given.campaign, &given.policy, given.now);
    let gates: Vec<Gate> = verdicts.iter().map(|verdict| verdict.gate).collect();
    assert_eq!(gates, [Gate::Suppression, Gate::Channel, Gate::Duplicate, Gate::Frequency]);
    let caps = json!({ "caps": [{ "sends": 1, "days": 30, "used": 0, "rule": "notice" }] });
    assert_eq!(verdicts[3].detail, caps);
}
