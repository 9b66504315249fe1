//! How often, and breaks: what may be chosen with the link at hand.

use serde_json::{Value, json};

use super::{Answer, Desk};
use crate::domain::{frequency::FrequencyCap, recipient::SuppressionKind, time::days_after};

/// Limits of their own that a person may choose, the loosest first.
const CAPS: [FrequencyCap; 4] = [
    FrequencyCap { sends: 2, days: 7 },
    FrequencyCap { sends: 1, days: 7 },
    FrequencyCap { sends: 1, days: 14 },
    FrequencyCap { sends: 1, days: 30 },
];
/// Lengths of a break.
const BREAKS_DAYS: [u32; 4] = [14, 30, 91, 182];

/// Whether the link may loosen as well.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Less,
    All,
}

/// In words, such as "one mail a week".
pub(super) fn limit(desk: &Desk<'_>, cap: FrequencyCap) -> String {
    let FrequencyCap { sends, days } = cap;
    let key = format!("pace.cap_{sends}_{days}");
    if desk.words.has(&key) {
        return desk.say(&key, &[]);
    }
    desk.say("pace.cap_other", &[("sends", &sends.to_string()), ("days", &days.to_string())])
}

pub(super) fn body(desk: &Desk<'_>, reach: Reach, answer: &Answer) -> Value {
    let (recipient, now) = (&desk.visit.recipient, desk.visit.now);
    let own = recipient.preferences.max_frequency;
    let actions = match reach {
        Reach::Less => ("lower", "pause"),
        Reach::All => ("frequency", "break"),
    };
    let offered = |cap: &FrequencyCap| reach == Reach::All || recipient.is_lower(*cap, desk.policy());
    let mut caps: Vec<Value> = CAPS
        .iter()
        .filter(|cap| offered(cap))
        .map(|cap| {
            let value = format!("{}/{}", cap.sends, cap.days);
            json!({ "value": value, "label": limit(desk, *cap), "chosen": reach == Reach::All && own == Some(*cap) })
        })
        .collect();
    if reach == Reach::All {
        caps.push(json!({ "value": "none", "label": desk.say("pace.unlimited", &[]), "chosen": own.is_none() }));
    }
    let longer = |days: &u32| reach == Reach::All || recipient.is_longer(days_after(now, *days), now);
    let breaks: Vec<Value> = BREAKS_DAYS
        .iter()
        .filter(|days| longer(days))
        .map(|days| json!({ "value": days.to_string(), "label": desk.say(&format!("pause.days_{days}"), &[]) }))
        .collect();
    let paused = recipient.preferences.paused_until.filter(|until| *until > now);
    let limited = own.map_or_else(|| desk.say("pace.none", &[]), |own| limit(desk, own));
    let left = recipient.suppression.map(|suppression| suppression.kind);
    json!({
        "pace": {
            "now": desk.say("pace.now", &[("limit", &limited)]),
            "action": actions.0,
            "options": caps,
            "fault": desk.fault(answer, actions.0),
        },
        "pause": {
            "now": match paused {
                Some(until) => desk.say("pause.now", &[("date", &desk.date(until))]),
                None => desk.say("pause.none", &[]),
            },
            "action": actions.1,
            "options": breaks,
            "fault": desk.fault(answer, actions.1),
            "can_end": reach == Reach::All && paused.is_some(),
        },
        "left": left.is_some(),
        "can_return": reach == Reach::All && left == Some(SuppressionKind::UnsubscribedAll),
    })
}
