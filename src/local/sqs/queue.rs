//! One standard queue: at least once, roughly in order, a message hidden from others while somebody works on it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Display},
    str::FromStr,
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};

const DEFAULT_VISIBILITY: SignedDuration = SignedDuration::from_secs(60);

/// A received message.
#[derive(Debug, Clone)]
pub struct Message {
    pub id: String,
    pub receipt: Receipt,
    pub body: Arc<str>,
    /// How often it was received, this time included.
    pub receives: u32,
    pub sent_at: Timestamp,
    pub first_received_at: Timestamp,
}

/// The right to delete or give back what was received, until somebody else receives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    number: u64,
    receives: u32,
}

impl Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.number, self.receives)
    }
}

impl FromStr for Receipt {
    type Err = NotAReceipt;

    fn from_str(raw: &str) -> Result<Self, NotAReceipt> {
        let (number, receives) = raw.split_once('-').ok_or(NotAReceipt)?;
        let number = number.parse().map_err(|_| NotAReceipt)?;
        Ok(Self { number, receives: receives.parse().map_err(|_| NotAReceipt)? })
    }
}

#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("not a receipt handle of this stack")]
pub struct NotAReceipt;

/// The message is deleted, visible again, or in somebody else's hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotInFlight;

pub(super) struct Queue {
    pub visibility: SignedDuration,
    messages: BTreeMap<u64, Held>,
    /// When each message is visible, soonest first.
    due: BTreeSet<(Timestamp, u64)>,
}

struct Held {
    body: Arc<str>,
    sent_at: Timestamp,
    visible_at: Timestamp,
    first_received_at: Option<Timestamp>,
    receives: u32,
}

/// How many messages of a queue are in which state.
pub(super) struct Counts {
    pub visible: usize,
    pub in_flight: usize,
    pub delayed: usize,
}

impl Default for Queue {
    fn default() -> Self {
        Self { visibility: DEFAULT_VISIBILITY, messages: BTreeMap::new(), due: BTreeSet::new() }
    }
}

impl Queue {
    /// `next` is the number that the message takes.
    pub(super) fn send(&mut self, next: &mut u64, body: Arc<str>, now: Timestamp, delay: SignedDuration) -> String {
        let number = *next;
        *next += 1;
        let visible_at = later(now, delay);
        self.messages.insert(number, Held { body, sent_at: now, visible_at, first_received_at: None, receives: 0 });
        self.due.insert((visible_at, number));
        id(number)
    }

    pub(super) fn receive(&mut self, max: usize, now: Timestamp, visibility: Option<SignedDuration>) -> Vec<Message> {
        let ready: Vec<u64> = self.due.range(..=(now, u64::MAX)).take(max).map(|(_, number)| *number).collect();
        let hidden_until = later(now, visibility.unwrap_or(self.visibility));
        ready.into_iter().filter_map(|number| self.hand_out(number, now, hidden_until)).collect()
    }

    fn hand_out(&mut self, number: u64, now: Timestamp, hidden_until: Timestamp) -> Option<Message> {
        self.reschedule(number, hidden_until);
        let held = self.messages.get_mut(&number)?;
        held.receives = held.receives.saturating_add(1);
        Some(Message {
            id: id(number),
            receipt: Receipt { number, receives: held.receives },
            body: Arc::clone(&held.body),
            receives: held.receives,
            sent_at: held.sent_at,
            first_received_at: *held.first_received_at.get_or_insert(now),
        })
    }

    pub(super) fn delete(&mut self, receipt: &Receipt) {
        if self.messages.get(&receipt.number).is_some_and(|held| held.receives == receipt.receives)
            && let Some(held) = self.messages.remove(&receipt.number)
        {
            self.due.remove(&(held.visible_at, receipt.number));
        }
    }

    /// Changes until when a message in flight is hidden.
    pub(super) fn hide(&mut self, receipt: &Receipt, now: Timestamp, span: SignedDuration) -> Result<(), NotInFlight> {
        let held = self.messages.get(&receipt.number).ok_or(NotInFlight)?;
        if held.receives != receipt.receives || held.visible_at <= now {
            return Err(NotInFlight);
        }
        self.reschedule(receipt.number, later(now, span));
        Ok(())
    }

    fn reschedule(&mut self, number: u64, visible_at: Timestamp) {
        if let Some(held) = self.messages.get_mut(&number) {
            self.due.remove(&(held.visible_at, number));
            held.visible_at = visible_at;
            self.due.insert((visible_at, number));
        }
    }

    /// When the next message that is not visible now will be.
    pub(super) fn next_due(&self, now: Timestamp) -> Option<Timestamp> {
        self.due.range((now, u64::MAX)..).map(|(at, _)| *at).find(|at| *at > now)
    }

    pub(super) fn depth(&self) -> usize {
        self.messages.len()
    }

    pub(super) fn counts(&self, now: Timestamp) -> Counts {
        let visible = self.due.range(..=(now, u64::MAX)).count();
        let hidden = self.messages.values().filter(|held| held.visible_at > now);
        let delayed = hidden.filter(|held| held.receives == 0).count();
        Counts { visible, delayed, in_flight: self.messages.len() - visible - delayed }
    }
}

fn later(now: Timestamp, span: SignedDuration) -> Timestamp {
    now.saturating_add(span).unwrap_or(Timestamp::MAX)
}

/// Message ids have the form of a UUID.
fn id(number: u64) -> String {
    format!("00000000-0000-4000-8000-{number:012x}")
}
