//! What is held and nobody needs: attributes and interests that no template and no campaign has used for as long as
//! decisions are kept, and people for whom nothing was.
//!
//! Everybody is walked, a part of them for each request; whoever asks adds the parts up.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    Api, ApiError, query_fault,
    recipients::{MAX_LOSSES, PersonWrite, PutResult, contended},
};
use crate::{
    domain::{
        campaign::{Campaign, Kind},
        gate,
        id::{RecipientId, Shard, TemplateName},
        policy::Policy,
        recipient::{Profile, Recipient},
        topic::Topic,
    },
    flow::{launch::CampaignRecord, port::PortError},
};

/// A request ends with the page that brings it over so many people.
const PER_PART: usize = 1_000;

/// What templates and campaigns there are and were.
#[async_trait]
pub trait Usage: Send + Sync {
    /// The attributes that the newest form of each template declares.
    async fn declared(&self) -> Result<BTreeMap<TemplateName, Vec<String>>, PortError>;

    /// Every campaign in the list that was created since.
    async fn campaigns_since(&self, since: Timestamp) -> Result<Vec<CampaignRecord>, PortError>;
}

/// What of people is to be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unneeded {
    Attribute(String),
    /// On this very topic, whatever its source.
    Interest(Topic),
}

impl Unneeded {
    fn is_held(&self, profile: &Profile) -> bool {
        match self {
            Unneeded::Attribute(name) => profile.attributes.contains_key(name),
            Unneeded::Interest(topic) => profile.interests.iter().any(|interest| interest.topic == *topic),
        }
    }

    fn delete(&self, profile: &mut Profile) {
        match self {
            Unneeded::Attribute(name) => drop(profile.attributes.remove(name)),
            Unneeded::Interest(topic) => profile.interests.retain(|interest| interest.topic != *topic),
        }
    }
}

impl Api {
    /// How many of a part of all people hold each attribute and interest, and what has used them.
    pub async fn attributes(&self, cursor: Option<&str>, idle: bool) -> Result<Value, ApiError> {
        let current = self.policy().await?;
        let policy = &current.policy;
        let now = self.clock.now();
        let retention = SignedDuration::from_hours(i64::from(policy.retention_days) * 24);
        let since = now.saturating_sub(retention).unwrap_or(Timestamp::MIN);
        let used = self.used(since).await?;
        let (people, cursor) = self.part(cursor, false).await?;
        let mut report = json!({
            "since": since,
            "people": people.len(),
            "attributes": attributes(&people, policy, &used),
            "interests": interests(&people, &used),
            "cursor": cursor,
        });
        if idle {
            let asks = used.asks();
            let fits = |person: &Recipient| asks.iter().any(|campaign| gate::fits(person, campaign, policy, now));
            let idle: Vec<&RecipientId> =
                people.iter().filter(|person| !fits(person)).map(|person| &person.id).collect();
            if let Some(report) = report.as_object_mut() {
                report.insert("idle".to_owned(), json!(idle));
            }
        }
        Ok(report)
    }

    /// Deletes something of a part of all people; says of how many, and where to go on.
    pub async fn delete_unneeded(&self, what: &Unneeded, cursor: Option<&str>) -> Result<Value, ApiError> {
        let (people, cursor) = self.part(cursor, true).await?;
        let looked_at = people.len();
        let mut open: Vec<Recipient> = people.into_iter().filter(|person| what.is_held(person)).collect();
        let mut changed = 0;
        for _ in 0..MAX_LOSSES {
            if open.is_empty() {
                return Ok(json!({ "people": looked_at, "changed": changed, "cursor": cursor }));
            }
            let lost = self.delete_of(what, &open).await?;
            changed += open.len() - lost.len();
            // Somebody else changed them first.
            open = self.people.get_many(&lost).await?.into_iter().filter(|person| what.is_held(person)).collect();
        }
        match open.first() {
            Some(person) => Err(contended(&person.id)),
            None => Ok(json!({ "people": looked_at, "changed": changed, "cursor": cursor })),
        }
    }

    /// Answers with those who were changed by others first.
    async fn delete_of(&self, what: &Unneeded, people: &[Recipient]) -> Result<Vec<RecipientId>, ApiError> {
        let after = |before: &Recipient| {
            let mut after = before.clone();
            what.delete(&mut after.profile);
            after.version += 1;
            after
        };
        let afters: Vec<Recipient> = people.iter().map(after).collect();
        let write = |(before, after)| PersonWrite { before: Some(before), after, evidence: Vec::new() };
        let writes: Vec<PersonWrite<'_>> = people.iter().zip(&afters).map(write).collect();
        let written = self.people.put(&writes).await?;
        let lost = people.iter().zip(written).filter(|(_, result)| *result != PutResult::Written);
        Ok(lost.map(|(person, _)| person.id.clone()).collect())
    }

    async fn used(&self, since: Timestamp) -> Result<Used, ApiError> {
        let declared = self.usage.declared().await?;
        let campaigns = self.usage.campaigns_since(since).await?;
        let mut forms: BTreeMap<(TemplateName, String), Vec<String>> = BTreeMap::new();
        for pinned in campaigns.iter().filter_map(|record| record.pinned.as_ref()) {
            let key = (pinned.template.clone(), pinned.template_hash.clone());
            if let Entry::Vacant(place) = forms.entry(key) {
                let (name, hash) = place.key();
                let form = self.templates.pinned(name, hash).await?;
                place.insert(form.map(|form| form.manifest.attributes).unwrap_or_default());
            }
        }
        Ok(Used { declared, campaigns, forms })
    }

    /// Some of all people, and where the next ones are.
    async fn part(&self, cursor: Option<&str>, consistent: bool) -> Result<(Vec<Recipient>, Option<String>), ApiError> {
        let mut place = Some(match cursor {
            None => (0, None),
            Some(raw) => place(raw).ok_or_else(|| query_fault("cursor", raw, "the cursor of the part before"))?,
        });
        let mut people = Vec::new();
        while let Some((shard, after)) = place.take_if(|(shard, _)| *shard < self.shards && people.len() < PER_PART) {
            let page = self.pages.page(Shard(shard), after.as_ref(), consistent).await?;
            let last = page.recipients.last().map(|person| person.id.clone());
            place = Some(if page.more { (shard, last.or(after)) } else { (shard + 1, None) });
            people.extend(page.recipients);
        }
        let next = place.filter(|(shard, _)| *shard < self.shards);
        let next = next.map(|(shard, after)| format!("{shard}:{}", after.map(|id| id.to_string()).unwrap_or_default()));
        Ok((people, next))
    }
}

fn place(raw: &str) -> Option<(u16, Option<RecipientId>)> {
    let (shard, after) = raw.split_once(':')?;
    let after = if after.is_empty() { None } else { Some(after.parse().ok()?) };
    Some((shard.parse().ok()?, after))
}

/// What used attributes and interests.
struct Used {
    declared: BTreeMap<TemplateName, Vec<String>>,
    campaigns: Vec<CampaignRecord>,
    /// The attributes that pinned forms declare.
    forms: BTreeMap<(TemplateName, String), Vec<String>>,
}

impl Used {
    fn templates(&self, attribute: &str) -> Vec<&TemplateName> {
        let declares = |(name, declared): (_, &Vec<String>)| declared.iter().any(|a| a == attribute).then_some(name);
        self.declared.iter().filter_map(declares).collect()
    }

    fn campaigns_with(&self, attribute: &str) -> usize {
        let uses = |record: &&CampaignRecord| {
            let key = record.pinned.as_ref().map(|pinned| (pinned.template.clone(), pinned.template_hash.clone()));
            let form = key.and_then(|key| self.forms.get(&key));
            form.is_some_and(|declared| declared.iter().any(|declared| declared == attribute))
        };
        self.campaigns.iter().filter(uses).count()
    }

    /// An interest serves campaigns on its topic and on those below it.
    fn campaigns_on(&self, topic: &Topic) -> usize {
        let marketing = self.campaigns.iter().filter(|record| record.campaign.kind == Kind::Marketing);
        marketing.filter(|record| topic.covers(&record.campaign.topic)).count()
    }

    /// One campaign for each different question about people.
    fn asks(&self) -> Vec<&Campaign> {
        let mut asks: Vec<&Campaign> = Vec::new();
        let same = |a: &Campaign, b: &Campaign| {
            (&a.topic, a.channel, a.min_interest, &a.promotes) == (&b.topic, b.channel, b.min_interest, &b.promotes)
        };
        for campaign in self.campaigns.iter().map(|record| &record.campaign) {
            if campaign.kind == Kind::Marketing && !asks.iter().any(|ask| same(ask, campaign)) {
                asks.push(campaign);
            }
        }
        asks
    }
}

fn attributes(people: &[Recipient], policy: &Policy, used: &Used) -> Vec<Value> {
    // Also those that a former policy named.
    let mut held: BTreeMap<&str, u64> = policy.attributes.keys().map(|name| (name.as_str(), 0)).collect();
    for name in people.iter().flat_map(|person| person.attributes.keys()) {
        *held.entry(name).or_default() += 1;
    }
    let row = |(name, people)| {
        let (templates, campaigns) = (used.templates(name), used.campaigns_with(name));
        let is_used = !templates.is_empty() || campaigns > 0;
        json!({ "name": name, "used": is_used, "templates": templates, "campaigns": campaigns, "people": people })
    };
    held.into_iter().map(row).collect()
}

fn interests(people: &[Recipient], used: &Used) -> Vec<Value> {
    let mut held: BTreeMap<&Topic, u64> = BTreeMap::new();
    for person in people {
        let topics: BTreeSet<&Topic> = person.interests.iter().map(|interest| &interest.topic).collect();
        for topic in topics {
            *held.entry(topic).or_default() += 1;
        }
    }
    let row = |(topic, people)| {
        let campaigns = used.campaigns_on(topic);
        json!({ "topic": topic, "used": campaigns > 0, "campaigns": campaigns, "people": people })
    };
    held.into_iter().map(row).collect()
}
