//! A person for whom a campaign is germane, as values and as the documents they come from; a test changes the one
//! thing that matters to it.

use germane::domain::{
    campaign::Campaign,
    channel::{Channel, Context},
    consent::{Basis, Consent, ConsentStatus},
    decision::{Decision, ReasonCode},
    frequency::{FrequencyCap, Send, Sends},
    gate,
    id::{CampaignId, ClaimId, Ref, SendKey},
    interest::{Interest, InterestSource, Strength},
    policy::Policy,
    recipient::{Recipient, RecipientChange},
    time::days_after,
    topic::Topic,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// A Monday, 10:00 in Berlin.
pub const NOW: &str = "2026-11-23T09:00:00Z";

pub fn now() -> Timestamp {
    time(NOW)
}

pub fn time(raw: &str) -> Timestamp {
    raw.parse().unwrap()
}

pub fn millis(count: i64) -> SignedDuration {
    SignedDuration::from_millis(count)
}

pub fn days_ago(days: i64) -> Timestamp {
    now() - SignedDuration::from_hours(days * 24)
}

pub fn topic(raw: &str) -> Topic {
    raw.parse().unwrap()
}

/// The policy that the contract shows, with no window and a deeper tree of topics.
pub fn policy_document() -> Value {
    json!({
        "from": "Rust Weekly <news@example.com>", "reply_to": null,
        "postal_address": "Example Ltd, 1 Example Street, 10115 Berlin", "privacy_url": "https://example.com/privacy",
        "topics": {
            "rust": { "channels": ["work", "personal"], "name": { "en": "Rust" }, "purpose": { "en": "News of Rust" } },
            "garden": { "channels": ["personal"] },
        },
        "attributes": { "first_name": { "purpose": { "en": "To greet you by name" }, "source": "sign-up form" } },
        "notices": ["confirm-consent", "data-notice"],
        "frequency": [{ "sends": 3, "days": 7 }, { "sends": 8, "days": 30 }],
        "interest": { "threshold": 0.3, "half_life_days": 180 },
        "send_window": null, "reserved_rate_percent": 10,
        "breaker": { "hard_bounce_percent": 5.0, "complaint_percent": 0.1, "after_sends": 500 },
        "pending_consent_days": 14, "retention_days": 400, "tracking": { "opens": false, "clicks": false },
        "test_addresses": ["qa@example.com"],
    })
}

pub fn campaign_document() -> Value {
    json!({
        "id": "rust-weekly-2026-47", "kind": "marketing", "topic": "rust/async", "channel": "work",
        "template": "newsletter", "content": { "headline": "Async closures" }, "audience": "everyone",
        "min_interest": null, "promotes": ["course-rust-101"], "frequency": { "exempt": false, "counts": true },
        "on_cap": "skip", "send_window": null, "not_before": null, "expires_at": "2026-11-30T00:00:00Z",
        "holdout_percent": 0,
    })
}

pub fn recipient_document() -> Value {
    json!({
        "id": "r-1042", "addresses": { "work": "r-1042@example.com", "personal": "r-1042@example.net" },
        "time_zone": "Europe/Berlin", "locale": "de", "attributes": { "first_name": "Sample" },
        "interests": [{ "topic": "rust", "strength": 0.9, "source": "declared", "context": "work",
                        "at": "2026-03-12T09:00:00Z" }],
        "consents": [{ "topic": "rust", "channel": "work", "status": "granted", "basis": "consent",
                       "source": "signup-form", "evidence": "form v3, double opt-in",
                       "at": "2026-03-12T09:00:00Z", "expires_at": null }],
        "owns": [],
        "preferences": { "max_frequency": null, "paused_until": null, "muted_topics": [] },
    })
}

/// `document` with the value at `pointer` replaced or added.
pub fn with(mut document: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match document.pointer_mut(parent).unwrap() {
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
        parent @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
            parent[name.replace("~1", "/").replace("~0", "~")] = value;
        }
    }
    document
}

pub fn policy() -> Policy {
    Policy::parse(&policy_document()).unwrap()
}

pub fn recipient() -> Recipient {
    let document = recipient_document();
    let change = RecipientChange::parse(&document, None, &policy(), now()).unwrap();
    let mut recipient = Recipient::blank(change.id.clone(), Ref([7; 8]), now());
    change.apply(&mut recipient).unwrap();
    recipient
}

/// What the gate is asked.
#[derive(Debug, Clone)]
pub struct Given {
    pub recipient: Recipient,
    pub campaign: Campaign,
    pub policy: Policy,
    pub now: Timestamp,
}

impl Given {
    /// A campaign on `rust/async` to the work address of somebody who wants it.
    pub fn germane() -> Self {
        let (policy, now) = (policy(), now());
        let campaign = Campaign::parse(&campaign_document(), &policy, now).unwrap();
        Self { recipient: recipient(), campaign, policy, now }
    }

    pub fn but(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub fn decide(&self) -> Decision {
        gate::decide(&self.recipient, &self.campaign, &self.policy, self.now)
    }

    pub fn sends(&self) -> bool {
        matches!(self.decide(), Decision::Send(_))
    }

    /// The code and detail of a skip.
    pub fn skip(&self) -> (ReasonCode, Value) {
        match self.decide() {
            Decision::Skip(reason) => (reason.code(), reason.detail()),
            other @ (Decision::Send(_) | Decision::Defer { .. } | Decision::HoldOut { .. }) => {
                panic!("expected a skip, got {other:?}")
            }
        }
    }

    /// `None` for a send.
    pub fn reason(&self) -> Option<ReasonCode> {
        match self.decide() {
            Decision::Send(_) => None,
            Decision::Skip(reason) | Decision::Defer { reason, .. } => Some(reason.code()),
            Decision::HoldOut { .. } => Some(ReasonCode::Holdout),
        }
    }

    pub fn sent(&mut self, sends: impl IntoIterator<Item = Send>) {
        let mut sends: Vec<Send> = sends.into_iter().collect();
        sends.sort_by_key(|send| send.at);
        self.recipient.sends = Sends::new(sends);
    }
}

/// A consent on the work channel.
pub fn consent(status: ConsentStatus, on: &str, at: Timestamp) -> Consent {
    Consent {
        topic: topic(on),
        channel: Channel::Work,
        status,
        basis: Basis::Consent,
        source: None,
        at,
        expires_at: None,
        by_recipient: false,
    }
}

/// Shown anywhere, as of now.
pub fn interest(source: InterestSource, on: &str, strength: f64) -> Interest {
    Interest { topic: topic(on), strength: Strength::new(strength), source, context: Context::Any, at: now() }
}

/// A send of some other campaign, which uses a slot.
pub fn send(campaign: &str, at: Timestamp) -> Send {
    let id: CampaignId = campaign.parse().unwrap();
    Send { key: SendKey::campaign(&id), at, claim: ClaimId([1; 8]), counts: true }
}

pub fn cap(sends: u32, days: u32) -> FrequencyCap {
    FrequencyCap { sends, days }
}

/// When something at `at` stops counting for `days` days.
pub fn leaves(at: Timestamp, days: u32) -> Timestamp {
    days_after(at, days)
}
