//! What a walk came to, as CloudWatch reads it from the log.

use std::{
    io::{self, Write},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use germane::{
    domain::report::CampaignStatus::Complete,
    flow::{
        clock::Clock,
        send::mail::{Answer, Batch, Mailer, MailerError},
    },
    lambda::{metrics::EmbeddedMetrics, queue::Workers},
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::world::{NOW, World, campaign, person, with};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn lines(&self) -> Vec<Value> {
        let log = self.0.lock().unwrap();
        std::str::from_utf8(&log).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

async fn watched() -> (World, Log) {
    let mut world = World::with_shards(1).await;
    let log = Log::default();
    let metrics = EmbeddedMetrics::new(world.deployment.clock.clone(), "germane".to_owned(), log.clone());
    world.deployment.monitor = Arc::new(metrics);
    (world, log)
}

#[tokio::test]
async fn a_walk_is_one_line_with_the_deployment_as_its_only_dimension() {
    let (world, log) = watched().await;
    let withdrawn = json!({ "consents": [] });
    world.put(&[person("r-1"), person("r-2"), with(person("r-3"), withdrawn)]).await;
    world.send(&campaign("weekly")).await;
    let [line] = log.lines().try_into().unwrap();
    let metric = |name: &str| json!({ "Name": name, "Unit": "Count" });
    let mut metrics: Vec<Value> =
        ["deferred", "failed", "held_out", "in_doubt", "sent", "skipped", "skipped_no_consent", "throttled"]
            .map(metric)
            .to_vec();
    metrics.push(json!({ "Name": "shard_seconds", "Unit": "Seconds" }));
    let mut found = line.clone();
    found["_aws"]["CloudWatchMetrics"][0]["Metrics"]
        .as_array_mut()
        .unwrap()
        .sort_by_key(|metric| (metric["Unit"] == "Seconds", metric["Name"].as_str().unwrap().to_owned()));
    // The clock moves on while a world works; nothing more is known of these two.
    let at = Timestamp::from_millisecond(found["_aws"]["Timestamp"].take().as_i64().unwrap()).unwrap();
    assert!((NOW.parse().unwrap()..=world.clock.now()).contains(&at), "{line}");
    assert!(found["shard_seconds"].take().as_f64().is_some(), "{line}");
    let wanted = json!({
        "_aws": {
            "Timestamp": null,
            "CloudWatchMetrics": [{ "Namespace": "Germane", "Dimensions": [["deployment"]], "Metrics": metrics }],
        },
        "deployment": "germane", "campaign": "weekly", "shard": 0, "pass": 1,
        "sent": 2, "skipped": 1, "skipped_no_consent": 1, "deferred": 0, "held_out": 0, "failed": 0, "in_doubt": 0,
        "throttled": 0, "shard_seconds": null,
    });
    assert_eq!(found, wanted);
}

/// Puts off the first call, and loses the answer of the second.
struct Unsteady {
    inner: Arc<dyn Mailer>,
    put_off: AtomicBool,
    lost: AtomicBool,
}

#[async_trait]
impl Mailer for Unsteady {
    async fn send(&self, batch: &Batch<'_>) -> Result<Vec<Answer>, MailerError> {
        if !self.put_off.swap(true, Ordering::Relaxed) {
            return Err(MailerError::Busy("too many".into()));
        }
        if !self.lost.swap(true, Ordering::Relaxed) {
            return Err(MailerError::InDoubt("no answer".into()));
        }
        self.inner.send(batch).await
    }
}

#[tokio::test]
async fn mails_that_were_put_off_or_are_in_doubt_are_counted() {
    let (world, log) = watched().await;
    world.put(&[person("r-1")]).await;
    world.submit(&campaign("weekly")).await;
    let mut sender = world.deployment.sender();
    let inner = Arc::clone(&sender.mailer);
    sender.mailer = Arc::new(Unsteady { inner, put_off: AtomicBool::new(false), lost: AtomicBool::new(false) });
    world.clock.hurry();
    world.drain_with(&Workers { sender: Arc::new(sender), ..world.workers() }).await;
    world.until("weekly", Complete).await;
    let [line] = log.lines().try_into().unwrap();
    assert_eq!((&line["throttled"], &line["in_doubt"], &line["sent"]), (&json!(1), &json!(1), &json!(0)), "{line}");
    // The back-off before the second call.
    assert!(line["shard_seconds"].as_f64().unwrap() > 0.0, "{line}");
}
