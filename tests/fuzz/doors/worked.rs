//! Messages as they come by the queues, through the whole of their step.

use germane::{flow::queue::Unhurried, lambda::queue::Handle};
use serde_json::{Value, json};

use super::{Door, Knock, documents, event::events, refused, stack::Stack};
use crate::{mutate::Format, run::Answer};

pub static WORKED: Door = Door {
    name: "worked-message",
    format: Format::Json,
    words: &["\"kind\":", "\"format\":2", "\"shard\":", "launch", "65536", "\"Message\":", "\\\"", "null"],
    one_in: 10,
    documents: || {
        let mut all = vec![
            json!({ "format": 1, "kind": "launch", "campaign": "next" }),
            json!({ "format": 1, "kind": "shard", "campaign": "next", "shard": 1, "pass": 1 }),
            json!({ "format": 1, "kind": "preview", "preview": "0011223344556677", "shard": 0 }),
            json!({ "format": 1, "kind": "newsletter", "newsletter": "weekly", "scheduled": "2026-11-23T09:00:00Z" }),
        ];
        all.extend(events().into_iter().map(|mut event| {
            // The campaign that was sent and the person whom it reached, in base64url.
            event["mail"]["tags"] = json!({ "campaign": ["d2Vla2x5"], "recipient": ["ci0xMDQy"] });
            json!({ "Type": "Notification", "Message": event.to_string() })
        }));
        documents(&all)
    },
    open: || Box::new(Worked(Stack::start())),
};

struct Worked(Stack);

impl Knock for Worked {
    fn knock(&mut self, input: &[u8]) -> Answer {
        let Ok(body) = std::str::from_utf8(input) else { return Answer::Refused("no text".to_owned()) };
        let stack = &mut self.0;
        let before = stack.everything();
        let is_ours = serde_json::from_str::<Value>(body).is_ok_and(|value| value.get("kind").is_some());
        let workers = stack.world.workers();
        let done = if is_ours {
            stack.runtime.block_on(workers.handle(body, &Unhurried)).map_err(|error| refused(&error))
        } else {
            let answers = stack.runtime.block_on(workers.feedback.take(&[body]));
            answers.into_iter().collect::<Result<(), _>>().map_err(|error| refused(&error))
        };
        match done {
            Ok(()) => {
                stack.changed();
                Answer::Taken
            }
            Err(refused) => {
                stack.assert_unchanged(&before);
                refused
            }
        }
    }

    fn more(&self) -> Vec<(String, u64)> {
        vec![("refused with nothing stored:".to_owned(), self.0.unchanged)]
    }
}
