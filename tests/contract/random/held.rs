//! All that a side holds, as its ports tell it.

use germane::{
    domain::id::Shard,
    flow::{launch::Campaigns, queue::Work},
};
use serde_json::json;

use super::ops::{CAMPAIGNS, MAILBOXES, PASSES, PEOPLE, told};
use crate::contract::{Ports, SHARDS, id};

pub async fn everything(ports: &Ports) -> Vec<String> {
    let mut held = Vec::new();
    let mut say = |what: String, told: String| held.push(format!("{what}: {told}"));
    for raw in PEOPLE {
        let person = ports.people.get(&id(raw)).await.unwrap();
        // Addresses are masked where a person is told for debugging.
        let profile = person.as_ref().map(|person| json!(person.profile));
        say(format!("person {raw}"), format!("{person:?} {profile:?}"));
        say(format!("evidence of {raw}"), told(ports.people.evidence(&id(raw)).await));
        say(format!("unlisted of {raw}"), told(ports.unlisted.of(&id(raw)).await));
    }
    for email in MAILBOXES {
        let email: germane::domain::email::EmailAddress = email.parse().unwrap();
        let what = email.reveal().to_owned();
        say(format!("owner of {what}"), told(ports.mailboxes.owner(&email).await));
        say(format!("record of {what}"), told(ports.addresses.get(&[email]).await));
    }
    for shard in (0..SHARDS).map(Shard) {
        let (mut after, mut more) = (None, true);
        while more {
            let page = ports.pages.page(shard, after.as_ref(), true).await.unwrap();
            say(format!("page after {after:?}"), format!("{page:?}"));
            more = page.more;
            after = page.recipients.last().map(|person| person.id.clone()).or(after);
        }
    }
    say("list".to_owned(), format!("{:?}", ports.whole_list().await));
    for raw in CAMPAIGNS {
        let campaign = raw.parse().unwrap();
        say(format!("campaign {raw}"), told(Campaigns::get(ports.campaigns.as_ref(), &campaign).await));
        say(format!("standings of {raw}"), told(ports.campaigns.standings(&campaign).await));
        say(format!("tally of {raw}"), told(ports.settlements.tally(&campaign).await));
        for shard in (0..SHARDS).map(Shard) {
            say(format!("settled of {raw} {shard:?}"), told(ports.settlements.of_shard(&campaign, shard).await));
            for pass in PASSES {
                let work = Work { campaign: campaign.clone(), shard, pass };
                say(format!("first of {work:?}"), told(ports.ledger.after(&work, None).await));
                for raw in PEOPLE {
                    say(format!("after {raw} in {work:?}"), told(ports.ledger.after(&work, Some(&id(raw))).await));
                    say(format!("of {raw} in {work:?}"), told(ports.ledger.covering(&work, &id(raw)).await));
                }
            }
        }
    }
    say("timeline".to_owned(), told(ports.timelines.get().await));
    say("policy".to_owned(), told(ports.policies.current().await));
    held
}
