//! A person we may mail: all that the gate needs to know, and how changes from outside merge into it.

mod act;
mod change;
mod marks;
mod merge;
mod own;
mod size;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    channel::Channel,
    codes::codes,
    consent::Consent,
    email::EmailAddress,
    frequency::{FrequencyCap, Sends},
    id::{Product, RecipientId, Ref},
    interest::Interest,
    time::{ZoneName, compact},
    topic::Topic,
};

pub use act::{Act, Less, More, NotDone};
pub use change::RecipientChange;
pub use marks::Marks;
pub use merge::ConsentMove;
pub use own::{Fact, Own};
pub use size::{MAX_EVIDENCE_BYTES, MAX_FACTS_BYTES};

#[derive(Debug, Clone, PartialEq)]
pub struct Recipient {
    pub id: RecipientId,
    /// Rises with every change; a claim succeeds only on the version that was decided on.
    pub version: u64,
    pub sends: Sends,
    pub profile: Profile,
}

/// What is known of a person, apart from what they were sent. Stored in the order of its fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    pub reference: Ref,
    pub work: Option<Address>,
    pub personal: Option<Address>,
    pub time_zone: Option<ZoneName>,
    pub locale: Option<String>,
    pub attributes: BTreeMap<String, String>,
    pub interests: Vec<Interest>,
    pub consents: Vec<Consent>,
    pub owns: Vec<Product>,
    pub preferences: Preferences,
    pub suppression: Option<Suppression>,
    /// What they set themselves.
    pub own: Vec<Own>,
}

impl std::ops::Deref for Recipient {
    type Target = Profile;

    fn deref(&self) -> &Profile {
        &self.profile
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    pub email: EmailAddress,
    pub unusable: Option<Unusable>,
}

codes!(
    /// Why an address cannot be mailed, whoever it belongs to.
    Unusable {
        HardBounce = "hard_bounce",
        SoftBounces = "soft_bounces",
    }
);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    pub kind: SuppressionKind,
    #[serde(with = "compact")]
    pub since: Timestamp,
}

codes!(
    /// Why a person is not mailed, whatever consent says.
    SuppressionKind {
        UnsubscribedAll = "unsubscribed_all",
        Complaint = "complaint",
        Manual = "manual",
        Erased = "erased",
    }
);

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Preferences {
    pub max_frequency: Option<FrequencyCap>,
    #[serde(with = "compact::option")]
    pub paused_until: Option<Timestamp>,
    pub muted_topics: Vec<Topic>,
    /// Set by the recipient, so that no PUT or import may change it.
    pub by_recipient: bool,
}

impl Recipient {
    pub fn address(&self, channel: Channel) -> Option<&Address> {
        match channel {
            Channel::Work => self.work.as_ref(),
            Channel::Personal => self.personal.as_ref(),
        }
    }

    /// A person without any facts, from whom [`RecipientChange::apply`] makes the first version.
    pub fn blank(id: RecipientId, reference: Ref, now: Timestamp) -> Self {
        let profile = Profile {
            reference,
            work: None,
            personal: None,
            time_zone: None,
            locale: None,
            attributes: BTreeMap::new(),
            interests: Vec::new(),
            consents: Vec::new(),
            owns: Vec::new(),
            preferences: Preferences::default(),
            suppression: None,
            own: Vec::new(),
        };
        // The time of creation, so that a person erased and made anew never repeats a version.
        let version = u64::try_from(now.as_millisecond()).unwrap_or(0);
        Self { id, version, sends: Sends::default(), profile }
    }

    /// The contract's shape; `evidence` finds the text behind a consent.
    pub fn to_json(&self, evidence: impl Fn(&Consent) -> Option<String>) -> Value {
        let email = |address: &Option<Address>| address.as_ref().map(|a| a.email.reveal().to_owned());
        let consents: Vec<Value> = self
            .consents
            .iter()
            .map(|c| {
                json!({
                    "topic": c.topic, "channel": c.channel, "status": c.status, "basis": c.basis,
                    "source": c.source, "evidence": evidence(c), "at": c.at, "expires_at": c.expires_at,
                })
            })
            .collect();
        json!({
            "id": self.id,
            "addresses": { "work": email(&self.work), "personal": email(&self.personal) },
            "time_zone": self.time_zone,
            "locale": self.locale,
            "attributes": self.attributes,
            "interests": self.interests,
            "consents": consents,
            "owns": self.owns,
            "preferences": {
                "max_frequency": self.preferences.max_frequency,
                "paused_until": self.preferences.paused_until,
                "muted_topics": self.preferences.muted_topics,
            },
        })
    }
}
