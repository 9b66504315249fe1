//! Who is in a world: people of whom each gate may say something else.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::virtual_world::chance::Chance;

/// In the order of numbers it is not the order of ids that shards and pages go by.
pub fn id(number: u64) -> String {
    format!("r-{:03}", (number * 387) % 1_000)
}

pub fn person(chance: &Chance, number: u64, now: Timestamp) -> Value {
    let id = id(number);
    let ago = |days: i64| (now - SignedDuration::from_hours(24 * days)).to_string();
    let usually = |no: u64| !chance.happens(no);
    let mut person = json!({ "id": id, "attributes": { "first_name": "Sample" } });
    person["addresses"] = match chance.within(0..10) {
        0 => json!({ "personal": format!("{id}@example.net") }),
        1..=4 => json!({ "work": format!("{id}@example.com") }),
        _ => json!({ "work": format!("{id}@example.com"), "personal": format!("{id}@example.net") }),
    };
    if usually(1_500) {
        person["time_zone"] = json!(*chance.one_of(&["Europe/Berlin", "America/New_York", "Asia/Tokyo", "Etc/UTC"]));
    }
    let mut consents = Vec::new();
    for (topic, channel) in [("rust", "work"), ("rust", "personal"), ("rust/async", "work")] {
        if usually(2_500) {
            let status = if usually(800) { "granted" } else { "withdrawn" };
            let mut consent = json!({
                "topic": topic, "channel": channel, "status": status, "basis": "consent", "source": "form",
                "at": ago(*chance.one_of(&[1, 20])),
            });
            if chance.happens(500) {
                consent["expires_at"] = json!(ago(-1));
            }
            consents.push(consent);
        }
    }
    person["consents"] = json!(consents);
    let mut interests = Vec::new();
    if usually(2_000) {
        interests.push(json!({
            "topic": "rust", "strength": 0.9, "source": "declared", "at": ago(3),
            "context": *chance.one_of(&["any", "any", "work", "personal"]),
        }));
    }
    person["interests"] = json!(interests);
    if chance.happens(1_000) {
        person["owns"] = json!(["course"]);
    }
    let frequency = if chance.happens(2_000) {
        json!({ "sends": *chance.one_of(&[1, 2]), "days": *chance.one_of(&[1, 7]) })
    } else {
        Value::Null
    };
    person["preferences"] = json!({ "max_frequency": frequency });
    person
}
