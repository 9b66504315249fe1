//! Ports that fail, hang or let something happen in between, where a test says so.

mod answers;
mod mail;
mod store;

use std::sync::Arc;

use futures_util::{FutureExt, future::BoxFuture};
use germane::flow::{
    port::PortError,
    queue::{Unhurried, Work},
    send::{SendError, Sender},
};
use tokio::sync::{Notify, Semaphore};

pub use answers::{AnswerOf, lose_answer, wakes_fail};
pub use mail::{Post, after_mail, busy, mail_by, unanswered};
pub use store::{Commit, Write, after_page, claim_by, commit_by, pages_of};

/// What else happens around the nth call of a port, counted from 0.
type Act = Box<dyn Fn(usize) -> BoxFuture<'static, ()> + Send + Sync>;

pub fn nothing() -> Act {
    once(async || {})
}

/// Something that happens once, at the first call.
pub fn once<F>(act: impl Fn() -> F + Send + Sync + 'static) -> Act
where
    F: Future<Output = ()> + Send + 'static,
{
    Box::new(move |call| if call == 0 { act().boxed() } else { std::future::ready(()).boxed() })
}

pub fn down() -> PortError {
    PortError::unavailable("DynamoDB", "it does not answer")
}

/// Where calls hang until a test lets them go on.
pub struct Gate {
    reached: Notify,
    passage: Semaphore,
}

impl Gate {
    fn new() -> Arc<Self> {
        Arc::new(Self { reached: Notify::new(), passage: Semaphore::new(0) })
    }

    pub fn open(&self) {
        self.passage.close();
    }

    async fn pass(&self) {
        self.reached.notify_one();
        // An error means that it was opened.
        let _ = self.passage.acquire().await;
    }
}

/// Lets a worker run until it hangs; what is returned can be dropped, or run on once the gate is open.
pub async fn until<'a>(gate: &Gate, sender: &'a Sender, work: &'a Work) -> BoxFuture<'a, Result<(), SendError>> {
    let mut run = sender.run(work, &Unhurried).boxed();
    tokio::select! {
        ended = &mut run => panic!("the worker was to hang, but ended: {ended:?}"),
        () = gate.reached.notified() => run,
    }
}

/// Loses a worker where it hangs, if it comes so far; otherwise says how it ended.
pub async fn run_or_hang(gate: &Gate, sender: &Sender, work: &Work) -> Option<Result<(), SendError>> {
    tokio::select! {
        ended = sender.run(work, &Unhurried) => Some(ended),
        () = gate.reached.notified() => None,
    }
}

/// Loses a worker where it hangs.
pub async fn lose(sender: &Sender, work: &Work, gate: &Gate) {
    drop(until(gate, sender, work).await);
}

/// Runs a worker that is to fail.
pub async fn fails(sender: &Sender, work: &Work) -> SendError {
    sender.run(work, &Unhurried).await.unwrap_err()
}
