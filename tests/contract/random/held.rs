//! All that a side holds, as its ports tell it.

use germane::{
    domain::id::Shard,
    flow::{launch::Campaigns, queue::Work},
};
use serde_json::json;

use super::ops::{CAMPAIGNS, MAILBOXES, PEOPLE, told};
use crate::contract::{Ports, SHARDS, id};

/// Somebody at a chunk's end, and between two: `contract/ledger.rs` looks at every boundary.
const COVERED: [&str; 2] = ["b", "a.0"];

pub async fn everything(ports: &Ports) -> Vec<String> {
    let mut held = Vec::new();
    let mut say = |what: String, told: String| held.push(format!("{what}: {told}"));
    for raw in PEOPLE {
        say(format!("evidence of {raw}"), told(ports.people.evidence(&id(raw)).await));
    }
    let emails = MAILBOXES.map(|email| email.parse().unwrap());
    for (email, record) in MAILBOXES.iter().zip(ports.addresses.get(&emails).await.unwrap()) {
        say(format!("record of {email}"), format!("{record:?}"));
    }
    for shard in (0..SHARDS).map(Shard) {
        let (mut after, mut more) = (None, true);
        while more {
            let page = ports.pages.page(shard, after.as_ref(), true).await.unwrap();
            // Addresses are masked where a person is told for debugging.
            let profiles: Vec<_> = page.recipients.iter().map(|person| json!(person.profile)).collect();
            say(format!("page after {after:?}"), format!("{page:?} {profiles:?}"));
            more = page.more;
            after = page.recipients.last().map(|person| person.id.clone()).or(after);
        }
    }
    say("list".to_owned(), format!("{:?}", ports.whole_list().await));
    say("unlisted".to_owned(), told(ports.unlisted.of(&id(PEOPLE[0])).await));
    for raw in CAMPAIGNS {
        let campaign = raw.parse().unwrap();
        say(format!("campaign {raw}"), told(Campaigns::get(ports.campaigns.as_ref(), &campaign).await));
        say(format!("standings of {raw}"), told(ports.campaigns.standings(&campaign).await));
        say(format!("tally of {raw}"), told(ports.settlements.tally(&campaign).await));
        for shard in (0..SHARDS).map(Shard) {
            say(format!("settled of {raw} {shard:?}"), told(ports.settlements.of_shard(&campaign, shard).await));
            let first = Work { campaign: campaign.clone(), shard, pass: 1 };
            let Some(progress) = ports.ledger.progress(&first).await.unwrap() else { continue };
            // That nothing is there of passes that are still to come, one of them shows.
            for pass in 1..=progress.pass + 1 {
                let work = Work { pass, ..first.clone() };
                let mut start = None;
                while let Some(chunk) = ports.ledger.after(&work, start.as_ref()).await.unwrap() {
                    say(format!("after {start:?} in {work:?}"), format!("{chunk:?}"));
                    start = Some(chunk.last);
                }
                for raw in COVERED {
                    say(format!("of {raw} in {work:?}"), told(ports.ledger.covering(&work, &id(raw)).await));
                }
            }
        }
    }
    say("timeline".to_owned(), told(ports.timelines.get().await));
    say("policy".to_owned(), told(ports.policies.current().await));
    held
}
