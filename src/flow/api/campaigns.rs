//! Campaigns: submit, list, report.

use std::{sync::Arc, time::Duration};

use serde_json::Value;

use super::{Api, ApiError, Code, not_found, query_fault, room};
use crate::{
    domain::{
        actor::Actor,
        campaign::{Audience, Campaign},
        door::{Fault, Wanted},
        id::CampaignId,
        policy::Tracking,
        report::{CampaignStatus, Counts, Report},
    },
    flow::{
        launch::{CampaignRecord, CampaignSummary, Created, Versioned},
        preview::Previewed,
        queue::Message,
        template::Compiled,
    },
};

/// A campaign that may be submitted, and what it was read against.
pub(super) struct Checked {
    pub campaign: Campaign,
    pub policy: Arc<Versioned>,
    pub template: Compiled,
}

impl Api {
    /// Stores a campaign and queues its launch. The same body with the same id answers the same and doubles nothing.
    pub async fn submit(&self, body: &Value, created_by: &Actor) -> Result<(CampaignId, CampaignStatus), ApiError> {
        self.submit_if(body, None, created_by).await
    }

    /// The same, if what the preview with this token stood on has not changed. What is submitted already, is.
    pub async fn submit_previewed(
        &self,
        body: &Value,
        token: &str,
        created_by: &Actor,
    ) -> Result<(CampaignId, CampaignStatus), ApiError> {
        let previewed = token.parse().map_err(|wanted: Wanted| query_fault("preview", token, wanted.0))?;
        self.submit_if(body, Some(&previewed), created_by).await
    }

    async fn submit_if(
        &self,
        body: &Value,
        previewed: Option<&Previewed>,
        created_by: &Actor,
    ) -> Result<(CampaignId, CampaignStatus), ApiError> {
        if let Some(record) = self.submitted(body).await? {
            self.queue_launch(&record).await?;
            return Ok((record.campaign.id, record.status));
        }
        let Checked { campaign, policy, template } = self.checked(body).await?;
        if let Some(previewed) = previewed {
            unchanged(previewed, &Previewed::of(body, &policy, &template))?;
        }
        let record = CampaignRecord {
            campaign,
            body: body.clone(),
            created_by: created_by.clone(),
            created_at: self.clock.now(),
            status: CampaignStatus::Scheduled,
            status_detail: None,
            pinned: None,
        };
        let record = match self.campaigns.create(&record).await? {
            Created::New => record,
            Created::Exists(held) if held.body == *body => *held,
            Created::Exists(held) => return Err(taken(&held.campaign.id)),
        };
        self.queue_launch(&record).await?;
        Ok((record.campaign.id, record.status))
    }

    /// The campaign that was submitted with this very body, whatever the policy says of it today.
    async fn submitted(&self, body: &Value) -> Result<Option<CampaignRecord>, ApiError> {
        let id = body.get("id").and_then(Value::as_str).and_then(|id| id.parse::<CampaignId>().ok());
        let Some(id) = id else { return Ok(None) };
        match self.campaigns.get(&id).await? {
            Some(record) if record.body == *body => Ok(Some(record)),
            Some(_) => Err(taken(&id)),
            None => Ok(None),
        }
    }

    async fn queue_launch(&self, record: &CampaignRecord) -> Result<(), ApiError> {
        match record.status {
            CampaignStatus::Scheduled | CampaignStatus::Launching => {
                let launch = Message::Launch { campaign: record.campaign.id.clone() };
                Ok(self.queue.send(&[launch], Duration::ZERO).await?)
            }
            CampaignStatus::Sending
            | CampaignStatus::WaitingForWindow
            | CampaignStatus::WaitingForQuota
            | CampaignStatus::Paused
            | CampaignStatus::Cancelled
            | CampaignStatus::Expired
            | CampaignStatus::Complete
            | CampaignStatus::Refused => Ok(()),
        }
    }

    /// Reads a campaign against the policy and its template, with every fault of both.
    pub(super) async fn checked(&self, body: &Value) -> Result<Checked, ApiError> {
        let policy = self.policy().await?;
        let parsed = Campaign::parse(body, &policy.policy, self.clock.now());
        let mut faults = Vec::new();
        let mut template = None;
        let name = body.get("template").and_then(Value::as_str).and_then(|name| name.parse().ok());
        if let Some(name) = name {
            template = self.templates.current(&name).await?;
            match &template {
                None => faults.push(Fault {
                    field: "/template".to_owned(),
                    found: format!("\"{name}\""),
                    wanted: "a template that was pushed".to_owned(),
                }),
                Some(template) => {
                    let none = serde_json::Map::new();
                    let content = body.get("content").and_then(Value::as_object).unwrap_or(&none);
                    faults.extend(template.check_content(content));
                    let notice = body.get("kind").and_then(Value::as_str) == Some("notice");
                    if notice && !template.manifest.notice {
                        faults.push(Fault {
                            field: "/template".to_owned(),
                            found: format!("\"{name}\""),
                            wanted: "for a notice, a template that is marked notice = true".to_owned(),
                        });
                    }
                }
            }
        }
        match (parsed, template) {
            (Ok(campaign), Some(template)) if faults.is_empty() => {
                room::check_body(body, &campaign)?;
                Ok(Checked { campaign, policy, template })
            }
            (parsed, _) => {
                let mut found = parsed.err().unwrap_or_default();
                found.extend(faults);
                Err(ApiError::Invalid(found))
            }
        }
    }

    pub async fn campaigns(&self, cursor: Option<&str>) -> Result<(Vec<CampaignSummary>, Option<String>), ApiError> {
        Ok(self.campaigns.list(room::cursor(cursor)?).await?)
    }

    pub(super) async fn record(&self, id: &CampaignId) -> Result<CampaignRecord, ApiError> {
        self.campaigns.get(id).await?.ok_or_else(|| not_found("campaign", id))
    }

    pub async fn report(&self, id: &CampaignId) -> Result<Value, ApiError> {
        // The status first: once it says complete, the counts read after it are whole.
        let record = self.record(id).await?;
        let standings = self.campaigns.standings(id).await?;
        let mut counts = Counts::default();
        for shard in &standings {
            counts.merge(&shard.counts());
        }
        let launched = record.pinned.as_ref().map(|pinned| usize::from(pinned.shards));
        let through = launched == Some(standings.iter().filter(|shard| shard.progress.first_pass_through()).count());
        let audience = through.then(|| counts.decided());
        let unknown = match &record.campaign.audience {
            Audience::Everyone => None,
            Audience::Recipients(ids) => audience.map(|found| (ids.len() as u64).saturating_sub(found)),
        };
        let Campaign { id, .. } = record.campaign;
        let CampaignRecord { status, status_detail, .. } = record;
        let counts = counts.under(status);
        let tally = self.settlements.tally(&id).await?;
        let tracking = self.policies.current().await?.map_or_else(Tracking::default, |current| current.policy.tracking);
        Ok(Report { campaign: id, status, status_detail, counts, audience, unknown, tally, tracking }.to_json())
    }
}

fn unchanged(previewed: &Previewed, now: &Previewed) -> Result<(), ApiError> {
    let faults = previewed.changes(now);
    if faults.is_empty() {
        return Ok(());
    }
    let changes: Vec<&str> = faults.iter().map(|fault| fault.found.as_str()).collect();
    let detail = format!("since the preview there is {}: preview it again", changes.join(" and "));
    Err(ApiError::Conflict { code: Code::ChangedSincePreview, detail, faults })
}

fn taken(id: &CampaignId) -> ApiError {
    ApiError::Conflict {
        code: Code::IdTaken,
        detail: format!("the id {id} was used for another campaign: choose a new one"),
        faults: Vec::new(),
    }
}
