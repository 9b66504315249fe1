//! Which attributes templates declare, and what campaigns there were.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{
    campaigns::{GETS_PER_CALL, LISTED, from_json, listed_id},
    dynamo::{Dynamo, Item, Read, s, unavailable},
};
use crate::{
    domain::id::{CampaignId, TemplateName},
    flow::{api::attributes::Usage, launch::CampaignRecord, port::PortError},
};

/// Where each template's newest declarations stand.
pub(super) const TEMPLATES: &str = "templates";

#[async_trait]
impl Usage for Dynamo {
    async fn declared(&self) -> Result<BTreeMap<TemplateName, Vec<String>>, PortError> {
        let mut declared = BTreeMap::new();
        for item in self.reserved(TEMPLATES, "").await? {
            let name: TemplateName =
                item.text("t")?.parse().map_err(|wanted| PortError::corrupt("a template's name", wanted))?;
            declared.insert(name, from_json("a template's attributes", item.text("b")?)?);
        }
        Ok(declared)
    }

    async fn campaigns_since(&self, since: Timestamp) -> Result<Vec<CampaignRecord>, PortError> {
        let items = self.reserved(LISTED, &format!("{:015}", since.as_millisecond().max(0))).await?;
        let ids: Vec<CampaignId> = items.iter().map(listed_id).collect::<Result<_, _>>()?;
        let mut records = Vec::with_capacity(ids.len());
        for ids in ids.chunks(GETS_PER_CALL) {
            records.extend(self.campaign_records(ids).await?);
        }
        Ok(records)
    }
}

impl Dynamo {
    /// What stands under a reserved key, from a place on.
    pub(super) async fn reserved(&self, key: &str, from: &str) -> Result<Vec<Item>, PortError> {
        let query = self.client.query().table_name(&self.names.campaigns).expression_attribute_values(":k", s(key));
        let query = if from.is_empty() {
            query.key_condition_expression("k = :k")
        } else {
            query.key_condition_expression("k = :k AND t >= :t").expression_attribute_values(":t", s(from))
        };
        query.into_paginator().items().send().collect::<Result<Vec<Item>, _>>().await.map_err(unavailable)
    }
}
