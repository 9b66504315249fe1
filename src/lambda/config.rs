//! What a function is told by its environment: read once, whole, when it starts. All five are told the same.
//!
//! | variable | holds |
//! |---|---|
//! | `GERMANE_TABLE_PREFIX` | what the five tables' names begin with: `germane` for `germane-recipients` and the others |
//! | `GERMANE_SHARDS` | how many shards the tables are sliced into: 1 to 4096. Stored when they are first opened, and another one is refused from then on; if absent, what is stored |
//! | `GERMANE_RATE_TABLE` | the table with the timeline of the account's rate, where deployments share one; if absent it is this one's own |
//! | `GERMANE_LAUNCH_QUEUE_URL`, `GERMANE_LAUNCH_QUEUE_ARN` | the launch queue |
//! | `GERMANE_SHARD_QUEUE_URL`, `GERMANE_SHARD_QUEUE_ARN` | the shard queue |
//! | `GERMANE_PREVIEW_QUEUE_URL`, `GERMANE_PREVIEW_QUEUE_ARN` | the preview queue |
//! | `GERMANE_FEEDBACK_QUEUE_URL` | the feedback queue, which no schedule sends to |
//! | `GERMANE_SCHEDULE_GROUP` | the group that EventBridge Scheduler keeps our schedules in |
//! | `GERMANE_SCHEDULE_ROLE_ARN` | the role by which a schedule sends to the first three queues |
//! | `GERMANE_SCHEDULE_DEAD_LETTER_ARN` | the queue that a schedule's message goes to if it cannot be delivered. May be absent |
//! | `GERMANE_CONFIGURATION_SET` | of SES; without it SES tells nothing of mails afterwards. May be absent |
//! | `GERMANE_PUBLIC_URL` | where the recipient's pages are, such as `https://mail.example.com`; links in mails lead there |
//! | `GERMANE_TOKEN_KEYS` | the ring of keys that sign these links: `id:key`, separated by commas, newest first |
//! | `GERMANE_ADDRESS_KEY` | the key that addresses are hashed with; for the life of the tables |
//! | `GERMANE_MAX_IN_FLIGHT` | at most so many SES calls of a shard at once: 1 to 64, which it is if absent |
//! | `GERMANE_PAGE_PEOPLE` | people in one page: 1 to 10000; if absent as many as a megabyte holds, which costs least |
//! | `GERMANE_LOG` | what our own code logs: `error`, `warn`, `info`, which it is if absent, or `debug` |
//!
//! An empty value is an absent one. A key is 32 random bytes in base64, with or without its padding, such as the output
//! of `openssl rand -base64 32`. The last two bits of its 43 characters do not count, so that Secrets Manager can draw
//! one: `GenerateSecretString` with `PasswordLength: 43` and `ExcludePunctuation: true`. An id in the ring is 0 to 255;
//! links name it, so one that was used once is never used for another key.
//!
//! Both secrets come as values, which the template takes from Secrets Manager when it is deployed, not as names to look
//! up. The SDK's client for it would be the largest thing in a function that asks one question in its life. The
//! Parameters and Secrets extension has another layer in each region and is nowhere but on Lambda, so that what is
//! tried on a laptop would not be what is deployed. The price: who may read a function's configuration and use its
//! encryption key sees them (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html>), and
//! a rotation is a deployment.
//!
//! AWS's own variables (`AWS_REGION`, `AWS_ENDPOINT_URL_DYNAMODB` and the like) are read by its SDK.

use std::{fmt, ops::RangeInclusive};

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use crate::{
    domain::{
        door::{Fault, Faults},
        id::Shard,
        secret::Secret,
    },
    flow::token::{TokenKey, TokenKeys},
};

const MAX_IN_FLIGHT: usize = 64;
const MAX_PAGE_PEOPLE: u16 = 10_000;
/// Of a key in base64, without its padding.
const KEY_CHARS: usize = 43;
const KEY: &str = "32 random bytes in base64";
const RING: &str =
    "id:key, separated by commas and newest first, with an id of 0 to 255 for each and 32 bytes in base64";

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A whole one: each value is what it should be.
#[derive(Clone)]
pub struct Config {
    pub table_prefix: String,
    pub shards: Option<u16>,
    /// Of another deployment, which this one shares the account's rate with.
    pub rate_table: Option<String>,
    pub launch: QueueNames,
    pub shard: QueueNames,
    pub preview: QueueNames,
    pub feedback_url: String,
    pub schedule_group: String,
    pub schedule_role_arn: String,
    /// Where EventBridge Scheduler leaves what it could not deliver.
    pub schedule_dead_letter_arn: Option<String>,
    pub configuration_set: Option<String>,
    /// Without a slash at the end.
    pub public_url: String,
    pub token_keys: TokenKeys,
    pub address_key: Secret,
    pub max_in_flight: usize,
    pub page_people: Option<u16>,
    pub log: LogLevel,
}

/// A queue that the functions send to by its URL, and schedules by its ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueNames {
    pub url: String,
    pub arn: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
}

impl LogLevel {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

/// All that is wrong with an environment.
#[derive(Debug, thiserror::Error)]
pub struct ConfigError(pub Vec<Fault>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the environment does not configure this function")?;
        self.0.iter().try_for_each(|fault| write!(f, "; {fault}"))
    }
}

impl Config {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_lookup(|key| std::env::var(key).ok())
    }

    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let environment = Environment { lookup: &lookup, faults: Faults::default() };
        let config = environment.config();
        environment.faults.settle(config).map_err(ConfigError)
    }
}

struct Environment<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    faults: Faults,
}

impl Environment<'_> {
    /// Everything is read before anything is given up, so that all faults are found.
    fn config(&self) -> Option<Config> {
        let table_prefix = self.needed("GERMANE_TABLE_PREFIX", "1 to 64 of A-Z a-z 0-9 . _ -", name);
        let count = |value: &str| value.parse().ok().filter(|count| (1..=Shard::MAX_COUNT).contains(count)).map(Some);
        let shards = self.optional("GERMANE_SHARDS", "1 to 4096, or nothing", None, count);
        let table = "the name of a DynamoDB table: 3 to 255 of A-Z a-z 0-9 . _ -, or nothing";
        let rate_table = self.optional("GERMANE_RATE_TABLE", table, None, |value| name_of(3..=255, value).map(Some));
        let launch = self.queue("GERMANE_LAUNCH_QUEUE");
        let shard = self.queue("GERMANE_SHARD_QUEUE");
        let preview = self.queue("GERMANE_PREVIEW_QUEUE");
        let feedback_url = self.queue_url("GERMANE_FEEDBACK_QUEUE_URL");
        let schedule_group = self.needed("GERMANE_SCHEDULE_GROUP", "1 to 64 of A-Z a-z 0-9 . _ -", name);
        let role = |value: &str| arn(value, "iam");
        let schedule_role_arn = self.needed("GERMANE_SCHEDULE_ROLE_ARN", "the ARN of an IAM role", role);
        let queue = |value: &str| arn(value, "sqs").map(Some);
        let dead = "the ARN of an SQS queue, or nothing";
        let schedule_dead_letter_arn = self.optional("GERMANE_SCHEDULE_DEAD_LETTER_ARN", dead, None, queue);
        let set = "the name of an SES configuration set: 1 to 64 of A-Z a-z 0-9 _ -, or nothing";
        let set_name = |value: &str| configuration_set(value).map(Some);
        let configuration_set = self.optional("GERMANE_CONFIGURATION_SET", set, None, set_name);
        let public = "https:// and a host, without a path or a slash at the end; http:// only on this machine";
        let public_url = self.needed("GERMANE_PUBLIC_URL", public, public_url);
        let token_keys = self.secret("GERMANE_TOKEN_KEYS", RING, token_keys);
        let address_key = self.secret("GERMANE_ADDRESS_KEY", KEY, key);
        let calls = |value: &str| value.parse().ok().filter(|calls| (1..=MAX_IN_FLIGHT).contains(calls));
        let max_in_flight = self.optional("GERMANE_MAX_IN_FLIGHT", "1 to 64, or nothing", MAX_IN_FLIGHT, calls);
        let people = |value: &str| value.parse().ok().filter(|people| (1..=MAX_PAGE_PEOPLE).contains(people)).map(Some);
        let page_people = self.optional("GERMANE_PAGE_PEOPLE", "1 to 10000, or nothing", None, people);
        let levels = "error, warn, info or debug, or nothing";
        let log = self.optional("GERMANE_LOG", levels, LogLevel::Info, log_level);
        Some(Config {
            table_prefix: table_prefix?,
            shards: shards?,
            rate_table: rate_table?,
            launch: launch?,
            shard: shard?,
            preview: preview?,
            feedback_url: feedback_url?,
            schedule_group: schedule_group?,
            schedule_role_arn: schedule_role_arn?,
            schedule_dead_letter_arn: schedule_dead_letter_arn?,
            configuration_set: configuration_set?,
            public_url: public_url?,
            token_keys: token_keys?,
            address_key: address_key?,
            max_in_flight: max_in_flight?,
            page_people: page_people?,
            log: log?,
        })
    }

    fn value(&self, key: &str) -> Option<String> {
        (self.lookup)(key).filter(|value| !value.is_empty())
    }

    fn needed<T>(&self, key: &str, wanted: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let value = self.value(key);
        let read = value.as_deref().and_then(read);
        if read.is_none() {
            let found = |value: String| {
                if holds_key(&value) { unseen(&value) } else { format!("\"{value}\"") }
            };
            self.faults.push(key, value.map_or_else(|| "nothing".to_owned(), found), wanted);
        }
        read
    }

    /// `absent` for a value that is not there.
    fn optional<T>(&self, key: &str, wanted: &str, absent: T, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        if self.value(key).is_none() { Some(absent) } else { self.needed(key, wanted, read) }
    }

    /// Like [`Environment::needed`], but what is found is never shown.
    fn secret<T>(&self, key: &str, wanted: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let value = self.value(key);
        let read = value.as_deref().and_then(read);
        if read.is_none() {
            let found = value.map(|value| unseen(&value));
            self.faults.push(key, found.as_deref().unwrap_or("nothing"), wanted);
        }
        read
    }

    fn queue(&self, name: &str) -> Option<QueueNames> {
        let url = self.queue_url(&format!("{name}_URL"));
        let queue = |value: &str| arn(value, "sqs");
        let arn = self.needed(&format!("{name}_ARN"), "the ARN of an SQS queue", queue);
        Some(QueueNames { url: url?, arn: arn? })
    }

    fn queue_url(&self, key: &str) -> Option<String> {
        let url = |value: &str| {
            let rest = value.strip_prefix("https://").or_else(|| value.strip_prefix("http://"))?;
            (rest.contains('/') && rest.bytes().all(|byte| byte.is_ascii_graphic())).then(|| value.to_owned())
        };
        self.needed(key, "the URL of an SQS queue", url)
    }
}

fn name(value: &str) -> Option<String> {
    name_of(1..=64, value)
}

fn name_of(length: RangeInclusive<usize>, value: &str) -> Option<String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (length.contains(&value.len()) && value.bytes().all(allowed)).then(|| value.to_owned())
}

fn configuration_set(value: &str) -> Option<String> {
    name(value).filter(|name| !name.contains('.'))
}

fn arn(value: &str, service: &str) -> Option<String> {
    let parts: Vec<&str> = value.splitn(6, ':').collect();
    let [arn, partition, of, _region, account, resource] = parts.as_slice() else { return None };
    let whole = *arn == "arn" && *of == service && ![*partition, *account, *resource].contains(&"");
    whole.then(|| value.to_owned())
}

/// One-click unsubscribing wants HTTPS (RFC 8058, section 3.1); mails that leave this machine have no other.
fn public_url(value: &str) -> Option<String> {
    let on_this_machine =
        |rest: &&str| ["127.0.0.1", "localhost"].contains(&rest.split(':').next().unwrap_or_default());
    let host = value.strip_prefix("https://").or_else(|| value.strip_prefix("http://").filter(on_this_machine))?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-:".contains(&byte);
    (!host.is_empty() && host.bytes().all(allowed)).then(|| value.to_owned())
}

fn token_keys(value: &str) -> Option<TokenKeys> {
    let mut ring: Vec<TokenKey> = Vec::new();
    for entry in value.split(',') {
        let (id, secret) = entry.trim().split_once(':')?;
        let id = id.parse().ok()?;
        if ring.iter().any(|known| known.id == id) {
            return None;
        }
        ring.push(TokenKey { id, secret: key(secret)? });
    }
    let mut ring = ring.into_iter();
    Some(TokenKeys::new(ring.next()?, ring.collect()))
}

fn key(value: &str) -> Option<Secret> {
    BASE64.decode(value).ok()?.try_into().ok().map(Secret::new)
}

/// Whether it may be a secret in the wrong variable.
fn holds_key(value: &str) -> bool {
    let base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    value.split(|c| !base64(c)).any(|run| run.len() >= KEY_CHARS)
}

fn unseen(value: &str) -> String {
    format!("a text of {} characters", value.chars().count())
}

fn log_level(value: &str) -> Option<LogLevel> {
    [LogLevel::Error, LogLevel::Warn, LogLevel::Info, LogLevel::Debug].into_iter().find(|level| level.as_str() == value)
}
