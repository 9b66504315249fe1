//! The sample events, which are as AWS would have written them.

use std::{fs, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::event;

fn names() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("infra/events");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn a_message_has_the_digest_of_its_body() {
    let events: Vec<Value> = names().iter().map(|name| event(name)).collect();
    let records: Vec<&Value> = events.iter().filter_map(|event| event["Records"].as_array()).flatten().collect();
    assert_eq!(records.len(), 5);
    for record in records {
        let body = record["body"].as_str().unwrap();
        assert_eq!(record["md5OfBody"], format!("{:x}", md5::compute(body)), "{body}");
    }
}

#[test]
fn a_request_has_the_length_of_its_body_and_one_path() {
    let mut requests = 0;
    for name in names() {
        let event = event(&name);
        let Some(path) = event.get("rawPath") else { continue };
        let body = event["body"].as_str().unwrap_or_default();
        let bytes = if event["isBase64Encoded"] == true { STANDARD.decode(body).unwrap() } else { body.into() };
        assert_eq!(event["headers"]["content-length"], json!(bytes.len().to_string()), "{name}");
        assert_eq!(&event["requestContext"]["http"]["path"], path, "{name}");
        requests += 1;
    }
    assert_eq!(requests, 5);
}
