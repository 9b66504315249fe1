//! Interests, by topic and context: how strong, and how each was learned.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    domain::{
        channel::Context,
        interest::{Interest, InterestSource, Strength},
        topic::Topic,
    },
    lambda::{
        pages::{Answer, Desk},
        preferences::form::STRENGTHS,
    },
};

pub(super) fn rows(desk: &Desk<'_>, answer: &Answer) -> Vec<Value> {
    let mut groups: BTreeMap<(&Topic, Context), Vec<&Interest>> = BTreeMap::new();
    for interest in &desk.visit.recipient.interests {
        groups.entry((&interest.topic, interest.context)).or_default().push(interest);
    }
    groups.into_iter().map(|((topic, context), held)| row(desk, answer, topic, context, &held)).collect()
}

fn row(desk: &Desk<'_>, answer: &Answer, topic: &Topic, context: Context, held: &[&Interest]) -> Value {
    let half_life_days = desk.policy().interest.half_life_days;
    let now = |interest: &Interest| interest.aged(desk.visit.now, half_life_days).shown();
    let strongest = held.iter().map(|interest| now(interest)).max().unwrap_or_default();
    let nearest = nearest(strongest);
    let options: Vec<Value> = STRENGTHS
        .iter()
        .map(|(word, _)| {
            let label = desk.say(&format!("interests.{word}"), &[]);
            json!({ "value": word, "label": label, "chosen": *word == nearest })
        })
        .collect();
    let learned: Vec<String> = held
        .iter()
        .map(|interest| {
            let source = match interest.source {
                InterestSource::Declared => "source.declared",
                InterestSource::Purchase => "source.purchase",
                InterestSource::Behaviour => "source.behaviour",
                InterestSource::Social => "source.social",
            };
            let strength = format!("{:.0}", now(interest).get() * 100.0);
            let (source, date) = (desk.say(source, &[]), desk.date(interest.at));
            desk.say("interests.learned", &[("strength", &strength), ("source", &source), ("date", &date)])
        })
        .collect();
    let place = desk.say(&format!("short.{}", context.as_str()), &[]);
    let (id, name) = (format!("interest-{}-{}", context.as_str(), topic.as_str().replace('/', ".")), desk.topic(topic));
    json!({
        "fault": desk.fault(answer, &id),
        "id": id,
        "topic": topic,
        "context": context,
        "name": desk.say("interests.legend", &[("topic", name)]),
        "about": desk.say("interests.about", &[("topic", name), ("context", &place)]),
        "place": desk.say("interests.context", &[("context", &place)]),
        "options": options,
        "learned": learned,
    })
}

/// The word whose strength is closest.
fn nearest(strength: Strength) -> &'static str {
    let far = |of: f64| (strength.get() - of).abs();
    let closest = STRENGTHS.iter().min_by(|(_, a), (_, b)| far(*a).total_cmp(&far(*b)));
    closest.map_or("", |(word, _)| word)
}
