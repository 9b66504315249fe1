//! Promises 3 and 4, of each claim at the moment at which it was written: what the gate must have seen.

use germane::domain::{
    campaign::{Campaign, Kind},
    consent::ConsentStatus,
    frequency::{FrequencyCap, Send},
    policy::Policy,
    recipient::Recipient,
};
use jiff::{SignedDuration, Timestamp};

use super::super::super::virtual_world::tables::Store;
use super::{Witness, taken_by};

/// A policy that was replaced may be decided by for so long: one walk reads it page by page.
const DAY: SignedDuration = SignedDuration::from_hours(24);

pub(super) fn allowed(witness: &mut Witness, store: &Store) {
    let campaigns: Vec<Campaign> = store.campaigns.all().map(|record| record.campaign.clone()).collect();
    let policies: Vec<&Policy> = store.rules.policies.iter().map(|held| &held.policy).collect();
    for change in &store.people.changes {
        let (Some(before), Some(after)) = (&change.before, &change.after) else { continue };
        if after.version <= before.version {
            witness.says(3, format!("{} was written and its version did not rise", change.id));
        }
        if after.profile != before.profile && after.sends != before.sends {
            witness.says(3, format!("{}: one write changed facts and sends", change.id));
        }
        for campaign in taken_by(change, &campaigns) {
            let Some(send) = after.sends.of(campaign.key()) else { continue };
            for fault in faults(before, after, campaign, send, &policies) {
                witness.says(fault.0, format!("{} at {:?} for {}: {}", change.id, change.at, campaign.id, fault.1));
            }
        }
    }
}

fn faults(
    before: &Recipient,
    after: &Recipient,
    campaign: &Campaign,
    send: &Send,
    policies: &[&Policy],
) -> Vec<(u8, String)> {
    let mut faults = Vec::new();
    let mut must = |promise: u8, holds: bool, fault: &str| {
        if !holds {
            faults.push((promise, fault.to_owned()));
        }
    };
    let address = before.address(campaign.channel);
    must(4, before.suppression.is_none(), "is suppressed");
    must(4, address.is_some_and(|address| address.unusable.is_none()), "has no usable address");
    must(2, before.sends.of(campaign.key()).is_none(), "had it already");
    must(8, send.at < campaign.expires_at, "after its end");
    if campaign.kind == Kind::Notice {
        return faults;
    }
    must(4, consents(before, campaign, send.at), "has not consented");
    must(4, before.preferences.paused_until.is_none_or(|until| until <= send.at), "has paused");
    let muted = before.preferences.muted_topics.iter().any(|muted| muted.covers(&campaign.topic));
    must(4, !muted, "has muted the topic");
    must(4, !campaign.promotes.iter().any(|product| before.owns.contains(product)), "owns it already");
    if let Some(cap) = before.preferences.max_frequency {
        must(3, keeps(after, cap, send), "over their own cap");
    }
    let policy = |policy: &&Policy| policy.frequency.iter().all(|cap| keeps(after, *cap, send));
    must(3, campaign.frequency.exempt || policies.iter().any(policy), "over the policy's caps");
    faults
}

/// A grant on the topic or above it, and no withdrawal that is as new or more specific.
fn consents(person: &Recipient, campaign: &Campaign, at: Timestamp) -> bool {
    let on = || {
        let held = person.consents.iter();
        held.filter(|held| held.channel == campaign.channel && held.topic.covers(&campaign.topic))
    };
    on().filter(|held| held.status == ConsentStatus::Granted && held.expires_at.is_none_or(|end| end > at)).any(
        |grant| {
            !on().any(|other| {
                let deeper = grant.topic.covers(&other.topic) && grant.topic != other.topic;
                other.status == ConsentStatus::Withdrawn && (other.at >= grant.at || deeper)
            })
        },
    )
}

/// Whether no span of the cap's days that holds this send holds more than its sends.
fn keeps(person: &Recipient, cap: FrequencyCap, send: &Send) -> bool {
    let span = DAY * i32::try_from(cap.days).unwrap();
    let mut times: Vec<Timestamp> =
        person.sends.iter().filter(|held| held.counts || held.key == send.key).map(|held| held.at).collect();
    times.sort_unstable();
    let holds = |from: &Timestamp| *from <= send.at && send.at.duration_since(*from) < span;
    let within = |from: Timestamp| times.iter().filter(|at| **at >= from && at.duration_since(from) < span).count();
    times.iter().filter(|from| holds(from)).all(|from| within(*from) <= cap.sends as usize)
}
