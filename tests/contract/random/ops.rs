//! Calls as chance makes them: of few people, mailboxes and campaigns, so that they get in each other's way.

mod shards;
mod tables;

use std::{collections::BTreeMap, fmt::Debug};

use germane::{
    domain::{
        id::{CampaignId, RecipientId, Shard},
        recipient::Recipient,
    },
    flow::{
        pace::{Change, Limits, Timeline},
        port::PortError,
        queue::Work,
    },
};
use proptest::prelude::*;

use self::{shards::ShardOp, tables::TableOp};
use crate::contract::{Ports, address, at, id, reference};

/// Also where chunks begin and end.
pub const PEOPLE: [&str; 6] = ["B", "a", "a.1", "b", "c", "d"];
/// The last is the first in other letters.
pub const MAILBOXES: [&str; 5] = ["a@example.com", "b@example.com", "c@example.com", "d@example.net", "A@Example.com"];
pub const CAMPAIGNS: [&str; 2] = ["weekly", "weekly-2"];

#[derive(Debug, Clone)]
pub enum Op {
    Table(TableOp),
    Shard(ShardOp),
}

/// So many of ten are about shards.
pub fn calls(about_shards: u32) -> impl Strategy<Value = Op> {
    prop_oneof![
        10 - about_shards => tables::calls().prop_map(Op::Table),
        about_shards => shards::calls().prop_map(Op::Shard),
    ]
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
            person.profile.work = address(email);
            ports.add(&person).await;
        }
        let limits = Limits { per_second: 14.0, per_day: Some(200), sent_last_day: 3 };
        ports.timelines.change(&Change::Create(Timeline::new(limits, at(0)))).await.unwrap();
    }

    pub async fn call(&mut self, ports: &Ports, op: &Op) -> String {
        self.now += 1;
        match op {
            Op::Table(op) => self.table(ports, op).await,
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
