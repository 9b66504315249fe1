//! A function's configuration: whole, or every fault of it at once.

use std::collections::BTreeMap;

use germane::{
    flow::token::Purpose,
    lambda::config::{Config, ConfigError, LogLevel},
};

/// 32 bytes of 7.
pub const KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

/// One that a deployment could have, without what may be absent.
pub fn environment() -> BTreeMap<&'static str, String> {
    let queue = |name: &str| format!("https://sqs.eu-west-1.amazonaws.com/000000000000/germane-{name}");
    let arn = |name: &str| format!("arn:aws:sqs:eu-west-1:000000000000:germane-{name}");
    BTreeMap::from([
        ("GERMANE_TABLE_PREFIX", "germane".to_owned()),
        ("GERMANE_LAUNCH_QUEUE_URL", queue("launch")),
        ("GERMANE_LAUNCH_QUEUE_ARN", arn("launch")),
        ("GERMANE_SHARD_QUEUE_URL", queue("shard")),
        ("GERMANE_SHARD_QUEUE_ARN", arn("shard")),
        ("GERMANE_PREVIEW_QUEUE_URL", queue("preview")),
        ("GERMANE_PREVIEW_QUEUE_ARN", arn("preview")),
        ("GERMANE_FEEDBACK_QUEUE_URL", queue("feedback")),
        ("GERMANE_SCHEDULE_GROUP", "germane".to_owned()),
        ("GERMANE_SCHEDULE_ROLE_ARN", "arn:aws:iam::000000000000:role/germane-scheduler".to_owned()),
        ("GERMANE_PUBLIC_URL", "https://mail.example.com".to_owned()),
        ("GERMANE_TOKEN_KEYS", format!("1:{KEY}")),
        ("GERMANE_ADDRESS_KEY", KEY.to_owned()),
    ])
}

fn read(changes: &[(&'static str, &str)]) -> Result<Config, ConfigError> {
    let mut environment = environment();
    environment.extend(changes.iter().map(|(key, value)| (*key, (*value).to_owned())));
    Config::from_lookup(|key| environment.get(key).cloned())
}

fn faults(changes: &[(&'static str, &str)]) -> Vec<(String, String)> {
    let Err(ConfigError(faults)) = read(changes) else { panic!("{changes:?} was taken") };
    assert!(faults.iter().all(|fault| !fault.wanted.is_empty()));
    faults.into_iter().map(|fault| (fault.field, fault.found)).collect()
}

fn fields(changes: &[(&'static str, &str)]) -> Vec<String> {
    faults(changes).into_iter().map(|(field, _)| field).collect()
}

#[test]
fn what_may_be_absent_has_its_default() {
    let config = read(&[("GERMANE_CONFIGURATION_SET", ""), ("GERMANE_PAGE_PEOPLE", "")]).unwrap();
    assert_eq!((config.configuration_set, config.shards, config.rate_table), (None, None, None));
    assert_eq!((config.max_in_flight, config.page_people, config.log), (64, None, LogLevel::Info));
}

#[test]
fn what_is_said_is_taken() {
    let said = [
        ("GERMANE_CONFIGURATION_SET", "germane"),
        ("GERMANE_SHARDS", "16"),
        ("GERMANE_RATE_TABLE", "production-campaigns"),
        ("GERMANE_MAX_IN_FLIGHT", "8"),
        ("GERMANE_PAGE_PEOPLE", "500"),
        ("GERMANE_LOG", "debug"),
    ];
    let config = read(&said).unwrap();
    assert_eq!(config.configuration_set.as_deref(), Some("germane"));
    assert_eq!((config.shards, config.rate_table.as_deref()), (Some(16), Some("production-campaigns")));
    assert_eq!((config.max_in_flight, config.page_people, config.log), (8, Some(500), LogLevel::Debug));
    assert_eq!(config.launch.arn, "arn:aws:sqs:eu-west-1:000000000000:germane-launch");
    assert_eq!(config.feedback_url, "https://sqs.eu-west-1.amazonaws.com/000000000000/germane-feedback");
}

#[test]
fn an_empty_environment_is_told_everything_that_it_lacks() {
    let Err(ConfigError(faults)) = Config::from_lookup(|_| None) else { panic!("nothing was taken") };
    let lacking: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
    let mut wanted: Vec<&str> = environment().into_keys().collect();
    wanted.sort_unstable();
    let mut sorted = lacking.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, wanted);
    assert!(faults.iter().all(|fault| fault.found == "nothing"));
}

#[test]
fn every_bad_value_is_named_at_once() {
    let bad = [
        ("GERMANE_TABLE_PREFIX", "ger mane"),
        ("GERMANE_LAUNCH_QUEUE_URL", "germane-launch"),
        ("GERMANE_SHARD_QUEUE_ARN", "arn:aws:sns:eu-west-1:000000000000:germane-shard"),
        ("GERMANE_SCHEDULE_ROLE_ARN", "germane-scheduler"),
        ("GERMANE_CONFIGURATION_SET", "ger.mane"),
        ("GERMANE_PUBLIC_URL", "https://mail.example.com/"),
        ("GERMANE_MAX_IN_FLIGHT", "65"),
        ("GERMANE_PAGE_PEOPLE", "0"),
        ("GERMANE_LOG", "trace"),
    ];
    let mut found = faults(&bad);
    found.sort();
    let mut wanted: Vec<(String, String)> =
        bad.iter().map(|(key, value)| ((*key).to_owned(), format!("\"{value}\""))).collect();
    wanted.sort();
    assert_eq!(found, wanted);
}

#[test]
fn a_link_that_is_not_https_leads_to_this_machine_alone() {
    for url in ["http://mail.example.com", "http://localhost.example.com", "ftp://mail.example.com", "https://"] {
        assert_eq!(fields(&[("GERMANE_PUBLIC_URL", url)]), ["GERMANE_PUBLIC_URL"], "{url}");
    }
    for url in ["http://127.0.0.1:8787", "http://localhost:9010", "https://mail.example.com"] {
        assert_eq!(read(&[("GERMANE_PUBLIC_URL", url)]).unwrap().public_url, url);
    }
}

#[test]
fn a_secret_is_never_shown() {
    let short = "c2VjcmV0IHNlY3JldA==";
    let ring = format!("1:{short}");
    let found = faults(&[("GERMANE_ADDRESS_KEY", short), ("GERMANE_TOKEN_KEYS", &ring)]);
    let wanted =
        [("GERMANE_TOKEN_KEYS", "a text of 22 characters"), ("GERMANE_ADDRESS_KEY", "a text of 20 characters")];
    assert_eq!(found, wanted.map(|(key, found)| (key.to_owned(), found.to_owned())));
    let Err(error) = read(&[("GERMANE_ADDRESS_KEY", short)]) else { panic!("a short key was taken") };
    assert!(!format!("{error} {error:?}").contains(short));
}

#[test]
fn the_newest_key_of_the_ring_signs_and_every_one_verifies() {
    let (recipient, campaign) = ("r-1".parse().unwrap(), "c-1".parse().unwrap());
    let old = read(&[]).unwrap().token_keys.sign(Purpose::Unsubscribe, &recipient, &campaign);
    // As Secrets Manager draws one: 43 letters and digits.
    let newest = "2:abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ";
    let ring = format!("{newest}, 1:{KEY}");
    let rotated = read(&[("GERMANE_TOKEN_KEYS", &ring)]).unwrap().token_keys;
    let new = rotated.sign(Purpose::Unsubscribe, &recipient, &campaign);
    assert!(rotated.verify(Purpose::Unsubscribe, &old).is_some());
    let alone = read(&[("GERMANE_TOKEN_KEYS", newest)]).unwrap().token_keys;
    assert!(alone.verify(Purpose::Unsubscribe, &new).is_some());
    assert!(alone.verify(Purpose::Unsubscribe, &old).is_none());
}

#[test]
fn a_ring_with_an_id_twice_or_out_of_range_is_refused() {
    for ring in [format!("1:{KEY},1:{KEY}"), format!("256:{KEY}"), KEY.to_owned(), format!("1:{KEY},")] {
        assert_eq!(fields(&[("GERMANE_TOKEN_KEYS", &ring)]), ["GERMANE_TOKEN_KEYS"], "{ring}");
    }
}
