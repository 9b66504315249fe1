//! People, campaigns and policies as chance makes them: close enough to each other that every gate both lets through
//! and refuses.

use std::ops::Range;

use germane::domain::{
    campaign::{FrequencyUse, Kind, OnCap},
    channel::{Channel, Context},
    consent::{Basis, Consent, ConsentStatus},
    frequency::{FrequencyCap, Send},
    id::{CampaignId, ClaimId, SendKey},
    interest::{Interest, InterestSource, Strength},
    recipient::{Suppression, SuppressionKind, Unusable},
    topic::Topic,
    window::SendWindow,
};
use jiff::{
    Timestamp,
    civil::{Time, Weekday},
};
use proptest::{collection::vec, option, prelude::*, sample::select};

use crate::given::{Given, cap, millis, now, topic};

const DAY_MS: i64 = 86_400_000;

pub fn topics() -> impl Strategy<Value = Topic> {
    select(vec!["rust", "rust/async", "rust/async/streams", "rusty", "data/social"]).prop_map(topic)
}

pub fn times(days: Range<i64>) -> impl Strategy<Value = Timestamp> {
    (days.start * DAY_MS..days.end * DAY_MS).prop_map(|offset| now() + millis(offset))
}

pub fn caps() -> impl Strategy<Value = FrequencyCap> {
    (1_u32..5, 1_u32..=30).prop_map(|(sends, days)| cap(sends, days))
}

fn consents() -> impl Strategy<Value = Consent> {
    use ConsentStatus::{Granted, Pending, Withdrawn};
    let status = select(vec![Granted, Granted, Granted, Pending, Withdrawn]);
    let basis = select(vec![Basis::Consent, Basis::ImpliedPurchase, Basis::ImpliedInquiry]);
    let rest = (times(-400..1), option::weighted(0.2, times(-30..30)), any::<bool>());
    (topics(), channels(), status, basis, rest).prop_map(|(topic, channel, status, basis, rest)| {
        let (at, expires_at, by_recipient) = rest;
        Consent { topic, channel, status, basis, source: None, at, expires_at, by_recipient }
    })
}

fn interests() -> impl Strategy<Value = Interest> {
    use InterestSource::{Behaviour, Declared, Purchase, Social};
    let source = select(vec![Declared, Purchase, Behaviour, Social]);
    let context = select(vec![Context::Work, Context::Personal, Context::Any]);
    (topics(), 0.0..=1.0, source, context, times(-400..1)).prop_map(|(topic, strength, source, context, at)| Interest {
        topic,
        strength: Strength::new(strength),
        source,
        context,
        at,
    })
}

fn channels() -> impl Strategy<Value = Channel> {
    select(vec![Channel::Work, Channel::Work, Channel::Work, Channel::Personal])
}

fn sends() -> impl Strategy<Value = Send> {
    (0_u32..40, times(-40..1), any::<bool>()).prop_map(|(campaign, at, counts)| {
        let id: CampaignId = format!("campaign-{campaign}").parse().unwrap();
        Send { key: SendKey::campaign(&id), at, claim: ClaimId([0; 8]), counts }
    })
}

fn windows() -> impl Strategy<Value = SendWindow> {
    let days = vec(
        select(vec![Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Saturday, Weekday::Sunday]),
        1..7,
    );
    (0_i8..24, 0_i8..24, days).prop_filter_map("a window that opens", |(opens, closes, days)| {
        SendWindow::new(Time::constant(opens, 30, 0, 0), Time::constant(closes, 30, 0, 0), &days)
    })
}

prop_compose! {
    fn people()(
        consents in vec(consents(), 0..5),
        interests in vec(interests(), 0..5),
        sends in vec(sends(), 0..6),
        suppressed in option::weighted(0.1, times(-400..1)),
        unusable in option::weighted(0.1, Just(Unusable::SoftBounces)),
        has_work in prop::bool::weighted(0.9),
        paused_until in option::weighted(0.2, times(-5..5)),
        muted_topics in prop_oneof![3 => Just(vec![]), 1 => vec(topics(), 1..3)],
        max_frequency in option::weighted(0.4, caps()),
        owns in prop::bool::weighted(0.2),
        has_zone in prop::bool::weighted(0.8),
    ) -> Given {
        Given::germane().but(|g| {
            g.sent(sends);
            let profile = &mut g.recipient.profile;
            // What makes the campaign germane stays, next to what chance adds.
            profile.consents.extend(consents);
            profile.interests.extend(interests);
            profile.suppression = suppressed.map(|since| Suppression { kind: SuppressionKind::Manual, since });
            profile.work.as_mut().unwrap().unusable = unusable;
            profile.work = profile.work.take().filter(|_| has_work);
            profile.preferences.paused_until = paused_until;
            profile.preferences.muted_topics = muted_topics;
            profile.preferences.max_frequency = max_frequency;
            profile.owns = if owns { vec!["course-rust-101".parse().unwrap()] } else { vec![] };
            profile.time_zone = profile.time_zone.take().filter(|_| has_zone);
        })
    }
}

prop_compose! {
    /// Somebody, a campaign, a policy and a time.
    pub fn worlds()(
        given in people(),
        now in times(-10..6),
        topic in topics(),
        channel in channels(),
        notice in prop::bool::weighted(0.1),
        min_interest in option::of(0.0..=1.0),
        frequency in (prop::bool::weighted(0.2), any::<bool>()),
        on_cap in select(vec![OnCap::Skip, OnCap::Defer]),
        windows in (option::weighted(0.3, windows()), option::weighted(0.1, windows())),
        holdout_percent in prop_oneof![3 => Just(0_u8), 1 => 0_u8..=100],
        policy_caps in vec(caps(), 0..4),
    ) -> Given {
        given.but(|g| {
            g.now = now;
            g.policy.frequency = policy_caps;
            g.policy.send_window = windows.1;
            g.campaign.kind = if notice { Kind::Notice } else { Kind::Marketing };
            g.campaign.topic = topic;
            g.campaign.channel = channel;
            g.campaign.min_interest = min_interest.map(Strength::new);
            g.campaign.frequency = FrequencyUse { exempt: frequency.0, counts: frequency.1 };
            g.campaign.on_cap = on_cap;
            g.campaign.send_window = windows.0;
            g.campaign.holdout_percent = holdout_percent;
        })
    }
}
