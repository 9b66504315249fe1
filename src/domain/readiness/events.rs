//! What SES tells of mails afterwards. Without it bounces and complaints go unseen, nothing that is in doubt is settled,
//! and no campaign stops itself.

use std::collections::BTreeSet;

use super::{Check, Looked};
use crate::domain::codes::codes;

codes!(
    /// A kind of event that is needed.
    EventKind {
        Bounce = "bounce",
        Complaint = "complaint",
        Delivery = "delivery",
        RenderingFailure = "rendering failure",
        Reject = "reject",
        DeliveryDelay = "delivery delay",
    }
);

/// The configuration set that mails are sent under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigurationSet {
    /// None is configured.
    Unnamed,
    /// SES knows none of this name.
    Absent {
        name: String,
    },
    Found {
        name: String,
        destinations: Vec<Destination>,
    },
}

/// Where its events go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    pub enabled: bool,
    /// Whether it is an SNS topic: the way to the feedback queue. Whether the topic leads there only an event shows.
    pub topic: bool,
    pub kinds: BTreeSet<EventKind>,
}

pub fn judge(set: &ConfigurationSet) -> [Check; 2] {
    let (name, destinations) = match set {
        ConfigurationSet::Unnamed => {
            let next = "set GERMANE_CONFIGURATION_SET for the functions; the template does";
            return absent("mails are sent under none, so that SES tells nothing of them", next);
        }
        ConfigurationSet::Absent { name } => {
            return absent(&format!("SES knows none called {name}"), "deploy the template again: it makes it");
        }
        ConfigurationSet::Found { name, destinations } => (name, destinations),
    };
    let told: BTreeSet<EventKind> =
        destinations.iter().filter(|one| one.enabled && one.topic).flat_map(|one| one.kinds.iter().copied()).collect();
    let untold: Vec<&str> =
        EventKind::ALL.iter().filter(|kind| !told.contains(kind)).map(|kind| kind.as_str()).collect();
    let events = if untold.is_empty() {
        let kinds: Vec<&str> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
        Check::ready(Looked::Events, format!("an SNS topic is told of {}", kinds.join(", ")))
    } else {
        let found = format!("no SNS topic is told of {}", untold.join(", "));
        Check::missing(
            Looked::Events,
            found,
            format!("deploy the template again, or add an event destination to {name}"),
        )
    };
    [Check::ready(Looked::ConfigurationSet, name.as_str()), events]
}

fn absent(found: &str, next: &str) -> [Check; 2] {
    [Check::missing(Looked::ConfigurationSet, found, next), Check::rests_on(Looked::Events, Looked::ConfigurationSet)]
}
