//! Calls as chance makes them: of few people, mailboxes and campaigns, so that they get in each other's way.

mod addresses;
mod campaigns;
mod mails;
mod people;
mod shards;
mod timeline;

use std::{collections::BTreeMap, fmt::Debug};

use germane::{
    domain::{
        door::Change,
        id::{CampaignId, RecipientId, Shard},
        recipient::Recipient,
    },
    flow::{pace::Timeline, port::PortError, queue::Work},
};
use proptest::{bool::weighted, prelude::*};

use self::{
    addresses::AddressOp, campaigns::CampaignOp, mails::MailOp, people::PersonOp, shards::ShardOp, timeline::TimelineOp,
};
use crate::contract::{Ports, address, at, id, reference};

/// Also where chunks begin and end.
pub const PEOPLE: [&str; 6] = ["B", "a", "a.1", "b", "c", "d"];
/// The last is the first in other letters.
pub const MAILBOXES: [&str; 5] = ["a@example.com", "b@example.com", "c@example.com", "d@example.net", "A@Example.com"];
pub const CAMPAIGNS: [&str; 2] = ["weekly", "weekly-2"];

#[derive(Debug, Clone)]
pub enum Op {
    Person(PersonOp),
    Address(AddressOp),
    Campaign(CampaignOp),
    Mail(MailOp),
    Timeline(TimelineOp),
    Shard(ShardOp),
}

/// So many of ten are about shards.
pub fn calls(about_shards: u32) -> impl Strategy<Value = Op> {
    let others = prop_oneof![
        10 => people::calls().prop_map(Op::Person),
        2 => addresses::calls().prop_map(Op::Address),
        3 => campaigns::calls().prop_map(Op::Campaign),
        3 => mails::calls().prop_map(Op::Mail),
        3 => timeline::calls().prop_map(Op::Timeline),
    ];
    prop_oneof![10 - about_shards => others, about_shards => shards::calls().prop_map(Op::Shard)]
}

/// Whoever calls: what they remember of one call for the next.
#[derive(Default)]
pub struct Doer {
    /// Seconds, one for each call.
    now: i64,
    /// As each shard was last taken.
    epochs: BTreeMap<(CampaignId, u16), u64>,
    /// As it last was changed.
    timeline: Option<Timeline>,
}

impl Doer {
    /// Makes what most calls need, so that few of them find nothing.
    pub async fn begin(&mut self, ports: &Ports) {
        let work = |shard| Work { campaign: campaign(0), shard: Shard(shard), pass: 1 };
        ports.campaigns.prepare(&[work(0), work(1)]).await.unwrap();
        for (place, email) in MAILBOXES.iter().enumerate().take(3) {
            let mut person = Recipient::blank(who(place), reference(1), at(0));
            person.profile.work = Some(address(email));
            ports.add(&person).await;
        }
        self.call(ports, &Op::Timeline(TimelineOp::Create)).await;
    }

    pub async fn call(&mut self, ports: &Ports, op: &Op) -> String {
        self.now += 1;
        match op {
            Op::Person(op) => self.person(ports, op).await,
            Op::Address(op) => self.address(ports, op).await,
            Op::Campaign(op) => self.campaign(ports, op).await,
            Op::Mail(op) => self.mail(ports, op).await,
            Op::Timeline(op) => self.timeline(ports, op).await,
            Op::Shard(op) => self.shard(ports, op).await,
        }
    }
}

/// An answer, without the words of an error.
pub fn told<T: Debug>(answer: Result<T, PortError>) -> String {
    match answer {
        Ok(answer) => format!("{answer:?}"),
        Err(PortError::Unavailable { .. }) => "unavailable".to_owned(),
        Err(PortError::Corrupt { .. }) => "corrupt".to_owned(),
    }
}

fn who(place: usize) -> RecipientId {
    id(PEOPLE[place])
}

fn campaign(place: usize) -> CampaignId {
    CAMPAIGNS[place].parse().unwrap()
}

fn places<const N: usize>(of: [&str; N]) -> std::ops::Range<usize> {
    0..of.len()
}

/// Mostly the first: what is spread over all gets in nobody's way.
fn mostly_first() -> impl Strategy<Value = usize> {
    prop_oneof![12 => Just(0_usize), 1 => Just(1)]
}

fn rarely() -> impl Strategy<Value = bool> {
    weighted(0.15)
}

fn change<T: Clone + Debug>(to: impl Strategy<Value = T>) -> impl Strategy<Value = Change<T>> {
    prop_oneof![6 => Just(Change::Keep), 1 => Just(Change::Remove), 3 => to.prop_map(Change::Set)]
}

/// What is held after a change of it.
fn changed<T: Copy>(held: Option<T>, change: &Change<T>) -> Option<T> {
    match change {
        Change::Keep => held,
        Change::Remove => None,
        Change::Set(to) => Some(*to),
    }
}
