//! What a campaign is about: a slash path such as `rust/async`; the unit of consent and interest.

use std::{
    fmt::{self, Display},
    str::FromStr,
};

use serde::{Deserialize, Serialize};

use super::door::Wanted;

/// Segments of `[a-z0-9-]+` joined by `/`, at most 128 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
        let segment =
            |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        (raw.len() <= 128 && raw.split('/').all(segment))
            .then(|| Self(raw.to_owned()))
            .ok_or(Wanted("a topic: segments of a-z 0-9 - joined by /, such as rust/async, at most 128 characters"))
    }
}

impl Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
