//! Previews: the report of a campaign before it runs.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tracing::warn;

use super::{Api, ApiError, campaigns::Checked, not_found};
use crate::{
    domain::{
        id::{PreviewId, Shard},
        report::CampaignStatus,
    },
    flow::{
        preview::{self, Conditions, PreviewRecord, Previewed},
        queue::Message,
    },
};

impl Api {
    pub async fn preview(&self, body: &Value, at: Option<Timestamp>) -> Result<(PreviewId, CampaignStatus), ApiError> {
        let Checked { campaign, policy, template } = self.checked(body).await?;
        let previewed = Some(Previewed::of(body, &policy, &template));
        let shards = campaign.audience.shards(self.shards);
        let id = PreviewId::drawn(self.entropy.eight_bytes());
        let preview = PreviewRecord { id: id.to_string(), campaign, body: body.clone(), at, shards, previewed };
        self.previews.create(&preview).await?;
        let message = |shard: &Shard| Message::Preview { preview: id.clone(), shard: *shard };
        let messages: Vec<Message> = preview.shards.iter().map(message).collect();
        self.queue.send(&messages, Duration::ZERO).await?;
        Ok((id, CampaignStatus::Launching))
    }

    pub async fn preview_report(&self, id: &PreviewId) -> Result<Value, ApiError> {
        let (preview, parts) = self.previews.get(id.as_str()).await?.ok_or_else(|| not_found("preview", id))?;
        let conditions = if preview::is_complete(&preview, &parts) { Some(self.conditions().await?) } else { None };
        Ok(preview::report(&preview, parts, conditions.as_ref()))
    }

    /// As they are now. SES answers about once a second, so that it may not.
    async fn conditions(&self) -> Result<Conditions, ApiError> {
        let policy = self.policy().await?;
        let terms = self
            .contract
            .terms()
            .await
            .inspect_err(|error| warn!(%error, "a preview is told without how long it takes and what it costs"));
        Ok(Conditions { terms: terms.ok(), reserved_percent: policy.policy.reserved_rate_percent })
    }
}
