//! Stored items as the pages that a query reads.

use axum::body::Bytes;
use serde_json::{Value, json};

/// Of one answer to a query.
const PAGE_BYTES: usize = 1024 * 1024;

/// Pages in order, each with the id of its last item.
pub struct Pages {
    pages: Vec<(String, Bytes)>,
    pub mean_item_bytes: f64,
}

impl Pages {
    /// Orders the items by the attribute `order` and writes them down once for all queries.
    #[expect(clippy::cast_precision_loss, reason = "a mean of some thousand small items")]
    pub fn cut(table: &str, order: &str, mut items: Vec<Value>) -> Self {
        let id = |item: &Value| item.get(order).and_then(|id| id.get("S")?.as_str()).unwrap_or_default().to_owned();
        items.sort_by_key(id);
        let count = items.len().max(1);
        let mut all_bytes = 0;
        let mut pages = Vec::new();
        let mut page: Vec<Value> = Vec::new();
        let mut bytes = 0;
        let mut items = items.into_iter().peekable();
        while let Some(item) = items.next() {
            bytes += item_bytes(&item);
            let last = id(&item);
            page.push(item);
            let more = items.peek().is_some();
            // DynamoDB stops at the item with which the page reaches its limit.
            if bytes >= PAGE_BYTES || !more {
                all_bytes += bytes;
                let units = bytes.div_ceil(4_096) as f64 / 2.0;
                // Only that it is there is looked at, and the id in it.
                let last_key = more.then(|| json!({ "shard": { "N": "0" }, order: { "S": last } }));
                let answer = json!({
                    "Count": page.len(),
                    "ScannedCount": page.len(),
                    "Items": std::mem::take(&mut page),
                    "ConsumedCapacity": { "TableName": table, "CapacityUnits": units },
                    "LastEvaluatedKey": last_key,
                });
                pages.push((last, Bytes::from(answer.to_string())));
                bytes = 0;
            }
        }
        Self { pages, mean_item_bytes: all_bytes as f64 / count as f64 }
    }

    /// The page that begins after this id, which the last item of another page has.
    pub fn after(&self, id: Option<&str>) -> Bytes {
        let next = self.pages.iter().find(|(last, _)| id.is_none_or(|id| last.as_str() > id));
        next.map_or_else(|| Bytes::from_static(br#"{"Count":0,"Items":[]}"#), |(_, answer)| answer.clone())
    }
}

/// What an item is billed as: its names and its values, in UTF-8 and before base64
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>).
fn item_bytes(item: &Value) -> usize {
    item.as_object().into_iter().flatten().map(|(name, value)| name.len() + value_bytes(value)).sum()
}

fn value_bytes(value: &Value) -> usize {
    let Some((kind, value)) = value.as_object().and_then(|value| value.iter().next()) else { return 0 };
    let text = value.as_str().map_or(0, str::len);
    match kind.as_str() {
        "S" => text,
        "N" => text.div_ceil(2) + 1,
        "B" => text / 4 * 3,
        "M" => 3 + item_bytes(value) + value.as_object().map_or(0, serde_json::Map::len),
        "L" => 3 + value.as_array().into_iter().flatten().map(|value| 1 + value_bytes(value)).sum::<usize>(),
        // A truth value, or none.
        _ => 1,
    }
}
