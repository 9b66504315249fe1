//! What a walk came to, as a line of the log that CloudWatch makes metrics of: the embedded metric format
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>).
//! They are in the namespace `Germane` with the deployment as their one dimension: `sent`, `skipped`, `deferred`,
//! `held_out`, `failed`, `in_doubt`; `skipped_` and a reason for each that there was; `throttled`; `shard_seconds`.
//! CloudWatch bills each dimension's value for itself, so the campaign and the shard are properties, to be searched for.

use std::{
    io::Write,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::{Map, Value, json};

use crate::{
    domain::decision::OutcomeKind,
    flow::{
        clock::Clock,
        queue::Work,
        send::monitor::{Monitor, Walked},
    },
};

const NAMESPACE: &str = "Germane";

pub struct EmbeddedMetrics<W> {
    clock: Arc<dyn Clock>,
    deployment: String,
    log: Mutex<W>,
}

impl<W: Write> EmbeddedMetrics<W> {
    /// `deployment` tells those in one account apart.
    pub fn new(clock: Arc<dyn Clock>, deployment: String, log: W) -> Self {
        Self { clock, deployment, log: Mutex::new(log) }
    }

    fn line(&self, work: &Work, walked: &Walked) -> Value {
        let mut counts = walked.decisions.outcomes();
        for (outcome, reason, count) in Vec::from(walked.decisions.clone()) {
            if let (OutcomeKind::Skipped, Some(reason)) = (outcome, reason) {
                counts.insert(format!("skipped_{}", reason.as_str()), json!(count));
            }
        }
        counts.insert("throttled".to_owned(), json!(walked.throttled));
        let mut metrics: Vec<Value> = counts.keys().map(|name| json!({ "Name": name, "Unit": "Count" })).collect();
        metrics.push(json!({ "Name": "shard_seconds", "Unit": "Seconds" }));
        let directive = json!({ "Namespace": NAMESPACE, "Dimensions": [["deployment"]], "Metrics": metrics });
        let now = self.clock.now().as_millisecond();
        let mut line = Map::new();
        line.insert("_aws".to_owned(), json!({ "Timestamp": now, "CloudWatchMetrics": [directive] }));
        line.insert("deployment".to_owned(), json!(self.deployment));
        line.insert("campaign".to_owned(), json!(work.campaign));
        line.insert("shard".to_owned(), json!(work.shard.0));
        line.insert("pass".to_owned(), json!(work.pass));
        line.insert("shard_seconds".to_owned(), json!(walked.took.as_secs_f64()));
        line.extend(counts);
        Value::Object(line)
    }
}

impl<W: Write + Send> Monitor for EmbeddedMetrics<W> {
    fn walked(&self, work: &Work, walked: &Walked) {
        let line = format!("{}\n", self.line(work, walked));
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = log.write_all(line.as_bytes()) {
            tracing::warn!(%error, "metrics could not be written");
        }
    }
}
