//! Decisions: for everybody, and why for one.

use std::collections::HashMap;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Api, ApiError, Code, not_found};
use crate::{
    domain::{
        decision::{OutcomeKind, ReasonCode},
        gate,
        id::{CampaignId, RecipientId, Ref, Shard},
        recipient::Recipient,
        report::CampaignStatus,
    },
    flow::{
        ledger::{Chunk, Entry},
        port::PortError,
        preferences::visit::Decided,
        queue::Work,
    },
};

/// Which decisions are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    pub outcome: Option<OutcomeKind>,
    pub reason: Option<ReasonCode>,
}

/// An answer holds about so many decisions; the last chunk is never cut.
const PER_ANSWER: usize = 500;

impl Api {
    /// Decisions by shard and id, and the cursor that leads on.
    pub async fn decisions(
        &self,
        id: &CampaignId,
        filter: Filter,
        cursor: Option<&str>,
    ) -> Result<(Vec<Value>, Option<String>), ApiError> {
        let record = self.record(id).await?;
        let (mut shard, mut start) = match cursor {
            None => (0, None),
            Some(cursor) => read_cursor(cursor)?,
        };
        let mut decisions = Vec::new();
        while shard < self.shards {
            let work = Work { campaign: id.clone(), shard: Shard(shard), pass: 1 };
            match self.ledger.after(&work, start.as_ref()).await? {
                None => (shard, start) = (shard + 1, None),
                Some(chunk) => {
                    let people = self.people_of(work.shard, &chunk).await?;
                    let later = self.later_decisions(&work, &chunk, &people).await?;
                    for recipient in &people {
                        let found = later.get(&recipient.reference).or_else(|| chunk.find(recipient.reference));
                        let Some(entry) = found else { continue };
                        let entry = told(entry, record.status);
                        let wanted = filter.outcome.is_none_or(|outcome| outcome == entry.outcome.kind())
                            && filter.reason.is_none_or(|reason| Some(reason) == entry.outcome.reason());
                        if wanted {
                            decisions.push(entry.to_json(&record.campaign, &recipient.id));
                        }
                    }
                    start = Some(chunk.last);
                }
            }
            if decisions.len() >= PER_ANSWER {
                break;
            }
        }
        let cursor =
            (shard < self.shards).then(|| format!("{shard}.{}", start.as_ref().map_or("", RecipientId::as_str)));
        Ok((decisions, cursor))
    }

    /// Everybody now there whom the chunk may speak of; who was erased since can no longer be named.
    async fn people_of(&self, shard: Shard, chunk: &Chunk) -> Result<Vec<Recipient>, PortError> {
        let mut people = Vec::new();
        let mut after = chunk.start.clone();
        loop {
            let page = self.pages.page(shard, after.as_ref(), false).await?;
            let end = page.recipients.iter().position(|recipient| recipient.id > chunk.last);
            let more = page.more && end.is_none();
            after = page.recipients.last().map(|last| last.id.clone());
            people.extend(page.recipients.into_iter().take(end.unwrap_or(usize::MAX)));
            if !more {
                return Ok(people);
            }
        }
    }

    /// What later passes decided on the people whom a chunk of the first pass deferred: the newest decision of each.
    async fn later_decisions(
        &self,
        work: &Work,
        chunk: &Chunk,
        people: &[Recipient],
    ) -> Result<HashMap<Ref, Entry>, PortError> {
        let deferred = |person: &&Recipient| chunk.find(person.reference).is_some_and(Entry::is_deferred);
        let mut open: Vec<&Recipient> = people.iter().filter(deferred).collect();
        let mut found = HashMap::new();
        if open.is_empty() {
            return Ok(found);
        }
        let passes = self.ledger.progress(work).await?.map_or(1, |progress| progress.pass);
        for pass in (2..=passes).rev() {
            let work = Work { pass, ..work.clone() };
            let mut chunk: Option<Chunk> = None;
            let mut beyond = false;
            let mut left = Vec::new();
            for person in open {
                if !beyond && chunk.as_ref().is_none_or(|chunk| person.id > chunk.last) {
                    chunk = self.ledger.covering(&work, &person.id).await?;
                    // The pass has not come so far, nor to anybody after.
                    beyond = chunk.is_none();
                }
                match chunk.as_ref().and_then(|chunk| chunk.find(person.reference)) {
                    Some(entry) => drop(found.insert(person.reference, entry.clone())),
                    None => left.push(person),
                }
            }
            open = left;
            if open.is_empty() {
                break;
            }
        }
        Ok(found)
    }

    /// The decision of record: the first pass's, or of those whom it deferred the one of the last pass that has them.
    /// A pass has everybody whom the one before it left deferred, so that pass is found by halving.
    async fn of_record(&self, work: &Work, person: &Recipient) -> Result<Option<Entry>, PortError> {
        let Some(first) = self.entry(work, person).await? else { return Ok(None) };
        if !first.is_deferred() {
            return Ok(Some(first));
        }
        let newest = self.ledger.progress(work).await?.map_or(1, |progress| progress.pass);
        let (mut found, mut had, mut beyond) = (first, 1, newest + 1);
        // Most who still wait are in the newest, so that is asked first.
        let mut pass = newest;
        while had < pass && pass < beyond {
            match self.entry(&Work { pass, ..work.clone() }, person).await? {
                Some(entry) => (found, had) = (entry, pass),
                None => beyond = pass,
            }
            pass = had.midpoint(beyond);
        }
        Ok(Some(found))
    }

    async fn entry(&self, work: &Work, person: &Recipient) -> Result<Option<Entry>, PortError> {
        let chunk = self.ledger.covering(work, &person.id).await?;
        Ok(chunk.and_then(|chunk| chunk.find(person.reference).cloned()))
    }

    /// The decision of record on one person; with `all` every gate's verdict as of now beside it.
    pub async fn why(&self, id: &CampaignId, recipient: &RecipientId, all: bool) -> Result<Value, ApiError> {
        let record = self.record(id).await?;
        let person = self.people.get(recipient).await?.ok_or_else(|| not_found("recipient", recipient))?;
        let work = Work { campaign: id.clone(), shard: Shard::of(recipient, self.shards), pass: 1 };
        let entry = self.of_record(&work, &person).await?;
        let decision = entry.map(|entry| told(&entry, record.status).to_json(&record.campaign, recipient));
        let decision = decision.ok_or_else(|| ApiError::NotFound {
            code: Code::NotEvaluated,
            detail: format!("{recipient} is not in the audience of {id}, or their turn has not come yet"),
        })?;
        if !all {
            return Ok(decision);
        }
        let current = self.policy().await?;
        let verdicts = gate::explain(&person, &record.campaign, &current.policy, self.clock.now());
        Ok(json!({ "decision": decision, "verdicts": verdicts }))
    }
}

#[async_trait]
impl Decided for Api {
    async fn decided(&self, campaign: &CampaignId, person: &Recipient) -> Result<Option<Entry>, PortError> {
        let work = Work { campaign: campaign.clone(), shard: Shard::of(&person.id, self.shards), pass: 1 };
        self.of_record(&work, person).await
    }
}

/// An entry of the ledger as the campaign's status lets it be told.
fn told(entry: &Entry, status: CampaignStatus) -> Entry {
    let entry = entry.clone();
    Entry { outcome: entry.outcome.under(status), ..entry }
}

fn read_cursor(cursor: &str) -> Result<(u16, Option<RecipientId>), ApiError> {
    let read = || {
        let (shard, start) = cursor.split_once('.')?;
        let start = if start.is_empty() { None } else { Some(start.parse().ok()?) };
        Some((shard.parse().ok()?, start))
    };
    read().ok_or_else(|| super::query_fault("cursor", cursor, "a cursor from an earlier answer"))
}
