//! What invented people agreed to, and what became of it.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{draw::Draw, earlier, later};

#[derive(Clone, Copy)]
enum Story {
    Never,
    Granted,
    Pending,
    Withdrawn,
    /// Agreed to all of it, and later said no to one part.
    PartlyWithdrawn,
    Expired,
}

const AT_WORK: [(u64, Story); 6] = [
    (12, Story::Never),
    (72, Story::Granted),
    (4, Story::Pending),
    (5, Story::Withdrawn),
    (3, Story::PartlyWithdrawn),
    (4, Story::Expired),
];

const AT_HOME: [(u64, Story); 6] = [
    (55, Story::Never),
    (34, Story::Granted),
    (2, Story::Pending),
    (4, Story::Withdrawn),
    (2, Story::PartlyWithdrawn),
    (3, Story::Expired),
];

pub fn draw(draw: &mut Draw, now: Timestamp) -> Vec<Value> {
    let mut consents = Vec::new();
    for (channel, stories) in [("work", AT_WORK), ("personal", AT_HOME)] {
        let story = draw.weighted(&stories, Story::Never);
        tell(story, channel, draw, now, &mut consents);
        if draw.chance(8) {
            let at = earlier(now, draw.between(10, 600), draw);
            consents.push(json!({
                "topic": "data/social", "channel": channel, "status": "granted", "basis": "consent",
                "source": "preference-page", "evidence": "switched on: use what my public profile shows", "at": at,
            }));
        }
    }
    consents
}

fn tell(story: Story, channel: &str, draw: &mut Draw, now: Timestamp, into: &mut Vec<Value>) {
    let topic = draw.weighted(&[(80, "rust"), (20, "rust/async")], "rust");
    let at = earlier(now, draw.between(20, 540), draw);
    match story {
        Story::Never => {}
        Story::Granted => into.push(grant(topic, channel, at, draw, now)),
        Story::Pending => into.push(json!({
            "topic": topic, "channel": channel, "status": "pending", "basis": "consent", "source": "signup-form",
            // Too long ago to be asked again: an import of many must not begin with mails to them.
            "evidence": "form v3, first mail of the double opt-in", "at": earlier(now, draw.between(31, 43), draw),
        })),
        Story::Withdrawn => into.push(withdrawal(topic, channel, draw, now)),
        Story::PartlyWithdrawn => {
            into.push(grant("rust", channel, at, draw, now));
            into.push(withdrawal("rust/async", channel, draw, now));
        }
        Story::Expired => into.push(expired(topic, channel, draw, now)),
    }
}

fn grant(topic: &str, channel: &str, at: Timestamp, draw: &mut Draw, now: Timestamp) -> Value {
    let mut grant = match draw.below(10) {
        0..7 => json!({ "basis": "consent", "source": "signup-form", "evidence": "form v3, double opt-in" }),
        7 => json!({ "basis": "soft_opt_in", "source": "checkout", "evidence": "box beside the order button, v2" }),
        8 => json!({ "basis": "implied_purchase", "source": "checkout", "evidence": "order of a book" }),
        _ => json!({ "basis": "consent", "source": "conference", "evidence": "badge scan with a signed form" }),
    };
    if let Some(fields) = grant.as_object_mut() {
        fields.extend([
            ("topic".to_owned(), json!(topic)),
            ("channel".to_owned(), json!(channel)),
            ("status".to_owned(), json!("granted")),
            ("at".to_owned(), json!(at)),
        ]);
        if draw.chance(10) {
            fields.insert("expires_at".to_owned(), json!(later(now, draw.between(20, 400), draw)));
        }
    }
    grant
}

fn withdrawal(topic: &str, channel: &str, draw: &mut Draw, now: Timestamp) -> Value {
    json!({
        "topic": topic, "channel": channel, "status": "withdrawn", "basis": "consent", "source": "unsubscribe-link",
        "evidence": "one click in a mail", "at": earlier(now, draw.between(0, 18), draw),
    })
}

/// Half by the date that was agreed, half because consent implied from an inquiry ends after six months.
fn expired(topic: &str, channel: &str, draw: &mut Draw, now: Timestamp) -> Value {
    let at = earlier(now, draw.between(400, 700), draw);
    if draw.chance(50) {
        json!({
            "topic": topic, "channel": channel, "status": "granted", "basis": "consent", "source": "signup-form",
            "evidence": "form v2, for one year", "at": at, "expires_at": earlier(now, draw.between(1, 30), draw),
        })
    } else {
        json!({
            "topic": topic, "channel": channel, "status": "granted", "basis": "implied_inquiry", "source": "webinar",
            "evidence": "asked a question in the webinar", "at": at,
        })
    }
}
