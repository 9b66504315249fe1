//! The closed sets of the document, and what the detail of each decision holds.

use std::collections::{BTreeMap, BTreeSet};

use germane::{
    domain::{
        campaign::{Campaign, Kind, OnCap},
        channel::{Channel, Context},
        consent::{Basis, ConsentStatus},
        decision::{CapRule, Grounds, Outcome, OutcomeKind, Reason, ReasonCode, Shortfall},
        gate::Gate,
        id::Ref,
        interest::{InterestSource, Strength},
        policy::Policy,
        price::Plan,
        readiness::{Looked, State},
        recipient::{SuppressionKind, Unusable},
        report::{CampaignStatus, StatusCode},
    },
    flow::{
        api::{
            Code,
            recipients::{Merged, Place},
            suppressions::Suppressing,
            trial::Tried,
        },
        ledger::Entry,
    },
};
use serde_json::{Value, json};

use super::document;
use crate::given::{now, policy_document, time, topic};

#[test]
fn the_words_of_the_document_are_those_of_the_code() {
    let code = [
        ("CampaignKind", json!(Kind::ALL)),
        ("OnCap", json!(OnCap::ALL)),
        ("Channel", json!(Channel::ALL)),
        ("Context", json!(Context::ALL)),
        ("ConsentStatus", json!(ConsentStatus::ALL)),
        ("Basis", json!(Basis::ALL)),
        ("InterestSource", json!(InterestSource::ALL)),
        ("Outcome", json!(OutcomeKind::ALL)),
        ("Reason", json!(ReasonCode::ALL)),
        ("CapRule", json!(CapRule::ALL)),
        ("Gate", json!(Gate::ALL)),
        ("SuppressionKind", json!(SuppressionKind::ALL)),
        ("Unusable", json!(Unusable::ALL)),
        ("CampaignStatus", json!(CampaignStatus::ALL)),
        ("StatusCode", json!(StatusCode::ALL)),
        ("CheckName", json!(Looked::ALL)),
        ("CheckState", json!(State::ALL)),
        ("Plan", json!(Plan::ALL)),
        ("ProblemCode", json!(Code::ALL)),
        ("TestOutcome", json!(Tried::ALL)),
        ("Merged", json!(Merged::ALL)),
        ("AudienceEveryone", json!(["everyone"])),
        ("Weekday", json!(["mon", "tue", "wed", "thu", "fri", "sat", "sun"])),
        ("LineOutcome", json!(["created", "updated", "refused"])),
        ("SuppressionOutcome", json!([Suppressing::Suppressed, Suppressing::Kept, "refused"])),
        ("Place", json!(Place::ALL)),
    ];
    let code: BTreeMap<String, Value> = code.into_iter().map(|(name, words)| (name.to_owned(), words)).collect();
    let document = document();
    let components = document.0["components"]["schemas"].as_object().unwrap();
    let described: BTreeMap<String, Value> =
        components.iter().filter_map(|(name, schema)| Some((name.clone(), schema.get("enum")?.clone()))).collect();
    assert_eq!(described, code);
}

#[test]
fn every_problem_code_is_named_by_an_operation_or_by_the_introduction() {
    let document = document();
    let mut named: BTreeSet<String> = BTreeSet::new();
    for (_, _, operation) in document.operations() {
        for response in operation["responses"].as_object().unwrap().values() {
            let codes = &response["content"]["application/problem+json"]["schema"]["allOf"][1]["properties"]["code"];
            let words = codes["enum"].as_array().into_iter().flatten();
            named.extend(words.map(|word| word.as_str().unwrap().to_owned()));
        }
    }
    let about = document.0["info"]["description"].as_str().unwrap();
    for code in Code::ALL {
        let code = code.as_str();
        assert!(named.contains(code) || about.contains(&format!("`{code}`")), "{code}");
    }
}

#[test]
fn the_detail_of_each_decision_has_the_keys_that_the_document_names_for_its_reason() {
    let document = document();
    for outcome in outcomes() {
        let decision = decided(outcome);
        assert_eq!(document.faults(document.component("Decision"), &decision), Vec::<String>::new());
    }
    let mut wrong = decided(Outcome::Skipped(Reason::NoTimeZone));
    wrong["reason"] = json!("holdout");
    assert_ne!(document.faults(document.component("Decision"), &wrong), Vec::<String>::new());
}

fn decided(outcome: Outcome) -> Value {
    let policy = Policy::parse(&policy_document()).unwrap();
    let body = json!({ "id": "rust-weekly-2026-47", "topic": "rust", "channel": "work", "template": "newsletter" });
    let campaign = Campaign::parse(&body, &policy, now()).unwrap();
    let entry = Entry { reference: Ref([1; 8]), outcome, decided_at: now(), policy_version: 3 };
    entry.to_json(&campaign, &"r-1042".parse().unwrap())
}

/// One of each reason, and those that have none.
fn outcomes() -> Vec<Outcome> {
    let grounds =
        Grounds { consent: Some(topic("rust")), interest: Some(topic("rust")), strength: Some(Strength::new(0.9)) };
    let reasons = ReasonCode::ALL.iter().filter_map(|code| reason(*code)).map(Outcome::Skipped);
    let others =
        [Outcome::Sent(grounds), Outcome::Sent(Grounds::default()), Outcome::HeldOut { percent: 10 }, Outcome::InDoubt];
    reasons.chain(others).collect()
}

/// A reason of each code; an outcome in doubt is its own.
fn reason(code: ReasonCode) -> Option<Reason> {
    let (at, expires_at) = (time("2026-03-12T09:00:00Z"), time("2026-04-12T09:00:00Z"));
    let topic = topic("rust");
    let short = Shortfall { topic: topic.clone(), strength: Strength::new(0.1), threshold: Strength::new(0.3) };
    Some(match code {
        ReasonCode::Suppressed => Reason::Suppressed { kind: SuppressionKind::Complaint, since: at },
        ReasonCode::NoAddress => Reason::NoAddress { channel: Channel::Work },
        ReasonCode::AddressUnusable => Reason::AddressUnusable { channel: Channel::Work, kind: Unusable::HardBounce },
        ReasonCode::NoConsent => Reason::NoConsent { topic },
        ReasonCode::ConsentPending => Reason::ConsentPending { topic, at },
        ReasonCode::ConsentWithdrawn => Reason::ConsentWithdrawn { topic, at },
        ReasonCode::ConsentExpired => Reason::ConsentExpired { topic, at, expires_at },
        ReasonCode::Paused => Reason::Paused { until: at },
        ReasonCode::TopicMuted => Reason::TopicMuted { topic },
        ReasonCode::NotInterested => Reason::NotInterested(short),
        ReasonCode::OutOfContext => Reason::OutOfContext(short),
        ReasonCode::ProfilingNotPermitted => Reason::ProfilingNotPermitted(short),
        ReasonCode::AlreadyOwned => Reason::AlreadyOwned { product: "course-rust-101".parse().unwrap() },
        ReasonCode::AlreadySent => Reason::AlreadySent { at },
        ReasonCode::FrequencyCap => {
            Reason::FrequencyCap { sends: 1, days: 7, used: 1, next_slot: at, rule: CapRule::Recipient }
        }
        ReasonCode::OutsideSendWindow => {
            Reason::OutsideSendWindow { opens_at: at, time_zone: "Europe/Berlin".to_owned() }
        }
        ReasonCode::NoTimeZone => Reason::NoTimeZone,
        ReasonCode::Holdout => Reason::Holdout { percent: 10 },
        ReasonCode::CampaignExpired => Reason::CampaignExpired,
        ReasonCode::CampaignCancelled => Reason::CampaignCancelled,
        ReasonCode::Quota => Reason::Quota,
        ReasonCode::Throttled => Reason::Throttled,
        ReasonCode::Stopped => Reason::Stopped,
        ReasonCode::Contended => Reason::Contended,
        ReasonCode::Rejected => Reason::Rejected { status: "MESSAGE_REJECTED".to_owned() },
        ReasonCode::NotRendered => Reason::NotRendered,
        ReasonCode::InDoubt => return None,
    })
}
