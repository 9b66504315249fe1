//! What a seed stands for.

use std::{collections::BTreeMap, time::Duration};

use germane::local::ses::Throttle;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::virtual_world::{
    chance::Chance,
    network::{Fault, Service, Weather},
    ses::{Moods, Terms},
};
use super::people;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

const TOPICS: [&str; 2] = ["rust", "rust/async"];
const COMMANDS: [&str; 4] = ["pause", "pause", "resume", "cancel"];

/// A world before anything happens in it.
#[derive(Debug, Clone)]
pub struct Plan {
    pub shards: u16,
    /// How many people are read at once.
    pub page: usize,
    pub policy: Value,
    pub people: Vec<Value>,
    /// When each campaign is submitted, and its body.
    pub campaigns: Vec<(Duration, Value)>,
    pub acts: Vec<(Duration, Act)>,
    pub processes: Vec<ProcessPlan>,
    pub weather: Weather,
    /// Deaths and standstills of processes, in 10,000 of the times at which one goes on.
    pub crashes: u64,
    pub stalls: u64,
    /// Messages that are delivered twice, in 10,000.
    pub twice: u64,
    pub terms: Terms,
}

#[derive(Debug, Clone)]
pub struct ProcessPlan {
    /// How far its clock is ahead of the true time.
    pub ahead: SignedDuration,
    /// Messages that it works on at once.
    pub at_once: usize,
    pub max_in_flight: usize,
    /// How long a turn is; `None` for one without end.
    pub turn: Option<Duration>,
}

/// What is done to the world while campaigns are under way.
#[derive(Debug, Clone)]
pub enum Act {
    Submit(Value),
    Unsubscribe { recipient: String, campaign: String },
    Leave { recipient: String },
    Mute { recipient: String, topic: &'static str },
    Lower { recipient: String, sends: u32, days: u32 },
    Pause { recipient: String, days: u32 },
    Import(Vec<Value>),
    Erase { recipient: String },
    Suppress { recipient: String },
    Lift { recipient: String },
    Command { campaign: String, command: &'static str },
    Policy(Value),
}

impl Plan {
    pub fn of(seed: u64, now: Timestamp) -> Self {
        let chance = Chance::new(seed ^ 0x5EED_0000);
        let storm = *chance.one_of(&[0, 20, 60, 150, 400]);
        let weather = weather(&chance, storm);
        let trouble = |most: u64| if storm == 0 || chance.happens(4_000) { 0 } else { chance.within(1..most + 1) };
        let (crashes, stalls, twice) = (trouble(25), trouble(15), trouble(1_500));
        let shards = *chance.one_of(&[1, 2, 2, 3, 5]);
        let count = *chance.one_of(&[3, 8, 15, 25, 40]);
        let policy = policy(&chance);
        let people = (0..count).map(|number| people::person(&chance, number, now)).collect();
        let submitted = chance.within(1..5);
        let campaigns: Vec<(Duration, Value)> = (1..=submitted)
            .map(|number| {
                let at = chance.micros(0..if chance.happens(6_000) { 3_000_000 } else { 1_200_000_000 });
                (at, campaign(&chance, number, count, now))
            })
            .collect();
        let acts = (0..chance.within(0..25)).map(|number| act(&chance, number, count, &campaigns, &policy, now));
        Self {
            shards,
            page: usize::try_from(*chance.one_of(&[1, 2, 5, 10, 100])).unwrap_or(1),
            acts: acts.collect(),
            processes: (0..chance.within(1..5)).map(|_| process(&chance, storm)).collect(),
            terms: terms(&chance, storm),
            policy,
            people,
            campaigns,
            weather,
            crashes,
            stalls,
            twice,
        }
    }

    /// Whether every answer comes and nobody dies.
    pub fn is_certain(&self) -> bool {
        let lost = [Fault::LostBefore, Fault::LostAfter, Fault::Late, Fault::Slow];
        let comes = lost.iter().all(|fault| !self.weather.faults.contains_key(fault));
        comes && self.weather.outages.is_empty() && self.crashes == 0 && self.stalls == 0
    }

    /// Whether nothing goes wrong in it, so that more may be asked of it.
    pub fn is_calm(&self) -> bool {
        let nobody_dies = self.crashes == 0 && self.stalls == 0;
        self.weather.faults.is_empty() && self.weather.outages.is_empty() && nobody_dies
    }
}

fn weather(chance: &Chance, storm: u64) -> Weather {
    let faults: [Fault; 7] = [
        Fault::Throttled,
        Fault::LostBefore,
        Fault::LostAfter,
        Fault::Late,
        Fault::Repeated,
        Fault::Slow,
        Fault::Stale,
    ];
    let mut rates = BTreeMap::new();
    for fault in faults {
        // Some kinds are left out, so that others are seen alone.
        let rate = chance.within(0..storm + 1);
        if storm > 0 && chance.happens(6_500) {
            rates.insert(fault, if fault == Fault::Stale { rate * 10 } else { rate });
        }
    }
    let mut outages = Vec::new();
    for service in [Service::Tables, Service::Ses] {
        if storm > 0 && chance.happens(2_000) {
            let from = chance.micros(0..20_000_000);
            outages.push((service, from..from + chance.micros(1_000_000..150_000_000)));
        }
    }
    Weather { faults: rates, outages, calm_after: *chance.one_of(&[10 * MINUTE, HOUR, 6 * HOUR]) }
}

fn process(chance: &Chance, storm: u64) -> ProcessPlan {
    let apart = storm > 0 && chance.happens(4_000);
    let ahead = if apart { chance.micros(0..8_000_000) } else { Duration::from_secs(4) };
    ProcessPlan {
        ahead: SignedDuration::try_from(ahead).unwrap() - SignedDuration::from_secs(4),
        at_once: *chance.one_of(&[1, 1, 2, 4]),
        max_in_flight: *chance.one_of(&[1, 4, 64]),
        turn: if chance.happens(3_000) { Some(chance.micros(2_000_000..200_000_000)) } else { None },
    }
}

fn terms(chance: &Chance, storm: u64) -> Terms {
    let mood = |most: u64| if storm > 0 && chance.happens(4_000) { chance.within(0..most) } else { 0 };
    Terms {
        rate: *chance.one_of(&[2.0, 20.0, 50.0, 500.0]),
        quota: if chance.happens(1_500) { Some(chance.within(5..80)) } else { None },
        throttle: *chance.one_of(&[Throttle::Whole, Throttle::Entry]),
        moods: Moods {
            refuses: mood(300),
            stops: mood(60),
            busy: mood(500),
            rejects: mood(300),
            fails: mood(500),
            not_rendered: mood(500),
            hard_bounces: mood(2_000),
            complaints: mood(500),
            silent: mood(2_000),
            twice: mood(3_000),
        },
    }
}

fn policy(chance: &Chance) -> Value {
    let mut policy = super::super::virtual_world::tables::shipped_policy();
    let sends = chance.within(1..4);
    policy["frequency"] =
        json!([{ "sends": sends, "days": *chance.one_of(&[1, 7]) }, { "sends": sends + 2, "days": 30 }]);
    policy["topics"]["rust"]["name"] = json!({ "en": "Rust" });
    policy["reserved_rate_percent"] = json!(*chance.one_of(&[0, 10]));
    policy["breaker"] = json!({
        "hard_bounce_percent": 20.0, "complaint_percent": 20.0, "after_sends": *chance.one_of(&[3, 500]),
    });
    policy
}

fn campaign(chance: &Chance, number: u64, people: u64, now: Timestamp) -> Value {
    let hour = |hours: u64| (now + Duration::from_secs(hours * 3_600)).to_string();
    let window = || {
        let opens = chance.within(0..24);
        json!({ "opens": format!("{opens:02}:00"), "closes": format!("{:02}:00", (opens + 1 + chance.within(0..8)) % 24) })
    };
    let listed = || (0..chance.within(1..6)).map(|_| people::id(chance.within(0..people + 2))).collect::<Vec<_>>();
    let mut body = json!({
        "id": format!("c-{number}"),
        "topic": *chance.one_of(&["rust", "rust", "rust/async"]),
        "channel": *chance.one_of(&["work", "work", "personal"]),
        "template": "newsletter",
        "content": { "headline": "Async closures" },
        "min_interest": *chance.one_of(&[0.0, 0.0, 0.3]),
        "on_cap": *chance.one_of(&["skip", "defer"]),
        "expires_at": hour(*chance.one_of(&[1, 26, 24 * 5, 24 * 9])),
        "holdout_percent": *chance.one_of(&[0, 0, 20]),
        "frequency": { "exempt": chance.happens(800), "counts": !chance.happens(800) },
    });
    if chance.happens(2_000) {
        let mut ids = listed();
        ids.sort();
        ids.dedup();
        body["audience"] = json!({ "recipients": ids });
    }
    if chance.happens(2_500) {
        body["send_window"] = window();
    }
    if chance.happens(1_000) {
        body["promotes"] = json!(["course"]);
    }
    body
}

fn act(
    chance: &Chance,
    number: u64,
    people: u64,
    campaigns: &[(Duration, Value)],
    policy: &Value,
    now: Timestamp,
) -> (Duration, Act) {
    // Most of it while mails go out, some of it later.
    let at = chance.micros(0..if chance.happens(7_000) { 60_000_000 } else { 7_200_000_000 });
    let recipient = people::id(chance.within(0..people));
    let campaign = chance.one_of(campaigns).1["id"].as_str().unwrap_or_default().to_owned();
    let act = match chance.within(0..16) {
        0..=2 => Act::Unsubscribe { recipient, campaign },
        3 => Act::Leave { recipient },
        4 => Act::Mute { recipient, topic: chance.one_of::<&str>(&TOPICS) },
        5 => Act::Lower { recipient, sends: 1, days: *chance.one_of(&[7, 30]) },
        6 => Act::Pause { recipient, days: *chance.one_of(&[1, 30]) },
        7..=8 => {
            let row = || {
                // Somebody who is there, or somebody new, before and after the others in the order of ids.
                let who = chance.within(0..people + 10);
                people::person(chance, if who < people { who } else { 50 + number * 10 + who - people }, now)
            };
            let mut rows: Vec<Value> = (0..chance.within(1..4)).map(|_| row()).collect();
            rows.sort_by_key(|row| row["id"].to_string());
            rows.dedup_by_key(|row| row["id"].clone());
            Act::Import(rows)
        }
        9 => Act::Erase { recipient },
        10 => Act::Suppress { recipient },
        11 => Act::Lift { recipient },
        12 => Act::Submit(chance.one_of(campaigns).1.clone()),
        13..=14 => Act::Command { campaign, command: chance.one_of::<&str>(&COMMANDS) },
        _ => {
            let mut policy = policy.clone();
            policy["frequency"] = json!([{ "sends": chance.within(1..3), "days": 7 }]);
            Act::Policy(policy)
        }
    };
    (at, act)
}
