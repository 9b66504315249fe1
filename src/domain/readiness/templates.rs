//! The templates: that SES has what was pushed, and that those are among them which the product itself mails by.

use super::{Check, Looked};
use crate::domain::{id::TemplateName, policy::Policy};

/// Asks people to confirm their consent.
pub const CONFIRM_CONSENT: &str = "confirm-consent";
/// Brings people the link to what is held about them.
pub const ACCESS_LINK: &str = "access-link";
/// So many are named.
const NAMED: usize = 5;

/// How SES has the newest form of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    AsPushed,
    Absent,
    /// Another content under its name: somebody changed it in SES.
    Changed,
}

/// A template that was pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    pub name: TemplateName,
    /// Its name in SES, which holds a hash of its content.
    pub in_ses: String,
    pub held: Held,
}

/// `left` more were pushed and not looked at, for want of time.
pub fn judge(pushed: &[Pushed], left: usize) -> Check {
    let of = |held| -> Vec<&Pushed> { pushed.iter().filter(|one| one.held == held).collect() };
    let (absent, changed) = (of(Held::Absent), of(Held::Changed));
    if let Some(first) = changed.first() {
        let found = format!("changed in SES since they were pushed: {}", named(&changed));
        let next = format!(
            "delete it there (aws sesv2 delete-email-template --template-name {}), then germane templates push {}",
            first.in_ses, first.name
        );
        return Check::missing(Looked::Templates, found, next);
    }
    if let Some(first) = absent.first() {
        let found = format!("not in SES: {}", named(&absent));
        return Check::missing(Looked::Templates, found, format!("germane templates push {}", first.name));
    }
    if left > 0 {
        let found = format!("{} are in SES as they were pushed; {left} could not be looked at in time", pushed.len());
        return Check::unknown(Looked::Templates, found, "ask again: SES answers about one such question a second");
    }
    if pushed.is_empty() {
        return Check::missing(Looked::Templates, "none was pushed", "germane templates push newsletter");
    }
    Check::ready(
        Looked::Templates,
        format!("in SES as they were pushed: {}", named(&pushed.iter().collect::<Vec<_>>())),
    )
}

fn named(pushed: &[&Pushed]) -> String {
    let mut names: Vec<&str> = pushed.iter().take(NAMED).map(|one| one.name.as_str()).collect();
    let more = format!("and {} more", pushed.len().saturating_sub(NAMED));
    if pushed.len() > NAMED {
        names.push(&more);
    }
    names.join(", ")
}

/// Judges the mails that the product sends by itself; `pushed` are the names of all templates.
pub fn judge_own(policy: Option<&Policy>, pushed: &[TemplateName]) -> [Check; 2] {
    let Some(policy) = policy else {
        return [Looked::ConfirmConsent, Looked::AccessLink].map(|check| Check::rests_on(check, Looked::Policy));
    };
    let is_pushed = |name: &str| pushed.iter().any(|pushed| pushed.as_str() == name);
    let listed = policy.notices.iter().any(|notice| notice.as_str() == CONFIRM_CONSENT);
    let confirm = match (is_pushed(CONFIRM_CONSENT), listed) {
        (true, true) => Check::ready(Looked::ConfirmConsent, "pending consents are confirmed by mail"),
        (false, _) => {
            let next = format!("germane templates push {CONFIRM_CONSENT}, and name it in the policy's notices");
            Check::advice(Looked::ConfirmConsent, "not pushed: consents that are put as pending stay pending", next)
        }
        (true, false) => {
            let found = "not among the policy's notices: consents that are put as pending stay pending";
            Check::advice(Looked::ConfirmConsent, found, format!("name {CONFIRM_CONSENT} in the policy's notices"))
        }
    };
    let access = if is_pushed(ACCESS_LINK) {
        Check::ready(Looked::AccessLink, "people get the link to what is held about them by mail")
    } else {
        let found = "not pushed: people who ask cannot get the link to what is held about them";
        Check::advice(Looked::AccessLink, found, format!("germane templates push {ACCESS_LINK}"))
    };
    [confirm, access]
}
