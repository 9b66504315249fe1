//! Previews: the report of a campaign before it runs.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::{Api, ApiError, not_found};
use crate::{
    domain::{id::Shard, report::CampaignStatus},
    flow::{
        preview::{self, PreviewRecord},
        queue::Message,
    },
};

impl Api {
    pub async fn preview(&self, body: &Value, at: Option<Timestamp>) -> Result<(String, CampaignStatus), ApiError> {
        let campaign = self.checked(body).await?;
        let shards = campaign.audience.shards(self.shards);
        let id = format!("{:016x}", u64::from_be_bytes(self.entropy.eight_bytes()));
        let preview = PreviewRecord { id: id.clone(), campaign, body: body.clone(), at, shards };
        self.previews.create(&preview).await?;
        let message = |shard: &Shard| Message::Preview { preview: id.clone(), shard: *shard };
        let messages: Vec<Message> = preview.shards.iter().map(message).collect();
        self.queue.send(&messages, Duration::ZERO).await?;
        Ok((id, CampaignStatus::Launching))
    }

    pub async fn preview_report(&self, id: &str) -> Result<Value, ApiError> {
        let (preview, parts) = self.previews.get(id).await?.ok_or_else(|| not_found("preview", id))?;
        Ok(preview::report(&preview, parts))
    }
}
