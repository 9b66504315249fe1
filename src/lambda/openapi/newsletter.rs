//! Newsletters.

use serde_json::Value;
use utoipa::ToSchema;

use super::words::Time;
use crate::domain::{
    id::{CampaignId, NewsletterId},
    time::ZoneName,
};

/// A recurring schedule whose every run is a campaign.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewsletterChange {
    /// Five fields: minute, hour, day of the month, month, day of the week, in numbers or names, with `*`, ranges, lists
    /// and steps. Minute and hour name one time, so that it runs at most once on a day, and one of the two fields of
    /// days is `*`.
    pub cron: String,
    /// Whose clocks it follows. A local time that daylight saving skips is the next that exists; of one that exists
    /// twice the first is meant.
    pub time_zone: ZoneName,
    /// The body of a campaign, with `{{date}}` in its id, which stands for the date of the run in `time_zone`, and
    /// without `not_before` and `expires_at`: a run starts at its time and ends 7 days after it.
    #[schema(value_type = Object)]
    pub campaign: Value,
}

/// A newsletter and how it stands.
#[derive(ToSchema)]
pub struct Newsletter {
    pub id: NewsletterId,
    pub cron: String,
    pub time_zone: ZoneName,
    #[schema(value_type = Object)]
    pub campaign: Value,
    /// Who put it as it is.
    pub put_by: String,
    #[schema(required)]
    pub next_run: Option<Time>,
    /// Null before the first.
    #[schema(required)]
    pub last_run: Option<NewsletterRun>,
}

/// The run that was looked after last.
#[derive(ToSchema)]
pub struct NewsletterRun {
    pub scheduled: Time,
    pub campaign: CampaignId,
    /// Why there is no such campaign; null if there is.
    #[schema(required)]
    pub refused: Option<String>,
}

/// A part of the list of newsletters, in the order of their ids.
#[derive(ToSchema)]
pub struct NewsletterList {
    pub items: Vec<Newsletter>,
    /// Leads to the next part; null at the end.
    #[schema(required)]
    pub cursor: Option<String>,
}
