//! The page that shows everything that is held, with what may be done about it beside each fact.

pub(super) mod facts;
mod interests;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    Answer, Desk, merge,
    pace::{self, Reach},
};
use crate::domain::{
    channel::Channel,
    consent,
    recipient::{Address, Fact},
    time::days_after,
    topic::Topic,
};

/// How far back mails are counted.
const SENT_DAYS: u32 = 30;

pub(super) fn body(desk: &Desk<'_>, answer: &Answer) -> Value {
    let recipient = &desk.visit.recipient;
    let muted = &recipient.preferences.muted_topics;
    let owned: Vec<Value> = recipient.owns.iter().map(|product| json!({ "product": product })).collect();
    let mut body = json!({
        "topics": topics(desk),
        "muted": muted.iter().map(|t| json!({ "topic": t, "name": desk.topic(t) })).collect::<Vec<_>>(),
        "addresses": Channel::ALL.iter().map(|channel| addresses(desk, *channel)).collect::<Vec<_>>(),
        "address_fault": desk.fault(answer, "addresses"),
        "facts": facts::rows(desk, answer),
        "interests": interests::rows(desk, answer),
        "owned": owned,
        "records": desk.say("facts.from", &[("source", &desk.records())]),
        "sent": sent(desk),
    });
    merge(&mut body, pace::body(desk, Reach::All, answer));
    body
}

/// What the policy offers, and whatever else there is a consent on.
fn topics(desk: &Desk<'_>) -> Vec<Value> {
    let policy = desk.policy();
    let offered = policy.topics.iter().flat_map(|(topic, rule)| rule.channels.iter().map(move |c| (topic, *c)));
    let held = desk.visit.recipient.consents.iter().map(|c| (&c.topic, c.channel));
    let all: BTreeSet<(&Topic, Channel)> = offered.chain(held).collect();
    all.into_iter().map(|(topic, channel)| choice(desk, topic, channel)).collect()
}

fn choice(desk: &Desk<'_>, topic: &Topic, channel: Channel) -> Value {
    let recipient = &desk.visit.recipient;
    let rule = desk.policy().topics.get(topic);
    let offered = rule.is_some_and(|rule| rule.channels.contains(&channel));
    let there = recipient.address(channel).is_some();
    let holds = consent::standing(&recipient.consents, topic, channel, desk.visit.now).is_ok();
    let purpose = desk.policy().topic(topic).and_then(|rule| desk.words.pick(&rule.purpose));
    let (name, place, address) = (desk.topic(topic), desk.place(channel), desk.address(channel));
    let state = desk.state(topic, channel);
    let no_address = desk.say("choose.no_address", &[]);
    let mut row = desk.row(topic, channel);
    merge(
        &mut row,
        json!({
            "purpose": purpose.map(|purpose| desk.say("topics.purpose", &[("purpose", purpose)])),
            "state": if there || holds { state } else { format!("{state} {no_address}") },
            "can_join": offered && there && !holds,
            "can_leave": holds,
            "can_mute": holds && !desk.muted(topic),
            "evidence": desk.say("choose.evidence", &[("topic", name), ("address", &address)]),
            "join_about": desk.say("choose.join_about", &[("topic", name), ("channel", &place)]),
            "history": desk.history(&desk.visit.evidence, topic, channel),
        }),
    );
    row
}

/// One channel, with every address that may serve it.
fn addresses(desk: &Desk<'_>, channel: Channel) -> Value {
    let recipient = &desk.visit.recipient;
    let serving = recipient.address(channel);
    let mut held: Vec<&Address> = Vec::new();
    for address in [&recipient.work, &recipient.personal].into_iter().flatten() {
        if held.iter().all(|known| known.email != address.email) {
            held.push(address);
        }
    }
    let mut options: Vec<Value> = held
        .into_iter()
        .map(|address| {
            let shown = address.email.reveal();
            let label = match address.unusable {
                Some(_) => format!("{shown} ({})", desk.say("addresses.unusable", &[])),
                None => shown.to_owned(),
            };
            json!({ "value": shown, "label": label, "chosen": serving.is_some_and(|s| s.email == address.email) })
        })
        .collect();
    options.push(json!({ "value": "", "label": desk.say("addresses.nowhere", &[]), "chosen": serving.is_none() }));
    let source = match recipient.own(&Fact::Address(channel)) {
        Some(at) => desk.say("source.you", &[("date", &desk.date(at))]),
        None => desk.records(),
    };
    json!({
        "channel": channel,
        "legend": desk.say(&format!("addresses.{channel}"), &[]),
        "options": options,
        "from": desk.say("addresses.from", &[("source", &source)]),
    })
}

fn sent(desk: &Desk<'_>) -> String {
    let lately = |at| days_after(at, SENT_DAYS) > desk.visit.now;
    let mut sends: Vec<_> = desk.visit.recipient.sends.iter().filter(|send| lately(send.at)).collect();
    // A notice is recorded twice, under its campaign and its template.
    sends.sort_unstable_by_key(|send| (send.at, send.claim));
    sends.dedup_by_key(|send| (send.at, send.claim));
    match sends.len() {
        0 => desk.say("sent.none", &[]),
        1 => desk.say("sent.one", &[]),
        count => desk.say("sent.many", &[("count", &count.to_string())]),
    }
}
