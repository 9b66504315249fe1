//! Decisions: for everybody, and why for one.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{Api, ApiError, Code, not_found};
use crate::{
    domain::{
        decision::{OutcomeKind, ReasonCode},
        gate,
        id::{CampaignId, RecipientId, Ref, Shard},
        recipient::Recipient,
    },
    flow::{
        ledger::{Chunk, Entry},
        port::PortError,
        queue::Work,
        record::{self, Settled, told},
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
        let mut settled = Settled::of_shard(self.settlements.as_ref(), id, Shard(shard)).await?;
        while shard < self.shards {
            let work = Work { campaign: id.clone(), shard: Shard(shard), pass: 1 };
            match self.ledger.after(&work, start.as_ref()).await? {
                None => {
                    (shard, start) = (shard + 1, None);
                    settled = Settled::of_shard(self.settlements.as_ref(), id, Shard(shard)).await?;
                }
                Some(chunk) => {
                    let people = self.people_of(work.shard, &chunk).await?;
                    let later = self.later_decisions(&work, &chunk, &people).await?;
                    for recipient in &people {
                        let found = later.get(&recipient.reference).or_else(|| chunk.find(recipient.reference));
                        let Some(entry) = found.cloned() else { continue };
                        let entry = told(settled.over(recipient.reference, entry), record.status);
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

    /// The decision of record on one person; with `all` every gate's verdict as of now beside it.
    pub async fn why(&self, id: &CampaignId, recipient: &RecipientId, all: bool) -> Result<Value, ApiError> {
        let campaign = self.record(id).await?;
        let person = self.people.get(recipient).await?.ok_or_else(|| not_found("recipient", recipient))?;
        let work = Work { campaign: id.clone(), shard: Shard::of(recipient, self.shards), pass: 1 };
        let entry = record::of(self.ledger.as_ref(), self.settlements.as_ref(), &work, &person).await?;
        let decision = entry.map(|entry| told(entry, campaign.status).to_json(&campaign.campaign, recipient));
        let decision = decision.ok_or_else(|| ApiError::NotFound {
            code: Code::NotEvaluated,
            detail: format!("{recipient} is not in the audience of {id}, or their turn has not come yet"),
        })?;
        if !all {
            return Ok(decision);
        }
        let current = self.policy().await?;
        let verdicts = gate::explain(&person, &campaign.campaign, &current.policy, self.clock.now());
        Ok(json!({ "decision": decision, "verdicts": verdicts }))
    }
}

fn read_cursor(cursor: &str) -> Result<(u16, Option<RecipientId>), ApiError> {
    let read = || {
        let (shard, start) = cursor.split_once('.')?;
        let start = if start.is_empty() { None } else { Some(start.parse().ok()?) };
        Some((shard.parse().ok()?, start))
    };
    read().ok_or_else(|| super::query_fault("cursor", cursor, "a cursor from an earlier answer"))
}
