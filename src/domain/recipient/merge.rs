//! How a change from outside merges into what is held: absent means unchanged, null means removed, lists merge by key.

use super::{
    Address, Fact, Profile, Recipient, RecipientChange,
    change::{ConsentChange, Incoming},
    size::too_much,
};
use crate::domain::{
    channel::Channel,
    consent::{Consent, ConsentStatus},
    door::{Change, Fault},
    email::EmailAddress,
    id::Product,
    interest::Interest,
};

/// A change of one consent that was taken over, as the evidence table records it.
#[derive(Debug, Clone, PartialEq)]
pub struct ConsentMove {
    pub before: Option<ConsentStatus>,
    /// `None` where the record was removed: nobody withdrew anything, so that it may be granted again.
    pub after: Option<ConsentStatus>,
    /// As it is now, or was before it was removed.
    pub consent: Consent,
    pub evidence: Option<String>,
}

impl RecipientChange {
    /// Merges into what is held. Never touches sends, suppression or what the recipient set themselves; says which
    /// consents moved, or what is wrong with the person that would result, who is then left as they were.
    pub fn apply(self, recipient: &mut Recipient) -> Result<Vec<ConsentMove>, Vec<Fault>> {
        let before = recipient.profile.clone();
        let moves = self.merge(&mut recipient.profile);
        let faults = moves.as_ref().map_or_else(Clone::clone, |moves| too_much(&before, &recipient.profile, moves));
        if !faults.is_empty() {
            recipient.profile = before;
            return Err(faults);
        }
        moves
    }

    fn merge(self, profile: &mut Profile) -> Result<Vec<ConsentMove>, Vec<Fault>> {
        let held = [profile.work.as_ref(), profile.personal.as_ref()];
        let fresh = |fact: Fact| !profile.is_own(&fact);
        let ours = |channel, change| if fresh(Fact::Address(channel)) { change } else { Change::Keep };
        let work = address(profile.work.as_ref(), ours(Channel::Work, self.work), &held);
        let personal = address(profile.personal.as_ref(), ours(Channel::Personal, self.personal), &held);
        if work.is_none() && personal.is_none() {
            return Err(vec![Fault {
                field: "/addresses".to_owned(),
                found: "no address".to_owned(),
                wanted: "at least one of work and personal".to_owned(),
            }]);
        }
        (profile.work, profile.personal) = (work, personal);
        if !profile.is_own(&Fact::TimeZone) {
            set(&mut profile.time_zone, self.time_zone);
        }
        if !profile.is_own(&Fact::Locale) {
            set(&mut profile.locale, self.locale);
        }
        let own = std::mem::take(&mut profile.own);
        let fresh = |fact: Fact| own.iter().all(|own| own.fact != fact);
        match self.attributes {
            Change::Keep => {}
            Change::Remove => profile.attributes.retain(|name, _| !fresh(Fact::Attribute(name.clone()))),
            Change::Set(attributes) => {
                for (name, value) in attributes.into_iter().filter(|(name, _)| fresh(Fact::Attribute(name.clone()))) {
                    match value {
                        Some(value) => profile.attributes.insert(name, value),
                        None => profile.attributes.remove(&name),
                    };
                }
            }
        }
        let interest = |i: &Interest| fresh(Fact::Interest { topic: i.topic.clone(), context: i.context });
        merge_interests(&mut profile.interests, self.interests, interest);
        merge_owns(&mut profile.owns, self.owns, |product| fresh(Fact::Owns(product.clone())));
        profile.own = own;
        let moves = merge_consents(&mut profile.consents, self.consents);
        if !profile.preferences.by_recipient {
            set(&mut profile.preferences.max_frequency, self.max_frequency);
            set(&mut profile.preferences.paused_until, self.paused_until);
            merge(&mut profile.preferences.muted_topics, self.muted_topics, PartialEq::eq);
        }
        Ok(moves)
    }
}

fn set<T>(held: &mut Option<T>, change: Change<T>) {
    match change {
        Change::Keep => {}
        Change::Remove => *held = None,
        Change::Set(value) => *held = Some(value),
    }
}

/// The address that results. A mailbox keeps what is known of it, also where it moves to the other channel.
fn address(was: Option<&Address>, change: Change<EmailAddress>, held: &[Option<&Address>]) -> Option<Address> {
    match change {
        Change::Keep => was.cloned(),
        Change::Remove => None,
        Change::Set(email) => {
            let mailbox = email.normalised();
            let same = held.iter().flatten().find(|held| held.email.normalised() == mailbox);
            let unusable = same.and_then(|same| same.unusable);
            Some(Address { email, unusable })
        }
    }
}

fn merge<T>(held: &mut Vec<T>, change: Change<Vec<T>>, same: impl Fn(&T, &T) -> bool) {
    match change {
        Change::Keep => {}
        Change::Remove => held.clear(),
        Change::Set(items) => {
            for item in items {
                match held.iter_mut().find(|held| same(held, &item)) {
                    Some(held) => *held = item,
                    None => held.push(item),
                }
            }
        }
    }
}

fn merge_owns(held: &mut Vec<Product>, change: Change<Vec<Product>>, fresh: impl Fn(&Product) -> bool) {
    let change = match change {
        Change::Set(products) => Change::Set(products.into_iter().filter(fresh).collect()),
        Change::Keep | Change::Remove => change,
    };
    merge(held, change, PartialEq::eq);
}

fn merge_interests(
    held: &mut Vec<Interest>,
    change: Change<Vec<Incoming<Interest>>>,
    fresh: impl Fn(&Interest) -> bool,
) {
    let changes = match change {
        Change::Keep => return,
        Change::Remove => return held.retain(|held| !fresh(held)),
        Change::Set(changes) => changes,
    };
    for Incoming { fact, dated } in changes.into_iter().filter(|change| fresh(&change.fact)) {
        let same = |held: &&mut Interest| {
            held.topic == fact.topic && held.source == fact.source && held.context == fact.context
        };
        match held.iter_mut().find(same) {
            Some(held) if !dated && held.strength == fact.strength => {}
            Some(held) => *held = fact,
            None => held.push(fact),
        }
    }
}

fn merge_consents(held: &mut Vec<Consent>, change: Change<Vec<Incoming<ConsentChange>>>) -> Vec<ConsentMove> {
    let changes = match change {
        Change::Keep => return Vec::new(),
        Change::Remove => {
            let stays = |c: &Consent| c.by_recipient || c.status == ConsentStatus::Withdrawn;
            let (kept, removed): (Vec<_>, Vec<_>) = std::mem::take(held).into_iter().partition(stays);
            *held = kept;
            let gone =
                |consent: Consent| ConsentMove { before: Some(consent.status), after: None, consent, evidence: None };
            return removed.into_iter().map(gone).collect();
        }
        Change::Set(changes) => changes,
    };
    // Withdrawals first: where a grant stands in the list must not decide whether it slips past one.
    let (withdrawals, others): (Vec<_>, Vec<_>) =
        changes.into_iter().partition(|change| change.fact.consent.status == ConsentStatus::Withdrawn);
    let mut moves = Vec::new();
    for Incoming { fact: ConsentChange { consent, evidence }, dated } in withdrawals.into_iter().chain(others) {
        let withdraws = consent.status == ConsentStatus::Withdrawn;
        let withdrawn_before = held.iter().any(|c| {
            c.status == ConsentStatus::Withdrawn && c.channel == consent.channel && c.topic.covers(&consent.topic)
        });
        if withdrawn_before && !withdraws {
            // After a withdrawal only the recipient's own act grants again.
            continue;
        }
        let before = held.iter_mut().find(|c| c.topic == consent.topic && c.channel == consent.channel);
        match before {
            Some(before) if consent.at <= before.at => {}
            // The recipient's own word stands, save that anybody may withdraw it for them.
            Some(before) if before.by_recipient && (!withdraws || before.status == ConsentStatus::Withdrawn) => {}
            Some(before) if !dated && says_the_same(before, &consent) => {}
            Some(before) => {
                let status = before.status;
                *before = consent.clone();
                moves.push(ConsentMove { before: Some(status), after: Some(consent.status), consent, evidence });
            }
            None => {
                held.push(consent.clone());
                moves.push(ConsentMove { before: None, after: Some(consent.status), consent, evidence });
            }
        }
    }
    moves
}

fn says_the_same(held: &Consent, new: &Consent) -> bool {
    let said = |c: &Consent| (c.status, c.basis, c.expires_at);
    said(held) == said(new) && held.source == new.source
}
