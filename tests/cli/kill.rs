//! Five kills while one campaign is sent, of the stack and of its workers: what is promised holds all the same.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use germane::{
    aws::tables::DEFAULT_SHARDS,
    domain::id::{RecipientId, Shard},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::run::{Folder, Running};
use crate::{
    stack::Site,
    world::{NOW, campaign},
};

const PEOPLE: usize = 3_000;
/// Mails a second: the campaign takes long enough to be killed in its midst, five times.
const SES_RATE: &str = "500";
const WORKERS: usize = 2;
/// How many shards each of them works on at once.
const CONCURRENCY: usize = 2;
/// Of a shard nobody works on any more: its lease has ended by then, and its message is to be seen again.
const ABANDONED_S: u32 = 91;

#[derive(Clone, Copy)]
enum Victim {
    Stack,
    Worker(usize),
}

/// No event waits longer for its chunk.
const SETTLED_S: u32 = 15 * 60;

/// Who is killed once so many people are decided on.
const KILLS: [(u64, Victim); 5] = [
    (300, Victim::Worker(0)),
    (850, Victim::Stack),
    (1_400, Victim::Worker(1)),
    (1_900, Victim::Stack),
    (2_400, Victim::Worker(0)),
];

/// A stack with a data folder, and its workers, all processes of their own.
struct Processes {
    data: String,
    stack: Running,
    workers: [Running; WORKERS],
    site: Site,
}

impl Processes {
    fn start(data: String) -> Self {
        let (stack, site) = stack(&data, "0", NOW.parse().unwrap());
        let workers = std::array::from_fn(|_| worker(&site));
        Self { data, stack, workers, site }
    }

    /// Kills one, lets so much time pass that nothing is held for it any more, and starts it again. Answers with the
    /// report that its death left.
    async fn kill(&mut self, victim: Victim) -> Value {
        match victim {
            Victim::Worker(which) => {
                kill(&mut self.workers[which]);
                let left = self.report().await;
                self.site.advance(ABANDONED_S).await;
                self.workers[which] = worker(&self.site);
                left
            }
            Victim::Stack => {
                let now = self.site.get("/local/clock").await.1["now"].as_str().unwrap().parse::<Timestamp>().unwrap();
                kill(&mut self.stack);
                let port = self.site.url.rsplit(':').next().unwrap();
                let later = now + SignedDuration::from_secs(ABANDONED_S.into());
                (self.stack, self.site) = stack(&self.data, port, later);
                self.report().await
            }
        }
    }

    async fn report(&self) -> Value {
        self.site.get("/v1/campaigns/weekly").await.1
    }
}

fn stack(data: &str, port: &str, clock: Timestamp) -> (Running, Site) {
    let clock = clock.to_string();
    let args = ["--data", data, "--port", port, "--clock", &clock, "--no-workers", "--ses-rate", SES_RATE];
    let mut stack = Running::start(&[&["local"], &args[..]].concat());
    let site = Site::at(&stack.says("listening on "));
    (stack, site)
}

fn worker(site: &Site) -> Running {
    Running::start(&["worker", "--endpoint", &site.url, "--concurrency", &CONCURRENCY.to_string()])
}

fn kill(process: &mut Running) {
    process.signal("-KILL");
    assert_eq!(process.ends().code, -1);
}

#[tokio::test]
async fn five_kills_lose_nobody_and_mail_nobody_twice() {
    let folder = Folder::in_memory();
    let mut processes = Processes::start(folder.path("data"));
    processes.site.put_many(PEOPLE).await;
    processes.site.send(&campaign("weekly")).await;
    for (decided, victim) in KILLS {
        processes.site.report("weekly", |report| report["decided"].as_u64() >= Some(decided)).await;
        let left = processes.kill(victim).await;
        assert_eq!(left["status"], "sending", "it was killed too late: {left}");
    }

    processes.site.complete("weekly").await;
    // Events that came before their chunk have waited long enough.
    processes.site.advance(SETTLED_S).await;
    let (report, decisions) = settled(&processes.site).await;
    let outcome = |wanted: &str| -> BTreeSet<&str> {
        decisions.iter().filter(|(_, outcome)| *outcome == wanted).map(|(recipient, _)| recipient.as_str()).collect()
    };
    let (sent, in_doubt) = (outcome("sent"), outcome("in_doubt"));
    assert_eq!((&report["decided"], &report["audience"]), (&PEOPLE.into(), &PEOPLE.into()), "{report}");
    assert_eq!(report["outcomes"]["sent"], sent.len(), "{report}");
    assert_eq!(report["outcomes"]["in_doubt"], in_doubt.len(), "{report}");
    assert_eq!((decisions.len(), sent.len() + in_doubt.len()), (PEOPLE, PEOPLE), "{report}");

    let mails = mails(&processes.site).await;
    let mailed: BTreeSet<&str> = mails.keys().map(String::as_str).collect();
    let twice: Vec<_> = mails.iter().filter(|(_, mails)| **mails > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    let missing: Vec<_> = sent.difference(&mailed).collect();
    assert!(missing.is_empty(), "sent without a mail: {missing:?}");
    assert!(mailed.iter().all(|recipient| sent.contains(recipient) || in_doubt.contains(recipient)));

    assert!(in_doubt.len() <= at_most_in_doubt(), "{report}");
}

/// The report and the decisions of one moment: events may still settle what was in doubt.
async fn settled(site: &Site) -> (Value, BTreeMap<String, String>) {
    loop {
        let before = site.get("/v1/campaigns/weekly").await.1;
        let decisions = decisions(site).await;
        let after = site.get("/v1/campaigns/weekly").await.1;
        if before["outcomes"] == after["outcomes"] {
            return (after, decisions);
        }
    }
}

/// What was under way at the kills: of each walk no more than its whole shard, which is less here than the 64 batches
/// that it may hold. The walks of the processes that lived count too: time leaps past their leases.
fn at_most_in_doubt() -> usize {
    let mut shards: BTreeMap<Shard, usize> = BTreeMap::new();
    for number in 0..PEOPLE {
        let id: RecipientId = format!("r-{number:05}").parse().unwrap();
        *shards.entry(Shard::of(&id, DEFAULT_SHARDS)).or_default() += 1;
    }
    let mut sizes: Vec<usize> = shards.into_values().collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    sizes.iter().take(KILLS.len() * WORKERS * CONCURRENCY).sum()
}

/// Whom each decision that is listed is about, and its outcome; nobody is listed twice.
async fn decisions(site: &Site) -> BTreeMap<String, String> {
    let mut decisions = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let (status, list) = site.get(&format!("/v1/campaigns/weekly/decisions{cursor}")).await;
        assert_eq!(status, 200, "{list}");
        for decision in list["items"].as_array().unwrap() {
            let word = |key: &str| decision[key].as_str().unwrap().to_owned();
            let before = decisions.insert(word("recipient"), word("outcome"));
            assert_eq!(before, None, "a second decision: {decision}");
        }
        match list["cursor"].as_str() {
            Some(next) => cursor = format!("?cursor={next}"),
            None => return decisions,
        }
    }
}

/// How many mails each recipient got, by the tag that SES hands back in its events.
async fn mails(site: &Site) -> BTreeMap<String, usize> {
    let mut mails = BTreeMap::new();
    for mail in site.get("/inbox/messages").await.1.as_array().unwrap() {
        let recipient = URL_SAFE_NO_PAD.decode(mail["tags"]["recipient"].as_str().unwrap()).unwrap();
        *mails.entry(String::from_utf8(recipient).unwrap()).or_default() += 1;
    }
    mails
}
