//! Newsletters: put, read and end a recurring schedule, and submit the campaign of each run.

use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;
use tracing::{info, warn};

use super::{Api, ApiError, Code, campaigns::Checked, not_found, room};
use crate::{
    domain::{
        actor::Actor,
        door::Fault,
        id::{CampaignId, NewsletterId},
        newsletter::{self, Newsletter, Run},
        time::{LocalTime, kept},
    },
    flow::{
        newsletter::{LastRun, NewsletterRecord},
        port::PortError,
        queue::Message,
        schedule::ScheduleName,
    },
};

/// How often a change is tried again that another one came before.
const TRIES: usize = 5;

impl Api {
    /// Stores a newsletter and its schedule, in place of what was there.
    pub async fn put_newsletter(&self, id: &NewsletterId, body: &Value, put_by: &str) -> Result<Value, ApiError> {
        let newsletter = self.checked_newsletter(body).await?;
        room::check("", &[&newsletter.to_json()])?;
        for _ in 0..TRIES {
            let held = self.newsletters.get(id).await?;
            let before = held.as_ref().map(|held| held.version);
            let record = match held {
                Some(held) if held.newsletter == newsletter => held,
                held => self.changed(id, newsletter.clone(), held, put_by),
            };
            if before == Some(record.version) || self.newsletters.put(&record, before).await? {
                self.schedule(record.clone()).await?;
                return Ok(record.to_json(self.clock.now()));
            }
        }
        Err(contended(id))
    }

    fn changed(
        &self,
        id: &NewsletterId,
        newsletter: Newsletter,
        held: Option<NewsletterRecord>,
        put_by: &str,
    ) -> NewsletterRecord {
        let same_schedule = held.as_ref().filter(|held| held.newsletter.schedule == newsletter.schedule);
        NewsletterRecord {
            id: id.clone(),
            since: same_schedule.map_or_else(|| kept(self.clock.now()), |held| held.since),
            newsletter,
            version: held.as_ref().map_or(0, |held| held.version) + 1,
            put_by: put_by.to_owned(),
            last_run: held.and_then(|held| held.last_run),
        }
    }

    pub async fn newsletter(&self, id: &NewsletterId) -> Result<Value, ApiError> {
        let record = self.newsletters.get(id).await?.ok_or_else(|| not_found("newsletter", id))?;
        Ok(record.to_json(self.clock.now()))
    }

    pub async fn newsletters(&self, cursor: Option<&str>) -> Result<(Vec<Value>, Option<String>), ApiError> {
        let (records, cursor) = self.newsletters.list(room::cursor(cursor)?).await?;
        let now = self.clock.now();
        Ok((records.iter().map(|record| record.to_json(now)).collect(), cursor))
    }

    /// Ends a newsletter; its campaigns go on.
    pub async fn delete_newsletter(&self, id: &NewsletterId) -> Result<(), ApiError> {
        for attempt in 0..TRIES {
            let held = self.newsletters.get(id).await?;
            if held.is_none() && attempt > 0 {
                // By us, if the answer to an earlier attempt was lost; it is gone either way.
                return Ok(());
            }
            // First, so that whoever asks again after a failure finds something to ask for; and also without a record,
            // since one who put it may have come so far only.
            self.forget(id).await?;
            let held = held.ok_or_else(|| not_found("newsletter", id))?;
            if self.newsletters.remove(id, held.version).await? {
                return Ok(());
            }
        }
        Err(contended(id))
    }

    /// Submits the campaign of a run, once. A run that the newsletter does not have, or whose campaign is refused, is
    /// done with: only what failed is an error.
    pub async fn run_newsletter(&self, id: &NewsletterId, scheduled: Timestamp) -> Result<(), PortError> {
        let Some(record) = self.newsletters.get(id).await? else {
            info!(newsletter = %id, %scheduled, "the newsletter of a run is no longer there");
            return Ok(());
        };
        let Some(run) = record.due(scheduled, self.clock.now()) else {
            info!(newsletter = %id, %scheduled, "a run that its newsletter does not have is left out");
            return Ok(());
        };
        self.schedule_clock_change(&record, run.at).await?;
        let body = record.newsletter.campaign_of(&run);
        let Some(campaign) = body.get("id").and_then(Value::as_str).and_then(|id| id.parse::<CampaignId>().ok()) else {
            return Err(PortError::corrupt("a newsletter", "its campaign has no id"));
        };
        let refused = self.submit_run(id, &campaign, &body).await?;
        if let Some(why) = &refused {
            warn!(newsletter = %id, %campaign, %scheduled, why, "the campaign of a newsletter was refused");
        }
        self.newsletters.ran(id, &LastRun { scheduled: run.at, campaign, refused }).await
    }

    /// Answers with why it was refused.
    async fn submit_run(
        &self,
        newsletter: &NewsletterId,
        campaign: &CampaignId,
        body: &Value,
    ) -> Result<Option<String>, PortError> {
        let created_by = Actor::newsletter(newsletter);
        // What was submitted for this run stays, whatever was put since.
        let held = self.campaigns.get(campaign).await?.filter(|held| held.created_by == created_by);
        let body = held.map_or_else(|| body.clone(), |held| held.body);
        match self.submit(&body, &created_by).await {
            Ok(_) => Ok(None),
            Err(ApiError::Port(error)) => Err(error),
            Err(ApiError::Invalid(faults)) => {
                let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
                Ok(Some(faults.join("; ")))
            }
            Err(ApiError::NotFound { detail, .. } | ApiError::Conflict { detail, .. }) => Ok(Some(detail)),
        }
    }

    /// Reads a newsletter, and its campaign as that of its next run, with every fault of both.
    async fn checked_newsletter(&self, body: &Value) -> Result<Newsletter, ApiError> {
        let now = self.clock.now();
        let parsed = Newsletter::parse(body);
        let next = parsed.as_ref().ok().and_then(|newsletter| newsletter.schedule.next_after(now));
        let date = next.map_or_else(|| now.to_zoned_datetime(TimeZone::UTC).date(), |run| run.date);
        let campaign = match newsletter::sample(body, date) {
            Some(campaign) => self.checked(&campaign).await,
            None => return parsed.map_err(ApiError::Invalid),
        };
        match (parsed, campaign) {
            (Ok(newsletter), Ok(Checked { .. })) => Ok(newsletter),
            (parsed, Err(ApiError::Invalid(found))) => {
                let mut faults = parsed.err().unwrap_or_default();
                let within = |fault: Fault| Fault { field: format!("/campaign{}", fault.field), ..fault };
                // What a newsletter does not take at all is not told again as what a campaign would not.
                let told: Vec<String> = faults.iter().map(|fault| fault.field.clone()).collect();
                faults.extend(found.into_iter().map(within).filter(|fault| !told.contains(&fault.field)));
                Err(ApiError::Invalid(faults))
            }
            (_, Err(error)) => Err(error),
            (Err(faults), Ok(_)) => Err(ApiError::Invalid(faults)),
        }
    }

    /// Makes the schedule what the record says. Two who change a newsletter at once may do this in another order than
    /// they stored it: whoever comes last looks again and puts it right.
    async fn schedule(&self, record: NewsletterRecord) -> Result<(), ApiError> {
        let id = record.id.clone();
        let mut record = record;
        for _ in 0..TRIES {
            self.scheduler.recur(&ScheduleName::newsletter(&id), &record.newsletter.schedule, &id).await?;
            self.schedule_clock_change(&record, self.clock.now()).await?;
            match self.newsletters.get(&id).await? {
                Some(held) if held.newsletter.schedule == record.newsletter.schedule => return Ok(()),
                Some(held) => record = held,
                None => return Ok(self.forget(&id).await?),
            }
        }
        Err(contended(&id))
    }

    /// The first run after a time comes by a schedule of its own where the clocks are changed over it: EventBridge
    /// Scheduler leaves out a time that they skip, and says not which it takes of one that they show twice
    /// (<https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#daylist-savings-time>). That the
    /// other may come too is harmless.
    async fn schedule_clock_change(&self, record: &NewsletterRecord, after: Timestamp) -> Result<(), PortError> {
        match record.newsletter.schedule.next_after(after) {
            Some(Run { at, local: LocalTime::Skipped | LocalTime::Twice, .. }) => {
                let message = Message::Newsletter { newsletter: record.id.clone(), scheduled: at };
                self.scheduler.once(&ScheduleName::clock_change(&record.id), at, &message).await
            }
            Some(Run { local: LocalTime::Once, .. }) | None => Ok(()),
        }
    }

    async fn forget(&self, id: &NewsletterId) -> Result<(), PortError> {
        self.scheduler.forget(&ScheduleName::newsletter(id)).await?;
        self.scheduler.forget(&ScheduleName::clock_change(id)).await
    }
}

fn contended(id: &NewsletterId) -> ApiError {
    let detail = format!("the newsletter {id} keeps changing: try again");
    ApiError::Conflict { code: Code::Contended, detail, faults: Vec::new() }
}
