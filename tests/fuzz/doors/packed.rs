//! What is stored in few bytes: a person's profile and sends, and the chunks of the ledger.

use germane::{
    aws::stored,
    domain::{
        decision::{Grounds, Outcome, Reason},
        frequency::{FrequencyCap, Sends},
        id::Ref,
    },
    flow::ledger::Entry,
};

use super::{Door, given, moments, refused};
use crate::{mutate::Format, run::Answer};

pub static PROFILE: Door = Door {
    name: "stored-profile",
    format: Format::Bytes,
    words: &["\u{1}", "\u{2}", "\u{3}", "\u{7f}", "\0\0\0\0", "zq7-private@example.com"],
    one_in: 1,
    documents: || {
        let person = given::recipient();
        let mut bytes = stored::profile_bytes(&person.profile).unwrap();
        let whole = bytes.clone();
        // As the format before had it: without what they set themselves.
        bytes[0] = 1;
        bytes.pop();
        vec![whole, bytes]
    },
    open: || {
        let (policy, whole) = (given::policy(), given::Given::germane());
        Box::new(move |input: &[u8]| match stored::profile(input) {
            Ok(profile) => {
                let bytes = stored::profile_bytes(&profile).expect("a profile can be written");
                assert_eq!(stored::profile(&bytes).expect("and read"), profile);
                let mut person = whole.recipient.clone();
                person.profile = profile;
                for now in moments() {
                    let _ = germane::domain::gate::explain(&person, &whole.campaign, &policy, now);
                }
                let _ = person.to_json(|_| None).to_string();
                Answer::Taken
            }
            Err(error) => refused(&error),
        })
    },
};

pub static SENDS: Door = Door {
    name: "stored-sends",
    format: Format::Bytes,
    words: &["\u{1}", "\u{2}", "\u{7f}", "\0\0\0\0"],
    one_in: 1,
    documents: || {
        let sends = |count| Sends::new((0..count).map(|day| given::send("weekly", given::days_ago(day))).collect());
        vec![stored::sends_bytes(&sends(0)), stored::sends_bytes(&sends(3)), stored::sends_bytes(&sends(64))]
    },
    open: || {
        Box::new(|input: &[u8]| match stored::sends(input) {
            Ok(sends) => {
                let again = stored::sends(&stored::sends_bytes(&sends)).expect("sends can be written and read");
                assert_eq!(again, sends);
                for now in moments() {
                    let _ = FrequencyCap { sends: 3, days: 30 }.check(&sends, now);
                    let _ = sends.with([given::send("weekly", now)], now);
                }
                Answer::Taken
            }
            Err(error) => refused(&error),
        })
    },
};

/// An input of the chunk's door that begins with this is packed first, so that what is in it is reached.
const UNPACKED: u8 = b'U';

pub static CHUNK: Door = Door {
    name: "ledger-chunk",
    format: Format::Bytes,
    words: &["\u{1}", "\u{2}", "\u{7f}", "\0\0\0\0", "U", "(\u{b5}/"],
    one_in: 1,
    documents: || {
        let outcomes = [
            Outcome::Sent(Grounds::default()),
            Outcome::InDoubt,
            Outcome::Skipped(Reason::NoConsent { topic: given::topic("rust") }),
            Outcome::Deferred { reason: Reason::Quota, until: Some(given::now()) },
            Outcome::Failed(Reason::Rejected { status: "REJECT".to_owned() }),
        ];
        let entries: Vec<Entry> = (0..40_u8)
            .map(|at| Entry {
                reference: Ref([at; 8]),
                outcome: outcomes[usize::from(at) % outcomes.len()].clone(),
                decided_at: given::now(),
                policy_version: u32::from(at / 20),
            })
            .collect();
        let packed = stored::entries_bytes(&entries).unwrap();
        let mut unpacked = vec![UNPACKED];
        unpacked.extend(zstd::decode_all(&packed[1..]).unwrap());
        vec![packed, unpacked]
    },
    open: || {
        Box::new(|input: &[u8]| {
            let packed = match input {
                [UNPACKED, plain @ ..] => {
                    let mut packed = vec![1];
                    packed.extend(zstd::encode_all(plain, 1).expect("it is in memory"));
                    packed
                }
                packed => packed.to_vec(),
            };
            match stored::entries(&packed) {
                Ok(mut entries) => {
                    for entry in &entries {
                        let _ = (entry.due(), entry.outcome.detail());
                    }
                    let bytes = stored::entries_bytes(&entries).expect("entries can be written");
                    entries.sort_by_key(|entry| entry.reference);
                    assert_eq!(stored::entries(&bytes).expect("and read"), entries);
                    Answer::Taken
                }
                Err(error) => refused(&error),
            }
        })
    },
};
