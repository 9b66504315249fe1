//! The policy: that there is one, and that it speaks for its sender.

use super::{Check, Looked, is_reserved};
use crate::domain::policy::Policy;

/// Words that no real postal address has.
const PLACEHOLDERS: [&str; 6] = ["example", "sample", "placeholder", "todo", "tbd", "lorem"];

/// `version` is that of the policy in force, if there is one.
pub fn judge(current: Option<(u32, &Policy)>) -> [Check; 4] {
    let Some((version, policy)) = current else {
        let missing = Check::missing(Looked::Policy, "there is none yet", "germane policy put policy.json");
        let resting = |check| Check::rests_on(check, Looked::Policy);
        return [missing, resting(Looked::PostalAddress), resting(Looked::PrivacyUrl), resting(Looked::TestAddresses)];
    };
    let found = match policy.topics.len() {
        1 => format!("version {version}, with 1 topic"),
        topics => format!("version {version}, with {topics} topics"),
    };
    let rules = if policy.topics.is_empty() {
        Check::missing(Looked::Policy, found, "name your topics in it: germane policy put policy.json")
    } else {
        Check::ready(Looked::Policy, found)
    };
    [rules, postal_address(policy), privacy_url(policy), test_addresses(policy)]
}

/// Every mail must say where its sender is (CAN-SPAM, 15 U.S.C. 7704(a)(5)(A)(iii)).
fn postal_address(policy: &Policy) -> Check {
    let words = policy.postal_address.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
    let placeholder = words.into_iter().any(|word| PLACEHOLDERS.contains(&word.as_str()));
    if !placeholder {
        return Check::ready(Looked::PostalAddress, policy.postal_address.as_str());
    }
    let found = format!("a placeholder: {}", policy.postal_address);
    stands_in(policy, Looked::PostalAddress, found, "put your own into the policy: the law wants it in every mail")
}

fn privacy_url(policy: &Policy) -> Check {
    let url = policy.privacy_url.as_str();
    let host =
        url.strip_prefix("https://").and_then(|rest| rest.split(['/', '?', '#', ':']).next()).unwrap_or_default();
    if !host.is_empty() && !is_reserved(host) {
        return Check::ready(Looked::PrivacyUrl, url);
    }
    stands_in(
        policy,
        Looked::PrivacyUrl,
        format!("a placeholder: {url}"),
        "put the address of your own privacy notice into the policy",
    )
}

fn test_addresses(policy: &Policy) -> Check {
    match policy.test_addresses.len() {
        0 => {
            let next = "name some in the policy, so that a campaign can be seen before it is sent";
            Check::advice(Looked::TestAddresses, "none", next)
        }
        1 => Check::ready(Looked::TestAddresses, "1 address"),
        many => Check::ready(Looked::TestAddresses, format!("{many} addresses")),
    }
}

/// A placeholder. It keeps nobody from trying things out: a sender that nobody can own is known to stand-ins alone.
fn stands_in(policy: &Policy, check: Looked, found: String, next: &str) -> Check {
    if is_reserved(policy.from.domain()) {
        Check::advice(check, found, next)
    } else {
        Check::missing(check, found, next)
    }
}
