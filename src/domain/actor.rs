//! Who asked for something, for the record.

use std::fmt;

use serde::{Serialize, Serializer};

use super::id::NewsletterId;

/// Kinds of actors begin differently, so that nobody who asks can be called what the product calls itself, and no token
/// what a principal of AWS is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor(String);

const DOUBLE_OPT_IN: &str = "double-opt-in";

impl Actor {
    /// A principal of AWS, by its ARN.
    pub fn principal(arn: &str) -> Self {
        Self(printable(if arn.starts_with("arn:") { "" } else { "iam:" }, arn))
    }

    /// Whom a bearer token is about (RFC 7519, section 4.1.2).
    pub fn subject(subject: &str) -> Self {
        Self(printable("jwt:", subject))
    }

    /// Whoever asks a stack on their own machine.
    pub fn local() -> Self {
        Self("local".to_owned())
    }

    /// Nobody says who it is.
    pub fn anonymous() -> Self {
        Self("anonymous".to_owned())
    }

    /// A newsletter, whose run it is.
    pub fn newsletter(id: &NewsletterId) -> Self {
        Self(format!("newsletter:{id}"))
    }

    /// The product itself, which asks people to confirm a consent.
    pub fn double_opt_in() -> Self {
        Self(DOUBLE_OPT_IN.to_owned())
    }

    /// As it was stored.
    pub fn restore(stored: &str) -> Self {
        Self(stored.to_owned())
    }

    pub fn is_double_opt_in(&self) -> bool {
        self.0 == DOUBLE_OPT_IN
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Who asks chooses neither colours nor lines of a log.
fn printable(prefix: &str, name: &str) -> String {
    let shown = name.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c });
    prefix.chars().chain(shown).collect()
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Actor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_who_asks_is_called_what_the_product_calls_itself() {
        let taken = ["double-opt-in", "newsletter:weekly", "local", "anonymous", "arn:aws:iam::000000000000:user/a"];
        for word in taken {
            assert_ne!(Actor::subject(word).as_str(), word);
        }
        for word in &taken[..4] {
            assert_ne!(Actor::principal(word).as_str(), *word);
        }
        assert_eq!(Actor::subject("a\u{1b}[2J\nb").as_str(), "jwt:a\u{fffd}[2J\u{fffd}b");
        assert!(Actor::double_opt_in().is_double_opt_in() && !Actor::subject("double-opt-in").is_double_opt_in());
    }
}
