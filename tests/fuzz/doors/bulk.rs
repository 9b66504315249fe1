//! People in bulk: JSON Lines, where one bad line must not keep the others out.

use germane::domain::recipient::RecipientChange;
use serde_json::{Value, json};

use super::{Door, documents, faults, given, recipient::people};
use crate::{mutate::Format, run::Answer};

pub static BULK: Door = Door {
    name: "recipient-lines",
    format: Format::Lines,
    words: &["\n", "\r\n", "\u{2028}", "{}", "[", "null", "\0"],
    one_in: 1,
    documents: || {
        let many: Vec<Value> = (0..12)
            .map(|n| json!({ "id": format!("r-{n}"), "addresses": { "work": "zq7-private@example.com" } }))
            .collect();
        documents(&[people().into(), many.into()])
    },
    open: || {
        let policy = given::policy();
        Box::new(move |input: &[u8]| {
            let Ok(text) = std::str::from_utf8(input) else { return Answer::Refused("no UTF-8".to_owned()) };
            let mut told = String::new();
            for line in text.lines().filter(|line| !line.trim().is_empty()) {
                let Ok(value) = serde_json::from_str::<Value>(line) else {
                    told.push_str("no JSON\n");
                    continue;
                };
                if let Err(wrong) = RecipientChange::parse(&value, None, &policy, given::now())
                    && let Answer::Refused(of_line) = faults(&wrong)
                {
                    told.push_str(&of_line);
                }
            }
            if told.is_empty() { Answer::Taken } else { Answer::Refused(told) }
        })
    },
};
