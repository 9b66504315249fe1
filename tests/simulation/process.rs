//! A process that works off messages, and may stand still or die wherever it waits for something.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{StreamExt, future::LocalBoxFuture, stream::FuturesUnordered};
use germane::{
    flow::{
        feedback::Feedback,
        launch::Launcher,
        queue::{Message, Turn},
        send::Sender,
    },
    lambda::queue::WorkError,
};

use super::{
    super::virtual_world::{
        clock::{Sleep, VirtualClock},
        network::Network,
        queue::{Hold, Queues, Received},
        ses::SesAccount,
        steps::Process,
        tables::Tables,
    },
    plan::{Plan, ProcessPlan},
};

const RESTART_MICROS: std::ops::Range<u64> = 100_000..100_000_000;
const STALL_MICROS: std::ops::Range<u64> = 1_000_000..150_000_000;

/// What a process finds when it starts.
pub struct Ways<'a> {
    pub tables: &'a Tables,
    pub queues: &'a Queues,
    pub ses: &'a SesAccount,
}

/// Starts a process again and again, until nothing is left to do.
pub async fn live(plan: &Plan, of: &ProcessPlan, network: Network, ways: &Ways<'_>, end: Duration) {
    loop {
        let work = Box::pin(work(of, &network, ways, end));
        if let Lived::ToItsEnd = (Mortal { work: Some(work), plan, network: &network, stalled: None }).await {
            return;
        }
        network.time.sleep(network.chance.micros(RESTART_MICROS)).await;
        network.say(|| "starts again".to_owned());
    }
}

async fn work(of: &ProcessPlan, network: &Network, ways: &Ways<'_>, end: Duration) {
    let clock = VirtualClock { time: network.time.clone(), ahead: of.ahead };
    let queues = ways.queues.from(network.clone());
    let process = Process {
        clock: Arc::new(clock),
        tables: ways.tables.from(network.clone()),
        queues: queues.clone(),
        ses: ways.ses.from(network.clone()),
    };
    let mut sender = process.sender();
    sender.max_in_flight = of.max_in_flight;
    let workers = Steps { launcher: process.launcher(), sender, feedback: process.feedback() };
    let mut hands: FuturesUnordered<_> = (0..of.at_once)
        .map(|_| async {
            while let Some(received) = queues.next(end).await {
                handle(of, network, &queues, &workers, &received).await;
            }
        })
        .collect();
    while hands.next().await.is_some() {}
}

async fn handle(of: &ProcessPlan, network: &Network, queues: &Queues, workers: &Steps, received: &Received) {
    let ends = of.turn.map(|turn| network.time.passed() + turn);
    let turn = Hold { queues, received, ends };
    network.say(|| format!("works on {}", received.body));
    match workers.handle(&received.body, &turn).await {
        Ok(()) => queues.delete(received).await,
        Err(error) => {
            network.say(|| format!("failed: {error}"));
            queues.failed(received).await;
        }
    }
}

/// What the messages of a simulated world are for.
struct Steps {
    launcher: Launcher,
    sender: Sender,
    feedback: Feedback,
}

impl Steps {
    async fn handle(&self, body: &str, turn: &dyn Turn) -> Result<(), WorkError> {
        match Message::from_body(body) {
            Ok(Message::Launch { campaign }) => Ok(self.launcher.attend(&campaign).await?),
            Ok(Message::Shard(work)) => Ok(self.sender.run(&work, turn).await?),
            // What SES says, or what of it had to wait.
            Ok(Message::Feedback { .. } | Message::Newsletter { .. } | Message::Preview { .. }) | Err(_) => {
                Ok(self.feedback.take(&[body]).await.into_iter().collect::<Result<(), _>>()?)
            }
        }
    }
}

enum Lived {
    ToItsEnd,
    /// What it had sent may still arrive.
    ToItsDeath,
}

struct Mortal<'a> {
    work: Option<LocalBoxFuture<'a, ()>>,
    plan: &'a Plan,
    network: &'a Network,
    stalled: Option<Sleep>,
}

impl Future for Mortal<'_> {
    type Output = Lived;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Lived> {
        let network = self.network;
        if let Some(stalled) = &mut self.stalled {
            match Pin::new(stalled).poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(()) => self.stalled = None,
            }
        } else if network.happens(self.plan.crashes) {
            network.log(|log| log.crashes += 1);
            network.say(|| "DIES".to_owned());
            self.work = None;
            return Poll::Ready(Lived::ToItsDeath);
        } else if network.happens(self.plan.stalls) {
            let span = network.chance.micros(STALL_MICROS);
            network.log(|log| log.stalls += 1);
            network.say(|| format!("STANDS STILL for {} s", span.as_secs()));
            let mut sleep = network.time.sleep(span);
            if Pin::new(&mut sleep).poll(context).is_pending() {
                self.stalled = Some(sleep);
                return Poll::Pending;
            }
        }
        match &mut self.work {
            Some(work) => work.as_mut().poll(context).map(|()| Lived::ToItsEnd),
            None => Poll::Ready(Lived::ToItsDeath),
        }
    }
}
