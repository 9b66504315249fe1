//! What can be waited for is waited for, but never beyond the campaign's end.

use germane::domain::{
    campaign::OnCap,
    decision::{Decision, ReasonCode},
    window::SendWindow,
};
use jiff::{
    Timestamp,
    civil::{Time, Weekday},
};

use crate::given::{Given, cap, days_ago, leaves, millis, send, time};

fn capped(on_cap: OnCap) -> Given {
    Given::germane().but(|g| {
        g.policy.frequency = vec![cap(1, 7)];
        g.campaign.on_cap = on_cap;
        g.sent([send("other", days_ago(5))]);
    })
}

/// Opens on Thursday at 09:00 in Berlin.
fn closed() -> Given {
    let clock = |hour| Time::constant(hour, 0, 0, 0);
    let window = SendWindow::new(clock(9), clock(18), &[Weekday::Thursday]);
    Given::germane().but(|g| g.campaign.send_window = window)
}

fn ends(given: Given, expires_at: Timestamp) -> Given {
    given.but(|g| g.campaign.expires_at = expires_at)
}

#[test]
fn a_full_cap_skips_or_waits_as_the_campaign_says() {
    assert_eq!(capped(OnCap::Skip).skip().0, ReasonCode::FrequencyCap);
    let Decision::Defer { reason, until } = capped(OnCap::Defer).decide() else { panic!("expected to wait") };
    assert_eq!((reason.code(), until), (ReasonCode::FrequencyCap, leaves(days_ago(5), 7)));
}

#[test]
fn a_cap_is_waited_for_only_if_it_frees_before_the_campaign_ends() {
    let frees = leaves(days_ago(5), 7);
    assert_eq!(ends(capped(OnCap::Defer), frees).skip().0, ReasonCode::FrequencyCap);
    let waits = ends(capped(OnCap::Defer), frees + millis(1)).decide();
    assert!(matches!(waits, Decision::Defer { until, .. } if until == frees));
}

#[test]
fn a_closed_window_waits_whatever_on_cap_says() {
    for on_cap in [OnCap::Skip, OnCap::Defer] {
        let decision = closed().but(|g| g.campaign.on_cap = on_cap).decide();
        let Decision::Defer { reason, until } = decision else { panic!("expected to wait") };
        assert_eq!((reason.code(), until), (ReasonCode::OutsideSendWindow, time("2026-11-26T08:00:00Z")));
    }
}

#[test]
fn a_window_is_waited_for_only_if_it_opens_before_the_campaign_ends() {
    let opens = time("2026-11-26T08:00:00Z");
    assert_eq!(ends(closed(), opens).skip().0, ReasonCode::OutsideSendWindow);
    assert!(matches!(ends(closed(), opens + millis(1)).decide(), Decision::Defer { .. }));
}

#[test]
fn a_full_history_is_waited_for_like_a_cap() {
    let given = Given::germane().but(|g| {
        g.campaign.on_cap = OnCap::Defer;
        g.policy.frequency.clear();
        g.sent((0..64).map(|n| send(&format!("other-{n}"), days_ago(30))));
    });
    assert!(matches!(given.decide(), Decision::Defer { until, .. } if until == leaves(days_ago(30), 32)));
}

#[test]
fn nothing_else_is_waited_for() {
    let pause_ends = days_ago(-1);
    let given = Given::germane().but(|g| {
        g.campaign.on_cap = OnCap::Defer;
        g.recipient.profile.preferences.paused_until = Some(pause_ends);
    });
    assert_eq!(given.skip().0, ReasonCode::Paused);
}
