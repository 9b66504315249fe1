//! What invented people care about, and how that became known.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{draw::Draw, earlier};

/// Where the campaign's topic stands in somebody's life.
#[derive(Clone, Copy)]
enum Liking {
    Declared,
    Bought,
    Read,
    /// Long ago: observed interests fade.
    Faded,
    /// Seen on a social network only.
    Social,
    /// Shown in the evenings, under the personal address.
    AtHome,
    None,
}

const LIKINGS: [(u64, Liking); 7] = [
    (33, Liking::Declared),
    (8, Liking::Bought),
    (14, Liking::Read),
    (12, Liking::Faded),
    (6, Liking::Social),
    (9, Liking::AtHome),
    (18, Liking::None),
];

/// Topics on which the demo's campaign does not touch.
const ELSEWHERE: [&str; 4] = ["rust/embedded", "rust/wasm", "rust/web", "rust/tooling"];

pub fn draw(draw: &mut Draw, now: Timestamp) -> Vec<Value> {
    let mut interests: Vec<Value> = liking(draw, now).into_iter().collect();
    for topic in ELSEWHERE {
        if draw.chance(35) {
            let source = draw.pick(&["declared", "behaviour", "social"], "declared");
            let context = draw.pick(&["work", "personal", "any"], "any");
            interests.push(interest(
                topic,
                draw.between(5, 100),
                source,
                context,
                earlier(now, draw.between(1, 500), draw),
            ));
        }
    }
    interests
}

fn liking(draw: &mut Draw, now: Timestamp) -> Option<Value> {
    let topic = draw.weighted(&[(6, "rust"), (4, "rust/async")], "rust");
    let context = draw.weighted(&[(6, "any"), (4, "work")], "any");
    let liking = draw.weighted(&LIKINGS, Liking::None);
    let (percent, source, context, days) = match liking {
        Liking::Declared => (draw.between(20, 100), "declared", context, draw.between(1, 700)),
        Liking::Bought => (draw.between(60, 100), "purchase", "any", draw.between(1, 240)),
        Liking::Read => (draw.between(25, 90), "behaviour", context, draw.between(0, 120)),
        Liking::Faded => (draw.between(10, 60), "behaviour", context, draw.between(200, 700)),
        Liking::Social => (draw.between(40, 95), "social", "any", draw.between(1, 60)),
        Liking::AtHome => (draw.between(30, 100), "declared", "personal", draw.between(1, 500)),
        Liking::None => return None,
    };
    Some(interest(topic, percent, source, context, earlier(now, days, draw)))
}

fn interest(topic: &str, percent: u64, source: &str, context: &str, at: Timestamp) -> Value {
    let strength = f64::from(u32::try_from(percent.min(100)).unwrap_or(100)) / 100.0;
    json!({ "topic": topic, "strength": strength, "source": source, "context": context, "at": at })
}
