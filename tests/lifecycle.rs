//! Every status under every command, and what is told of who was put off.

use germane::domain::{
    decision::{Grounds, Outcome, Reason, ReasonCode},
    lifecycle::{
        Command,
        Effect::{self, Moves, Refused, Stands},
    },
    report::{
        CampaignStatus::{
            self, Cancelled, Complete, Expired, Launching, Paused, Refused as RefusedAtLaunch, Scheduled, Sending,
            WaitingForQuota, WaitingForWindow,
        },
        Counts,
    },
};

use crate::given::{now, topic};

/// Status, pause, resume of a campaign that was launched, cancel.
const TABLE: [(CampaignStatus, Effect, Effect, Effect); 10] = [
    (Scheduled, Moves(Paused), Stands, Moves(Cancelled)),
    (Launching, Moves(Paused), Stands, Moves(Cancelled)),
    (Sending, Moves(Paused), Refused, Moves(Cancelled)),
    (WaitingForWindow, Moves(Paused), Refused, Moves(Cancelled)),
    (WaitingForQuota, Moves(Paused), Refused, Moves(Cancelled)),
    (Paused, Stands, Moves(Launching), Moves(Cancelled)),
    (Cancelled, Refused, Refused, Stands),
    (Expired, Refused, Refused, Refused),
    (Complete, Refused, Refused, Refused),
    (RefusedAtLaunch, Refused, Refused, Refused),
];

#[test]
fn each_status_makes_of_each_command_what_the_table_says() {
    let statuses: Vec<CampaignStatus> = TABLE.iter().map(|(status, ..)| *status).collect();
    assert_eq!(statuses, CampaignStatus::ALL);
    for (status, pause, resume, cancel) in TABLE {
        for (command, effect) in [(Command::Pause, pause), (Command::Resume, resume), (Command::Cancel, cancel)] {
            assert_eq!(command.on(status, true), effect, "{} on {status}", command.as_str());
        }
    }
}

#[test]
fn a_campaign_that_was_never_launched_is_resumed_to_wait_for_its_start_and_nothing_else_differs() {
    for (command, status) in Command::ALL.iter().flat_map(|c| CampaignStatus::ALL.iter().map(move |s| (*c, *s))) {
        let effect = command.on(status, false);
        if (command, status) == (Command::Resume, Paused) {
            assert_eq!(effect, Moves(Scheduled));
        } else {
            assert_eq!(effect, command.on(status, true), "{} on {status}", command.as_str());
        }
    }
}

fn put_off() -> Vec<Outcome> {
    vec![
        Outcome::Deferred { reason: Reason::Quota, until: None },
        Outcome::Deferred { reason: Reason::Stopped, until: Some(now()) },
    ]
}

fn decided() -> Vec<Outcome> {
    vec![
        Outcome::Sent(Grounds::default()),
        Outcome::Skipped(Reason::NoConsent { topic: topic("rust") }),
        Outcome::HeldOut { percent: 10 },
        Outcome::Failed(Reason::NotRendered),
        Outcome::InDoubt,
    ]
}

#[test]
fn the_end_of_a_campaign_skips_who_was_put_off_and_changes_nobody_else() {
    for status in CampaignStatus::ALL.iter().copied() {
        let end = match status {
            Cancelled => Some(Outcome::Skipped(Reason::CampaignCancelled)),
            Expired => Some(Outcome::Skipped(Reason::CampaignExpired)),
            Scheduled | Launching | Sending | WaitingForWindow | WaitingForQuota | Paused | Complete
            | RefusedAtLaunch => None,
        };
        for outcome in put_off() {
            assert_eq!(outcome.clone().under(status), end.clone().unwrap_or(outcome), "{status}");
        }
        for outcome in decided() {
            assert_eq!(outcome.clone().under(status), outcome, "{status}");
        }
    }
}

#[test]
fn counts_are_told_as_the_outcomes_that_they_count() {
    let outcomes = || put_off().into_iter().chain(decided());
    let count = |outcomes: &mut dyn Iterator<Item = Outcome>| {
        let mut counts = Counts::default();
        outcomes.for_each(|outcome| counts.add(&outcome));
        counts
    };
    for status in CampaignStatus::ALL.iter().copied() {
        let counted = count(&mut outcomes());
        let told = counted.clone().under(status);
        assert_eq!(told, count(&mut outcomes().map(|outcome| outcome.under(status))), "{status}");
        assert_eq!(told.decided(), counted.decided());
    }
    let told = count(&mut outcomes()).under(Cancelled).reasons();
    assert_eq!(told[ReasonCode::CampaignCancelled.as_str()], 2);
}
