//! What is held and not needed.

use serde_json::{Value, json};
use utoipa::ToSchema;

use super::words::Time;
use crate::domain::{
    id::{RecipientId, TemplateName},
    topic::Topic,
};

/// A part of all people: what they hold, and what used it. Counts of people are those of the part; add the parts up.
#[derive(ToSchema)]
pub struct AttributesPart {
    /// From when on campaigns were looked at: the policy's `retention_days` ago.
    pub since: Time,
    /// How many people the part has.
    pub people: u64,
    pub attributes: Vec<AttributeUse>,
    pub interests: Vec<InterestUse>,
    /// For whom none of the campaigns since would be, by who they are and what they want today; only where asked for.
    #[schema(nullable = false)]
    pub idle: Option<Vec<RecipientId>>,
    /// Leads to the next part; null at the end.
    #[schema(required)]
    pub cursor: Option<String>,
}

#[derive(ToSchema)]
pub struct AttributeUse {
    pub name: String,
    /// Whether a template declares it or a campaign since had it.
    pub used: bool,
    /// Those whose newest form declares it.
    pub templates: Vec<TemplateName>,
    pub campaigns: u64,
    pub people: u64,
}

#[derive(ToSchema)]
pub struct InterestUse {
    pub topic: Topic,
    pub used: bool,
    /// Those on the topic or below it.
    pub campaigns: u64,
    pub people: u64,
}

/// A part of all people of whom something was deleted.
#[derive(ToSchema)]
pub struct Deleted {
    /// How many people the part has.
    pub people: u64,
    /// How many of them held it.
    pub changed: u64,
    /// Leads to the next part; null at the end.
    #[schema(required)]
    pub cursor: Option<String>,
}

pub fn part() -> Value {
    json!({
        "since": "2025-10-19T09:00:00Z",
        "people": 1042,
        "attributes": [
            { "name": "first_name", "used": true, "templates": ["newsletter"], "campaigns": 52, "people": 988 },
            { "name": "shoe_size", "used": false, "templates": [], "campaigns": 0, "people": 17 },
        ],
        "interests": [{ "topic": "rust", "used": true, "campaigns": 52, "people": 840 }],
        "idle": ["r-1042"],
        "cursor": null,
    })
}

pub fn deleted() -> Value {
    json!({ "people": 1042, "changed": 17, "cursor": null })
}
