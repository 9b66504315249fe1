//! The messages of every queue.

use germane::{
    domain::id::{CampaignId, NewsletterId, PreviewId},
    flow::queue::Message,
};
use serde_json::json;

use super::{Door, documents, event::events, refused};
use crate::{mutate::Format, run::Answer};

pub static MESSAGE: Door = Door {
    name: "message",
    format: Format::Json,
    words: &["\"kind\":", "\"format\":2", "\"shard\":", "launch", "65536", "#", "/", "\\u0000"],
    one_in: 1,
    documents: || {
        documents(&[
            json!({ "format": 1, "kind": "launch", "campaign": "rust-weekly" }),
            json!({ "format": 1, "kind": "shard", "campaign": "rust-weekly", "shard": 63, "pass": 2 }),
            json!({ "format": 1, "kind": "preview", "preview": "0011223344556677", "shard": 0 }),
            json!({ "format": 1, "kind": "newsletter", "newsletter": "weekly", "scheduled": "2026-11-23T09:00:00Z" }),
            json!({ "format": 1, "kind": "feedback", "event": events()[0], "waited": 3 }),
        ])
    },
    open: || {
        Box::new(|input: &[u8]| {
            let Ok(body) = std::str::from_utf8(input) else { return Answer::Refused("no text".to_owned()) };
            match Message::from_body(body) {
                Ok(message) => {
                    let again = message.body().expect("a message can be written");
                    assert_eq!(Message::from_body(&again).expect("and read"), message);
                    named(&message);
                    Answer::Taken
                }
                Err(error) => refused(&error),
            }
        })
    },
};

/// What a message names is a name: nothing else may come into a key or a log.
fn named(message: &Message) {
    let whole = match message {
        Message::Launch { campaign } => campaign.as_str().parse::<CampaignId>().is_ok(),
        Message::Shard(work) => work.campaign.as_str().parse::<CampaignId>().is_ok(),
        Message::Newsletter { newsletter, .. } => newsletter.as_str().parse::<NewsletterId>().is_ok(),
        Message::Preview { preview, .. } => preview.as_str().parse::<PreviewId>().is_ok(),
        Message::Feedback { .. } => true,
    };
    assert!(whole, "a message names what is no name: {message:?}");
}
