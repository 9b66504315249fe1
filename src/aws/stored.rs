//! What is read back from the tables, by kind: for whoever must know that an item which is damaged, or of another
//! version, is refused and never half understood. The adapters read by the same functions.

use super::{
    addresses, campaigns, codec,
    dynamo::{Item, Read},
    ledger, newsletters, pace, people, previews, rules, settlements, shards,
};
use crate::{
    domain::{
        codes::codes,
        feedback::{Settlement, Tally},
        frequency::Sends,
        id::{CampaignId, Ref},
        recipient::{Profile, Recipient},
    },
    flow::{
        api::{recipients::Evidence, suppressions::AddressRecord},
        launch::{CampaignRecord, Standing, Versioned},
        ledger::{Chunk, Entry},
        newsletter::NewsletterRecord,
        pace::Timeline,
        port::PortError,
        preview::{PreviewPart, PreviewRecord},
        template::Compiled,
    },
};

codes!(
    /// What an item holds.
    Kind {
        Recipient = "recipient",
        Address = "address",
        Campaign = "campaign",
        Shard = "shard",
        Tally = "tally",
        Policy = "policy",
        Template = "template",
        Newsletter = "newsletter",
        Timeline = "timeline",
        Preview = "preview",
        PreviewPart = "preview_part",
        Chunk = "chunk",
        Settlement = "settlement",
        Evidence = "evidence",
    }
);

/// An item that was understood.
#[derive(Debug)]
pub enum Stored {
    Recipient(Box<Recipient>),
    Address(AddressRecord),
    Campaign(Box<CampaignRecord>),
    Shard(Box<Standing>),
    Tally(Tally),
    Policy(Box<Versioned>),
    Template(Box<Compiled>),
    Newsletter(Box<NewsletterRecord>),
    Timeline(Box<Timeline>),
    Preview(Box<PreviewRecord>),
    PreviewPart(PreviewPart),
    Chunk(Chunk),
    Settlement(Ref, Option<Settlement>),
    Evidence(Vec<Evidence>),
}

/// Reads an item; `campaign` is whose shard or chunk it is.
pub fn read(kind: Kind, item: &Item, campaign: &CampaignId) -> Result<Stored, PortError> {
    Ok(match kind {
        Kind::Recipient => Stored::Recipient(Box::new(people::recipient(item)?)),
        Kind::Address => Stored::Address(addresses::record(item)?),
        Kind::Campaign => Stored::Campaign(Box::new(campaigns::record(item)?)),
        Kind::Shard => Stored::Shard(Box::new(shards::standing(campaign, item)?)),
        Kind::Tally => Stored::Tally(settlements::tally(item)?),
        Kind::Policy => Stored::Policy(Box::new(rules::versioned(item)?)),
        Kind::Template => Stored::Template(campaigns::from_json("a template", item.text("b")?)?),
        Kind::Newsletter => Stored::Newsletter(Box::new(newsletters::record(item)?)),
        Kind::Timeline => Stored::Timeline(Box::new(pace::timeline(item)?)),
        Kind::Preview => Stored::Preview(Box::new(previews::record("p", item)?)),
        Kind::PreviewPart => Stored::PreviewPart(campaigns::from_json("a part of a preview", item.text("b")?)?),
        Kind::Chunk => Stored::Chunk(ledger::chunk(item)?),
        Kind::Settlement => {
            Stored::Settlement(settlements::reference(item.text("t")?)?, settlements::settlement(item)?)
        }
        Kind::Evidence => Stored::Evidence(campaigns::from_json("a record of evidence", item.text("b")?)?),
    })
}

pub fn profile(bytes: &[u8]) -> Result<Profile, PortError> {
    codec::profile(bytes)
}

pub fn profile_bytes(profile: &Profile) -> Result<Vec<u8>, PortError> {
    codec::profile_bytes(profile)
}

pub fn sends(bytes: &[u8]) -> Result<Sends, PortError> {
    codec::sends(bytes)
}

pub fn sends_bytes(sends: &Sends) -> Vec<u8> {
    codec::sends_bytes(sends)
}

pub fn entries(bytes: &[u8]) -> Result<Vec<Entry>, PortError> {
    codec::entries(bytes)
}

pub fn entries_bytes(entries: &[Entry]) -> Result<Vec<u8>, PortError> {
    codec::entries_bytes(entries)
}
