//! The page behind a campaign's mail. A mail gets forwarded: no address in full, no attribute, nothing that another
//! reader would not see in the mail, save which topics they get.

use serde_json::{Value, json};

use super::{
    Answer, Desk, merge,
    pace::{self, Reach},
};
use crate::{
    domain::{
        campaign::{Campaign, Kind},
        consent::ConsentStatus,
        decision::Grounds,
    },
    flow::sentence,
};

pub(super) fn body(desk: &Desk<'_>, campaign: &Campaign, grounds: &Grounds, answer: &Answer) -> Value {
    let topic = grounds.consent.as_ref().unwrap_or(&campaign.topic);
    let of_mail = |topic| topic == grounds.consent.as_ref().unwrap_or(&campaign.topic);
    let mut granted: Vec<_> = desk.granted().collect();
    // The one that this mail is about comes first.
    granted.sort_by_key(|grant| (!(of_mail(&grant.topic) && grant.channel == campaign.channel), grant.topic.clone()));
    let topics: Vec<Value> = granted
        .iter()
        .enumerate()
        .map(|(at, grant)| {
            let mut row = desk.row(&grant.topic, grant.channel);
            merge(&mut row, json!({ "first": at == 0 && of_mail(&grant.topic) && grant.channel == campaign.channel }));
            row
        })
        .collect();
    let held = desk.visit.recipient.consents.iter().find(|c| c.topic == *topic && c.channel == campaign.channel);
    let notice = campaign.kind == Kind::Notice;
    let held = held.filter(|_| !notice);
    let consent = held.filter(|c| c.status == ConsentStatus::Granted).map(|consent| {
        let (date, source) = (desk.date(consent.at), desk.consent_source(consent));
        desk.say("reason.consent", &[("date", &date), ("source", &source)])
    });
    let mut body = json!({
        "why": sentence::why(desk.words, campaign, desk.policy(), grounds),
        "consent": consent,
        "taken_back": held.is_some_and(|c| c.status == ConsentStatus::Withdrawn),
        "topics": topics,
        "held": desk.say("held.text", &[("address", &desk.address(campaign.channel))]),
    });
    merge(&mut body, pace::body(desk, Reach::Less, answer));
    body
}
