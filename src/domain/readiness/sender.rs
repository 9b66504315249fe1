//! The sender: which identity SES takes for the policy's `from`, and whether receivers can tell that it is genuine.

use super::{Check, Looked};
use crate::domain::email::Mailbox;

/// How far SES is with something that it looks up in DNS, or asks by mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    Success,
    /// SES has not found it yet.
    Pending,
    Failed,
    /// SES could not look lately; what it found before goes on.
    TemporaryFailure,
    NotStarted,
    /// A word of SES's that came later.
    Other,
}

/// An identity of the account, as SES tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Whether SES sends for it.
    pub verified: bool,
    pub verification: Proof,
    /// `None` where mails are not signed for it.
    pub dkim: Option<Proof>,
    pub mail_from: Option<MailFrom>,
}

/// A MAIL FROM domain of one's own, to which bounces go and which SPF is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailFrom {
    pub proof: Proof,
    /// Whether SES refuses mails as long as it is not proven, instead of using its own domain.
    pub refuses: bool,
}

/// The names under which SES may know the sender, the closest first: the address itself, its domain, and the domains
/// above, from which addresses and subdomains inherit. What is verified closest is what SES goes by.
/// <https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html>
pub fn names(from: &Mailbox) -> Vec<String> {
    let domain = from.domain().to_ascii_lowercase();
    let mut names = vec![from.address().to_owned()];
    let mut rest = Some(domain.as_str());
    while let Some(domain) = rest.filter(|domain| domain.contains('.')) {
        names.push(domain.to_owned());
        rest = domain.split_once('.').map(|(_, above)| above);
    }
    names
}

/// Judges by the identities that were found, the closest first. The closest that is verified is the one that SES sends
/// for; what it leaves open it has from those above.
pub fn judge(from: &Mailbox, found: &[(String, Identity)]) -> [Check; 3] {
    let verified: Vec<&(String, Identity)> = found.iter().filter(|(_, identity)| identity.verified).collect();
    let Some(closest) = verified.first().copied().or(found.first()) else {
        let domain = from.domain();
        let next = format!("create the identity {domain} in the SES console (Identities), and publish its DNS records");
        let missing =
            Check::missing(Looked::Identity, format!("SES knows neither {domain} nor an address there"), next);
        let [dkim, mail_from] = [Looked::Dkim, Looked::MailFrom].map(|check| Check::rests_on(check, Looked::Identity));
        return [missing, dkim, mail_from];
    };
    let signing = match closest.1.dkim {
        // Signing that is off, and signing that works, are its own.
        None | Some(Proof::Success) => closest,
        Some(_) => {
            verified.iter().find(|(_, identity)| identity.dkim == Some(Proof::Success)).copied().unwrap_or(closest)
        }
    };
    let bouncing = verified.iter().find(|(_, identity)| identity.mail_from.is_some()).copied().unwrap_or(closest);
    [
        verification(&told(from, &closest.0), &closest.1),
        dkim(&told(from, &signing.0), &signing.1),
        mail_from(&told(from, &bouncing.0), &bouncing.1),
    ]
}

/// An identity's name, without an address.
fn told(from: &Mailbox, name: &str) -> String {
    if name.contains('@') { format!("the address of `from` at {}", from.domain()) } else { name.to_owned() }
}

fn verification(name: &str, identity: &Identity) -> Check {
    let publish =
        "publish the DNS records that the SES console shows for it (for an address, follow the link that SES mailed)";
    let missing = |found: &str, next: &str| Check::missing(Looked::Identity, format!("{name} {found}"), next);
    if identity.verified {
        return Check::ready(Looked::Identity, format!("{name} is verified"));
    }
    match identity.verification {
        Proof::Pending => missing("waits for its verification", publish),
        Proof::NotStarted => missing("was never verified", "start its verification in the SES console"),
        Proof::Failed => {
            missing("was not verified in time", "publish its DNS records, then verify it anew in the SES console")
        }
        Proof::TemporaryFailure => {
            missing("could not be verified by SES for now", "look whether its DNS answers, and ask again later")
        }
        // Also one that SES found and does not send for.
        Proof::Success | Proof::Other => missing("is not verified for sending", "look at it in the SES console"),
    }
}

/// One-click unsubscribing asks for a signature (RFC 8058, section 4), and large receivers refuse bulk mail without one.
fn dkim(name: &str, identity: &Identity) -> Check {
    let missing = |found: &str, next: &str| Check::missing(Looked::Dkim, format!("mails of {name} {found}"), next);
    let publish = "publish the DKIM records that the SES console shows for it";
    match identity.dkim {
        None => {
            missing("are not signed", "turn on DKIM signatures for it in the SES console, best for the whole domain")
        }
        Some(Proof::Success) => Check::ready(Looked::Dkim, format!("mails of {name} are signed")),
        Some(Proof::TemporaryFailure) => {
            let found = format!("mails of {name} are signed, but SES could not look up the key lately");
            Check::advice(Looked::Dkim, found, "look whether its DNS answers")
        }
        Some(Proof::Pending) => missing("are not signed yet: SES has not found the key", publish),
        Some(Proof::Failed | Proof::NotStarted | Proof::Other) => {
            missing("are not signed: SES does not find the key", publish)
        }
    }
}

fn mail_from(name: &str, identity: &Identity) -> Check {
    let Some(MailFrom { proof, refuses }) = identity.mail_from else {
        let found = format!("{name} has none: bounces go to amazonses.com, so that SPF does not speak for your domain");
        return Check::advice(Looked::MailFrom, found, "set a custom MAIL FROM domain for it in the SES console");
    };
    let found = format!("the MAIL FROM domain of {name} is not found in DNS");
    let publish = "publish its MX and SPF records as the SES console shows them";
    match proof {
        Proof::Success => Check::ready(Looked::MailFrom, format!("{name} has a MAIL FROM domain of its own")),
        Proof::Pending | Proof::Failed | Proof::TemporaryFailure | Proof::NotStarted | Proof::Other if refuses => {
            Check::missing(Looked::MailFrom, format!("{found}, and SES refuses mails without it"), publish)
        }
        Proof::Pending | Proof::Failed | Proof::TemporaryFailure | Proof::NotStarted | Proof::Other => {
            Check::advice(Looked::MailFrom, format!("{found}: SES uses amazonses.com meanwhile"), publish)
        }
    }
}
