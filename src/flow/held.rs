//! All that is held about one person: given to them whole, or erased (GDPR, articles 15, 17 and 20).

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{FutureExt, StreamExt, TryStreamExt, future::BoxFuture, stream};
use serde_json::{Map, Value, json};

use super::{
    api::{
        recipients::{Evidence, MAX_LOSSES, People},
        suppressions::{AddressRecord, Addresses},
    },
    clock::Clock,
    feedback::Settlements,
    launch::{CampaignRecord, Campaigns},
    ledger::Ledger,
    port::PortError,
    queue::Work,
    record::{self, told},
};
use crate::domain::{
    channel::Channel,
    consent::Consent,
    email::EmailAddress,
    frequency::Send,
    id::{CampaignId, RecipientId, SendKey, Shard},
    recipient::{Address, Preferences, Profile, Recipient},
};

/// Campaigns that are asked about one person at once.
const AT_ONCE: usize = 16;

/// Campaigns that stand in no list: one for each sign-up would drown the others.
#[async_trait]
pub trait Unlisted: std::marker::Send + Sync {
    /// Those whose audience names the person, newest first.
    async fn of(&self, person: &RecipientId) -> Result<Vec<CampaignRecord>, PortError>;
}

/// What the export and the erasure need.
#[derive(Clone)]
pub struct Held {
    pub clock: Arc<dyn Clock>,
    pub people: Arc<dyn People>,
    pub addresses: Arc<dyn Addresses>,
    pub campaigns: Arc<dyn Campaigns>,
    pub unlisted: Arc<dyn Unlisted>,
    pub ledger: Arc<dyn Ledger>,
    pub settlements: Arc<dyn Settlements>,
    /// Of the tables.
    pub shards: u16,
}

/// How an erasure ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erased {
    /// Nothing is held any more but that the addresses were erased.
    Done,
    /// There is nobody of that id.
    Nobody,
    /// Others kept changing the person.
    Contended,
}

impl Held {
    /// Everything that is held about a person; `None` if there is nobody of that id.
    pub async fn export(&self, id: &RecipientId) -> Result<Option<Value>, PortError> {
        let Some(recipient) = self.people.get(id).await? else { return Ok(None) };
        let evidence = self.people.evidence(id).await?;
        let campaigns = self.campaigns(id).await?;
        let decisions = self.decisions(&recipient, &campaigns).await?;
        let addresses = self.addresses(&recipient).await?;
        let suppressions: Vec<Value> = addresses.iter().filter_map(standing).collect();
        let bounces = |channel: Channel| {
            addresses.iter().find(|(held, _)| *held == channel).map_or(json!([]), |(_, of)| json!(of.soft_bounces))
        };
        let mut whole = whole(&recipient, &evidence, &campaigns);
        let bounces = json!({ "work": bounces(Channel::Work), "personal": bounces(Channel::Personal) });
        insert(&mut whole, "soft_bounces", bounces);
        Ok(Some(json!({
            "recipient": whole,
            "evidence": evidence,
            "decisions": decisions,
            "suppressions": suppressions,
        })))
    }

    /// Deletes the person and the evidence. The keyed hash of each address stays, so that no import brings them back.
    pub async fn erase(&self, id: &RecipientId) -> Result<Erased, PortError> {
        for _ in 0..MAX_LOSSES {
            let Some(recipient) = self.people.get(id).await? else { return Ok(Erased::Nobody) };
            if self.people.erase(&recipient, self.clock.now()).await? {
                return Ok(Erased::Done);
            }
        }
        Ok(Erased::Contended)
    }

    /// Every campaign that is listed, newest first, and of the others those that name the person.
    async fn campaigns(&self, person: &RecipientId) -> Result<Vec<CampaignRecord>, PortError> {
        let mut ids: Vec<CampaignId> = Vec::new();
        let mut cursor = None;
        loop {
            let (part, next) = self.campaigns.list(cursor.as_deref()).await?;
            ids.extend(part.into_iter().map(|campaign| campaign.id));
            cursor = next;
            if cursor.is_none() {
                break;
            }
        }
        let records: Vec<BoxFuture<'_, _>> = ids.iter().map(|id| self.campaigns.get(id)).collect();
        let records: Vec<Option<CampaignRecord>> = stream::iter(records).buffered(AT_ONCE).try_collect().await?;
        Ok(records.into_iter().flatten().chain(self.unlisted.of(person).await?).collect())
    }

    /// The decision of record in each campaign that decided on the person.
    async fn decisions(&self, person: &Recipient, campaigns: &[CampaignRecord]) -> Result<Vec<Value>, PortError> {
        let shard = Shard::of(&person.id, self.shards);
        let decided: Vec<BoxFuture<'_, _>> =
            campaigns.iter().map(|record| self.decision(person, shard, record).boxed()).collect();
        let decided: Vec<Option<Value>> = stream::iter(decided).buffered(AT_ONCE).try_collect().await?;
        Ok(decided.into_iter().flatten().collect())
    }

    async fn decision(
        &self,
        person: &Recipient,
        shard: Shard,
        campaign: &CampaignRecord,
    ) -> Result<Option<Value>, PortError> {
        let work = Work { campaign: campaign.campaign.id.clone(), shard, pass: 1 };
        let entry = record::of(self.ledger.as_ref(), self.settlements.as_ref(), &work, person).await?;
        Ok(entry.map(|entry| told(entry, campaign.status).to_json(&campaign.campaign, &person.id)))
    }

    /// What is stored beside the person of each of their addresses.
    async fn addresses(&self, person: &Recipient) -> Result<Vec<(Channel, AddressRecord)>, PortError> {
        let held = Channel::ALL.iter().filter_map(|&channel| Some((channel, person.address(channel)?)));
        let (channels, emails): (Vec<Channel>, Vec<EmailAddress>) =
            held.map(|(channel, address)| (channel, address.email.clone())).unzip();
        let records = self.addresses.get(&emails).await?;
        Ok(channels.into_iter().zip(records).collect())
    }
}

/// The suppression of an address, where there is one.
fn standing((channel, record): &(Channel, AddressRecord)) -> Option<Value> {
    let mut told = record.standing()?.to_json();
    insert(&mut told, "channel", json!(channel));
    Some(told)
}

/// The person as the API reads them, and what it leaves out. Taken apart field by field, so that whoever adds one is
/// led here.
fn whole(recipient: &Recipient, evidence: &[Evidence], campaigns: &[CampaignRecord]) -> Value {
    let Recipient { id: _, version, sends, profile } = recipient;
    let Profile {
        reference,
        work,
        personal,
        time_zone: _,
        locale: _,
        attributes: _,
        interests: _,
        consents,
        owns: _,
        preferences: Preferences { max_frequency: _, paused_until: _, muted_topics: _, by_recipient },
        suppression,
        own,
    } = profile;
    let mut whole = recipient.to_json(|consent| text_behind(consent, evidence));
    let told = whole.pointer_mut("/consents").and_then(Value::as_array_mut);
    for (told, consent) in told.into_iter().flatten().zip(consents) {
        let Consent { topic: _, channel: _, status: _, basis: _, source: _, at: _, expires_at: _, by_recipient } =
            consent;
        insert(told, "by_recipient", json!(by_recipient));
    }
    if let Some(preferences) = whole.pointer_mut("/preferences") {
        insert(preferences, "by_recipient", json!(by_recipient));
    }
    let unusable = |address: &Option<Address>| address.as_ref().and_then(|Address { email: _, unusable }| *unusable);
    insert(&mut whole, "unusable", json!({ "work": unusable(work), "personal": unusable(personal) }));
    insert(&mut whole, "suppression", json!(suppression));
    insert(&mut whole, "own", json!(own));
    insert(&mut whole, "sends", sends.iter().map(|send| sent(send, campaigns)).collect());
    insert(&mut whole, "version", json!(version));
    insert(&mut whole, "ref", json!(hex(reference.0)));
    whole
}

fn insert(object: &mut Value, name: &str, value: Value) {
    if let Some(map) = object.as_object_mut() {
        let map: &mut Map<String, Value> = map;
        map.insert(name.to_owned(), value);
    }
}

/// The newest text that was shown when a consent came to stand as it does.
pub(super) fn text_behind(consent: &Consent, evidence: &[Evidence]) -> Option<String> {
    let of =
        |e: &&Evidence| e.topic == consent.topic && e.channel == consent.channel && e.after == Some(consent.status);
    evidence.iter().rev().find(of).and_then(|e| e.text.clone())
}

/// One send. It is kept under a hash; the campaign, or the notice's template, is the one whose hash that is.
fn sent(send: &Send, campaigns: &[CampaignRecord]) -> Value {
    let Send { key, at, claim, counts } = send;
    let campaign = campaigns.iter().map(|record| &record.campaign).find(|campaign| campaign.key() == *key);
    let notice = campaigns.iter().map(|record| &record.campaign.template).find(|name| SendKey::notice(name) == *key);
    json!({
        "campaign": campaign.map(|campaign| &campaign.id), "notice": notice,
        "key": hex(key.0), "at": at, "claim": hex(claim.0), "counts": counts,
    })
}

fn hex(bytes: [u8; 8]) -> String {
    format!("{:016x}", u64::from_be_bytes(bytes))
}
