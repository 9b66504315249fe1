//! Calls about people: changed, claimed, erased, mailed a link.

use germane::{
    domain::{
        door::Change,
        frequency::{Send, Sends},
        id::{RecipientId, SendKey},
        recipient::{Recipient, Suppression, SuppressionKind, Unusable},
    },
    flow::{api::recipients::PersonWrite, send::claim::SendsWrite},
};
use proptest::{bool::weighted, collection::vec, option, prelude::*, sample::select};

use super::{Doer, MAILBOXES, PEOPLE, campaign, change, changed, places, rarely, told, who};
use crate::contract::{Ports, address, at, claim, next, people::evidence, reference};

#[derive(Debug, Clone)]
pub enum PersonOp {
    Put(Vec<PersonChange>),
    Erase { who: usize, stale: bool },
    Claim(Vec<ClaimOp>),
    Link { who: usize, pause: i64 },
    Unlink { who: usize, ago: i64 },
}

#[derive(Debug, Clone)]
pub struct PersonChange {
    who: usize,
    stale: bool,
    work: Change<usize>,
    personal: Change<usize>,
    unusable: Option<Unusable>,
    suppression: Change<SuppressionKind>,
    evidence: bool,
}

#[derive(Debug, Clone)]
pub struct ClaimOp {
    who: usize,
    stale: bool,
    claim: u8,
    gives_back: bool,
}

pub fn calls() -> impl Strategy<Value = PersonOp> {
    let who = || places(PEOPLE);
    prop_oneof![
        6 => vec(changes(), 1..4).prop_map(PersonOp::Put),
        1 => (who(), rarely()).prop_map(|(who, stale)| PersonOp::Erase { who, stale }),
        3 => vec(claims(), 1..4).prop_map(PersonOp::Claim),
        1 => (who(), 0..9_i64).prop_map(|(who, pause)| PersonOp::Link { who, pause }),
        1 => (who(), 0..4_i64).prop_map(|(who, ago)| PersonOp::Unlink { who, ago }),
    ]
}

fn changes() -> impl Strategy<Value = PersonChange> {
    let mailbox = || change(places(MAILBOXES));
    let suppression = change(select(SuppressionKind::ALL));
    let unusable = option::weighted(0.1, select(Unusable::ALL));
    (places(PEOPLE), rarely(), mailbox(), mailbox(), unusable, suppression, weighted(0.4)).prop_map(
        |(who, stale, work, personal, unusable, suppression, evidence)| PersonChange {
            who,
            stale,
            work,
            personal,
            unusable,
            suppression,
            evidence,
        },
    )
}

fn claims() -> impl Strategy<Value = ClaimOp> {
    (places(PEOPLE), rarely(), 0..3_u8, weighted(0.3)).prop_map(|(who, stale, claim, gives_back)| ClaimOp {
        who,
        stale,
        claim,
        gives_back,
    })
}

impl Doer {
    pub(super) async fn person(&self, ports: &Ports, op: &PersonOp) -> String {
        match op {
            PersonOp::Put(changes) => self.put(ports, changes).await,
            PersonOp::Erase { who: place, stale } => {
                let Some(mut held) = ports.people.get(&who(*place)).await.unwrap() else { return "nobody".to_owned() };
                held.version -= u64::from(*stale);
                told(ports.people.erase(&held, at(self.now)).await)
            }
            PersonOp::Claim(claims) => self.claim(ports, claims).await,
            PersonOp::Link { who: place, pause } => {
                told(ports.links.mark(&who(*place), at(self.now), at(self.now - pause)).await)
            }
            PersonOp::Unlink { who: place, ago } => told(ports.links.unmark(&who(*place), at(self.now - ago)).await),
        }
    }

    async fn put(&self, ports: &Ports, changes: &[PersonChange]) -> String {
        let ids: Vec<RecipientId> = changes.iter().map(|change| who(change.who)).collect();
        let held = ports.people.get_many(&ids).await.unwrap();
        let mut people: Vec<(Option<Recipient>, Recipient, bool)> = Vec::new();
        for change in changes {
            // Nobody may stand among them twice.
            if people.iter().any(|(_, after, _)| after.id == who(change.who)) {
                continue;
            }
            let mut before = held.iter().find(|held| held.id == who(change.who)).cloned();
            let blank = || Recipient::blank(who(change.who), reference(1), at(self.now));
            let mut after = before.as_ref().map_or_else(blank, |before| next(before, |_| ()));
            if let Some(before) = before.as_mut().filter(|_| change.stale) {
                before.version -= 1;
            }
            self.change(&mut after, change);
            people.push((before, after, change.evidence));
        }
        let evidence = |with: bool| if with { vec![evidence(&format!("at {}", self.now))] } else { Vec::new() };
        let mut writes: Vec<PersonWrite<'_>> = Vec::new();
        for (before, after, with) in &people {
            writes.push(PersonWrite { before: before.as_ref(), after, evidence: evidence(*with) });
        }
        told(ports.people.put(&writes).await)
    }

    fn change(&self, person: &mut Recipient, change: &PersonChange) {
        for (held, change) in
            [(&mut person.profile.work, &change.work), (&mut person.profile.personal, &change.personal)]
        {
            match change {
                Change::Keep => {}
                Change::Remove => *held = None,
                Change::Set(place) => *held = Some(address(MAILBOXES[*place])),
            }
        }
        if let (Some(unusable), Some(address)) = (change.unusable, person.profile.work.as_mut()) {
            address.unusable = Some(unusable);
        }
        let suppression = person.profile.suppression;
        let kind = changed(suppression.map(|suppression| suppression.kind), &change.suppression);
        if suppression.map(|suppression| suppression.kind) != kind {
            person.profile.suppression = kind.map(|kind| Suppression { kind, since: at(self.now) });
        }
        person.profile.locale = Some(format!("l{}", self.now));
    }

    async fn claim(&self, ports: &Ports, claims: &[ClaimOp]) -> String {
        let ids: Vec<RecipientId> = claims.iter().map(|op| who(op.who)).collect();
        let people = ports.people.get_many(&ids).await.unwrap();
        let mut writes: Vec<SendsWrite> = Vec::new();
        for op in claims {
            if writes.iter().any(|write| write.id == who(op.who)) {
                continue;
            }
            let held = people.iter().find(|held| held.id == who(op.who)).cloned();
            let (version, sends) = held.map_or((1, Sends::default()), |held| (held.version, held.sends));
            let key = SendKey::campaign(&campaign(0));
            let send = Send { key, at: at(self.now), claim: claim(op.claim), counts: true };
            let sends = if op.gives_back { sends.without(send.claim) } else { sends.with([send], at(self.now)) };
            writes.push(SendsWrite { id: who(op.who), version: version - u64::from(op.stale), sends });
        }
        told(ports.claims.write(&writes).await)
    }
}
