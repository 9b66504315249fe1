//! What must hold before the first mail is sent: each check judged by what was found, with the next step where there is
//! one. Whatever could not be looked at counts as not ready.

pub mod account;
pub mod events;
pub mod order;
pub mod rules;
pub mod sender;
pub mod templates;

use serde::Serialize;

use super::codes::codes;

codes!(
    /// One thing that is looked at, in the order in which it is told.
    Looked {
        Tables = "tables",
        Policy = "policy",
        PostalAddress = "postal_address",
        PrivacyUrl = "privacy_url",
        TestAddresses = "test_addresses",
        Identity = "identity",
        Dkim = "dkim",
        MailFrom = "mail_from",
        Production = "production",
        Sending = "sending",
        Rate = "rate",
        Quota = "quota",
        Plan = "plan",
        ConfigurationSet = "configuration_set",
        Events = "events",
        Templates = "templates",
        ConfirmConsent = "confirm_consent",
        AccessLink = "access_link",
        /// Asked for by itself, since it mails.
        Order = "order",
    }
);

codes!(
    /// How a thing stands.
    State {
        Ready = "ready",
        /// A campaign can run; something would be better otherwise.
        Advice = "advice",
        /// No campaign should run before this is put right.
        Missing = "missing",
        /// It could not be looked at, which counts as missing.
        Unknown = "unknown",
    }
);

/// What became of looking at one thing. For people: it names no recipient, and addresses of the deployment only by
/// their domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    pub check: Looked,
    pub state: State,
    pub found: String,
    pub next: Option<String>,
}

impl Check {
    pub fn ready(check: Looked, found: impl Into<String>) -> Self {
        Self { check, state: State::Ready, found: found.into(), next: None }
    }

    pub fn advice(check: Looked, found: impl Into<String>, next: impl Into<String>) -> Self {
        Self { check, state: State::Advice, found: found.into(), next: Some(next.into()) }
    }

    pub fn missing(check: Looked, found: impl Into<String>, next: impl Into<String>) -> Self {
        Self { check, state: State::Missing, found: found.into(), next: Some(next.into()) }
    }

    pub fn unknown(check: Looked, found: impl Into<String>, next: impl Into<String>) -> Self {
        Self { check, state: State::Unknown, found: found.into(), next: Some(next.into()) }
    }

    /// What rests on another check that was not passed; the next step is that one's.
    pub fn rests_on(check: Looked, on: Looked) -> Self {
        let found = format!("cannot be looked at without the {}", on.as_str().replace('_', " "));
        Self { check, state: State::Unknown, found, next: None }
    }

    /// Whether a campaign could run as far as this goes.
    pub fn lets_run(&self) -> bool {
        match self.state {
            State::Ready | State::Advice => true,
            State::Missing | State::Unknown => false,
        }
    }
}

/// Whether a domain can only be an example's: nobody owns it, so no account can verify it (RFC 2606, RFC 6761).
pub fn is_reserved(domain: &str) -> bool {
    const RESERVED: [&str; 7] =
        ["example.com", "example.net", "example.org", "example", "test", "invalid", "localhost"];
    let domain = domain.to_ascii_lowercase();
    RESERVED
        .iter()
        .any(|reserved| domain.strip_suffix(reserved).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}
