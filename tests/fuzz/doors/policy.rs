//! The body of a policy.

use germane::domain::{campaign::Campaign, gate, policy::Policy};
use serde_json::to_value;

use super::{Door, documents, faults, given, json as read, moments};
use crate::{mutate::Format, run::Answer};

pub static POLICY: Door = Door {
    name: "policy",
    format: Format::Json,
    words: &["\"topics\":{", "\"attributes\":", "\"frequency\":[", "null", "\\u0000", "1e400", "<", ">"],
    one_in: 1,
    documents: || {
        let whole = given::policy_document();
        let window = serde_json::json!({ "opens": "09:00", "closes": "18:00" });
        let windowed = given::with(whole.clone(), "/send_window", window);
        let shipped = serde_json::from_str(include_str!("../../../src/local/policy.json")).unwrap();
        documents(&[whole, windowed, shipped])
    },
    open: || {
        let recipient = given::recipient();
        Box::new(move |input: &[u8]| {
            let value = match read(input) {
                Ok(value) => value,
                Err(refused) => return refused,
            };
            let policy = match Policy::parse(&value) {
                Ok(policy) => policy,
                Err(wrong) => return faults(&wrong),
            };
            let again = Policy::parse(&to_value(&policy).expect("a policy can be printed"));
            assert_eq!(again.as_ref(), Ok(&policy), "it is read back as it was printed");
            if let Ok(campaign) = Campaign::parse(&given::campaign_document(), &policy, given::now()) {
                for now in moments() {
                    let _ = gate::explain(&recipient, &campaign, &policy, now);
                }
            }
            Answer::Taken
        })
    },
};
