//! A suppression, and the list of them that the command line reads.

use germane::{
    cli::{failure::Fault, suppressions::list},
    flow::api::suppressions::{Wish, read_note},
};
use serde_json::json;

use super::{Door, documents, faults, json as read};
use crate::{mutate::Format, run::Answer};

pub static SUPPRESSION: Door = Door {
    name: "suppression",
    format: Format::Json,
    words: &["\"note\":", "null", "@", "\\u0000", "xn--", ".."],
    one_in: 1,
    documents: || {
        documents(&[
            json!({ "address": "zq7-private@example.com", "note": "by telephone" }),
            json!({ "address": "zq7-private@b\u{fc}cher.example.com", "note": null }),
            json!({ "note": "asked on paper" }),
        ])
    },
    open: || {
        Box::new(|input: &[u8]| {
            let value = match read(input) {
                Ok(value) => value,
                Err(refused) => return refused,
            };
            match (Wish::parse(&value), read_note(&value)) {
                (Ok(_), _) | (_, Ok(_)) => Answer::Taken,
                (Err(wrong), Err(note)) => {
                    faults(&note);
                    faults(&wrong)
                }
            }
        })
    },
};

pub static LIST: Door = Door {
    name: "suppression-list",
    format: Format::Text,
    words: &["address", ",", "note", "\"", "\"\"", "\n", "\r\n", "#", "\u{feff}", "@example.com", "\0"],
    one_in: 1,
    documents: || {
        vec![
            b"# exported\nzq7-private@example.com\n\nzq7-private@example.net\r\n".to_vec(),
            b"note,address\n\"by telephone, twice\",zq7-private@example.com\n,zq7-private@example.net\n\"a\nb\",x@example.com\n"
                .to_vec(),
            b"Address\n zq7-private@example.com \n# more\nzq7-private@example.org".to_vec(),
        ]
    },
    open: || {
        Box::new(|input: &[u8]| {
            let (entries, wrong) = list::read(input);
            for entry in &entries {
                let body: serde_json::Value = serde_json::from_str(&entry.body).expect("it sends JSON");
                assert!(Wish::parse(&body).is_ok(), "what it sends is taken");
            }
            if wrong.is_empty() {
                return Answer::Taken;
            }
            assert!(wrong.iter().all(|fault| fault.line.is_some()), "each fault has a line");
            let told: Vec<String> = wrong.iter().map(Fault::text).collect();
            assert!(!told.iter().any(|told| told.chars().any(char::is_control)), "a fault with a control character");
            Answer::Refused(told.join("\n"))
        })
    },
};
