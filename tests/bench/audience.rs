//! The people that both sides decide on: ordinary ones, of whom 28 in 100 are mailed.

use germane::{
    aws::system::SystemClock,
    domain::{
        channel::{Channel, Context},
        consent::{Basis, Consent, ConsentStatus},
        frequency::{FrequencyCap, Send, Sends},
        id::{CampaignId, ClaimId, RecipientId, Ref, SendKey},
        interest::{Interest, InterestSource, Strength},
        recipient::{Address, Preferences, Profile, Recipient},
    },
    flow::clock::Clock,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Failure;

pub const SENT_PERCENT: u64 = 28;

/// What one side did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Decided {
    pub people: u64,
    pub sent: u64,
}

/// What the gate is to say of a person.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Sent,
    NotInterested,
    NoConsent,
    Capped,
    NoAddress,
    Withdrawn,
}

/// Of a hundred people.
const FATES: [(u64, Fate); 6] = [
    (SENT_PERCENT, Fate::Sent),
    (31, Fate::NotInterested),
    (22, Fate::NoConsent),
    (9, Fate::Capped),
    (6, Fate::NoAddress),
    (4, Fate::Withdrawn),
];

/// The campaign that both sides send.
pub fn campaign(id: &str) -> Value {
    json!({
        "id": id, "topic": "rust/async", "channel": "work", "template": "newsletter",
        "content": {
            "headline": "Async closures are here, and what they change",
            "preheader": "Three reads on async closures, and one on when not to use them.",
            "items": [
                {
                    "title": "A closure that borrows, and awaits",
                    "text": "From a first example to a retry helper that no longer clones everything it touches.",
                    "url": "https://example.com/read/async-closures",
                },
                {
                    "title": "Moving a service over, step by step",
                    "text": "What a team changed in an afternoon, what they left alone, and what the profiler said.",
                    "url": "https://example.com/read/moving-over",
                },
            ],
        },
    })
}

/// What is known of everybody; the template asks only for the first name.
const ATTRIBUTES: [(&str, &str); 4] = [
    ("first_name", "Sample"),
    ("company", "Example Engineering Ltd"),
    ("job_title", "Senior Software Engineer"),
    ("plan", "professional-yearly"),
];

/// The policy of the local stack, with these attributes.
pub fn policy() -> Result<Value, Failure> {
    let mut policy: Value = serde_json::from_str(include_str!("../../src/local/policy.json"))?;
    let attributes =
        policy.get_mut("attributes").and_then(Value::as_object_mut).ok_or("a policy without attributes")?;
    for (name, _) in ATTRIBUTES {
        attributes.insert(name.to_owned(), json!({ "purpose": { "en": "To measure" }, "source": "sign-up form" }));
    }
    Ok(policy)
}

pub fn people(count: usize) -> Result<Vec<Recipient>, Failure> {
    let now = SystemClock::default().now();
    (0..count as u64).map(|number| person(number, now)).collect()
}

fn person(number: u64, now: Timestamp) -> Result<Recipient, Failure> {
    let fate = fate(number);
    let noise = mix(number);
    let ago = |days: i64| now.saturating_sub(SignedDuration::from_hours(days * 24 + 1));
    let name = format!("sample.person-{number:05}");
    let work = Address { email: format!("{name}@engineering.example.com").parse()?, unusable: None };
    let personal = Address { email: format!("{name}@example.net").parse()?, unusable: None };
    let interest = |topic: &str, strength, source, days| {
        let at = ago(days)?;
        let strength = Strength::new(strength);
        Ok::<_, Failure>(Interest { topic: topic.parse()?, strength, source, context: Context::Any, at })
    };
    let liking = if fate == Fate::NotInterested { 0.2 } else { 0.9 };
    let topic = if fate == Fate::NoConsent { "rust/embedded" } else { "rust" };
    let status = if fate == Fate::Withdrawn { ConsentStatus::Withdrawn } else { ConsentStatus::Granted };
    let consent = |channel, status| {
        Ok::<_, Failure>(Consent {
            topic: topic.parse()?,
            channel,
            status,
            basis: Basis::Consent,
            source: Some("signup-form".to_owned()),
            at: ago(200)?,
            expires_at: None,
            by_recipient: status == ConsentStatus::Withdrawn,
        })
    };
    let cap = FrequencyCap { sends: if fate == Fate::Capped { 1 } else { 2 }, days: 7 };
    let profile = Profile {
        reference: Ref(mix(noise).to_be_bytes()),
        work: (fate != Fate::NoAddress).then_some(work),
        personal: Some(personal),
        time_zone: Some("Europe/Berlin".parse()?),
        locale: Some("de-DE".to_owned()),
        attributes: ATTRIBUTES.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        interests: vec![
            interest("rust/async", liking, InterestSource::Declared, 90)?,
            interest("rust/embedded", 0.5, InterestSource::Behaviour, 30)?,
            interest("rust/tooling", 0.7, InterestSource::Purchase, 60)?,
        ],
        consents: vec![consent(Channel::Work, status)?, consent(Channel::Personal, ConsentStatus::Granted)?],
        owns: vec!["course-rust-101".parse()?],
        preferences: Preferences { max_frequency: Some(cap), ..Preferences::default() },
        suppression: None,
        own: Vec::new(),
    };
    let id: RecipientId = format!("{:08x}-{:04x}-{:016x}", noise >> 32, noise & 0xffff, mix(noise + 1)).parse()?;
    let version = u64::try_from(now.as_millisecond())?;
    Ok(Recipient { id, version, sends: history(noise, ago)?, profile })
}

/// One mail a week of the last four.
fn history(noise: u64, ago: impl Fn(i64) -> Result<Timestamp, jiff::Error>) -> Result<Sends, Failure> {
    let mut sends = Vec::new();
    for week in [3_i64, 2, 1, 0] {
        let campaign: CampaignId = format!("weekly-{week}").parse()?;
        let claim = ClaimId(mix(noise + week.unsigned_abs()).to_be_bytes());
        sends.push(Send { key: SendKey::campaign(&campaign), at: ago(week * 7 + 2)?, claim, counts: true });
    }
    Ok(Sends::new(sends))
}

/// Spread evenly, so that no page and no slice holds more of one kind.
fn fate(number: u64) -> Fate {
    let mut place = number * 61 % 100;
    for (share, fate) in FATES {
        match place.checked_sub(share) {
            Some(rest) => place = rest,
            None => return fate,
        }
    }
    Fate::Sent
}

/// Scatters numbers evenly and repeatably (the finaliser of `SplitMix64`).
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
