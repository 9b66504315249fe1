//! Gate 5: the strongest usable interest in the topic or an ancestor of it reaches the threshold.

use germane::domain::{
    channel::{Channel, Context},
    consent::{
        Consent,
        ConsentStatus::{Granted, Pending, Withdrawn},
    },
    decision::{Decision, Grounds, ReasonCode},
    interest::{Interest, InterestSource::*, Strength},
};
use serde_json::json;

use crate::given::{Given, consent, days_ago, interest, millis, now, topic};

fn caring(interests: Vec<Interest>) -> Given {
    Given::germane().but(|g| g.recipient.profile.interests = interests)
}

fn grounds(given: &Given) -> Grounds {
    let Decision::Send(grounds) = given.decide() else { panic!("expected a send, got {:?}", given.decide()) };
    grounds
}

fn at_work(interest: Interest) -> Interest {
    Interest { context: Context::Work, ..interest }
}

fn at_home(interest: Interest) -> Interest {
    Interest { context: Context::Personal, ..interest }
}

#[test]
fn an_interest_matches_its_topic_and_those_below_it_by_whole_segments() {
    let cases = [
        ("rust/async", true),
        ("rust", true),
        ("rust/async/streams", false),
        ("rust/asyn", false),
        ("rust/async-std", false),
        ("rus", false),
        ("async", false),
        ("garden", false),
    ];
    for (on, matches) in cases {
        assert_eq!(caring(vec![interest(Declared, on, 1.0)]).sends(), matches, "{on}");
    }
}

#[test]
fn the_threshold_is_reached_by_equality_and_missed_by_one_step() {
    for step in [1_u16, 2_900, 3_000, 5_700, 9_999, 10_000] {
        let threshold = f64::from(step) / 10_000.0;
        let at = |strength| {
            caring(vec![interest(Declared, "rust", strength)])
                .but(|g| g.campaign.min_interest = Some(Strength::new(threshold)))
        };
        assert!(at(threshold).sends(), "{threshold}");
        let below = f64::from(step - 1) / 10_000.0;
        let detail = json!({ "topic": "rust", "strength": below, "threshold": threshold });
        assert_eq!(at(below).skip(), (ReasonCode::NotInterested, detail));
    }
}

#[test]
fn every_declared_strength_is_shown_as_it_was_declared() {
    for step in 0..=10_000_u32 {
        let declared = interest(Declared, "rust", f64::from(step) / 10_000.0);
        assert_eq!(declared.aged(now(), 180).shown(), declared.strength);
    }
}

#[test]
fn the_campaigns_threshold_replaces_the_policys() {
    let given = caring(vec![interest(Declared, "rust", 0.5)]);
    assert!(given.clone().sends());
    assert!(!given.clone().but(|g| g.campaign.min_interest = Some(Strength::new(0.6))).sends());
    assert!(!given.clone().but(|g| g.policy.interest.threshold = Strength::new(0.6)).sends());
    let lowered = given.but(|g| {
        g.policy.interest.threshold = Strength::new(0.6);
        g.campaign.min_interest = Some(Strength::new(0.5));
    });
    assert!(lowered.sends());
}

#[test]
fn the_strongest_usable_interest_counts_not_the_closest_nor_the_sum() {
    let given = caring(vec![interest(Declared, "rust/async", 0.4), interest(Purchase, "rust", 0.7)]);
    assert_eq!(grounds(&given).interest, Some(topic("rust")));
    assert_eq!(grounds(&given).strength, Some(Strength::new(0.7)));

    let two_weak = caring(vec![interest(Declared, "rust/async", 0.2), interest(Purchase, "rust", 0.25)]);
    let detail = json!({ "topic": "rust", "strength": 0.25, "threshold": 0.3 });
    assert_eq!(two_weak.skip(), (ReasonCode::NotInterested, detail));
}

#[test]
fn without_any_interest_the_campaigns_topic_is_named_with_a_strength_of_zero() {
    let detail = json!({ "topic": "rust/async", "strength": 0.0, "threshold": 0.3 });
    assert_eq!(caring(vec![]).skip(), (ReasonCode::NotInterested, detail));
}

#[test]
fn observed_interests_halve_every_half_life_and_declared_ones_do_not_age() {
    for source in [Purchase, Behaviour, Social] {
        let aged = |half_lives: i64| {
            let held = Interest { at: days_ago(180 * half_lives), ..interest(source, "rust", 0.8) };
            held.aged(now(), 180).shown()
        };
        assert_eq!(aged(0), Strength::new(0.8));
        assert_eq!(aged(1), Strength::new(0.4));
        assert_eq!(aged(2), Strength::new(0.2));
    }
    let declared = Interest { at: days_ago(3_600), ..interest(Declared, "rust", 0.8) };
    assert_eq!(declared.aged(now(), 180).shown(), Strength::new(0.8));
}

#[test]
fn an_aged_interest_reaches_the_threshold_to_the_millisecond() {
    // 0.6 is worth exactly 0.3 after one half-life.
    let observed = |at| caring(vec![Interest { at, ..interest(Behaviour, "rust", 0.6) }]);
    assert!(observed(days_ago(180)).sends());
    let (code, detail) = observed(days_ago(180) - millis(1)).skip();
    assert_eq!(code, ReasonCode::NotInterested);
    // Shown rounded down: what was refused never reads as if it had reached.
    assert_eq!(detail, json!({ "topic": "rust", "strength": 0.2999, "threshold": 0.3 }));
}

#[test]
fn an_interest_dated_ahead_by_a_skewed_clock_is_not_stronger_than_it_was_recorded() {
    let ahead = Interest { at: now() + millis(86_400_000), ..interest(Behaviour, "rust", 0.5) };
    assert_eq!(ahead.aged(now(), 180).shown(), Strength::new(0.5));
}

#[test]
fn an_interest_shown_in_one_context_never_justifies_a_mail_in_the_other() {
    let strong = interest(Declared, "rust", 0.9);
    let detail = json!({ "topic": "rust", "strength": 0.9, "threshold": 0.3 });
    let to = |channel, interest| {
        caring(vec![interest]).but(|g| {
            g.campaign.channel = channel;
            g.recipient.profile.consents = vec![Consent { channel, ..consent(Granted, "rust", days_ago(9)) }];
        })
    };
    for &channel in Channel::ALL {
        assert!(to(channel, strong.clone()).sends());
    }
    assert!(to(Channel::Work, at_work(strong.clone())).sends());
    assert!(to(Channel::Personal, at_home(strong.clone())).sends());
    assert_eq!(to(Channel::Work, at_home(strong.clone())).skip(), (ReasonCode::OutOfContext, detail.clone()));
    assert_eq!(to(Channel::Personal, at_work(strong)).skip(), (ReasonCode::OutOfContext, detail));
}

#[test]
fn social_interests_count_only_with_an_active_consent_to_their_use_on_that_channel() {
    let with = |extra: Vec<Consent>| {
        caring(vec![interest(Social, "rust", 0.9)]).but(|g| g.recipient.profile.consents.extend(extra))
    };
    let social = |status, age| consent(status, "data/social", days_ago(age));
    assert!(with(vec![social(Granted, 5)]).sends());
    assert!(with(vec![consent(Granted, "data", days_ago(5))]).sends(), "an ancestor's consent covers it");

    let not_permitted = [
        vec![],
        vec![social(Pending, 5)],
        vec![social(Granted, 5), social(Withdrawn, 4)],
        vec![Consent { expires_at: Some(days_ago(1)), ..social(Granted, 5) }],
        vec![Consent { channel: Channel::Personal, ..social(Granted, 5) }],
        vec![consent(Granted, "data/social-media", days_ago(5))],
        vec![consent(Granted, "data", days_ago(5)), social(Withdrawn, 9)],
    ];
    for extra in not_permitted {
        let detail = json!({ "topic": "rust", "strength": 0.9, "threshold": 0.3 });
        assert_eq!(with(extra.clone()).skip(), (ReasonCode::ProfilingNotPermitted, detail), "{extra:?}");
    }
}

#[test]
fn the_reason_is_out_of_context_then_profiling_not_permitted_then_not_interested() {
    let weak = at_work(interest(Declared, "rust", 0.1));
    let social = at_work(interest(Social, "rust", 0.8));
    let home = at_home(interest(Declared, "rust", 0.7));
    let weak_home = at_home(interest(Declared, "rust", 0.2));
    let weak_social = at_work(interest(Social, "rust", 0.2));
    let cases = [
        (vec![&weak, &social, &home], ReasonCode::OutOfContext, 0.7),
        (vec![&weak, &social, &weak_home], ReasonCode::ProfilingNotPermitted, 0.8),
        (vec![&weak, &weak_social, &weak_home], ReasonCode::NotInterested, 0.1),
        (vec![&weak], ReasonCode::NotInterested, 0.1),
        // Nothing usable at all.
        (vec![&weak_social, &weak_home], ReasonCode::NotInterested, 0.0),
    ];
    for (held, code, strength) in cases {
        let given = caring(held.into_iter().cloned().collect());
        let (found, detail) = given.skip();
        assert_eq!((found, &detail["strength"]), (code, &json!(strength)));
        assert_eq!(detail["threshold"], json!(0.3));
    }
}

#[test]
fn an_unusable_interest_does_not_spoil_a_usable_one() {
    let given = caring(vec![
        at_home(interest(Declared, "rust", 1.0)),
        interest(Social, "rust", 1.0),
        at_work(interest(Declared, "rust/async", 0.3)),
    ]);
    assert_eq!(grounds(&given).interest, Some(topic("rust/async")));
}

#[test]
fn with_a_threshold_of_zero_consent_suffices() {
    let any = |g: &mut Given| g.campaign.min_interest = Some(Strength::new(0.0));
    let nobody = caring(vec![]).but(any);
    assert_eq!(grounds(&nobody), Grounds { consent: Some(topic("rust")), interest: None, strength: None });
    assert!(caring(vec![at_home(interest(Declared, "rust", 0.9))]).but(any).sends());
    assert!(caring(vec![interest(Social, "rust", 0.9)]).but(any).sends());
}

#[test]
fn a_muted_topic_or_ancestor_refuses_also_at_a_threshold_of_zero() {
    for threshold in [0.0, 0.3] {
        for (muted, refuses) in [
            ("rust/async", true),
            ("rust", true),
            ("rust/async/streams", false),
            ("rust/macros", false),
            ("rus", false),
        ] {
            let given = Given::germane().but(|g| {
                g.campaign.min_interest = Some(Strength::new(threshold));
                g.recipient.profile.preferences.muted_topics = vec![topic("garden"), topic(muted)];
            });
            if refuses {
                assert_eq!(given.skip(), (ReasonCode::TopicMuted, json!({ "topic": muted })));
            } else {
                assert!(given.sends(), "{muted}");
            }
        }
    }
}

#[test]
fn a_mute_is_the_reason_even_where_nothing_is_of_interest() {
    let given = caring(vec![]).but(|g| g.recipient.profile.preferences.muted_topics = vec![topic("rust")]);
    assert_eq!(given.skip().0, ReasonCode::TopicMuted);
}
