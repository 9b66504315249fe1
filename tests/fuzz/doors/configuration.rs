//! A function's environment.

use std::collections::BTreeMap;

use germane::lambda::config::Config;
use serde_json::{Value, json};

use super::{Door, documents, faults, json as read};
use crate::{mutate::Format, run::Answer};

/// Secrets are told by nobody.
const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

pub static CONFIGURATION: Door = Door {
    name: "configuration",
    format: Format::Json,
    words: &["\"GERMANE_", "://", ":", ",", "arn:aws:sqs:", "4097", "=", "\\u0000"],
    one_in: 1,
    documents: || {
        let queue =
            |name: &str| (format!("https://sqs.example.com/1/{name}"), format!("arn:aws:sqs:eu-central-1:1:{name}"));
        let [(launch, launch_arn), (shard, shard_arn), (preview, preview_arn)] = ["l", "s", "p"].map(queue);
        documents(&[json!({
            "GERMANE_TABLE_PREFIX": "germane", "GERMANE_SHARDS": "64", "GERMANE_RATE_TABLE": "",
            "GERMANE_LAUNCH_QUEUE_URL": launch, "GERMANE_LAUNCH_QUEUE_ARN": launch_arn,
            "GERMANE_SHARD_QUEUE_URL": shard, "GERMANE_SHARD_QUEUE_ARN": shard_arn,
            "GERMANE_PREVIEW_QUEUE_URL": preview, "GERMANE_PREVIEW_QUEUE_ARN": preview_arn,
            "GERMANE_FEEDBACK_QUEUE_URL": "https://sqs.example.com/1/f",
            "GERMANE_SCHEDULE_GROUP": "germane", "GERMANE_SCHEDULE_ROLE_ARN": "arn:aws:iam::1:role/r",
            "GERMANE_CONFIGURATION_SET": "germane", "GERMANE_PUBLIC_URL": "https://mail.example.com",
            "GERMANE_TOKEN_KEYS": format!("2:{SECRET},1:{SECRET}"), "GERMANE_ADDRESS_KEY": SECRET,
            "GERMANE_MAX_IN_FLIGHT": "64", "GERMANE_PAGE_PEOPLE": "10000", "GERMANE_LOG": "info",
        })])
    },
    open: || {
        Box::new(|input: &[u8]| {
            let values = match read(input) {
                Ok(Value::Object(values)) => values,
                Ok(_) => return Answer::Refused("no environment".to_owned()),
                Err(refused) => return refused,
            };
            let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let values: BTreeMap<String, String> =
                values.into_iter().map(|(name, value)| (name, text(value))).collect();
            match Config::from_lookup(|key| values.get(key).cloned()) {
                Ok(config) => {
                    assert!((1..=64).contains(&config.max_in_flight));
                    Answer::Taken
                }
                Err(error) => {
                    assert!(!error.to_string().contains(&SECRET[..20]), "an error shows a secret");
                    faults(&error.0)
                }
            }
        })
    },
};
