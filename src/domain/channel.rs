//! Work or personal: which of a recipient's addresses, and the context of what is written.

use std::fmt::{self, Display};

use super::codes::codes;

codes!(
    /// Which of a recipient's addresses.
    Channel, "work or personal" {
        Work = "work",
        Personal = "personal",
    }
);

impl Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

codes!(
    /// Where an interest was shown; one shown at work never justifies a mail to the personal address, nor the reverse.
    Context, "work, personal or any" {
        Work = "work",
        Personal = "personal",
        Any = "any",
    }
);

impl Context {
    pub fn fits(self, channel: Channel) -> bool {
        match self {
            Context::Any => true,
            Context::Work => channel == Channel::Work,
            Context::Personal => channel == Channel::Personal,
        }
    }
}
