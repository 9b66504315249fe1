//! What a campaign is about: a slash path such as `rust/async`; the unit of consent and interest.

use std::{
    fmt::{self, Display},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, de::Error};

use super::door::Wanted;

/// Segments of `[a-z0-9-]+` joined by `/`, at most 128 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Topic(String);

impl Topic {
    /// The topic whose consent lets interests learned from social networks count.
    pub const DATA_SOCIAL: &str = "data/social";

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is `other` or an ancestor of it, by whole segments: `rust` covers `rust/async`, not `rusty`.
    ///
    /// ```
    /// use germane::domain::topic::Topic;
    /// let topic = |raw: &str| raw.parse::<Topic>().unwrap();
    /// assert!(topic("rust").covers(&topic("rust/async")));
    /// assert!(!topic("rust/async").covers(&topic("rust")));
    /// assert!(!topic("rust").covers(&topic("rusty")));
    /// ```
    pub fn covers(&self, other: &Topic) -> bool {
        self.covers_path(&other.0)
    }

    pub(crate) fn covers_path(&self, path: &str) -> bool {
        path.strip_prefix(self.0.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// How many segments: more is more specific.
    pub fn depth(&self) -> usize {
        self.0.split('/').count()
    }
}

impl FromStr for Topic {
    type Err = Wanted;

    fn from_str(raw: &str) -> Result<Self, Wanted> {
        if is_topic(raw) { Ok(Self(raw.to_owned())) } else { Err(TOPIC) }
    }
}

/// One that is stored is read as strictly as one that comes in.
impl<'de> Deserialize<'de> for Topic {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let raw = String::deserialize(from)?;
        if is_topic(&raw) { Ok(Self(raw)) } else { Err(D::Error::custom(TOPIC)) }
    }
}

const TOPIC: Wanted = Wanted("a topic: segments of a-z 0-9 - joined by /, such as rust/async, at most 128 characters");

fn is_topic(raw: &str) -> bool {
    let segment =
        |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    raw.len() <= 128 && raw.split('/').all(segment)
}

impl Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
