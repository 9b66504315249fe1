//! The rate's item: every change is one conditional write, one at a time, as DynamoDB makes them.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use germane::flow::{
    pace::{Change, Changed, Take, Timeline, Timelines},
    port::PortError,
};

use super::network::Network;

pub struct TimelineItem {
    network: Arc<Network>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    timeline: Option<Timeline>,
    takes: usize,
}

impl TimelineItem {
    pub fn new(network: Arc<Network>) -> Self {
        Self { network, held: Mutex::default() }
    }

    /// How often somebody tried to reserve.
    pub fn takes(&self) -> usize {
        self.held.lock().unwrap().takes
    }
}

#[async_trait]
impl Timelines for TimelineItem {
    async fn get(&self) -> Result<Option<Timeline>, PortError> {
        Ok(self.network.table(|| self.held.lock().unwrap().timeline.clone()).await)
    }

    async fn change(&self, change: &Change) -> Result<Changed, PortError> {
        let write = || {
            let mut held = self.held.lock().unwrap();
            held.takes += usize::from(matches!(change, Change::Follow { .. } | Change::Begin { .. }));
            match changed(held.timeline.as_ref(), change) {
                None => Changed::Not(held.timeline.clone()),
                Some(after) => Changed::Done(held.timeline.insert(after).clone()),
            }
        };
        Ok(self.network.table(write).await)
    }
}

/// `None` if the item is not as the change expects.
fn changed(held: Option<&Timeline>, change: &Change) -> Option<Timeline> {
    let Some(held) = held else {
        return if let Change::Create(timeline) = change { Some(timeline.clone()) } else { None };
    };
    let mut after = held.clone();
    let fits = match change {
        Change::Create(_) => false,
        Change::Follow { earliest, take } => {
            after.head = held.head + take.span;
            held.head >= *earliest && count(&mut after, take)
        }
        Change::Begin { start, take } => {
            after.head = *start + take.span;
            held.head < *start && count(&mut after, take)
        }
        Change::Roll { from, to } => {
            after.day = to.clone();
            (held.day.hour, held.day.current) == (from.hour, from.current)
        }
        Change::Ask { from, at } => {
            after.asked_at = *at;
            held.asked_at == *from
        }
        Change::Learn { limits, at } => {
            (after.limits, after.known_at) = (*limits, *at);
            held.known_at < *at
        }
    };
    fits.then_some(after)
}

fn count(after: &mut Timeline, take: &Take) -> bool {
    after.day.current += take.mails;
    after.day.total += take.mails;
    after.day.hour == take.hour && take.at_most.is_none_or(|at_most| after.day.total <= at_most)
}
