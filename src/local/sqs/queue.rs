//! One standard queue: at least once, roughly in order, a message hidden from others while somebody works on it.
//!
//! What is asked of it comes as the answer and the changes that it takes; the queue is as before until they are applied,
//! so that they can be kept first.

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
    /// Long polls wait in line for it: who holds it is the next to be answered.
    pub turn: Arc<tokio::sync::Mutex<()>>,
    pub redrive: Option<Redrive>,
    messages: BTreeMap<u64, Held>,
    /// When each message is visible, soonest first.
    due: BTreeSet<(Timestamp, u64)>,
}

/// Where a message goes instead of being received once more than this.
pub(super) struct Redrive {
    pub max_receives: u32,
    pub to: String,
}

#[derive(Clone)]
pub(super) struct Held {
    pub body: Arc<str>,
    pub sent_at: Timestamp,
    pub visible_at: Timestamp,
    pub first_received_at: Option<Timestamp>,
    pub receives: u32,
}

/// What happens to the message of this number.
pub(super) enum Change {
    Put(u64, Held),
    Remove(u64),
}

/// How many messages of a queue are in which state.
pub(super) struct Counts {
    pub visible: usize,
    pub in_flight: usize,
    pub delayed: usize,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            visibility: DEFAULT_VISIBILITY,
            turn: Arc::default(),
            redrive: None,
            messages: BTreeMap::new(),
            due: BTreeSet::new(),
        }
    }
}

impl Queue {
    /// A new message, with its id.
    pub(super) fn send(number: u64, body: Arc<str>, now: Timestamp, delay: SignedDuration) -> (String, Change) {
        let visible_at = later(now, delay);
        let held = Held { body, sent_at: now, visible_at, first_received_at: None, receives: 0 };
        (id(number), Change::Put(number, held))
    }

    pub(super) fn receive(
        &self,
        max: usize,
        now: Timestamp,
        visibility: Option<SignedDuration>,
    ) -> (Vec<Message>, Vec<Change>) {
        let hidden_until = later(now, visibility.unwrap_or(self.visibility));
        let ready = self.due.range(..=(now, u64::MAX)).take(max);
        ready.filter_map(|(_, number)| self.hand_out(*number, now, hidden_until)).unzip()
    }

    /// Of the next `max` messages those that were received too often, and the queue that they go to.
    pub(super) fn worn_out(&self, max: usize, now: Timestamp) -> Option<(String, Vec<(u64, Held)>)> {
        let redrive = self.redrive.as_ref()?;
        let ready = self.due.range(..=(now, u64::MAX)).take(max);
        let held = ready.filter_map(|(_, number)| Some((*number, self.messages.get(number)?.clone())));
        let worn: Vec<_> = held.filter(|(_, held)| held.receives >= redrive.max_receives).collect();
        (!worn.is_empty()).then(|| (redrive.to.clone(), worn))
    }

    fn hand_out(&self, number: u64, now: Timestamp, hidden_until: Timestamp) -> Option<(Message, Change)> {
        let mut held = self.messages.get(&number)?.clone();
        held.visible_at = hidden_until;
        held.receives = held.receives.saturating_add(1);
        let message = Message {
            id: id(number),
            receipt: Receipt { number, receives: held.receives },
            body: Arc::clone(&held.body),
            receives: held.receives,
            sent_at: held.sent_at,
            first_received_at: *held.first_received_at.get_or_insert(now),
        };
        Some((message, Change::Put(number, held)))
    }

    /// `None` if the receipt is not the message's latest one.
    pub(super) fn delete(&self, receipt: &Receipt) -> Option<Change> {
        self.held(receipt).map(|_| Change::Remove(receipt.number))
    }

    /// Changes until when a message in flight is hidden.
    pub(super) fn hide(&self, receipt: &Receipt, now: Timestamp, span: SignedDuration) -> Result<Change, NotInFlight> {
        let held = self.held(receipt).filter(|held| held.visible_at > now).ok_or(NotInFlight)?;
        Ok(Change::Put(receipt.number, Held { visible_at: later(now, span), ..held.clone() }))
    }

    fn held(&self, receipt: &Receipt) -> Option<&Held> {
        self.messages.get(&receipt.number).filter(|held| held.receives == receipt.receives)
    }

    pub(super) fn apply(&mut self, change: Change) {
        let (number, put) = match change {
            Change::Put(number, held) => (number, Some(held)),
            Change::Remove(number) => (number, None),
        };
        if let Some(before) = self.messages.remove(&number) {
            self.due.remove(&(before.visible_at, number));
        }
        if let Some(held) = put {
            self.due.insert((held.visible_at, number));
            self.messages.insert(number, held);
        }
    }

    /// Takes a message back from the store. Whoever had received it is gone, so it is visible at once; one that was
    /// delayed keeps its time.
    pub(super) fn restore(&mut self, number: u64, mut held: Held, now: Timestamp) {
        if held.receives > 0 {
            held.visible_at = held.visible_at.min(now);
        }
        self.apply(Change::Put(number, held));
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
pub(super) fn id(number: u64) -> String {
    format!("00000000-0000-4000-8000-{number:012x}")
}
