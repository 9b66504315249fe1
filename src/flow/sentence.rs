//! Why somebody gets a mail, in one plain sentence that stands in the mail itself.

use crate::domain::{
    campaign::{Campaign, Kind},
    channel::Channel,
    decision::Grounds,
    policy::Policy,
    topic::Topic,
};

/// The sentence that a template shows as `why`.
pub fn why(campaign: &Campaign, policy: &Policy, grounds: &Grounds) -> String {
    let address = match campaign.channel {
        Channel::Work => "work",
        Channel::Personal => "personal",
    };
    if campaign.kind == Kind::Notice {
        return format!("You get this notice because we hold your {address} address and must tell you about it.");
    }
    let consent = grounds.consent.as_ref().unwrap_or(&campaign.topic);
    let agreed =
        format!("You get this because you agreed to mail about {} at your {address} address", name(policy, consent));
    match &grounds.interest {
        Some(interest) => format!("{agreed}, and {} is among your interests.", name(policy, interest)),
        None => format!("{agreed}."),
    }
}

/// A topic as the policy calls it, or its path.
fn name<'a>(policy: &'a Policy, topic: &'a Topic) -> &'a str {
    let named = policy.topics.get(topic).and_then(|rule| rule.name.get("en"));
    named.map_or(topic.as_str(), String::as_str)
}
