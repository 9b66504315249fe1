//! Why somebody gets a mail, in one plain sentence that stands in the mail itself and on the page behind its link.

use super::{api::confirmations, words::Words};
use crate::domain::{
    campaign::{Campaign, Kind},
    channel::Channel,
    decision::Grounds,
    policy::Policy,
    topic::Topic,
};

/// The sentence that a template shows as `why`.
pub fn why(words: &Words, campaign: &Campaign, policy: &Policy, grounds: &Grounds) -> String {
    let address = address(words, campaign.channel);
    let consent = grounds.consent.as_ref().unwrap_or(&campaign.topic);
    let topic = topic_name(words, policy, consent);
    if campaign.template.as_str() == confirmations::TEMPLATE {
        return words.say("why.confirm", &[("topic", topic), ("address", &address)]);
    }
    if campaign.kind == Kind::Notice {
        return words.say("why.notice", &[("address", &address)]);
    }
    match &grounds.interest {
        Some(interest) => {
            let interest = topic_name(words, policy, interest);
            words.say("why.interest", &[("topic", topic), ("address", &address), ("interest", interest)])
        }
        None => words.say("why.consent", &[("topic", topic), ("address", &address)]),
    }
}

/// A channel's address, such as "work address".
pub fn address(words: &Words, channel: Channel) -> String {
    words.say(&format!("channel.{channel}"), &[])
}

/// A topic as the policy calls it, or its path.
pub fn topic_name<'a>(words: &Words, policy: &'a Policy, topic: &'a Topic) -> &'a str {
    policy.topic_name(topic, words.language)
}
