//! Calls about the shards of campaigns, mostly by who holds them and at the cursor, sometimes not.

use germane::{
    domain::{
        decision::Outcome,
        id::{RecipientId, Shard},
    },
    flow::{
        ledger::{Chunk, Progress},
        queue::Work,
        send::lease::{Left, Purpose},
    },
};
use proptest::{bool::weighted, option, prelude::*};

use super::{Doer, PEOPLE, campaign, mostly_first, places, told, who};
use crate::contract::{
    Ports, at, claim,
    shards::{counts, entry},
};

#[derive(Debug, Clone)]
pub struct ShardOp {
    campaign: usize,
    shard: u16,
    /// Beside the pass that the shard is in.
    pass: i8,
    /// Beside the epoch that the shard was last taken under.
    epoch: i8,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Prepare,
    Through,
    TakeOver { owner: u8, sweeps: bool, later: i64, lasts: i64 },
    Renew { lasts: i64 },
    Commit { start: Start, further: usize, next: Option<i64>, forgets: bool },
    Leave(Way),
}

#[derive(Debug, Clone)]
enum Start {
    Cursor,
    Beginning,
    After(usize),
}

#[derive(Debug, Clone)]
enum Way {
    Unfinished,
    Undrained,
    Done,
    Asleep { lasts: i64 },
}

pub fn calls() -> impl Strategy<Value = ShardOp> {
    let take = (0..3_u8, weighted(0.2), 0..20_i64, 1..15_i64)
        .prop_map(|(owner, sweeps, later, lasts)| What::TakeOver { owner, sweeps, later, lasts });
    let start = prop_oneof![
        8 => Just(Start::Cursor),
        1 => Just(Start::Beginning),
        1 => places(PEOPLE).prop_map(Start::After),
    ];
    let commit = (start, 1..3_usize, option::of(0..99_i64), weighted(0.5))
        .prop_map(|(start, further, next, forgets)| What::Commit { start, further, next, forgets });
    let way = prop_oneof![
        3 => Just(Way::Unfinished),
        3 => Just(Way::Undrained),
        1 => Just(Way::Done),
        3 => (-9..20_i64).prop_map(|lasts| Way::Asleep { lasts }),
    ];
    let what = prop_oneof![
        2 => Just(What::Prepare),
        1 => Just(What::Through),
        6 => take,
        2 => (1..40_i64).prop_map(|lasts| What::Renew { lasts }),
        8 => commit,
        4 => way.prop_map(What::Leave),
    ];
    let beside = || prop_oneof![8 => Just(0_i8), 1 => Just(-1_i8), 1 => Just(1_i8)];
    let shard = prop_oneof![6 => Just(0_u16), 1 => Just(1)];
    (mostly_first(), shard, beside(), beside(), what).prop_map(|(campaign, shard, pass, epoch, what)| ShardOp {
        campaign,
        shard,
        pass,
        epoch,
        what,
    })
}

impl Doer {
    pub(super) async fn shard(&mut self, ports: &Ports, op: &ShardOp) -> String {
        let first = Work { campaign: campaign(op.campaign), shard: Shard(op.shard), pass: 1 };
        let progress = ports.ledger.progress(&first).await.unwrap();
        let held = progress.clone().unwrap_or_default();
        let work = Work { pass: held.pass.saturating_add_signed(op.pass.into()).max(1), ..first };
        let key = (work.campaign.clone(), op.shard);
        let epoch = self.epochs.get(&key).copied().unwrap_or(0).saturating_add_signed(op.epoch.into());
        match &op.what {
            What::Prepare => told(ports.campaigns.prepare(&[work]).await),
            What::Through => told(ports.campaigns.shard_through(&work).await),
            What::TakeOver { owner, sweeps, later, lasts } => {
                let purpose = if *sweeps { Purpose::Sweep } else { Purpose::Walk };
                let now = self.now + later;
                let taken = ports.shards.take_over(&work, purpose, claim(*owner), at(now), at(now + lasts)).await;
                if let Ok(germane::flow::send::lease::TakeOver::Taken { epoch, .. }) = &taken {
                    self.epochs.insert(key, *epoch);
                }
                told(taken)
            }
            What::Renew { lasts } => told(ports.shards.renew(&work, epoch, at(self.now + lasts)).await),
            What::Commit { start, further, next, forgets } => {
                let start = match start {
                    Start::Cursor => held.cursor,
                    Start::Beginning => None,
                    Start::After(place) => Some(who(*place)),
                };
                let Some(last) = behind(start.as_ref(), *further) else { return "no room".to_owned() };
                let now = u8::try_from(self.now).unwrap();
                let forget_at = forgets.then(|| at(self.now));
                let chunk = Chunk { start, last, entries: vec![entry(now, Outcome::InDoubt)], forget_at };
                let progress = Progress {
                    cursor: Some(chunk.last.clone()),
                    counts: counts(self.now.unsigned_abs()),
                    next: next.map(at),
                    ..Progress::default()
                };
                told(ports.shards.commit(&work, epoch, &chunk, &progress).await)
            }
            What::Leave(way) => {
                let left = match way {
                    Way::Unfinished => Left::Unfinished,
                    Way::Undrained => Left::Undrained,
                    Way::Done => Left::Done,
                    // Who was nobody's to decide on is not deferred.
                    Way::Asleep { .. } if held.cursor.is_none() => Left::Unfinished,
                    Way::Asleep { lasts } => Left::Asleep { until: at(self.now + lasts) },
                };
                told(ports.shards.leave(&work, epoch, left).await)
            }
        }
    }
}

/// Somebody so many places further.
fn behind(start: Option<&RecipientId>, further: usize) -> Option<RecipientId> {
    (0..PEOPLE.len()).map(who).filter(|id| start.is_none_or(|start| id > start)).nth(further - 1)
}
