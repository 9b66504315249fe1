//! The queue and the scheduler before it: who works takes the next message that is due.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
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
        queue::{Message, Queue},
        schedule::{ScheduleName, Scheduler},
    },
};
use jiff::{SignedDuration, Timestamp};

use super::network::Network;

/// How often an empty queue is looked at.
const LISTEN: Duration = Duration::from_millis(20);
/// How soon a message whose work failed is delivered again.
const AGAIN: Duration = Duration::from_secs(2);
/// A schedule that lies further ahead, such as a campaign's end, is not waited for.
const WAITED_FOR: SignedDuration = SignedDuration::from_mins(10);

pub struct MessageQueue {
    network: Arc<Network>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// By the time from which each may be delivered.
    messages: BTreeMap<(Timestamp, u64), Message>,
    number: u64,
    schedules: BTreeMap<ScheduleName, (Timestamp, Message)>,
    in_hand: usize,
    /// How many messages of each campaign were handed out.
    handed_out: BTreeMap<CampaignId, u64>,
}

impl MessageQueue {
    pub fn new(network: Arc<Network>) -> Self {
        Self { network, held: Mutex::default() }
    }

    pub fn put(&self, message: Message, delay: Duration) {
        self.held.lock().unwrap().put(self.network.time.now() + delay, message);
    }

    /// The next message; `None` once nobody has anything to do any more.
    pub async fn next(&self) -> Option<Message> {
        loop {
            {
                let mut held = self.held.lock().unwrap();
                let now = self.network.time.now();
                if let Some(message) = held.next(now) {
                    held.in_hand += 1;
                    return Some(message);
                }
                let awaited = held.schedules.values().any(|(at, _)| at.duration_since(now) <= WAITED_FOR);
                if held.messages.is_empty() && held.in_hand == 0 && !awaited {
                    return None;
                }
            }
            self.network.time.sleep(LISTEN).await;
        }
    }

    /// Has everybody wait for something that is still to happen, until it is [`MessageQueue::done`].
    pub fn begin(&self) {
        self.held.lock().unwrap().in_hand += 1;
    }

    pub fn done(&self) {
        self.held.lock().unwrap().in_hand -= 1;
    }

    pub fn failed(&self, message: Message) {
        self.put(message, AGAIN);
        self.done();
    }
}

impl Held {
    fn put(&mut self, at: Timestamp, message: Message) {
        self.number += 1;
        self.messages.insert((at, self.number), message);
    }

    /// Campaigns take turns, as if all had been launched in one moment.
    fn next(&mut self, now: Timestamp) -> Option<Message> {
        while let Some(name) = self.schedules.iter().find(|(_, (at, _))| *at <= now).map(|(name, _)| name.clone()) {
            let (at, message) = self.schedules.remove(&name)?;
            self.put(at, message);
        }
        let due = self.messages.iter().filter(|((at, _), _)| *at <= now);
        let turn = |message: &Message| self.handed_out.get(campaign(message)).copied().unwrap_or(0);
        let (key, _) = due.min_by_key(|(key, message)| (turn(message), **key))?;
        let key = *key;
        let message = self.messages.remove(&key)?;
        *self.handed_out.entry(campaign(&message).clone()).or_default() += 1;
        Some(message)
    }
}

fn campaign(message: &Message) -> &CampaignId {
    match message {
        Message::Launch { campaign } => campaign,
        Message::Shard(work) => &work.campaign,
        Message::Preview { .. } | Message::Newsletter { .. } | Message::Feedback { .. } => {
            panic!("nobody asks for it here")
        }
    }
}

#[async_trait]
impl Queue for MessageQueue {
    async fn send(&self, messages: &[Message], delay: Duration) -> Result<(), PortError> {
        let send = || messages.iter().for_each(|message| self.put(message.clone(), delay));
        self.network.table(send).await;
        Ok(())
    }
}

#[async_trait]
impl Scheduler for MessageQueue {
    async fn once(&self, name: &ScheduleName, at: Timestamp, message: &Message) -> Result<(), PortError> {
        let keep = || self.held.lock().unwrap().schedules.insert(name.clone(), (at, message.clone()));
        self.network.table(keep).await;
        Ok(())
    }

    async fn recur(
        &self,
        _name: &ScheduleName,
        _recurrence: &Recurrence,
        _newsletter: &NewsletterId,
    ) -> Result<(), PortError> {
        panic!("nobody asks for it here")
    }

    async fn forget(&self, _name: &ScheduleName) -> Result<(), PortError> {
        panic!("nobody asks for it here")
    }
}
