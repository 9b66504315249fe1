//! The rate's item: every change is one conditional write, one at a time, as DynamoDB makes them.

use async_trait::async_trait;
use germane::flow::{
    pace::{Change, Changed, Take, Timeline, Timelines},
    port::PortError,
};

use super::Tables;

#[derive(Default)]
pub struct TimelineItem {
    timeline: Option<Timeline>,
    /// How often somebody tried to reserve.
    pub takes: usize,
}

impl TimelineItem {
    fn change(&mut self, change: &Change) -> Changed {
        self.takes += usize::from(matches!(change, Change::Follow { .. } | Change::Begin { .. }));
        match changed(self.timeline.as_ref(), change) {
            None => Changed::Not(self.timeline.clone()),
            Some(after) => Changed::Done(self.timeline.insert(after).clone()),
        }
    }
}

#[async_trait]
impl Timelines for Tables {
    async fn get(&self) -> Result<Option<Timeline>, PortError> {
        self.call("read the timeline", |store| store.timeline.timeline.clone()).await
    }

    async fn change(&self, change: &Change) -> Result<Changed, PortError> {
        let change = change.clone();
        self.call("change the timeline", move |store| store.timeline.change(&change)).await
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
