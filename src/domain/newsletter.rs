//! A recurring schedule whose every run is a campaign.

pub mod cron;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde_json::{Map, Value, json};

use self::cron::Cron;
use super::{
    campaign,
    door::{self, Fault, Node},
    time::{self, LocalTime, ZoneName, days_after},
};

/// Stands in the campaign's id for the date of a run.
const DATE: &str = "{{date}}";
/// From one 29 February to the next, over a century that has none.
const HORIZON_DAYS: u32 = 8 * 366 + 2;

#[derive(Debug, Clone, PartialEq)]
pub struct Newsletter {
    pub schedule: Recurrence,
    /// As the body of a campaign, with [`DATE`] in its id.
    campaign: Map<String, Value>,
}

/// A cron and the zone whose clocks it follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recurrence {
    pub cron: Cron,
    pub zone: ZoneName,
}

/// One run of a schedule; there is at most one on a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// In the schedule's zone.
    pub date: Date,
    /// A local time that daylight saving skips is the next that exists; of one that exists twice the first is meant.
    pub at: Timestamp,
    pub local: LocalTime,
}

impl Recurrence {
    /// The first run after a time; `None` only where no clock shows it any more.
    pub fn next_after(&self, after: Timestamp) -> Option<Run> {
        let zone = self.zone.zone()?;
        // From the day before: a run whose time is skipped may come on the next one.
        let mut day = after.to_zoned_datetime(zone.clone()).date().yesterday().ok()?;
        for _ in 0..=HORIZON_DAYS {
            if let Some(run) = self.on(day, &zone).filter(|run| run.at > after) {
                return Some(run);
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    /// The run whose time this is, or on whose date it lies: whoever keeps the schedule may read a time that exists
    /// twice as the second.
    pub fn run_at(&self, time: Timestamp) -> Option<Run> {
        let zone = self.zone.zone()?;
        let today = time.to_zoned_datetime(zone.clone()).date();
        let of_today = self.on(today, &zone);
        let of_yesterday = today.yesterday().ok().and_then(|day| self.on(day, &zone));
        [of_today, of_yesterday].into_iter().flatten().find(|run| run.at == time).or(of_today)
    }

    fn on(&self, date: Date, zone: &TimeZone) -> Option<Run> {
        if !self.cron.falls_on(date) {
            return None;
        }
        let (at, local) = time::instant(date, self.cron.time, zone)?;
        Some(Run { date, at, local })
    }
}

impl Newsletter {
    /// Reads all but what the campaign's own door reads.
    pub fn parse(value: &Value) -> Result<Self, Vec<Fault>> {
        door::read(value, |node| {
            let f = node.fields()?;
            let cron = f.required("cron", Node::parse);
            let zone = f.required("time_zone", Node::parse);
            let campaign = f.required("campaign", read_campaign);
            f.close();
            Some(Self { schedule: Recurrence { cron: cron?, zone: zone? }, campaign: campaign? })
        })
    }

    /// As it is put.
    pub fn to_json(&self) -> Value {
        let Self { schedule: Recurrence { cron, zone }, campaign } = self;
        json!({ "cron": cron.as_str(), "time_zone": zone, "campaign": campaign })
    }

    /// The body of a run's campaign. When it ends follows from the run, so that one that is submitted twice is the same,
    /// and one that comes after its end is refused.
    pub fn campaign_of(&self, run: &Run) -> Value {
        let mut body = dated(&self.campaign, run.date);
        body.insert("expires_at".to_owned(), json!(days_after(run.at, campaign::DEFAULT_EXPIRY_DAYS)));
        Value::Object(body)
    }
}

/// The campaign in the body of a newsletter as it would run on a date, to be checked as any campaign; `None` if there
/// is no object. What else is wrong with the body does not matter.
pub fn sample(body: &Value, date: Date) -> Option<Value> {
    body.get("campaign").and_then(Value::as_object).map(|campaign| Value::Object(dated(campaign, date)))
}

fn dated(campaign: &Map<String, Value>, date: Date) -> Map<String, Value> {
    let mut body = campaign.clone();
    if let Some(Value::String(id)) = body.get_mut("id") {
        *id = id.replace(DATE, &date.to_string());
    }
    body
}

fn read_campaign(node: &Node<'_>) -> Option<Map<String, Value>> {
    let Value::Object(campaign) = node.value else { return node.refuse("an object: the body of a campaign") };
    let f = node.fields()?;
    // Whether there is an id, and which, is the campaign's door to say.
    f.optional("id", |id| match id.value.as_str() {
        Some(text) if !text.contains(DATE) => {
            id.refuse(format!("an id with {DATE} in it: each run is a campaign of its own"))
        }
        Some(_) | None => Some(()),
    });
    f.optional("not_before", |time| time.refuse::<()>("nothing: each run starts at its own time"));
    f.optional("expires_at", |time| {
        let days = campaign::DEFAULT_EXPIRY_DAYS;
        time.refuse::<()>(format!("nothing: each run ends {days} days after its own time"))
    });
    Some(campaign.clone())
}
