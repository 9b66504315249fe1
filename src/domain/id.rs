//! Names of people, campaigns and claims, none of which is an address.

use std::{
    fmt::{self, Display},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, de::Error};
use sha2::{Digest, Sha256};

use super::door::Wanted;

const ID: Wanted = Wanted("1 to 128 of the characters A-Z a-z 0-9 . _ -");

fn is_id(raw: &str) -> bool {
    (1..=128).contains(&raw.len()) && raw.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Wanted;

            fn from_str(raw: &str) -> Result<Self, Wanted> {
                if is_id(raw) { Ok(Self(raw.to_owned())) } else { Err(ID) }
            }
        }

        /// What is stored or queued is read as strictly as what comes in: it becomes part of keys and of log lines.
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let raw = String::deserialize(from)?;
                if is_id(&raw) { Ok(Self(raw)) } else { Err(D::Error::custom(ID)) }
            }
        }

        impl Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A recipient's name in the owner's systems. An `@` is not in its alphabet, because ids reach logs.
    RecipientId
);
id!(
    /// A campaign's name; used once, for ever.
    CampaignId
);
id!(
    /// A newsletter's name; each of its runs has a campaign's name of its own.
    NewsletterId
);
id!(
    /// A preview's name, which is drawn.
    PreviewId
);
id!(
    /// Something that a recipient may own and a campaign may promote.
    Product
);
id!(
    /// The name of a template: the folder that it lives in.
    TemplateName
);

impl PreviewId {
    pub fn drawn(bytes: [u8; 8]) -> Self {
        Self(format!("{:016x}", u64::from_be_bytes(bytes)))
    }
}

macro_rules! eight_bytes {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub [u8; 8]);
    };
}

eight_bytes!(
    /// A person's name in the ledger: random, so that without the recipient item nothing leads to the person.
    Ref
);
eight_bytes!(
    /// Drawn anew at each take-over of a shard; says whose claim an entry in `sends` is.
    ClaimId
);
eight_bytes!(
    /// What a send is recorded under in a person's history: a campaign, or a notice's template.
    SendKey
);

impl SendKey {
    pub fn campaign(id: &CampaignId) -> Self {
        Self::of(&[b"campaign", id.as_str().as_bytes()])
    }

    pub fn notice(template: &TemplateName) -> Self {
        Self::of(&[b"notice", template.as_str().as_bytes()])
    }

    fn of(parts: &[&[u8]]) -> Self {
        Self(stable_hash(parts).to_be_bytes())
    }
}

/// One slice of all recipients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shard(pub u16);

impl Shard {
    /// Tables are sliced into no more than so many.
    pub const MAX_COUNT: u16 = 4_096;

    /// The shard that a recipient lives in, for as long as the tables live.
    pub fn of(id: &RecipientId, shards: u16) -> Self {
        let slot = stable_hash(&[id.as_str().as_bytes()]) % u64::from(shards.max(1));
        Self(u16::try_from(slot).unwrap_or(u16::MAX))
    }
}

/// The same on every machine and in every version: the first 8 bytes of SHA-256 over the parts, each ended by a 0.
pub(crate) fn stable_hash(parts: &[&[u8]]) -> u64 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
        hash.update([0]);
    }
    let digest: [u8; 32] = hash.finalize().into();
    digest.first_chunk().map_or(0, |head| u64::from_be_bytes(*head))
}
