//! What SES asks of addresses, headers and tags. No message here repeats an address.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    SesConfig,
    letter::{Header, Sender},
    refusal::Unfit,
    wire::{Destination, Pair},
};
use crate::domain::email::EmailAddress;

const MAX_HEADERS: usize = 15;
const MAX_HEADER_NAME: usize = 126;
const MAX_HEADER_VALUE: usize = 995;
const MAX_HEADER: usize = 996;
const MAX_TAG: usize = 256;
const SIMULATOR: &str = "simulator.amazonses.com";

/// Headers that SES writes itself and refuses from outside.
const RESERVED_HEADERS: [&str; 12] = [
    "bcc",
    "cc",
    "content-disposition",
    "content-type",
    "date",
    "from",
    "message-id",
    "mime-version",
    "reply-to",
    "return-path",
    "subject",
    "to",
];

pub(super) fn sender(from: Option<String>, reply_to: Vec<String>, config: &SesConfig) -> Result<Arc<Sender>, Unfit> {
    let from = from.ok_or_else(|| Unfit::invalid("FromEmailAddress is required"))?;
    if bare(&from).is_none() || !from.is_ascii() || reply_to.iter().any(|address| bare(address).is_none()) {
        return Err(Unfit::invalid("FromEmailAddress or ReplyToAddresses is not an address"));
    }
    if config.identity_pending {
        return Err(Unfit::MessageRejected("Email address is not verified: the sender's identity is pending".into()));
    }
    Ok(Arc::new(Sender { from: from.into(), reply_to }))
}

/// The one address of a message.
pub(super) fn recipient(destination: &Destination, sender: &Sender, config: &SesConfig) -> Result<String, Unfit> {
    let [to] = destination.to.as_slice() else {
        return Err(Unfit::invalid("Exactly one To address is wanted"));
    };
    if !destination.cc.is_empty() || !destination.bcc.is_empty() {
        return Err(Unfit::invalid("Neither Cc nor Bcc addresses are wanted"));
    }
    let to = bare(to).ok_or_else(|| Unfit::invalid("The To address is not valid"))?;
    if config.sandbox && !may_receive_in_sandbox(to, sender) {
        return Err(Unfit::MessageRejected(
            "Email address is not verified: in the sandbox only the simulator and the sender's domain receive".into(),
        ));
    }
    Ok(to.to_owned())
}

fn may_receive_in_sandbox(to: &str, sender: &Sender) -> bool {
    let domain = |address: &str| address.rsplit_once('@').map(|(_, domain)| domain.to_ascii_lowercase());
    let to = domain(to);
    to.as_deref() == Some(SIMULATOR) || to == domain(sender.address())
}

/// The address alone, of `name@example.com` or `Name <name@example.com>`; the domain must be ASCII already.
pub(super) fn bare(raw: &str) -> Option<&str> {
    let address = match raw.split_once('<') {
        Some((_, rest)) => rest.strip_suffix('>')?,
        None => raw,
    };
    (address.is_ascii() && address.parse::<EmailAddress>().is_ok()).then_some(address)
}

/// The address alone of one that was found valid.
pub(super) fn address(mailbox: &str) -> &str {
    bare(mailbox).unwrap_or(mailbox)
}

/// The label before `@simulator.amazonses.com`, in lower case and without its `+label`.
pub(super) fn simulator_account(address: &str) -> Option<String> {
    let (local, domain) = address.rsplit_once('@')?;
    let account = local.split('+').next().unwrap_or(local);
    domain.eq_ignore_ascii_case(SIMULATOR).then(|| account.to_ascii_lowercase())
}

/// The headers of one message: an entry's own replace those of the template by name.
pub(super) fn headers(defaults: &[Pair], own: Vec<Pair>) -> Result<Vec<Header>, Unfit> {
    let mut all = own;
    for header in defaults {
        if !all.iter().any(|own| own.name.eq_ignore_ascii_case(&header.name)) {
            all.push(header.clone());
        }
    }
    if all.len() > MAX_HEADERS {
        return Err(Unfit::invalid(format!("At most {MAX_HEADERS} headers are wanted")));
    }
    all.into_iter().map(header).collect()
}

fn header(Pair { name, value }: Pair) -> Result<Header, Unfit> {
    let name_fits = (1..=MAX_HEADER_NAME).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_graphic() && b != b':')
        && !RESERVED_HEADERS.contains(&name.to_ascii_lowercase().as_str());
    let value_fits = (1..=MAX_HEADER_VALUE).contains(&value.len()) && value.bytes().all(|b| (b' '..=b'~').contains(&b));
    if name_fits && value_fits && name.len() + value.len() <= MAX_HEADER {
        Ok(Header { name, value })
    } else {
        Err(Unfit::invalid("A header's name or value is not valid"))
    }
}

/// The tags of one message: an entry's own replace the default ones by name.
pub(super) fn tags(defaults: &[Pair], own: Vec<Pair>) -> Result<BTreeMap<String, String>, Unfit> {
    let fits = |s: &str| {
        (1..=MAX_TAG).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    };
    defaults
        .iter()
        .cloned()
        .chain(own)
        .map(|Pair { name, value }| {
            if fits(&name) && fits(&value) {
                Ok((name, value))
            } else {
                Err(Unfit::invalid("A tag's name or value is not valid: 1 to 256 of A-Z a-z 0-9 _ - are wanted"))
            }
        })
        .collect()
}
