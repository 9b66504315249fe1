//! Calls as chance makes them: of few people, mailboxes and campaigns, so that they get in each other's way.

mod shards;
mod tables;

use std::{collections::BTreeMap, fmt::Debug, ops::RangeInclusive};

use germane::{
    domain::id::{CampaignId, RecipientId},
    flow::port::PortError,
};
use proptest::prelude::*;

use self::{shards::ShardOp, tables::TableOp};
use crate::contract::{Ports, id};

/// Also where chunks begin and end.
pub const PEOPLE: [&str; 6] = ["B", "a", "a.1", "b", "c", "d"];
/// The last is the first in other letters.
pub const MAILBOXES: [&str; 5] = ["a@example.com", "b@example.com", "c@example.com", "d@example.net", "A@Example.com"];
pub const CAMPAIGNS: [&str; 2] = ["weekly", "weekly-2"];
pub const PASSES: RangeInclusive<u16> = 1..=4;

#[derive(Debug, Clone)]
pub enum Op {
    Table(TableOp),
    Shard(ShardOp),
}

pub fn calls() -> impl Strategy<Value = Op> {
    prop_oneof![tables::calls().prop_map(Op::Table), shards::calls().prop_map(Op::Shard)]
}

/// Whoever calls: what they remember of one call for the next.
#[derive(Default)]
pub struct Doer {
    /// Seconds, one for each call.
    now: i64,
    /// As each shard was last taken.
    epochs: BTreeMap<(CampaignId, u16), u64>,
}

impl Doer {
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
