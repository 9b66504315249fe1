//! Calls about what events said of mails.

use germane::{
    domain::{
        feedback::{Settlement, Step},
        id::Shard,
    },
    flow::feedback::{Mark, Place, Reads},
};
use proptest::{option, prelude::*, sample::select};

use super::{Doer, campaign, mostly_first, told};
use crate::contract::{Ports, SHARDS, at, reference};

#[derive(Debug, Clone)]
pub enum MailOp {
    Settle { campaign: usize, shard: u16, reference: u8, from: From, step: Step },
    Mark { campaign: usize, reference: u8, mark: Mark, real: bool },
    Add { campaign: usize, reads: [u64; 3] },
}

#[derive(Debug, Clone)]
pub enum From {
    WhatIsHeld,
    This(Option<Settlement>),
}

pub fn calls() -> impl Strategy<Value = MailOp> {
    let marks = select(vec![Mark::HardBounce, Mark::SoftBounce, Mark::Complaint]);
    let this = option::of(select(Settlement::ALL)).prop_map(From::This);
    let from = prop_oneof![4 => Just(From::WhatIsHeld), 1 => this];
    prop_oneof![
        (mostly_first(), 0..SHARDS, 0..4_u8, from, select(Step::ALL)).prop_map(
            |(campaign, shard, reference, from, step)| MailOp::Settle { campaign, shard, reference, from, step }
        ),
        (mostly_first(), 0..4_u8, marks, any::<bool>()).prop_map(|(campaign, reference, mark, real)| MailOp::Mark {
            campaign,
            reference,
            mark,
            real
        }),
        (mostly_first(), [0..3_u64, 0..2, 0..2]).prop_map(|(campaign, reads)| MailOp::Add { campaign, reads }),
    ]
}

impl Doer {
    pub(super) async fn mail(&self, ports: &Ports, op: &MailOp) -> String {
        match op {
            MailOp::Settle { campaign: place, shard, reference: number, from, step } => {
                let (campaign, shard) = (campaign(*place), Shard(*shard));
                let forget_at = Some(at(86_400));
                let place = Place { campaign: &campaign, shard, reference: reference(*number), forget_at };
                let held = match from {
                    From::WhatIsHeld => ports.settlements.get(&place).await.unwrap(),
                    From::This(held) => *held,
                };
                told(ports.settlements.settle(&place, held, *step).await)
            }
            MailOp::Mark { campaign: place, reference: number, mark, real } => {
                let campaign = campaign(*place);
                let reference = reference(*number);
                let place = Place { campaign: &campaign, shard: Shard(0), reference, forget_at: None };
                told(ports.settlements.mark(&place, *mark, at(self.now), *real).await)
            }
            MailOp::Add { campaign: place, reads: [delivered, opened, clicked] } => {
                let reads = Reads { delivered: *delivered, opened: *opened, clicked: *clicked };
                told(ports.settlements.add(&campaign(*place), reads).await)
            }
        }
    }
}
