//! The queues and the scheduler before them: at least once, in no order that anybody may rely on, and again after a
//! while unless it is deleted.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    pin::pin,
    sync::{Arc, Mutex},
    task::{Poll, Waker},
    time::Duration,
};

use async_trait::async_trait;
use germane::{
    domain::{
        id::{CampaignId, NewsletterId},
        newsletter::Recurrence,
    },
    flow::{
        port::PortError,
        queue::{Message, Queue, Turn},
        schedule::{ScheduleName, Scheduler},
    },
};
use jiff::Timestamp;

use super::network::Network;

/// How long a message is hidden from others once it was received.
pub const VISIBILITY: Duration = Duration::from_secs(90);
/// How soon a message whose work failed is delivered again.
const AGAIN: Duration = Duration::from_secs(2);

/// A real queue does it once in a very long while.
const MOST_TWICE: u64 = 100;

/// Which messages come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Campaigns take turns, as if all had been launched in one moment, and no message comes twice.
    Fair,
    /// Any that is due, some of them twice: so many in 10,000.
    Random { twice: u64 },
}

/// The queues as one process reaches them.
#[derive(Clone)]
pub struct Queues {
    pub network: Network,
    delivery: Delivery,
    held: Arc<Mutex<Held>>,
}

#[derive(Default)]
struct Held {
    /// By when each is visible, and a number of its own.
    messages: BTreeMap<(Duration, u64), String>,
    /// Where each message is that somebody received and that is not deleted.
    received: BTreeMap<u64, Duration>,
    number: u64,
    schedules: BTreeMap<ScheduleName, (Timestamp, Message)>,
    /// Things that are still to happen to the world.
    awaited: usize,
    listening: Vec<Waker>,
    /// How many messages of each campaign were handed out.
    handed_out: BTreeMap<CampaignId, u64>,
    /// Deliveries of what had been delivered before.
    again: u64,
    /// Those of them that came although nobody had failed.
    twice: u64,
}

/// A message in somebody's hands.
pub struct Received {
    number: u64,
    pub body: String,
}

impl Queues {
    pub fn new(network: Network, delivery: Delivery) -> Self {
        Self { network, delivery, held: Arc::default() }
    }

    /// The same queues from another process.
    pub fn from(&self, network: Network) -> Self {
        Self { network, ..self.clone() }
    }

    /// Without a call, as the world does.
    pub fn put(&self, body: String, delay: Duration) {
        self.held.lock().unwrap().put(self.network.time.passed() + delay, body);
    }

    /// The next message; `None` once nobody will have anything to do any more before `end`.
    pub async fn next(&self, end: Duration) -> Option<Received> {
        loop {
            let due = {
                let mut held = self.held.lock().unwrap();
                let now = self.network.time.passed();
                if now >= end || self.network.is_endless() {
                    return None;
                }
                held.fire(self.network.time.now(), now);
                if let Some(received) = held.receive(now, self) {
                    return Some(received);
                }
                let due = held.next_due(now, self.network.time.now());
                if due.is_none_or(|due| due >= end) && held.awaited == 0 {
                    held.call();
                    return None;
                }
                due.unwrap_or(end)
            };
            self.listen(due.saturating_sub(self.network.time.passed())).await;
        }
    }

    /// Waits until something is put, and no longer than that.
    async fn listen(&self, at_most: Duration) {
        let mut sleep = pin!(self.network.time.sleep(at_most));
        let mut told = false;
        poll_fn(|context| {
            if std::mem::replace(&mut told, true) {
                return Poll::Ready(());
            }
            self.held.lock().unwrap().listening.push(context.waker().clone());
            sleep.as_mut().poll(context)
        })
        .await;
    }

    /// Has everybody wait for something that is still to happen, until it is [`Queues::done`].
    pub fn begin(&self) {
        self.held.lock().unwrap().awaited += 1;
    }

    pub fn done(&self) {
        let mut held = self.held.lock().unwrap();
        held.awaited -= 1;
        held.call();
    }

    /// Deletes what was done; lost, it comes again.
    pub async fn delete(&self, received: &Received) {
        let (held, number) = (Arc::clone(&self.held), received.number);
        let deleted = self.network.table("delete a message", move || held.lock().unwrap().delete(number)).await;
        // Who cannot delete it leaves it: it is delivered again.
        drop(deleted);
    }

    /// Has what failed come again soon.
    pub async fn failed(&self, received: &Received) {
        drop(self.hide(received.number, AGAIN).await);
    }

    async fn hide(&self, number: u64, span: Duration) -> Result<(), PortError> {
        let (held, time) = (Arc::clone(&self.held), self.network.time.clone());
        let hide = move || held.lock().unwrap().hide(number, time.passed() + span);
        self.network.table("hide a message", hide).await
    }

    /// What is still waiting: messages and schedules.
    pub fn left(&self) -> (usize, usize) {
        let held = self.held.lock().unwrap();
        (held.messages.len(), held.schedules.len())
    }

    pub fn delivered_again(&self) -> u64 {
        self.held.lock().unwrap().again
    }
}

impl Held {
    fn put(&mut self, at: Duration, body: String) {
        self.number += 1;
        self.messages.insert((at, self.number), body);
        self.call();
    }

    /// Wakes whoever listens.
    fn call(&mut self) {
        self.listening.drain(..).for_each(Waker::wake);
    }

    /// Queues what the scheduler has for now.
    fn fire(&mut self, now: Timestamp, passed: Duration) {
        while let Some(name) = self.schedules.iter().find(|(_, (at, _))| *at <= now).map(|(name, _)| name.clone()) {
            if let Some((_, message)) = self.schedules.remove(&name) {
                self.put(passed, message.body().unwrap());
            }
        }
    }

    fn receive(&mut self, now: Duration, queues: &Queues) -> Option<Received> {
        let due: Vec<(Duration, u64)> = self.messages.range(..=(now, u64::MAX)).map(|(key, _)| *key).collect();
        if due.is_empty() {
            return None;
        }
        let key = match queues.delivery {
            Delivery::Fair => {
                let turn = |key: &(Duration, u64)| {
                    let campaign = self.messages.get(key).and_then(|body| campaign(body));
                    campaign.map_or(0, |campaign| self.handed_out.get(&campaign).copied().unwrap_or(0))
                };
                *due.iter().min_by_key(|key| (turn(key), **key))?
            }
            Delivery::Random { .. } => *queues.network.chance.one_of(&due),
        };
        let body = self.messages.remove(&key)?;
        if let Some(campaign) = campaign(&body) {
            *self.handed_out.entry(campaign).or_default() += 1;
        }
        let twice = match queues.delivery {
            Delivery::Fair => false,
            // Not without end: whoever finds a shard held queues a copy, so that copies would breed copies.
            Delivery::Random { twice } => self.twice < MOST_TWICE && queues.network.happens(twice),
        };
        self.twice += u64::from(twice);
        let (_, number) = key;
        if self.received.contains_key(&number) || twice {
            self.again += 1;
        }
        // What is delivered twice is visible to the next as well.
        let visible = if twice { now } else { now + VISIBILITY };
        self.messages.insert((visible, number), body.clone());
        self.received.insert(number, visible);
        Some(Received { number, body })
    }

    fn delete(&mut self, number: u64) {
        if let Some(visible) = self.received.remove(&number) {
            self.messages.remove(&(visible, number));
        }
        self.call();
    }

    fn hide(&mut self, number: u64, until: Duration) {
        if let Some(visible) = self.received.get_mut(&number)
            && let Some(body) = self.messages.remove(&(*visible, number))
        {
            *visible = until;
            self.messages.insert((until, number), body);
        }
        self.call();
    }

    fn next_due(&self, now: Duration, time: Timestamp) -> Option<Duration> {
        let scheduled = self.schedules.values().map(|(at, _)| *at).min().map(|at| {
            let ahead = Duration::try_from(at.duration_since(time)).unwrap_or_default();
            now + ahead
        });
        let visible = self.messages.keys().next().map(|(at, _)| *at);
        scheduled.into_iter().chain(visible).min()
    }
}

fn campaign(body: &str) -> Option<CampaignId> {
    match Message::from_body(body).ok()? {
        Message::Launch { campaign } => Some(campaign),
        Message::Shard(work) => Some(work.campaign),
        Message::Preview { .. } | Message::Newsletter { .. } | Message::Feedback { .. } => None,
    }
}

/// The turn of somebody who has received a message, which ends at a time.
pub struct Hold<'a> {
    pub queues: &'a Queues,
    pub received: &'a Received,
    /// `None` for one that does not end.
    pub ends: Option<Duration>,
}

#[async_trait]
impl Turn for Hold<'_> {
    async fn over(&self) {
        match self.ends {
            Some(ends) => {
                let time = &self.queues.network.time;
                time.sleep(ends.saturating_sub(time.passed())).await;
            }
            None => std::future::pending().await,
        }
    }

    async fn keep(&self, span: Duration) -> Result<(), PortError> {
        self.queues.hide(self.received.number, span).await
    }
}

#[async_trait]
impl Queue for Queues {
    async fn send(&self, messages: &[Message], delay: Duration) -> Result<(), PortError> {
        let bodies: Vec<String> = messages.iter().map(Message::body).collect::<Result<_, _>>()?;
        let (held, time) = (Arc::clone(&self.held), self.network.time.clone());
        self.network.say(|| format!("is to queue in {} ms: {bodies:?}", delay.as_millis()));
        let send = move || {
            let at = time.passed() + delay;
            let mut held = held.lock().unwrap();
            for body in &bodies {
                held.put(at, body.clone());
            }
        };
        self.network.table("queue messages", send).await
    }
}

#[async_trait]
impl Scheduler for Queues {
    async fn once(&self, name: &ScheduleName, at: Timestamp, message: &Message) -> Result<(), PortError> {
        let (held, name, message) = (Arc::clone(&self.held), name.clone(), message.clone());
        let keep = move || {
            let mut held = held.lock().unwrap();
            held.schedules.insert(name.clone(), (at, message.clone()));
            held.call();
        };
        self.network.table("make a schedule", keep).await
    }

    async fn recur(&self, _: &ScheduleName, _: &Recurrence, _: &NewsletterId) -> Result<(), PortError> {
        panic!("nobody asks for it here")
    }

    async fn forget(&self, name: &ScheduleName) -> Result<(), PortError> {
        let (held, name) = (Arc::clone(&self.held), name.clone());
        self.network.table("forget a schedule", move || drop(held.lock().unwrap().schedules.remove(&name))).await
    }
}
