//! An example of each body. They hang together: one campaign, one person, one policy.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::problem::meaning;
use crate::{domain::report::CampaignStatus, flow::api::Code};

pub fn campaign() -> Value {
    json!({
        "id": "rust-weekly-2026-47", "kind": "marketing", "topic": "rust", "channel": "work", "template": "newsletter",
        "content": { "headline": "Async closures" },
        "audience": "everyone",
        "min_interest": 0.3,
        "promotes": ["course-rust-101"],
        "frequency": { "exempt": false, "counts": true },
        "on_cap": "skip",
        "send_window": { "opens": "09:00", "closes": "18:00", "days": ["mon", "tue", "wed", "thu", "fri"] },
        "not_before": null,
        "expires_at": "2026-11-30T00:00:00Z",
        "holdout_percent": 0,
    })
}

pub fn accepted() -> Value {
    json!({ "id": "rust-weekly-2026-47", "status": "scheduled" })
}

pub fn moved(status: CampaignStatus) -> Value {
    json!({ "id": "rust-weekly-2026-47", "status": status })
}

pub fn trial() -> Value {
    json!({ "to": "qa@example.com", "recipient": "r-1042" })
}

pub fn tried() -> Value {
    json!({ "id": "rust-weekly-2026-47", "result": "sent" })
}

pub fn campaigns() -> Value {
    let campaign = json!({ "id": "rust-weekly-2026-47", "status": "complete", "created_at": "2026-11-23T09:00:00Z" });
    json!({ "items": [campaign], "cursor": null })
}

pub fn report() -> Value {
    json!({
        "campaign": "rust-weekly-2026-47", "status": "complete", "status_detail": null,
        "decided": 10_000, "audience": 10_000,
        "outcomes": { "sent": 3_120, "skipped": 6_850, "deferred": 0, "held_out": 30, "failed": 0, "in_doubt": 0 },
        "reasons": {
            "no_consent": 2_100, "not_interested": 3_300, "frequency_cap": 900, "no_address": 550, "holdout": 30,
        },
        "feedback": { "delivered": 3_100, "hard_bounced": 4, "soft_bounced": 9, "complained": 1 },
    })
}

pub fn newsletter_put() -> Value {
    json!({
        "cron": "0 9 * * mon", "time_zone": "Europe/Berlin",
        "campaign": {
            "id": "rust-weekly-{{date}}", "topic": "rust", "channel": "work", "template": "newsletter",
            "content": { "headline": "This week in Rust" },
        },
    })
}

pub fn newsletter() -> Value {
    let mut newsletter = newsletter_put();
    if let Some(fields) = newsletter.as_object_mut() {
        let run = json!({ "scheduled": "2026-11-23T08:00:00Z", "campaign": "rust-weekly-2026-11-23", "refused": null });
        fields.insert("id".to_owned(), json!("rust-weekly"));
        fields.insert("put_by".to_owned(), json!("local"));
        fields.insert("next_run".to_owned(), json!("2026-11-30T08:00:00Z"));
        fields.insert("last_run".to_owned(), run);
    }
    newsletter
}

pub fn newsletters() -> Value {
    json!({ "items": [newsletter()], "cursor": null })
}

pub fn decision() -> Value {
    json!({
        "campaign": "rust-weekly-2026-47", "recipient": "r-1042", "outcome": "skipped", "reason": "frequency_cap",
        "detail": { "sends": 1, "days": 7, "used": 1, "next_slot": "2026-11-26T08:14:00Z", "rule": "recipient" },
        "channel": "work", "policy_version": 3, "decided_at": "2026-11-23T09:00:02Z",
    })
}

pub fn decisions() -> Value {
    json!({ "items": [decision()], "cursor": "3.r-1042" })
}

pub fn preview_accepted() -> Value {
    json!({ "id": "9f2c41d07a3be815", "status": "launching" })
}

pub fn preview() -> Value {
    json!({
        "id": "9f2c41d07a3be815",
        "campaign": "rust-weekly-2026-47", "status": "complete", "status_detail": null, "decided": 3, "audience": 3,
        "outcomes": { "sent": 1, "skipped": 2, "deferred": 0, "held_out": 0, "failed": 0, "in_doubt": 0 },
        "reasons": { "frequency_cap": 1, "no_consent": 1 },
        "feedback": { "delivered": 0, "hard_bounced": 0, "soft_bounced": 0, "complained": 0 },
        "examples": { "sent": ["r-1001"], "frequency_cap": ["r-1042"], "no_consent": ["r-1043"] },
        "estimate": { "sends": 1, "duration_seconds": 1, "cost_usd": 0.01 },
        "preview_token": "AQAAAAP3nC0bqk9lT0y3k0l2b1dcs2nqYb6m1x0f8Q5mVt7hKg",
    })
}

pub fn recipient() -> Value {
    json!({
        "id": "r-1042",
        "addresses": { "work": "r-1042@example.com", "personal": "r-1042@example.net" },
        "time_zone": "Europe/Berlin",
        "locale": "de",
        "attributes": { "first_name": "Sample" },
        "interests": [{
            "topic": "rust", "strength": 0.9, "source": "declared", "context": "work", "at": "2026-03-12T09:00:00Z",
        }],
        "consents": [{
            "topic": "rust", "channel": "work", "status": "granted", "basis": "consent", "source": "signup-form",
            "evidence": "form v3, double opt-in", "at": "2026-03-12T09:00:00Z", "expires_at": null,
        }],
        "owns": ["course-rust-101"],
        "preferences": { "max_frequency": { "sends": 1, "days": 7 }, "paused_until": null, "muted_topics": [] },
    })
}

pub fn export() -> Value {
    let mut held = recipient();
    let own = [
        ("unusable", json!({ "work": null, "personal": null })),
        ("soft_bounces", json!({ "work": [], "personal": [] })),
        ("own", json!([])),
        ("suppression", Value::Null),
        (
            "sends",
            json!([{
                "campaign": "rust-weekly-2026-47", "notice": null, "key": "9c1f0b64d2a7e835",
                "at": "2026-11-23T09:00:02Z", "claim": "41d07a3be8159f2c", "counts": true,
            }]),
        ),
        ("version", json!(1_773_306_000_004_u64)),
        ("ref", json!("a3be8159f2c41d07")),
    ];
    if let Some(fields) = held.as_object_mut() {
        fields.extend(own.map(|(name, value)| (name.to_owned(), value)));
    }
    for pointer in ["/consents/0", "/preferences"] {
        if let Some(own) = held.pointer_mut(pointer).and_then(Value::as_object_mut) {
            own.insert("by_recipient".to_owned(), json!(false));
        }
    }
    json!({
        "recipient": held,
        "evidence": [{
            "topic": "rust", "channel": "work", "before": null, "after": "granted", "text": "form v3, double opt-in",
            "source": "signup-form", "place": "import", "at": "2026-03-12T09:00:00Z",
            "recorded_at": "2026-03-12T09:00:00Z",
        }],
        "decisions": [decision()],
        "suppressions": [],
    })
}

pub fn suppression_note() -> Value {
    json!({ "note": "from the opt-out list of the former system" })
}

pub fn suppression() -> Value {
    json!({
        "kind": "manual", "since": "2026-11-23T09:00:00Z", "note": "from the opt-out list of the former system",
    })
}

pub fn suppression_lines() -> String {
    lines(&[
        json!({ "address": "r-2001@example.com", "note": "from the opt-out list of the former system" }),
        json!({ "address": "r-2002@example.com" }),
        json!({ "address": "r-2003.example.com" }),
    ])
}

pub fn suppression_results() -> String {
    let wanted = "an address such as name@example.com, the part before the @ in ASCII";
    let fault = json!({ "field": "/address", "found": "a text of 18 characters", "wanted": wanted });
    lines(&[
        json!({ "line": 1, "result": "suppressed", "errors": [] }),
        json!({ "line": 2, "result": "kept", "errors": [] }),
        json!({ "line": 3, "result": "refused", "errors": [fault] }),
    ])
}

pub fn recipient_put() -> Value {
    json!({ "id": "r-1042", "result": "created" })
}

pub fn recipient_lines() -> String {
    let moved = json!({ "id": "r-1043", "addresses": { "work": "r-1043@example.org", "personal": null } });
    let faulty = json!({ "id": "r-1044", "interests": [{ "topic": "rust", "strength": 9 }] });
    lines(&[recipient(), moved, faulty])
}

pub fn line_results() -> String {
    let fault = json!({ "field": "/interests/0/strength", "found": "9", "wanted": "a number from 0 to 1" });
    lines(&[
        json!({ "line": 1, "id": "r-1042", "result": "created", "errors": [] }),
        json!({ "line": 2, "id": "r-1043", "result": "updated", "errors": [] }),
        json!({ "line": 3, "id": "r-1044", "result": "refused", "errors": [fault] }),
    ])
}

fn lines(values: &[Value]) -> String {
    values.iter().flat_map(|value| [value.to_string(), "\n".to_owned()]).collect()
}

pub fn policy() -> Value {
    json!({
        "from": "Rust Weekly <news@example.com>",
        "reply_to": null,
        "postal_address": "Example Ltd, 1 Example Street, 10115 Berlin",
        "privacy_url": "https://example.com/privacy",
        "topics": {
            "rust": {
                "channels": ["work", "personal"],
                "name": { "en": "Rust" },
                "purpose": { "en": "News and courses about Rust" },
            },
        },
        "attributes": { "first_name": { "purpose": { "en": "To greet you by name" }, "source": "sign-up form" } },
        "notices": ["confirm-consent", "data-notice"],
        "frequency": [{ "sends": 3, "days": 7 }, { "sends": 8, "days": 30 }],
        "interest": { "threshold": 0.3, "half_life_days": 180 },
        "send_window": null,
        "reserved_rate_percent": 10,
        "breaker": { "hard_bounce_percent": 5.0, "complaint_percent": 0.1, "after_sends": 500 },
        "pending_consent_days": 14,
        "retention_days": 400,
        "tracking": { "opens": false, "clicks": false },
        "test_addresses": ["qa@example.com"],
    })
}

pub fn policy_version() -> Value {
    json!({ "version": 3 })
}

pub fn template() -> Value {
    let body = "<mjml><mj-body><mj-section><mj-column>\
        <mj-text>Hello {{first_name}}: {{headline}}</mj-text>\
        <mj-text>{{why}} <a href=\"{{unsubscribe_url}}\">Unsubscribe</a> {{postal_address}}</mj-text>\
        </mj-column></mj-section></mj-body></mjml>";
    json!({
        "manifest": {
            "subject": "{{headline}}",
            "variables": {
                "headline": {
                    "description": "The line that leads the letter", "sample": "Async closures", "optional": false,
                },
            },
            "attributes": ["first_name"],
            "notice": false,
            "held": false,
        },
        "mjml": { "default": body },
        "text": {},
    })
}

pub fn template_put() -> Value {
    json!({ "name": "newsletter", "hash": "4f1d9a6be2c07358" })
}

pub fn problem(status: StatusCode, code: Code) -> Value {
    let fault = |field, found, wanted| vec![json!({ "field": field, "found": found, "wanted": wanted })];
    let errors = match code {
        Code::Invalid => fault("/colour", "\"red\"", "no such field; known are: id, topic, channel"),
        Code::UnknownTopic => fault("/topic", "\"gardening\"", "a topic of the policy, or one below it"),
        Code::AddressTaken => {
            fault("/addresses/work", "an address of another recipient", "an address of no other recipient")
        }
        Code::ErasedAddress => {
            fault("/addresses/work", "an erased address", "an address whose owner did not ask to be erased")
        }
        Code::ChangedSincePreview => fault("?preview", "version 4 of the policy", "version 3, which was previewed"),
        Code::Contended => fault("", "a recipient that others change", "a quieter moment: try again"),
        Code::MalformedJson
        | Code::TooLarge
        | Code::NotFound
        | Code::NotEvaluated
        | Code::IdTaken
        | Code::IllegalMove
        | Code::NotLiftable
        | Code::NoPolicy
        | Code::NotSent
        | Code::MethodNotAllowed
        | Code::Unavailable
        | Code::Internal => Vec::new(),
    };
    json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or("Problem"),
        "status": status.as_u16(),
        "detail": meaning(code),
        "code": code,
        "errors": errors,
    })
}

pub fn document() -> Value {
    json!({ "openapi": "3.1.0" })
}
