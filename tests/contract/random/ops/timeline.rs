//! Calls about the rate's timeline.

use germane::flow::pace::{Change, Changed, Limits, Take, Timeline};
use jiff::SignedDuration;
use proptest::{option, prelude::*, sample::select};

use super::{Doer, rarely, told};
use crate::contract::{Ports, at};

#[derive(Debug, Clone)]
pub enum TimelineOp {
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

pub fn calls() -> impl Strategy<Value = TimelineOp> {
    let reserves = || (select(vec![-1000_i64, -1, 0, 1, 1000]), 1..9_u64, option::of(0..60_u64));
    prop_oneof![
        1 => Just(TimelineOp::Create),
        3 => reserves().prop_map(|(beside, mails, room)| TimelineOp::Follow { beside, mails, room }),
        3 => reserves().prop_map(|(beside, mails, room)| TimelineOp::Begin { beside, mails, room }),
        1 => (1..3_i64, rarely()).prop_map(|(hours, stale)| TimelineOp::Roll { hours, stale }),
        1 => rarely().prop_map(|stale| TimelineOp::Ask { stale }),
        1 => (-1..2_i64).prop_map(|later| TimelineOp::Learn { later }),
    ]
}

impl Doer {
    pub(super) async fn timeline(&mut self, ports: &Ports, op: &TimelineOp) -> String {
        let limits = Limits { per_second: 14.0, per_day: Some(200), sent_last_day: 3 };
        let held = self.timeline.clone().unwrap_or_else(|| Timeline::new(limits, at(0)));
        let beside = |millis: i64| held.head + SignedDuration::from_millis(millis);
        let span = SignedDuration::from_micros(70_001);
        let take = |mails, at_most| Take { span, mails, hour: held.day.hour, at_most };
        let change = match op {
            TimelineOp::Create => Change::Create(Timeline::new(limits, at(self.now))),
            TimelineOp::Follow { beside: by, mails, room } => {
                Change::Follow { earliest: beside(*by), take: take(*mails, *room) }
            }
            TimelineOp::Begin { beside: by, mails, room } => {
                Change::Begin { start: beside(*by), take: take(*mails, *room) }
            }
            TimelineOp::Roll { hours, stale } => {
                let mut from = held.day.clone();
                from.current += u64::from(*stale);
                let to = from.at(held.head + SignedDuration::from_hours(*hours));
                Change::Roll { from, to }
            }
            TimelineOp::Ask { stale } => {
                let wrong = SignedDuration::from_secs(i64::from(*stale));
                Change::Ask { from: held.asked_at + wrong, at: at(self.now) }
            }
            TimelineOp::Learn { later } => {
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
