//! The one signal that ends a walk: set once, waited for by whatever takes time.

use std::future::Future;

use futures_util::future::{Either, select};
use tokio::sync::watch;

use crate::domain::decision::Reason;

/// Why nobody is mailed any more.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stopped {
    /// The worker's turn is over; another one goes on at the cursor.
    TurnOver,
    /// The day has no room for more mails. Who has a reservation goes on: given back, it would count all the same.
    NoRoom,
    /// The campaign waits, was paused, or has ended; people who were about to be mailed are put off for this reason.
    Campaign(Reason),
    /// Something failed; the shard goes back to its queue.
    Failed(Reason),
}

impl Stopped {
    /// The reason that is recorded for people who were about to be mailed.
    pub fn reason(&self) -> Reason {
        match self {
            Stopped::TurnOver => Reason::Stopped,
            Stopped::NoRoom => Reason::Quota,
            Stopped::Campaign(reason) | Stopped::Failed(reason) => reason.clone(),
        }
    }
}

pub(super) struct Stop(watch::Sender<Option<Stopped>>);

impl Stop {
    pub fn new() -> Self {
        Self(watch::Sender::new(None))
    }

    /// Hands out no more people and begins no more calls; what is on its way is finished and committed. False if it
    /// was stopped before: the first reason stays, unless it lets those with a reservation go on and this one does not.
    pub fn set(&self, stopped: Stopped) -> bool {
        self.0.send_if_modified(|held| {
            let wins = match held {
                None => true,
                Some(held) => *held == Stopped::NoRoom && stopped != Stopped::NoRoom,
            };
            if wins {
                *held = Some(stopped);
            }
            wins
        })
    }

    pub fn get(&self) -> Option<Stopped> {
        self.0.borrow().clone()
    }

    /// What the future gives, unless the walk is stopped before.
    pub async fn or<T>(&self, future: impl Future<Output = T>) -> Result<T, Stopped> {
        self.unless(Option::is_some, future).await
    }

    /// The same for somebody who has a reservation.
    pub async fn or_reserved<T>(&self, future: impl Future<Output = T>) -> Result<T, Stopped> {
        self.unless(|held| held.as_ref().is_some_and(|stopped| *stopped != Stopped::NoRoom), future).await
    }

    async fn unless<T>(
        &self,
        stops: impl FnMut(&Option<Stopped>) -> bool,
        future: impl Future<Output = T>,
    ) -> Result<T, Stopped> {
        let mut stop = self.0.subscribe();
        let stopped = async move {
            // The sender is here, so that the wait ends only with a value.
            stop.wait_for(stops).await.ok().and_then(|stopped| stopped.clone())
        };
        match select(Box::pin(stopped), Box::pin(future)).await {
            Either::Left((stopped, _)) => Err(stopped.unwrap_or(Stopped::TurnOver)),
            Either::Right((value, _)) => Ok(value),
        }
    }
}
