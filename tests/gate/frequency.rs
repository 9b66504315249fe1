//! Gate 8: every cap of the policy and the recipient's own, rolling, exact to the millisecond.

use germane::domain::{
    decision::{Decision, ReasonCode},
    frequency::{Send, Sends},
    id::ClaimId,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::given::{Given, cap, days_ago, leaves, millis, now, send};

/// With the policy's caps and the recipient's own.
fn capped(policy: &[(u32, u32)], own: Option<(u32, u32)>) -> Given {
    Given::germane().but(|g| {
        g.policy.frequency = policy.iter().map(|(sends, days)| cap(*sends, *days)).collect();
        g.recipient.profile.preferences.max_frequency = own.map(|(sends, days)| cap(sends, days));
    })
}

fn sent_at(given: &Given, times: &[Timestamp]) -> Given {
    given.clone().but(|g| g.sent(times.iter().enumerate().map(|(n, at)| send(&format!("other-{n}"), *at))))
}

fn uncounted(campaign: &str, at: Timestamp) -> Send {
    Send { counts: false, ..send(campaign, at) }
}

fn full(sends: u32, days: u32, used: u32, next_slot: Timestamp, rule: &str) -> (ReasonCode, Value) {
    let detail = json!({ "sends": sends, "days": days, "used": used, "next_slot": next_slot, "rule": rule });
    (ReasonCode::FrequencyCap, detail)
}

#[test]
fn a_slot_is_free_at_exactly_its_days_times_24_hours_and_not_a_millisecond_before() {
    for days in [1, 7, 30] {
        let freed = now() - (leaves(now(), days) - now());
        for (policy, own, rule) in [(vec![(1, days)], None, "policy"), (vec![], Some((1, days)), "recipient")] {
            let given = capped(&policy, own);
            assert!(sent_at(&given, &[freed]).sends(), "{rule}, {days} days");
            let refused = sent_at(&given, &[freed + millis(1)]);
            assert_eq!(refused.skip(), full(1, days, 1, now() + millis(1), rule));
        }
    }
}

#[test]
fn a_cap_of_n_is_full_at_n_sends_and_frees_when_the_oldest_that_matters_leaves() {
    let given = capped(&[(2, 7)], None);
    assert!(sent_at(&given, &[days_ago(6)]).sends());
    assert_eq!(sent_at(&given, &[days_ago(6), days_ago(2)]).skip(), full(2, 7, 2, leaves(days_ago(6), 7), "policy"));
    // Over the cap, after it was lowered: two of the three must leave.
    assert_eq!(
        sent_at(&given, &[days_ago(6), days_ago(4), days_ago(2)]).skip(),
        full(2, 7, 3, leaves(days_ago(4), 7), "policy")
    );
}

#[test]
fn days_are_24_hours_also_where_daylight_saving_makes_a_day_shorter() {
    let at = "2026-03-28T12:00:00Z".parse().unwrap();
    let given = sent_at(&capped(&[(1, 1)], None), &[at]).but(|g| g.now = leaves(at, 1) - millis(1));
    assert_eq!(given.skip().1["next_slot"], json!("2026-03-29T12:00:00Z"));
}

#[test]
fn of_several_full_caps_the_one_that_frees_last_is_named() {
    let times = [days_ago(2), days_ago(1)];
    let weekly_last = sent_at(&capped(&[(1, 1), (2, 7)], None), &[days_ago(2), now() - millis(1)]);
    assert_eq!(weekly_last.skip(), full(2, 7, 2, leaves(days_ago(2), 7), "policy"));
    let own_last = sent_at(&capped(&[(2, 7)], Some((1, 7))), &times);
    assert_eq!(own_last.skip(), full(1, 7, 2, leaves(days_ago(1), 7), "recipient"));
    let policy_last = sent_at(&capped(&[(1, 7)], Some((2, 7))), &times);
    assert_eq!(policy_last.skip(), full(1, 7, 2, leaves(days_ago(1), 7), "policy"));
}

#[test]
fn of_caps_that_free_at_once_the_policys_first_is_named() {
    let given = sent_at(&capped(&[(1, 3), (2, 3)], Some((1, 3))), &[days_ago(1)]);
    assert_eq!(given.skip(), full(1, 3, 1, leaves(days_ago(1), 3), "policy"));
    let at = days_ago(1);
    let twins = sent_at(&capped(&[(2, 3), (1, 3)], Some((2, 3))), &[at, at]);
    assert_eq!(twins.skip(), full(2, 3, 2, leaves(at, 3), "policy"));
}

#[test]
fn one_cap_with_room_does_not_make_up_for_one_without() {
    assert_eq!(sent_at(&capped(&[(8, 30), (1, 7)], None), &[days_ago(1)]).skip().1["days"], json!(7));
    assert_eq!(sent_at(&capped(&[(8, 30)], Some((1, 7))), &[days_ago(1)]).skip().1["rule"], json!("recipient"));
}

#[test]
fn exempt_lifts_the_policys_caps_and_never_the_recipients_own() {
    let exempt = |g: &mut Given| g.campaign.frequency.exempt = true;
    assert!(sent_at(&capped(&[(1, 7), (1, 30)], None), &[days_ago(1)]).but(exempt).sends());
    let own = sent_at(&capped(&[(1, 30)], Some((1, 7))), &[days_ago(1)]).but(exempt);
    assert_eq!(own.skip(), full(1, 7, 1, leaves(days_ago(1), 7), "recipient"));
}

#[test]
fn what_was_sent_without_using_a_slot_uses_none() {
    let given = capped(&[(1, 7)], Some((1, 7))).but(|g| g.sent([uncounted("receipt", days_ago(1))]));
    assert!(given.sends());
}

#[test]
fn a_campaign_that_uses_no_slot_is_still_refused_by_a_full_cap() {
    let given = sent_at(&capped(&[(1, 7)], None), &[days_ago(1)]).but(|g| g.campaign.frequency.counts = false);
    assert_eq!(given.skip().0, ReasonCode::FrequencyCap);
}

#[test]
fn caps_count_a_person_over_both_channels() {
    // A send does not say to which address it went.
    let given = sent_at(&capped(&[(2, 7)], None), &[days_ago(2), days_ago(1)]);
    assert_eq!(given.skip().1["used"], json!(2));
}

#[test]
fn a_send_dated_ahead_by_a_skewed_clock_counts() {
    let at = now() + millis(500);
    assert_eq!(sent_at(&capped(&[(1, 7)], None), &[at]).skip(), full(1, 7, 1, leaves(at, 7), "policy"));
}

#[test]
fn without_caps_only_the_history_limits() {
    assert!(sent_at(&capped(&[], None), &[days_ago(1); 63]).sends());
}

#[test]
fn a_cap_of_zero_never_opens() {
    let given = capped(&[(0, 7)], None);
    assert_eq!(given.skip(), full(0, 7, 0, leaves(now(), 7), "policy"));
}

#[test]
fn a_history_of_64_live_entries_refuses_and_63_do_not() {
    let oldest = days_ago(31);
    let history = |length: usize| {
        capped(&[], None).but(|g| {
            let recent = (1..length).map(|n| uncounted(&format!("receipt-{n}"), days_ago(1)));
            g.sent(recent.chain([uncounted("receipt-0", oldest)]));
        })
    };
    assert!(history(63).sends());
    assert_eq!(history(64).skip(), full(64, 32, 64, leaves(oldest, 32), "history"));
    assert_eq!(history(66).skip(), full(64, 32, 66, leaves(days_ago(1), 32), "history"));
    let exempt = history(64).but(|g| g.campaign.frequency.exempt = true);
    assert_eq!(exempt.skip().1["rule"], json!("history"));
}

#[test]
fn an_entry_leaves_the_history_at_exactly_32_days() {
    let history = |oldest| {
        capped(&[], None).but(|g| {
            let recent = (1..64).map(|n| uncounted(&format!("receipt-{n}"), days_ago(1)));
            g.sent(recent.chain([uncounted("receipt-0", oldest)]));
        })
    };
    assert!(history(days_ago(32)).sends());
    let refused = history(days_ago(32) + millis(1));
    assert_eq!(refused.skip(), full(64, 32, 64, now() + millis(1), "history"));
}

#[test]
fn a_full_cap_frees_at_the_slot_that_it_names() {
    let given = sent_at(&capped(&[(2, 7), (1, 1)], None), &[days_ago(6), now() - millis(1)]);
    let Decision::Skip(reason) = given.decide() else { panic!("expected a skip") };
    let next_slot: Timestamp = reason.detail()["next_slot"].as_str().unwrap().parse().unwrap();
    assert!(!given.clone().but(|g| g.now = next_slot - millis(1)).sends());
    assert!(given.but(|g| g.now = next_slot).sends());
}

#[test]
fn the_record_forgets_by_age_alone_and_gives_back_by_claim() {
    let old = send("old", days_ago(32));
    let mine = Send { claim: ClaimId([2; 8]), ..send("mine", now()) };
    let kept = send("kept", days_ago(31));
    let sends = Sends::new(vec![old, kept]).with([mine], now());
    assert_eq!(sends, Sends::new(vec![kept, mine]));
    assert_eq!(sends.without(mine.claim), Sends::new(vec![kept]));
    assert_eq!(sends.of(mine.key), Some(&mine));
}
