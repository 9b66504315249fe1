//! The properties.

use germane::domain::{
    campaign::{Campaign, Kind},
    consent::{Consent, ConsentStatus},
    decision::{Decision, ReasonCode},
    frequency::{FrequencyCap, Send},
    gate,
    id::ClaimId,
    policy::Policy,
    recipient::{Suppression, SuppressionKind, Unusable},
    time::days_after,
    topic::Topic,
};
use jiff::Timestamp;
use proptest::{collection::vec, option, prelude::*};
use serde_json::json;

use super::world::{caps, times, topics, worlds};
use crate::given::{Given, consent, millis, now};

/// A further reason not to mail somebody.
#[derive(Debug, Clone)]
enum Refusal {
    Suppressed(Timestamp),
    Withdrawn(Topic, Timestamp),
    Muted(Topic),
    Paused(Timestamp),
    Owned,
    Unusable,
    Sent(Timestamp),
}

fn refusals() -> impl Strategy<Value = Refusal> {
    prop_oneof![
        times(-30..1).prop_map(Refusal::Suppressed),
        (topics(), times(-500..1)).prop_map(|(topic, at)| Refusal::Withdrawn(topic, at)),
        topics().prop_map(Refusal::Muted),
        times(-5..5).prop_map(Refusal::Paused),
        Just(Refusal::Owned),
        Just(Refusal::Unusable),
        times(-30..1).prop_map(Refusal::Sent),
    ]
}

impl Refusal {
    fn add_to(self, given: &mut Given) {
        let channel = given.campaign.channel;
        let sends = given.recipient.sends.clone();
        let profile = &mut given.recipient.profile;
        match self {
            Refusal::Suppressed(since) => {
                profile.suppression = Some(Suppression { kind: SuppressionKind::UnsubscribedAll, since });
            }
            Refusal::Withdrawn(topic, at) => {
                profile.consents.push(Consent { channel, ..consent(ConsentStatus::Withdrawn, topic.as_str(), at) });
            }
            Refusal::Muted(topic) => profile.preferences.muted_topics.push(topic),
            Refusal::Paused(until) => {
                let longer = profile.preferences.paused_until.map_or(until, |held| held.max(until));
                profile.preferences.paused_until = Some(longer);
            }
            Refusal::Owned => profile.owns.push("course-rust-101".parse().unwrap()),
            Refusal::Unusable => {
                for address in [&mut profile.work, &mut profile.personal].into_iter().flatten() {
                    address.unusable = Some(Unusable::HardBounce);
                }
            }
            Refusal::Sent(at) => {
                let send = Send { key: given.campaign.key(), at, claim: ClaimId([3; 8]), counts: true };
                given.sent(sends.iter().copied().chain([send]));
            }
        }
    }
}

/// The frequency gate's answer alone: when the next send fits, or `None` if it fits now.
fn next_slot(given: &Given) -> Option<Timestamp> {
    let verdicts = gate::explain(&given.recipient, &given.campaign, &given.policy, given.now);
    let verdict = verdicts.into_iter().find(|verdict| verdict.gate == gate::Gate::Frequency)?;
    verdict.detail["next_slot"].as_str().map(|slot| slot.parse().unwrap())
}

/// The most that any window of the cap's length holds.
fn most_within(times: &[Timestamp], cap: FrequencyCap) -> usize {
    let from = |start: Timestamp| times.iter().filter(|at| start <= **at && **at < days_after(start, cap.days)).count();
    times.iter().map(|start| from(*start)).max().unwrap_or(0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_further_refusal_never_turns_a_skip_into_a_send(given in worlds(), refusal in refusals()) {
        let refused = given.clone().but(|g| refusal.add_to(g));
        prop_assert!(given.sends() || !refused.sends());
    }

    #[test]
    fn a_refusal_that_binds_everybody_always_refuses(given in worlds(), since in times(-30..1)) {
        let suppressed = given.clone().but(|g| Refusal::Suppressed(since).add_to(g));
        prop_assert_eq!(suppressed.reason(), Some(ReasonCode::Suppressed));
        let sent = given.clone().but(|g| Refusal::Sent(since).add_to(g));
        prop_assert!(!sent.sends());
        // No consent is newer than this.
        let latest = now() + millis(86_400_000);
        let withdrawn = given.but(|g| Refusal::Withdrawn(g.campaign.topic.clone(), latest).add_to(g));
        prop_assert!(withdrawn.campaign.kind == Kind::Notice || !withdrawn.sends());
    }

    #[test]
    fn the_recipients_own_cap_only_tightens(given in worlds(), own in caps()) {
        let without = given.clone().but(|g| g.recipient.profile.preferences.max_frequency = None);
        let with = given.but(|g| g.recipient.profile.preferences.max_frequency = Some(own));
        prop_assert!(without.sends() || !with.sends());
    }

    #[test]
    fn exemption_changes_only_what_the_policys_caps_refuse(given in worlds()) {
        let bound = given.clone().but(|g| g.campaign.frequency.exempt = false);
        let exempt = given.but(|g| g.campaign.frequency.exempt = true);
        prop_assert!(exempt.sends() || !bound.sends());
        let uncapped = bound.but(|g| g.policy.frequency.clear());
        prop_assert_eq!(exempt.decide(), uncapped.decide());
    }

    #[test]
    fn the_first_verdict_that_fails_is_the_decision(given in worlds()) {
        let verdicts = gate::explain(&given.recipient, &given.campaign, &given.policy, given.now);
        let first = verdicts.iter().find(|verdict| !verdict.pass);
        prop_assert_eq!(first.and_then(|verdict| verdict.reason), given.reason());
        prop_assert_eq!(first.is_none(), given.sends());
        if let Decision::Skip(reason) | Decision::Defer { reason, .. } = given.decide() {
            prop_assert_eq!(first.map(|verdict| verdict.detail.clone()), Some(reason.detail()));
        }
    }

    #[test]
    fn the_same_values_give_the_same_decision(given in worlds()) {
        prop_assert_eq!(given.decide(), given.clone().decide());
    }

    #[test]
    fn the_order_in_which_facts_are_held_does_not_matter(given in worlds()) {
        let turned = given.clone().but(|g| {
            g.recipient.profile.consents.reverse();
            g.recipient.profile.interests.reverse();
            g.policy.frequency.reverse();
        });
        prop_assert_eq!(given.reason(), turned.reason());
    }

    #[test]
    fn whoever_waits_waits_for_a_time_between_now_and_the_campaigns_end(given in worlds()) {
        if let Decision::Defer { until, .. } = given.decide() {
            prop_assert!(given.now < until && until < given.campaign.expires_at);
        }
    }

    #[test]
    fn the_slot_that_a_full_cap_names_is_exact(given in worlds()) {
        if let Some(slot) = next_slot(&given) {
            let before = given.clone().but(|g| g.now = slot - millis(1));
            prop_assert_eq!(next_slot(&before), Some(slot));
            prop_assert_eq!(next_slot(&given.but(|g| g.now = slot)), None);
        }
    }

    #[test]
    fn no_rolling_window_ever_holds_more_sends_than_its_cap(
        policy in vec(caps(), 0..3),
        own in option::of(caps()),
        // From rapid fire to a few days.
        gaps in vec(prop_oneof![0_i64..1_000, 0_i64..300_000_000], 1..60),
    ) {
        let mut given = Given::germane().but(|g| {
            g.policy.frequency = policy.clone();
            g.recipient.profile.preferences.max_frequency = own;
        });
        let mut taken = Vec::new();
        for (n, gap) in gaps.into_iter().enumerate() {
            given.now += millis(gap);
            given.campaign.id = format!("campaign-{n}").parse().unwrap();
            if given.sends() {
                let send = Send { key: given.campaign.key(), at: given.now, claim: ClaimId([0; 8]), counts: true };
                given.recipient.sends = given.recipient.sends.with([send], given.now);
                taken.push(given.now);
            }
        }
        for cap in policy.into_iter().chain(own) {
            prop_assert!(most_within(&taken, cap) <= cap.sends as usize, "{cap:?}: {taken:?}");
        }
    }

    #[test]
    fn campaigns_and_policies_read_back_as_they_were_written(given in worlds()) {
        let campaign = Campaign::restore(&json!(given.campaign));
        prop_assert_eq!(campaign.as_ref(), Ok(&given.campaign));
        let policy = Policy::parse(&json!(given.policy));
        prop_assert_eq!(policy.as_ref(), Ok(&given.policy));
    }
}

#[test]
fn chance_makes_people_whom_every_gate_refuses_and_some_who_are_sent() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let reasons: std::collections::BTreeSet<_> =
        (0..2_000).map(|_| worlds().new_tree(&mut runner).unwrap().current().reason()).collect();
    let expected = [
        None,
        Some(ReasonCode::Suppressed),
        Some(ReasonCode::NoAddress),
        Some(ReasonCode::AddressUnusable),
        Some(ReasonCode::NoConsent),
        Some(ReasonCode::ConsentWithdrawn),
        Some(ReasonCode::Paused),
        Some(ReasonCode::TopicMuted),
        Some(ReasonCode::NotInterested),
        Some(ReasonCode::OutOfContext),
        Some(ReasonCode::AlreadyOwned),
        Some(ReasonCode::FrequencyCap),
        Some(ReasonCode::OutsideSendWindow),
        Some(ReasonCode::NoTimeZone),
        Some(ReasonCode::Holdout),
    ];
    for reason in expected {
        assert!(reasons.contains(&reason), "never {reason:?} at {}", now());
    }
}
