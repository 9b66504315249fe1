//! The body of a campaign.

use germane::domain::{campaign::Campaign, gate, policy::Policy};
use serde_json::{json, to_value};

use super::{Door, documents, faults, given, json as read, moments};
use crate::{mutate::Format, run::Answer};

pub static CAMPAIGN: Door = Door {
    name: "campaign",
    format: Format::Json,
    words: &["\"audience\":", "\"recipients\":[", "{\"content\":", "1e400", "[[[[", "\\u0000", "\\ud800", "null"],
    one_in: 1,
    documents: || {
        let whole = given::campaign_document();
        let listed = given::with(whole.clone(), "/audience", json!({ "recipients": ["r-1", "r-2"] }));
        let window = json!({ "opens": "22:00", "closes": "06:00", "days": ["mon", "sun"] });
        let timed = given::with(given::with(whole.clone(), "/send_window", window), "/on_cap", json!("defer"));
        let timed = given::with(timed, "/not_before", json!("2026-11-24T00:00:00+01:00"));
        let notice =
            json!({ "id": "n", "kind": "notice", "topic": "rust", "channel": "work", "template": "data-notice" });
        documents(&[whole, listed, timed, notice])
    },
    open: || {
        let (policy, recipient) = (given::policy(), given::recipient());
        Box::new(move |input: &[u8]| {
            let value = match read(input) {
                Ok(value) => value,
                Err(refused) => return refused,
            };
            let campaign = match Campaign::parse(&value, &policy, given::now()) {
                Ok(campaign) => campaign,
                Err(wrong) => return faults(&wrong),
            };
            let again = Campaign::restore(&to_value(&campaign).expect("a campaign can be printed"));
            assert_eq!(again.as_ref(), Ok(&campaign), "it is read back as it was printed");
            decided(&campaign, &recipient, &policy);
            Answer::Taken
        })
    },
};

/// Everything that is asked of a campaign that was taken has an answer, whenever it is asked.
fn decided(campaign: &Campaign, recipient: &germane::domain::recipient::Recipient, policy: &Policy) {
    for now in moments() {
        let _ = gate::decide(recipient, campaign, policy, now);
        for verdict in gate::explain(recipient, campaign, policy, now) {
            assert_eq!(verdict.pass, verdict.reason.is_none());
        }
    }
}
