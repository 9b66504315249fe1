//! What became of what was sent from a page, in words.

use super::{Desk, all::facts::spoken, pace};
use crate::{
    domain::{
        frequency::FrequencyCap,
        recipient::{Act, Less, More},
    },
    flow::words::Words,
};

/// Stands at the top of the page that answers a POST.
#[derive(Debug, Default)]
pub struct Answer {
    pub status: Option<String>,
    pub fault: Option<Fault>,
}

/// What is wrong with what was sent.
#[derive(Debug)]
pub struct Fault {
    /// The id of the element at fault.
    pub field: String,
    /// Below `error` in the words.
    pub error: &'static str,
    /// As it was sent.
    pub found: String,
}

impl Fault {
    pub(super) fn text(&self, words: &Words) -> String {
        words.say(&format!("error.{}", self.error), &[("value", &self.found)])
    }
}

impl Answer {
    pub fn status(status: String) -> Self {
        Self { status: Some(status), fault: None }
    }

    pub fn fault(fault: Fault) -> Self {
        Self { status: None, fault: Some(fault) }
    }
}

/// That an act was done.
pub fn said(desk: &Desk<'_>, act: &Act) -> String {
    let named = |key: &str, name: &str| desk.say(key, &[("name", name)]);
    let changed = |name: &str, kept: bool| named(if kept { "done.fact" } else { "done.removed" }, name);
    match act {
        Act::Less(Less::Leave { topic, channel }) => {
            desk.say("done.leave", &[("topic", desk.topic(topic)), ("address", &desk.address(*channel))])
        }
        Act::Less(Less::LeaveAll) => desk.say("done.leave_all", &[]),
        Act::Less(Less::Mute(topic)) => desk.say("done.mute", &[("topic", desk.topic(topic))]),
        Act::Less(Less::Lower(cap)) | Act::More(More::Frequency(Some(cap))) => limited(desk, *cap),
        Act::Less(Less::Pause { until }) | Act::More(More::Pause(Some(until))) => {
            desk.say("done.pause", &[("date", &desk.date(*until))])
        }
        Act::More(More::Join { topic, channel }) => {
            desk.say("done.join", &[("topic", desk.topic(topic)), ("address", &desk.address(*channel))])
        }
        Act::More(More::Return) => desk.say("done.return", &[]),
        Act::More(More::Unmute(topic)) => desk.say("done.unmute", &[("topic", desk.topic(topic))]),
        Act::More(More::Frequency(None)) => desk.say("done.unlimited", &[]),
        Act::More(More::Pause(None)) => desk.say("done.resume", &[]),
        Act::More(More::TimeZone(zone)) => changed(&desk.say("facts.time_zone", &[]), zone.is_some()),
        Act::More(More::Locale(locale)) => changed(&desk.say("facts.locale", &[]), locale.is_some()),
        Act::More(More::Attribute { name, value }) => changed(&spoken(name), value.is_some()),
        Act::More(More::Interest { topic, strength, .. }) => changed(desk.topic(topic), strength.is_some()),
        Act::More(More::Disown(product)) => changed(product.as_str(), false),
        Act::More(More::Addresses { .. }) => desk.say("done.addresses", &[]),
    }
}

fn limited(desk: &Desk<'_>, cap: FrequencyCap) -> String {
    desk.say("done.lower", &[("limit", &pace::limit(desk, cap))])
}
