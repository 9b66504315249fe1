//! Addresses as SES takes them.

use std::{fmt, str::FromStr};

use email_address::{EmailAddress as Syntax, Options};
use serde::{Deserialize, Deserializer, Serialize, de::Error};

use super::door::Wanted;

/// Of a whole address (RFC 3696, erratum 1690, allows fewer).
const MAX_BYTES: usize = 320;

/// An address that SES takes: the local part ASCII, the domain in its ASCII form (punycode). `Debug` masks it, and
/// there is no `Display`: an address reaches text only where [`EmailAddress::reveal`] is written.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// The address itself: for SES, and for the person's own record.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What makes two spellings the same mailbox: the whole address in lower case. Dots and `+` labels are kept,
    /// since only the receiving host knows what they mean.
    pub fn normalised(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl FromStr for EmailAddress {
    type Err = Wanted;

    fn from_str(raw: &str) -> Result<Self, Wanted> {
        const WANTED: Wanted = Wanted("an address such as name@example.com, the part before the @ in ASCII");
        let (local, domain) = raw.rsplit_once('@').ok_or(WANTED)?;
        if !local.is_ascii() || local.starts_with('"') {
            return Err(WANTED);
        }
        let domain = idna::domain_to_ascii_strict(domain).map_err(|_| WANTED)?;
        // Four numbers are a host without a name.
        if domain.rsplit('.').next().is_none_or(|tld| tld.bytes().all(|b| b.is_ascii_digit())) {
            return Err(WANTED);
        }
        let address = format!("{local}@{domain}");
        let options = Options::default().with_required_tld().without_domain_literal().without_display_text();
        let known = Syntax::parse_with_options(&address, options).is_ok();
        known.then_some(Self(address)).ok_or(WANTED)
    }
}

/// One that is stored was parsed when it came. So that reading people stays cheap, only what would break a header or
/// a request is looked for once more.
impl<'de> Deserialize<'de> for EmailAddress {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let raw = String::deserialize(from)?;
        let whole = raw.rsplit_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
        let plain = raw.len() <= MAX_BYTES && raw.bytes().all(|b| b.is_ascii_graphic());
        if whole && plain { Ok(Self(raw)) } else { Err(D::Error::custom("no address")) }
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(…)")
    }
}

/// The `From` of a campaign: a bare address, or a name in front of it as in `Rust Weekly <news@example.com>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Mailbox(String);

impl Mailbox {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address alone.
    pub fn address(&self) -> &str {
        self.0.split_once('<').map_or(self.0.as_str(), |(_, rest)| rest.trim_end_matches('>'))
    }

    /// Of the address.
    pub fn domain(&self) -> &str {
        self.address().rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// The name in front of the address; the address itself where there is none.
    pub fn name(&self) -> &str {
        let name = self.0.split_once('<').map_or("", |(name, _)| name.trim());
        if name.is_empty() { self.0.trim_matches(['<', '>']) } else { name }
    }
}

impl FromStr for Mailbox {
    type Err = Wanted;

    fn from_str(raw: &str) -> Result<Self, Wanted> {
        const WANTED: Wanted = Wanted("an address or a name with one, such as News <news@example.com>, in ASCII");
        if raw.chars().any(char::is_control) || !raw.is_ascii() || raw.len() > 320 {
            return Err(WANTED);
        }
        let address = match raw.split_once('<') {
            Some((name, rest)) => {
                // They mean something in a header, unless quoted (RFC 5322, section 3.2.3).
                if name.contains([',', ';', ':', '"', '>', '@', '[', ']', '\\']) {
                    return Err(WANTED);
                }
                rest.strip_suffix('>').ok_or(WANTED)?
            }
            None => raw,
        };
        address.parse::<EmailAddress>().map_err(|_| WANTED)?;
        Ok(Self(raw.to_owned()))
    }
}
