//! What a campaign would do, without claims and without mail: the same gate over the same people.

mod estimate;
mod token;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    clock::Clock,
    launch::Policies,
    port::PortError,
    send::reader::{Page, Pages, ShardAudience},
};
use crate::domain::{
    campaign::{Audience, Campaign},
    decision::{Decision, Outcome, OutcomeKind, ReasonCode},
    feedback::Tally,
    gate,
    id::{RecipientId, Shard},
    policy::Tracking,
    report::{CampaignStatus, Counts, Report},
};

pub use estimate::{Contract, Estimate, Terms};
pub use token::Previewed;

/// How many ids a preview shows for each reason.
const EXAMPLES: usize = 5;

/// A preview that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct PreviewRecord {
    pub id: String,
    pub campaign: Campaign,
    pub body: Value,
    /// The moment to decide for; `None` for the moment of reading.
    pub at: Option<Timestamp>,
    pub shards: BTreeSet<Shard>,
    /// `None` of one from before tokens were.
    pub previewed: Option<Previewed>,
}

/// What one shard contributes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PreviewPart {
    pub counts: Counts,
    /// The first few ids by reason; those who would be mailed stand under `sent`.
    pub examples: BTreeMap<String, Vec<RecipientId>>,
}

#[async_trait]
pub trait Previews: Send + Sync {
    async fn create(&self, preview: &PreviewRecord) -> Result<(), PortError>;

    async fn get(&self, id: &str) -> Result<Option<(PreviewRecord, Vec<PreviewPart>)>, PortError>;

    async fn put_part(&self, id: &str, shard: Shard, part: &PreviewPart) -> Result<(), PortError>;
}

/// What previews need.
pub struct Previewer {
    pub clock: Arc<dyn Clock>,
    pub policies: Arc<dyn Policies>,
    pub pages: Arc<dyn Pages>,
    pub previews: Arc<dyn Previews>,
    pub shards: u16,
}

impl Previewer {
    /// Decides on one shard and stores what it found; repeating it stores the same again.
    pub async fn run(&self, id: &str, shard: Shard) -> Result<(), PortError> {
        let Some((preview, _)) = self.previews.get(id).await? else { return Ok(()) };
        let mut part = PreviewPart::default();
        let mut after: Option<RecipientId> = None;
        loop {
            // As in a run, the policy is read anew for each page.
            let current = self.policies.current().await?;
            let current = current.ok_or_else(|| PortError::corrupt("the policy", "there is none"))?;
            let audience = ShardAudience { audience: &preview.campaign.audience, shard, shards: self.shards };
            let Page { recipients: people, more } = audience.page(self.pages.as_ref(), after.as_ref(), false).await?;
            let now = preview.at.unwrap_or_else(|| self.clock.now());
            for recipient in &people {
                part.add(&recipient.id, gate::decide(recipient, &preview.campaign, &current.policy, now));
            }
            after = people.last().map(|last| last.id.clone());
            if !more {
                break;
            }
        }
        self.previews.put_part(id, shard, &part).await
    }
}

impl PreviewPart {
    fn add(&mut self, id: &RecipientId, decision: Decision) {
        let outcome = decision.grounds().map_or_else(|refused| refused, Outcome::Sent);
        self.counts.add(&outcome);
        let reason = outcome.reason().map_or("sent", ReasonCode::as_str);
        match self.examples.get_mut(reason) {
            Some(examples) if examples.len() >= EXAMPLES => {}
            Some(examples) => examples.push(id.clone()),
            None => {
                self.examples.insert(reason.to_owned(), vec![id.clone()]);
            }
        }
    }

    fn merge(mut self, other: PreviewPart) -> Self {
        self.counts.merge(&other.counts);
        for (reason, ids) in other.examples {
            let examples = self.examples.entry(reason).or_default();
            examples.extend(ids);
            examples.sort_unstable();
            examples.truncate(EXAMPLES);
        }
        self
    }
}

/// What an estimate is made by.
pub struct Conditions {
    /// `None` if SES did not say.
    pub terms: Option<Terms>,
    pub reserved_percent: u8,
}

/// The contract's shape of a preview. What follows from the whole is there once it is: from then on with `conditions`.
pub fn report(preview: &PreviewRecord, parts: Vec<PreviewPart>, conditions: Option<&Conditions>) -> Value {
    let complete = is_complete(preview, &parts);
    let whole = parts.into_iter().fold(PreviewPart::default(), PreviewPart::merge);
    let decided = whole.counts.decided();
    let unknown = match &preview.campaign.audience {
        Audience::Everyone => None,
        Audience::Recipients(ids) => complete.then(|| (ids.len() as u64).saturating_sub(decided)),
    };
    let sends = whole.counts.of(OutcomeKind::Sent);
    let estimate = conditions
        .filter(|_| complete)
        .map(|conditions| Estimate::of(sends, conditions.terms.as_ref(), conditions.reserved_percent));
    let token = preview.previewed.as_ref().filter(|_| complete).map(ToString::to_string);
    let report = Report {
        campaign: preview.campaign.id.clone(),
        status: if complete { CampaignStatus::Complete } else { CampaignStatus::Launching },
        status_detail: None,
        counts: whole.counts,
        audience: complete.then_some(decided),
        unknown,
        tally: Tally::default(),
        tracking: Tracking::default(),
    };
    let mut report = report.to_json();
    if let Some(fields) = report.as_object_mut() {
        fields.insert("id".to_owned(), json!(preview.id));
        fields.insert("examples".to_owned(), json!(whole.examples));
        fields.insert("estimate".to_owned(), json!(estimate));
        fields.insert("preview_token".to_owned(), json!(token));
    }
    report
}

/// Whether every shard has contributed.
pub fn is_complete(preview: &PreviewRecord, parts: &[PreviewPart]) -> bool {
    parts.len() == preview.shards.len()
}
