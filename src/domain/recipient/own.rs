//! Which facts a recipient set themselves: no PUT and no import changes them, nor brings back what was removed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Profile;
use crate::domain::{
    channel::{Channel, Context},
    id::Product,
    time::{compact, kept},
    topic::Topic,
};

/// A fact that is as the recipient wants it, also if that is not there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Own {
    pub fact: Fact,
    #[serde(with = "compact")]
    pub at: Timestamp,
}

/// What of a person can be set. Variants are stored by their order: add new ones at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fact {
    Address(Channel),
    TimeZone,
    Locale,
    Attribute(String),
    /// Every interest in the topic and context, wherever it was learned.
    Interest {
        topic: Topic,
        context: Context,
    },
    Owns(Product),
}

impl Profile {
    /// When the recipient set it themselves, if they did.
    pub fn own(&self, fact: &Fact) -> Option<Timestamp> {
        self.own.iter().find(|own| own.fact == *fact).map(|own| own.at)
    }

    pub(super) fn is_own(&self, fact: &Fact) -> bool {
        self.own(fact).is_some()
    }

    pub(super) fn make_own(&mut self, fact: Fact, now: Timestamp) {
        let at = kept(now);
        match self.own.iter_mut().find(|own| own.fact == fact) {
            Some(own) => own.at = at,
            None => self.own.push(Own { fact, at }),
        }
    }
}
