//! Previews, under reserved keys of the campaigns table, for a day.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::{
    campaigns::{campaign, from_json, json},
    dynamo::{Dynamo, Item, Read, n, s, unavailable},
};
use crate::{
    domain::id::Shard,
    flow::{
        clock::Clock,
        port::PortError,
        preview::{PreviewPart, PreviewRecord, Previews},
    },
};

const FORMAT: u8 = 1;
const KEPT_S: i64 = 24 * 60 * 60;

pub struct PreviewTable {
    dynamo: Dynamo,
    clock: Arc<dyn Clock>,
}

impl PreviewTable {
    pub fn new(dynamo: Dynamo, clock: Arc<dyn Clock>) -> Self {
        Self { dynamo, clock }
    }

    async fn put(&self, id: &str, place: String, item: Item) -> Result<(), PortError> {
        let put = self
            .dynamo
            .client
            .put_item()
            .table_name(&self.dynamo.names.campaigns)
            .set_item(Some(item))
            .item("k", s(format!("preview#{id}")))
            .item("t", s(place))
            .item("f", n(FORMAT))
            .item("x", n(self.clock.now().as_second() + KEPT_S));
        put.send().await.map(|_| ()).map_err(unavailable)
    }
}

#[async_trait]
impl Previews for PreviewTable {
    async fn create(&self, preview: &PreviewRecord) -> Result<(), PortError> {
        let shards = preview.shards.iter().map(|shard| shard.0.to_string()).collect();
        let mut item = Item::from([
            ("b".to_owned(), s(preview.body.to_string())),
            ("j".to_owned(), s(json("a preview", &preview.campaign)?)),
            ("n".to_owned(), AttributeValue::Ns(shards)),
        ]);
        if let Some(previewed) = &preview.previewed {
            item.insert("tk".to_owned(), s(previewed.to_string()));
        }
        if let Some(at) = preview.at {
            item.insert("a".to_owned(), n(at.as_millisecond()));
        }
        self.put(&preview.id, "preview".to_owned(), item).await
    }

    async fn get(&self, id: &str) -> Result<Option<(PreviewRecord, Vec<PreviewPart>)>, PortError> {
        let items = self
            .dynamo
            .client
            .query()
            .table_name(&self.dynamo.names.campaigns)
            .key_condition_expression("k = :k")
            .expression_attribute_values(":k", s(format!("preview#{id}")))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let items: Vec<Item> = items.collect::<Result<_, _>>().await.map_err(unavailable)?;
        let mut preview = None;
        let mut parts = Vec::new();
        for item in items {
            if item.text("t")? == "preview" {
                preview = Some(record(id, &item)?);
            } else {
                parts.push(from_json("a part of a preview", item.text("b")?)?);
            }
        }
        Ok(preview.map(|preview| (preview, parts)))
    }

    async fn put_part(&self, id: &str, shard: Shard, part: &PreviewPart) -> Result<(), PortError> {
        let item = Item::from([("b".to_owned(), s(json("a part of a preview", part)?))]);
        self.put(id, format!("part#{:05}", shard.0), item).await
    }
}

pub(super) fn record(id: &str, item: &Item) -> Result<PreviewRecord, PortError> {
    let shards = item.get("n").and_then(|set| set.as_ns().ok()).map(Vec::as_slice).unwrap_or_default();
    let shards: BTreeSet<Shard> = shards.iter().filter_map(|shard| shard.parse().ok()).map(Shard).collect();
    let at = item.get("a").map(|_| item.number("a")).transpose()?;
    let at = at.map(Timestamp::from_millisecond).transpose();
    let previewed = item.get("tk").map(|_| item.text("tk")).transpose()?.map(str::parse).transpose();
    Ok(PreviewRecord {
        id: id.to_owned(),
        campaign: campaign(&from_json("a preview", item.text("j")?)?)?,
        body: from_json("a preview", item.text("b")?)?,
        at: at.map_err(|error| PortError::corrupt("a preview", error))?,
        shards,
        previewed: previewed.map_err(|wanted| PortError::corrupt("a preview's token", wanted))?,
    })
}
