//! Those whom the pass before deferred: its chunks say who they are by reference, and whose time has come.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{Batch, People, Seat, Slice};
use crate::{
    domain::id::{RecipientId, Ref},
    flow::{
        launch::Versioned,
        ledger::{Chunk, Entry},
        queue::Work,
        send::{SendError, claim::erased, lease::Purpose, walk::Run},
    },
};

pub(super) struct Deferred<'a> {
    run: &'a Run<'a>,
    before: Work,
    /// Everybody up to here is in slices that were handed out.
    cursor: Option<RecipientId>,
    people: People<'a>,
    /// The chunk that is being worked through.
    range: Option<Range>,
}

/// The people of one chunk of the pass before, and who of them still waits.
struct Range {
    last: RecipientId,
    waiting: HashMap<Ref, Entry>,
}

impl<'a> Deferred<'a> {
    pub fn new(run: &'a Run<'a>, cursor: Option<RecipientId>) -> Self {
        let before = Work { pass: run.work.pass - 1, ..run.work.clone() };
        Self { run, before, people: People::new(run, cursor.clone()), cursor, range: None }
    }

    pub async fn next(&mut self) -> Result<Option<Slice>, SendError> {
        let range = match self.range.take() {
            Some(range) => range,
            None => match self.next_range().await? {
                Some(range) => range,
                None => return Ok(None),
            },
        };
        let policy = self.run.ports.policies.current().await?.ok_or(SendError::NoPolicy)?;
        let now = self.run.ports.clock.now();
        let due = |entry: &Entry| entry.due().is_none_or(|due| due <= now);
        let slice = if self.run.purpose == Purpose::Walk && !range.waiting.values().any(due) {
            carried(range, policy)
        } else {
            self.looked_at(range, policy).await?
        };
        self.cursor = Some(slice.last.clone());
        Ok(Some(slice))
    }

    /// The next chunk that holds somebody deferred.
    async fn next_range(&mut self) -> Result<Option<Range>, SendError> {
        let mut after = self.cursor.clone();
        while let Some(chunk) = self.run.ports.ledger.after(&self.before, after.as_ref()).await? {
            let Chunk { start, last, entries, forget_at: _ } = chunk;
            let waiting = entries.into_iter().filter(Entry::is_deferred);
            let mut waiting: HashMap<Ref, Entry> = waiting.map(|entry| (entry.reference, entry)).collect();
            if !waiting.is_empty() && start < self.cursor {
                // Another worker went some way into this chunk: whom it decided on are decided.
                for decided in self.decided_since(start).await? {
                    waiting.remove(&decided);
                }
            }
            if !waiting.is_empty() {
                self.people.skip_to(after.as_ref());
                return Ok(Some(Range { last, waiting }));
            }
            after = Some(last);
        }
        Ok(None)
    }

    async fn decided_since(&self, start: Option<RecipientId>) -> Result<HashSet<Ref>, SendError> {
        let mut decided = HashSet::new();
        let mut after = start;
        while let Some(chunk) = self.run.ports.ledger.after(self.run.work, after.as_ref()).await? {
            decided.extend(chunk.entries.iter().map(|entry| entry.reference));
            after = Some(chunk.last);
        }
        Ok(decided)
    }

    /// As many of the range as a slice holds; the rest of it stays for the next one.
    async fn looked_at(&mut self, mut range: Range, policy: Arc<Versioned>) -> Result<Slice, SendError> {
        let mut slice = Slice::new(range.last.clone(), policy);
        let mut batch = Batch::new(self.run);
        let now = self.run.ports.clock.now();
        while !batch.full() {
            let Some((recipient, _)) = self.people.next(Some(&range.last)).await? else {
                slice.last = range.last.clone();
                break;
            };
            slice.last = recipient.id.clone();
            let Some(before) = range.waiting.remove(&recipient.reference) else { continue };
            if self.run.purpose == Purpose::Walk && before.due().is_some_and(|due| due > now) {
                slice.replaced.add(&before.outcome);
                slice.seats.push(Seat::Decided(before));
            } else if batch.seat(recipient, &mut slice) {
                slice.replaced.add(&before.outcome);
            }
        }
        if slice.last < range.last {
            self.range = Some(range);
            return Ok(slice);
        }
        // Who was not found is not there any more. That belongs to the slice that ends the range: whoever goes on at its
        // end reads nothing of this range again.
        for before in range.waiting.into_values() {
            if self.run.purpose == Purpose::Walk {
                slice.replaced.add(&before.outcome);
                let gone = Entry { outcome: erased(now), decided_at: now, ..before };
                slice.seats.push(Seat::Decided(Entry { policy_version: slice.policy.version, ..gone }));
            }
        }
        Ok(slice)
    }
}

/// Nobody's time has come: they wait on.
fn carried(range: Range, policy: Arc<Versioned>) -> Slice {
    let mut slice = Slice::new(range.last, policy);
    for before in range.waiting.into_values() {
        slice.replaced.add(&before.outcome);
        slice.seats.push(Seat::Decided(before));
    }
    slice
}
