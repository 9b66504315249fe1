//! The body of a PUT of one person.

use germane::{
    aws::stored,
    domain::{
        campaign::Campaign,
        gate,
        id::Ref,
        recipient::{Recipient, RecipientChange},
    },
};
use serde_json::{Value, json};

use super::{Door, documents, faults, given, json as read, moments};
use crate::{mutate::Format, run::Answer};

pub static RECIPIENT: Door = Door {
    name: "recipient",
    format: Format::Json,
    words: &["\"interests\":[", "\"consents\":", "{\"addresses\":", "null", "\\u0000", "\\ud83d", "1e400"],
    one_in: 1,
    documents: || documents(&people()),
    open: || {
        let policy = given::policy();
        let campaign = Campaign::parse(&given::campaign_document(), &policy, given::now()).unwrap();
        Box::new(move |input: &[u8]| {
            let value = match read(input) {
                Ok(value) => value,
                Err(refused) => return refused,
            };
            let change = match RecipientChange::parse(&value, None, &policy, given::now()) {
                Ok(change) => change,
                Err(wrong) => return faults(&wrong),
            };
            let mut person = Recipient::blank(change.id.clone(), Ref([7; 8]), given::now());
            if let Err(wrong) = change.clone().apply(&mut person) {
                return faults(&wrong);
            }
            // Merged once more it moves nothing, and what is stored is read back as it was.
            let mut again = person.clone();
            let moved = change.apply(&mut again).expect("it was taken before");
            assert!(moved.is_empty(), "said twice, it moves consents: {moved:?}");
            assert_eq!(again, person, "said twice, it changes the person");
            let bytes = stored::profile_bytes(&person.profile).expect("a profile can be written");
            assert_eq!(stored::profile(&bytes).expect("and read"), person.profile);
            let told = person.to_json(|_| None);
            let back = RecipientChange::parse(&told, None, &policy, given::now());
            assert!(back.is_ok(), "what is told of a person can be put: {back:?}");
            for now in moments() {
                let _ = gate::decide(&person, &campaign, &policy, now);
                let _ = gate::explain(&person, &campaign, &policy, now);
            }
            Answer::Taken
        })
    },
};

pub fn people() -> Vec<Value> {
    let whole = given::recipient_document();
    let removes = json!({
        "id": "r-2", "addresses": { "work": "zq7-private@example.com", "personal": null }, "time_zone": null,
        "locale": null, "attributes": { "first_name": null }, "interests": null, "consents": null, "owns": null,
        "preferences": null,
    });
    let window = json!({
        "id": "r-3", "addresses": { "personal": "zq7-private@example.net" }, "time_zone": "America/Nuuk",
        "preferences": { "max_frequency": { "sends": 1, "days": 30 }, "paused_until": "2026-12-01T00:00:00Z",
                         "muted_topics": ["rust/async"] },
        "consents": [{ "topic": "garden", "channel": "personal", "status": "granted", "basis": "implied_purchase",
                       "at": "2024-02-29T00:00:00Z" }],
        "owns": ["course-rust-101", "course-rust-102"],
    });
    vec![whole, removes, window, json!({ "id": "r-4", "addresses": { "work": "zq7-private@example.org" } })]
}
