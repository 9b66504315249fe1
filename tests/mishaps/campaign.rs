//! Campaigns whose every call may come to grief: several workers through the real adapters, everything that they ask of
//! any service under mishaps by chance. At the end the promises are held against what is really there.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::FutureExt;
use germane::{
    aws::{clients::Clients, deployment::Deployment, queue::QueueUrls, system::SystemClock},
    domain::{
        actor::Actor,
        id::{CampaignId, RecipientId},
    },
    flow::{clock::Clock, preferences::Unsubscribed, token::Purpose},
    local::{
        people,
        pollers::{Hands, Pollers, VISIBILITY, workers},
        services::{FEEDBACK, LAUNCH, PREVIEW, SHARD},
        ses::SesConfig,
    },
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{BULK, Mishaps, Service, chance};
use crate::world::{Setup, World, policy, with};

/// Two at once over the same people, of whom each may get one mail.
const CAMPAIGNS: [&str; 2] = ["one", "two"];
const CAP: usize = 1;
const CAP_SPAN: SignedDuration = SignedDuration::from_hours(7 * 24);
/// So low that a batch has five mails, and SES many calls.
const SES_RATE: f64 = 100.0;
const WORKERS: usize = 3;
const SHARDS_AT_ONCE: usize = 2;
/// One in so many withdraws while the campaigns are on their way.
const WITHDRAWS: usize = 10;
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// A walk looks at its campaign's status each second: where so many looks see no call, nobody works.
const IDLE_LOOKS: u32 = 40;
/// A time that no campaign takes, however much befalls it.
const PATIENCE: Duration = Duration::from_mins(15);

/// What became of one seed's campaigns.
pub struct Figures {
    pub seed: u64,
    pub people: usize,
    pub seconds: f64,
    pub mails: usize,
    pub bulk_calls: usize,
    /// In doubt when the campaigns were complete, and after SES's events.
    pub in_doubt: u64,
    pub settled: u64,
    pub withdrawn: usize,
    pub fates: BTreeMap<(Service, &'static str), usize>,
}

/// Runs two campaigns to their ends under the mishaps of a seed. Panics where a promise is broken.
pub async fn run(seed: u64, people: usize) -> Figures {
    let machine = SystemClock::default();
    let world = Arc::new(begin(seed, people).await);
    let (mishaps, clients) = Mishaps::before(&world.services, chance::rule(seed)).await;
    let clients = in_a_hurry(&clients);
    let deployment = insist(async || world.deployment_over(&clients).await).await;
    for id in CAMPAIGNS {
        // The same body again is the same campaign.
        insist(async || deployment.api().submit(&campaign(id), &Actor::local()).await).await;
    }
    let pollers: Vec<Pollers> = (0..WORKERS).map(|_| worker(&world, &clients, &deployment)).collect();
    let withdrawals = withdraw(&world, &deployment, people).await;
    complete(&world, &mishaps, &machine).await;
    drop(pollers);
    // What its client gave up may still be on its way.
    while mishaps.under_way() > 0 {
        machine.sleep(LOOK_EVERY).await;
    }

    let mut in_doubt = 0;
    for id in CAMPAIGNS {
        let report = world.check(id).await;
        assert_eq!(report["outcomes"]["failed"], 0, "{report}");
        in_doubt += report["outcomes"]["in_doubt"].as_u64().unwrap();
    }
    people_are_respected(&world, &withdrawals).await;
    feed_back(&world, &deployment).await;
    let settled = in_doubt - what_is_still_in_doubt_never_came(&world).await;
    Figures {
        seed,
        people,
        seconds: machine.monotonic().as_secs_f64(),
        mails: world.services.ses.count(),
        bulk_calls: mishaps.calls(BULK),
        in_doubt,
        settled,
        withdrawn: withdrawals.len(),
        fates: mishaps.fates(),
    }
}

async fn begin(seed: u64, count: usize) -> World {
    let ses = SesConfig { max_send_rate: SES_RATE, ..SesConfig::default() };
    let world = World::with(Setup { ses, shards: 8, ..Setup::default() }).await;
    world.put_policy(&with(policy(), json!({ "frequency": [{ "sends": CAP, "days": 7 }] }))).await;
    let people: Vec<Value> = people::people(seed, count, world.now()).collect();
    world.put(&people).await;
    for queue in [LAUNCH, PREVIEW, SHARD, FEEDBACK] {
        world.services.queues.set_visibility(queue, VISIBILITY);
    }
    world
}

fn campaign(id: &str) -> Value {
    json!({
        "id": id, "topic": "rust/async", "channel": "work", "template": "newsletter",
        "content": { "headline": "Async closures" },
    })
}

/// The deployment's clients with shorter time-outs, so that late calls exceed them within the patience of a test.
fn in_a_hurry(clients: &Clients) -> Clients {
    let timeouts = |operation, attempt| {
        aws_config::timeout::TimeoutConfig::builder()
            .operation_timeout(Duration::from_millis(operation))
            .operation_attempt_timeout(Duration::from_millis(attempt))
            .build()
    };
    macro_rules! hurried {
        ($sdk:ident, $client:expr, $timeouts:expr) => {
            $sdk::Client::from_conf($client.config().to_builder().timeout_config($timeouts).build())
        };
    }
    Clients {
        dynamodb: hurried!(aws_sdk_dynamodb, clients.dynamodb, timeouts(4_000, 1_200)),
        sqs: hurried!(aws_sdk_sqs, clients.sqs, timeouts(4_000, 1_200)),
        ses: hurried!(aws_sdk_sesv2, clients.ses, timeouts(4_000, 1_200)),
        ses_sending: hurried!(aws_sdk_sesv2, clients.ses_sending, timeouts(1_800, 1_800)),
        scheduler: hurried!(aws_sdk_scheduler, clients.scheduler, timeouts(4_000, 1_200)),
    }
}

/// One that takes launches and shards. SES's events wait until the ledger was looked at without them.
fn worker(world: &World, clients: &Clients, deployment: &Deployment) -> Pollers {
    let nothing = world.services.queue_urls.feedback.replace(FEEDBACK, "germane-feedback-dead");
    let queues = QueueUrls { feedback: nothing, ..world.services.queue_urls.clone() };
    let hands = Hands {
        workers: workers(deployment, SHARDS_AT_ONCE),
        clock: world.clock.clone(),
        catch_up: Arc::new(|| std::future::ready(()).boxed()),
    };
    Pollers::start(&clients.sqs, &queues, &hands, SHARDS_AT_ONCE)
}

/// Some of the people withdraw, each by as many clicks as it takes; of each, the moment at which it was confirmed.
async fn withdraw(world: &World, deployment: &Deployment, people: usize) -> BTreeMap<RecipientId, Timestamp> {
    let preferences = deployment.preferences();
    let campaign: CampaignId = CAMPAIGNS[0].parse().unwrap();
    let mut confirmed = BTreeMap::new();
    for number in (1..=people).step_by(WITHDRAWS) {
        let id: RecipientId = format!("r-{number:05}").parse().unwrap();
        let token = preferences.tokens.sign(Purpose::Unsubscribe, &id, &campaign);
        let answer = insist(async || preferences.unsubscribe(&token, None).await).await;
        assert_eq!(answer, Unsubscribed::Done);
        confirmed.insert(id, world.now());
    }
    confirmed
}

/// Tries until it comes through.
async fn insist<T, E>(what: impl AsyncFn() -> Result<T, E>) -> T {
    loop {
        if let Ok(done) = what().await {
            return done;
        }
    }
}

/// Lets the workers work. The clock is moved only while none of them does: to when the next message is due.
async fn complete(world: &World, mishaps: &Mishaps, machine: &SystemClock) {
    let (mut calls, mut idle) = (0, 0);
    loop {
        world.services.schedules.fire_due().unwrap();
        let mut complete = true;
        for id in CAMPAIGNS {
            complete &= world.report(id).await["status"] == "complete";
        }
        if complete {
            return;
        }
        assert!(machine.monotonic() < PATIENCE, "the campaigns never came to their end");
        machine.sleep(LOOK_EVERY).await;
        let seen = mishaps.calls_of(Service::DynamoDb) + mishaps.calls_of(Service::Ses);
        idle = if seen == calls { idle + 1 } else { 0 };
        calls = seen;
        if idle >= IDLE_LOOKS {
            idle = 0;
            world.clock.reach(world.next_due().expect("a message that is on its way"));
            world.services.queues.wake();
        }
    }
}

/// Caps hold over both campaigns, and nobody was claimed after their withdrawal was confirmed.
async fn people_are_respected(world: &World, withdrawals: &BTreeMap<RecipientId, Timestamp>) {
    for (id, person) in world.people().await {
        let mut claims: Vec<Timestamp> = person.sends.iter().map(|send| send.at).collect();
        claims.sort_unstable();
        let cap = person.preferences.max_frequency.map_or(CAP, |own| CAP.min(own.sends as usize));
        let close = claims.windows(cap + 1).find(|run| run[cap].duration_since(run[0]) < CAP_SPAN);
        assert!(close.is_none(), "{id} has more than {cap} in a week: {claims:?}");
        if let Some(confirmed) = withdrawals.get(&id) {
            assert!(claims.iter().all(|claim| claim <= confirmed), "{id} withdrew at {confirmed}: {claims:?}");
        }
    }
}

/// Hands on SES's events until each of them was taken.
async fn feed_back(world: &World, deployment: &Deployment) {
    let (feedback, queues) = (deployment.feedback(), &world.services.queues);
    while queues.depth(FEEDBACK) > 0 {
        let messages = queues.receive(FEEDBACK, 100).unwrap();
        let bodies: Vec<&str> = messages.iter().map(|message| &*message.body).collect();
        for (message, taken) in messages.iter().zip(feedback.take(&bodies).await) {
            if taken.is_ok() {
                queues.delete(FEEDBACK, &message.receipt).unwrap();
            }
        }
        if messages.is_empty() {
            world.clock.reach(queues.next_due().expect("an event that is on its way"));
        }
    }
}

/// SES told of every mail: sent is who got one, in doubt who got none. Answers with how many those are.
async fn what_is_still_in_doubt_never_came(world: &World) -> u64 {
    let mut open = 0;
    for id in CAMPAIGNS {
        let (mails, report) = (world.mails(id), world.report(id).await);
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for (recipient, decision) in world.decisions(id).await {
            let outcome = decision["outcome"].as_str().unwrap();
            *counts.entry(outcome.to_owned()).or_default() += 1;
            assert_eq!(mails.contains_key(&recipient), outcome == "sent", "{recipient} after all events: {decision}");
        }
        for (outcome, count) in report["outcomes"].as_object().unwrap() {
            assert_eq!(*count, counts.get(outcome).copied().unwrap_or_default(), "{outcome}: {report}");
        }
        open += report["outcomes"]["in_doubt"].as_u64().unwrap();
    }
    open
}
