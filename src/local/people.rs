//! Generated people: invented, lifelike and the same for the same seed, to try a campaign on before it meets anybody.
//!
//! Each fact is drawn on its own, with the gaps and the second thoughts that real records have, so that at ten
//! thousand people every gate that looks at facts refuses somebody.

mod consents;
pub mod draw;
mod interests;
mod places;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use draw::Draw;

/// What the demo's campaign promotes and a few of these people own.
pub const COURSE: &str = "course-rust-101";

/// Recipient documents `r-00001` to `count`. The same seed gives the same people whatever the count; `now` only shifts
/// their times.
pub fn people(seed: u64, count: usize, now: Timestamp) -> impl Iterator<Item = Value> {
    let today = Timestamp::from_second(now.as_second()).unwrap_or(now);
    (1..=count as u64).map(move |number| person(number, &mut Draw::of(seed, number), today))
}

fn person(number: u64, draw: &mut Draw, now: Timestamp) -> Value {
    let id = format!("r-{number:05}");
    let place = draw.weighted(&places::PLACES, places::UNKNOWN);
    let mut person = json!({
        "id": id,
        "addresses": addresses(&id, draw),
        "locale": place.locale,
        "attributes": attributes(draw),
        "interests": interests::draw(draw, now),
        "consents": consents::draw(draw, now),
        "owns": owned(draw),
        "preferences": preferences(draw, now),
    });
    if let (Some(zone), Some(fields)) = (place.zone, person.as_object_mut()) {
        fields.insert("time_zone".to_owned(), json!(zone));
    }
    person
}

/// Most people gave both addresses, some one only.
fn addresses(id: &str, draw: &mut Draw) -> Value {
    match draw.below(100) {
        0..6 => json!({ "personal": format!("{id}@example.net") }),
        6..34 => json!({ "work": format!("{id}@example.com") }),
        34..90 => json!({ "work": format!("{id}@example.com"), "personal": format!("{id}@example.net") }),
        _ => json!({ "work": format!("{id}@example.com"), "personal": format!("{id}@example.org") }),
    }
}

const FIRST_NAMES: [&str; 16] = [
    "Sample", "Example", "Test", "Alpha", "Bravo", "Delta", "Echo", "Juniper", "Maple", "Meadow", "Orbit", "Pixel",
    "River", "Rowan", "Sky", "Willow",
];

fn attributes(draw: &mut Draw) -> Value {
    if draw.chance(88) { json!({ "first_name": draw.pick(&FIRST_NAMES, "Sample") }) } else { json!({}) }
}

fn owned(draw: &mut Draw) -> Vec<&'static str> {
    let mut owned = Vec::new();
    if draw.chance(5) {
        owned.push(COURSE);
    }
    if draw.chance(8) {
        owned.push("book-async-rust");
    }
    if draw.chance(4) {
        owned.push("course-go-101");
    }
    owned
}

fn preferences(draw: &mut Draw, now: Timestamp) -> Value {
    let mut preferences = Map::new();
    if draw.chance(12) {
        let cap = draw.weighted(&[(5, (1, 7)), (3, (2, 7)), (4, (4, 30)), (1, (1, 30))], (1, 7));
        preferences.insert("max_frequency".to_owned(), json!({ "sends": cap.0, "days": cap.1 }));
    }
    if draw.chance(3) {
        preferences.insert("paused_until".to_owned(), json!(later(now, draw.between(1, 60), draw)));
    } else if draw.chance(2) {
        // A pause that is over.
        preferences.insert("paused_until".to_owned(), json!(earlier(now, draw.between(1, 60), draw)));
    }
    if draw.chance(5) {
        let topic = draw.weighted(&[(4, "rust/async"), (1, "rust"), (4, "rust/embedded")], "rust/async");
        preferences.insert("muted_topics".to_owned(), json!([topic]));
    }
    Value::Object(preferences)
}

/// Some time on the day that lies `days` back.
fn earlier(now: Timestamp, days: u64, draw: &mut Draw) -> Timestamp {
    now.saturating_sub(days_and_a_bit(days, draw)).unwrap_or(now)
}

/// Some time on the day that lies `days` ahead.
fn later(now: Timestamp, days: u64, draw: &mut Draw) -> Timestamp {
    now.saturating_add(days_and_a_bit(days, draw)).unwrap_or(now)
}

fn days_and_a_bit(days: u64, draw: &mut Draw) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(days * 86_400 + draw.below(86_400)).unwrap_or(0))
}
