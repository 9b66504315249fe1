//! Calls about people, addresses, campaigns, settlements, the timeline and the policy.

use germane::{
    domain::{
        actor::Actor,
        feedback::{Settlement, Step},
        frequency::{Send, Sends},
        id::{RecipientId, SendKey, Shard},
        recipient::{Marks, Recipient, Suppression, SuppressionKind, Unusable},
        report::{CampaignStatus, StatusCode, StatusDetail},
    },
    flow::{
        api::{recipients::PersonWrite, suppressions::AddressRecord},
        feedback::{Mark, Place, Reads},
        launch::{Move, PolicyPut},
        pace::{Change, Changed, Limits, Take, Timeline},
        send::claim::SendsWrite,
    },
};
use jiff::SignedDuration;
use proptest::{bool::weighted, collection::vec, option, prelude::*, sample::select};
use serde_json::json;

use super::{CAMPAIGNS, Doer, MAILBOXES, PEOPLE, campaign, told, who};
use crate::contract::{
    Ports, SHARDS, address, at,
    campaigns::{pinned, record, sign_up},
    claim, next,
    people::evidence,
    policies::policy,
    reference,
};

#[derive(Debug, Clone)]
pub enum TableOp {
    Put(Vec<PersonChange>),
    Erase { who: usize, stale: bool },
    Claim(Vec<ClaimOp>),
    Suppress(Vec<usize>),
    Replace { mailbox: usize, stale: bool, marks: (Option<Unusable>, Option<SuppressionKind>), noted: bool },
    SoftBounce { mailbox: usize, second: i64 },
    Link { who: usize, pause: i64 },
    Unlink { who: usize, ago: i64 },
    Create { campaign: usize, audience: Option<usize>, signs_up: bool },
    Advance { campaign: usize, from: Vec<CampaignStatus>, to: CampaignStatus, detailed: bool, pins: bool },
    Settle { campaign: usize, shard: u16, reference: u8, wrong: Option<Option<Settlement>>, step: Step },
    Mark { campaign: usize, reference: u8, mark: Mark, real: bool },
    Add { campaign: usize, reads: [u64; 3] },
    Timeline(ChangeOp),
    Policy(u8),
}

#[derive(Debug, Clone)]
pub struct PersonChange {
    who: usize,
    stale: bool,
    work: Option<Option<usize>>,
    personal: Option<Option<usize>>,
    unusable: Option<Unusable>,
    suppression: Option<Option<SuppressionKind>>,
    evidence: bool,
}

#[derive(Debug, Clone)]
pub struct ClaimOp {
    who: usize,
    stale: bool,
    claim: u8,
    gives_back: bool,
}

#[derive(Debug, Clone)]
pub enum ChangeOp {
    Create,
    /// So many milliseconds beside the head.
    Follow {
        beside: i64,
        mails: u64,
        room: Option<u64>,
    },
    Begin {
        beside: i64,
        mails: u64,
        room: Option<u64>,
    },
    Roll {
        hours: i64,
        stale: bool,
    },
    Ask {
        stale: bool,
    },
    Learn {
        later: i64,
    },
}

pub fn calls() -> impl Strategy<Value = TableOp> {
    prop_oneof![
        6 => vec(changes(), 1..4).prop_map(TableOp::Put),
        1 => (people(), rarely()).prop_map(|(who, stale)| TableOp::Erase { who, stale }),
        3 => vec(claims(), 1..4).prop_map(TableOp::Claim),
        2 => addresses(),
        1 => (people(), 0..9_i64).prop_map(|(who, pause)| TableOp::Link { who, pause }),
        1 => (people(), 0..4_i64).prop_map(|(who, ago)| TableOp::Unlink { who, ago }),
        3 => of_campaigns(),
        3 => of_mails(),
        3 => timeline().prop_map(TableOp::Timeline),
        1 => (0..9_u8).prop_map(TableOp::Policy),
    ]
}

fn people() -> std::ops::Range<usize> {
    0..PEOPLE.len()
}

fn mailboxes() -> std::ops::Range<usize> {
    0..MAILBOXES.len()
}

fn rarely() -> impl Strategy<Value = bool> {
    weighted(0.15)
}

fn changes() -> impl Strategy<Value = PersonChange> {
    let mailbox = || option::weighted(0.4, option::weighted(0.8, mailboxes()));
    let suppression = option::weighted(0.25, option::of(select(SuppressionKind::ALL)));
    let unusable = option::weighted(0.1, select(Unusable::ALL));
    (people(), rarely(), mailbox(), mailbox(), unusable, suppression, weighted(0.4)).prop_map(
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
    (people(), rarely(), 0..3_u8, weighted(0.3)).prop_map(|(who, stale, claim, gives_back)| ClaimOp {
        who,
        stale,
        claim,
        gives_back,
    })
}

fn addresses() -> impl Strategy<Value = TableOp> {
    let marks = (option::of(select(Unusable::ALL)), option::of(select(SuppressionKind::ALL)));
    prop_oneof![
        vec(mailboxes(), 1..4).prop_map(TableOp::Suppress),
        (mailboxes(), rarely(), marks, any::<bool>()).prop_map(|(mailbox, stale, marks, noted)| TableOp::Replace {
            mailbox,
            stale,
            marks,
            noted
        }),
        (mailboxes(), 0..40_i64).prop_map(|(mailbox, second)| TableOp::SoftBounce { mailbox, second }),
    ]
}

fn of_campaigns() -> impl Strategy<Value = TableOp> {
    let from = prop_oneof![Just(CampaignStatus::ALL.to_vec()), vec(select(CampaignStatus::ALL), 1..4)];
    prop_oneof![
        (0..CAMPAIGNS.len(), option::of(people()), any::<bool>())
            .prop_map(|(campaign, audience, signs_up)| TableOp::Create { campaign, audience, signs_up }),
        (0..CAMPAIGNS.len(), from, select(CampaignStatus::ALL), any::<bool>(), weighted(0.3))
            .prop_map(|(campaign, from, to, detailed, pins)| TableOp::Advance { campaign, from, to, detailed, pins }),
    ]
}

fn of_mails() -> impl Strategy<Value = TableOp> {
    let campaigns = || prop_oneof![5 => Just(0_usize), 1 => Just(1)];
    let marks = select(vec![Mark::HardBounce, Mark::SoftBounce, Mark::Complaint]);
    let wrong = option::weighted(0.2, option::of(select(Settlement::ALL)));
    prop_oneof![
        (campaigns(), 0..SHARDS, 0..4_u8, wrong, select(Step::ALL)).prop_map(
            |(campaign, shard, reference, wrong, step)| TableOp::Settle { campaign, shard, reference, wrong, step }
        ),
        (campaigns(), 0..4_u8, marks, any::<bool>()).prop_map(|(campaign, reference, mark, real)| TableOp::Mark {
            campaign,
            reference,
            mark,
            real
        }),
        (campaigns(), [0..3_u64, 0..2, 0..2]).prop_map(|(campaign, reads)| TableOp::Add { campaign, reads }),
    ]
}

fn timeline() -> impl Strategy<Value = ChangeOp> {
    let reserves = || (select(vec![-1000_i64, -1, 0, 1, 1000]), 1..9_u64, option::of(0..60_u64));
    prop_oneof![
        1 => Just(ChangeOp::Create),
        3 => reserves().prop_map(|(beside, mails, room)| ChangeOp::Follow { beside, mails, room }),
        3 => reserves().prop_map(|(beside, mails, room)| ChangeOp::Begin { beside, mails, room }),
        1 => (1..3_i64, rarely()).prop_map(|(hours, stale)| ChangeOp::Roll { hours, stale }),
        1 => rarely().prop_map(|stale| ChangeOp::Ask { stale }),
        1 => (-1..2_i64).prop_map(|later| ChangeOp::Learn { later }),
    ]
}

impl Doer {
    pub(super) async fn table(&mut self, ports: &Ports, op: &TableOp) -> String {
        match op {
            TableOp::Put(changes) => self.put(ports, changes).await,
            TableOp::Erase { who: place, stale } => {
                let Some(mut held) = ports.people.get(&who(*place)).await.unwrap() else { return "nobody".to_owned() };
                held.version -= u64::from(*stale);
                told(ports.people.erase(&held, at(self.now)).await)
            }
            TableOp::Claim(claims) => self.claim(ports, claims).await,
            TableOp::Suppress(_) | TableOp::Replace { .. } | TableOp::SoftBounce { .. } => {
                self.address(ports, op).await
            }
            TableOp::Link { who: place, pause } => {
                told(ports.links.mark(&who(*place), at(self.now), at(self.now - pause)).await)
            }
            TableOp::Unlink { who: place, ago } => told(ports.links.unmark(&who(*place), at(self.now - ago)).await),
            TableOp::Create { campaign, audience, signs_up } => {
                let audience = audience.map_or(json!("everyone"), |place| json!({ "recipients": [PEOPLE[place]] }));
                let made = if *signs_up { sign_up } else { record };
                told(ports.campaigns.create(&made(CAMPAIGNS[*campaign], self.now, &audience)).await)
            }
            TableOp::Advance { campaign: place, from, to, detailed, pins } => {
                let detail = detailed.then(|| StatusDetail::new(StatusCode::Quota, "some wait").until(at(self.now)));
                let pinned = pins.then(|| pinned(&self.now.to_string()));
                told(ports.campaigns.advance(&campaign(*place), from, &Move { to: *to, detail, pinned }).await)
            }
            TableOp::Settle { .. } | TableOp::Mark { .. } | TableOp::Add { .. } => self.mail(ports, op).await,
            TableOp::Timeline(change) => self.timeline(ports, change).await,
            TableOp::Policy(percent) => {
                let put = PolicyPut { by: Actor::local(), at: at(self.now) };
                let version = told(ports.policies.put(&policy(*percent), &put).await);
                format!("{version} {}", told(ports.policies.current().await))
            }
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
        let mailbox = |place: &Option<usize>| place.and_then(|place| address(MAILBOXES[place]));
        if let Some(work) = &change.work {
            person.profile.work = mailbox(work);
        }
        if let Some(personal) = &change.personal {
            person.profile.personal = mailbox(personal);
        }
        if let (Some(unusable), Some(address)) = (change.unusable, person.profile.work.as_mut()) {
            address.unusable = Some(unusable);
        }
        if let Some(suppression) = change.suppression {
            person.profile.suppression = suppression.map(|kind| Suppression { kind, since: at(self.now) });
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

    async fn address(&self, ports: &Ports, op: &TableOp) -> String {
        let email = |place: usize| -> germane::domain::email::EmailAddress { MAILBOXES[place].parse().unwrap() };
        let suppression = |kind| Suppression { kind, since: at(self.now) };
        match op {
            TableOp::Suppress(places) => {
                let marks = Marks { suppression: Some(suppression(SuppressionKind::Manual)), unusable: None };
                let record = AddressRecord { marks, ..AddressRecord::default() };
                let mut records: Vec<(germane::domain::email::EmailAddress, AddressRecord)> = Vec::new();
                for email in places.iter().map(|place| email(*place)) {
                    if records.iter().all(|(held, _)| held.normalised() != email.normalised()) {
                        records.push((email, record.clone()));
                    }
                }
                told(ports.addresses.create(&records).await)
            }
            TableOp::Replace { mailbox, stale, marks: (unusable, kind), noted } => {
                let held = ports.addresses.get(&[email(*mailbox)]).await.unwrap().remove(0);
                let marks = Marks { unusable: *unusable, suppression: kind.map(suppression) };
                let after = AddressRecord { marks, note: noted.then(|| "a note".to_owned()), ..held.clone() };
                let before = if *stale { AddressRecord { owner: Some(who(0)), ..held } } else { held };
                told(ports.addresses.replace(&email(*mailbox), &before, &after).await)
            }
            TableOp::SoftBounce { mailbox, second } => {
                told(ports.mailboxes.soft_bounced(&email(*mailbox), at(*second)).await)
            }
            other => panic!("{other:?} is not about an address"),
        }
    }

    async fn mail(&self, ports: &Ports, op: &TableOp) -> String {
        match op {
            TableOp::Settle { campaign: place, shard, reference: number, wrong, step } => {
                let campaign = campaign(*place);
                let place = Place {
                    campaign: &campaign,
                    shard: Shard(*shard),
                    reference: reference(*number),
                    forget_at: Some(at(86_400)),
                };
                let held = match wrong {
                    Some(wrong) => *wrong,
                    None => ports.settlements.get(&place).await.unwrap(),
                };
                told(ports.settlements.settle(&place, held, *step).await)
            }
            TableOp::Mark { campaign: place, reference: number, mark, real } => {
                let campaign = campaign(*place);
                let place =
                    Place { campaign: &campaign, shard: Shard(0), reference: reference(*number), forget_at: None };
                told(ports.settlements.mark(&place, *mark, at(self.now), *real).await)
            }
            TableOp::Add { campaign: place, reads: [delivered, opened, clicked] } => {
                let reads = Reads { delivered: *delivered, opened: *opened, clicked: *clicked };
                told(ports.settlements.add(&campaign(*place), reads).await)
            }
            other => panic!("{other:?} is not about a mail"),
        }
    }

    async fn timeline(&mut self, ports: &Ports, op: &ChangeOp) -> String {
        let limits = Limits { per_second: 14.0, per_day: Some(200), sent_last_day: 3 };
        let held = self.timeline.clone().unwrap_or_else(|| Timeline::new(limits, at(0)));
        let beside = |millis: i64| held.head + SignedDuration::from_millis(millis);
        let span = SignedDuration::from_micros(70_001);
        let take = |mails, at_most| Take { span, mails, hour: held.day.hour, at_most };
        let stale = |stale: &bool| i64::from(*stale);
        let change = match op {
            ChangeOp::Create => Change::Create(Timeline::new(limits, at(self.now))),
            ChangeOp::Follow { beside: by, mails, room } => {
                Change::Follow { earliest: beside(*by), take: take(*mails, *room) }
            }
            ChangeOp::Begin { beside: by, mails, room } => {
                Change::Begin { start: beside(*by), take: take(*mails, *room) }
            }
            ChangeOp::Roll { hours, stale } => {
                let mut from = held.day.clone();
                from.current += u64::from(*stale);
                let to = from.at(held.head + SignedDuration::from_hours(*hours));
                Change::Roll { from, to }
            }
            ChangeOp::Ask { stale: is } => {
                Change::Ask { from: held.asked_at + SignedDuration::from_secs(stale(is)), at: at(self.now) }
            }
            ChangeOp::Learn { later } => {
                let at = held.known_at + SignedDuration::from_secs(*later);
                Change::Learn { limits: Limits { sent_last_day: self.now.unsigned_abs(), ..limits }, at }
            }
        };
        let changed = ports.timelines.change(&change).await;
        if let Ok(Changed::Done(timeline)) = &changed {
            self.timeline = Some(timeline.clone());
        }
        told(changed)
    }
}
