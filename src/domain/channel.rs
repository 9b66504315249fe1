//! Work or personal: which of a recipient's addresses, and the context of what is written.

use std::{
    fmt::{self, Display},
    str::FromStr,
};

use serde::{Deserialize, Serialize};

use super::door::Wanted;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    Work,
    Personal,
}

impl Channel {
    pub const ALL: [Channel; 2] = [Channel::Work, Channel::Personal];

    pub fn as_str(self) -> &'static str {
        match self {
            Channel::Work => "work",
            Channel::Personal => "personal",
        }
    }
}

impl FromStr for Channel {
    type Err = Wanted;

    fn from_str(raw: &str) -> Result<Self, Wanted> {
        Self::ALL.into_iter().find(|channel| channel.as_str() == raw).ok_or(Wanted("work or personal"))
    }
}

impl Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where an interest was shown; one shown at work never justifies a mail to the personal address, nor the reverse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Context {
    Work,
    Personal,
    Any,
}

impl Context {
    pub fn fits(self, channel: Channel) -> bool {
        match self {
            Context::Any => true,
            Context::Work => channel == Channel::Work,
            Context::Personal => channel == Channel::Personal,
        }
    }
}

impl FromStr for Context {
    type Err = Wanted;

    fn from_str(raw: &str) -> Result<Self, Wanted> {
        match raw {
            "work" => Ok(Context::Work),
            "personal" => Ok(Context::Personal),
            "any" => Ok(Context::Any),
            _ => Err(Wanted("work, personal or any")),
        }
    }
}
