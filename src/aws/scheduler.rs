//! EventBridge Scheduler, which puts messages on their queues: once, and then the schedule is gone, or by a cron.

use std::{error::Error, sync::Arc, time::Duration};

use async_trait::async_trait;
use aws_sdk_scheduler::{
    error::SdkError,
    operation::{
        create_schedule::CreateScheduleError, delete_schedule::DeleteScheduleError,
        update_schedule::UpdateScheduleError,
    },
    types::{ActionAfterCompletion, DeadLetterConfig, FlexibleTimeWindow, FlexibleTimeWindowMode, Target},
};
use jiff::{RoundMode, Timestamp, TimestampRound, Unit};

use super::clients::{Clients, OPERATION};
use crate::{
    domain::{
        id::NewsletterId,
        newsletter::{
            Recurrence,
            cron::{Cron, Days},
        },
    },
    flow::{
        clock::Clock,
        port::PortError,
        queue::{Message, Queue, newsletter_body},
        schedule::{ScheduleName, Scheduler},
    },
};

const SERVICE: &str = "EventBridge Scheduler";
/// What is as near as this goes by the queue and its delay. Scheduler is said to refuse a time that has passed, which
/// its documentation leaves open; so the time is still ahead when the last attempt of a call comes, also by a clock that
/// is a little ahead of ours.
const NEAR: Duration = OPERATION.saturating_add(Duration::from_secs(5));
/// A schedule may fire between being found and being moved; not every time.
const TRIES: usize = 3;
/// What Scheduler puts the time of a run in place of
/// (<https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html>).
pub const SCHEDULED_TIME: &str = "<aws.scheduler.scheduled-time>";
const MONTHS: usize = 12;
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// What schedules belong to, and where they put their messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleTargets {
    pub launch_arn: String,
    pub shard_arn: String,
    pub preview_arn: String,
    /// What EventBridge Scheduler may do: send to these queues.
    pub role_arn: String,
    pub group: String,
    /// Of a queue for messages that could not be sent for a day; without one they are lost.
    pub dead_letter_arn: Option<String>,
}

pub struct EventBridgeScheduler {
    client: aws_sdk_scheduler::Client,
    targets: ScheduleTargets,
    queue: Arc<dyn Queue>,
    clock: Arc<dyn Clock>,
}

impl EventBridgeScheduler {
    /// `queue` takes what is due at once.
    pub fn new(clients: &Clients, targets: ScheduleTargets, queue: Arc<dyn Queue>, clock: Arc<dyn Clock>) -> Self {
        Self { client: clients.scheduler.clone(), targets, queue, clock }
    }

    /// Sends it first: a schedule of this name that stays behind brings it once more, which is harmless.
    async fn soon(&self, name: &ScheduleName, delay: Duration, message: &Message) -> Result<(), PortError> {
        self.queue.send(std::slice::from_ref(message), delay).await?;
        self.deleted(name).await
    }

    async fn deleted(&self, name: &ScheduleName) -> Result<(), PortError> {
        let call = self.client.delete_schedule().name(name.to_string()).group_name(&self.targets.group);
        unless(DeleteScheduleError::is_resource_not_found_exception, call.send().await).map(drop)
    }

    /// Whether it was; `false` if there is one of this name.
    ///
    /// Without a client token of ours. One that is the same for the same name and time would have Scheduler answer that
    /// all is done when the schedule was moved away and is to come back; the SDK's own is the same for the attempts of
    /// one call, which is all that is wanted of it.
    async fn created(&self, wanted: &Wanted) -> Result<bool, PortError> {
        let call = self
            .client
            .create_schedule()
            .name(&wanted.name)
            .group_name(&self.targets.group)
            .schedule_expression(&wanted.expression)
            .schedule_expression_timezone(&wanted.zone)
            .flexible_time_window(wanted.window.clone())
            .target(wanted.target.clone())
            .action_after_completion(wanted.afterwards.clone());
        unless(CreateScheduleError::is_conflict_exception, call.send().await)
    }

    /// Whether it was; `false` if there is none of this name any more. What an update leaves out goes back to its
    /// default, so it names the same as a creation.
    async fn moved(&self, wanted: &Wanted) -> Result<bool, PortError> {
        let call = self
            .client
            .update_schedule()
            .name(&wanted.name)
            .group_name(&self.targets.group)
            .schedule_expression(&wanted.expression)
            .schedule_expression_timezone(&wanted.zone)
            .flexible_time_window(wanted.window.clone())
            .target(wanted.target.clone())
            .action_after_completion(wanted.afterwards.clone());
        unless(UpdateScheduleError::is_resource_not_found_exception, call.send().await)
    }

    fn wanted_once(&self, name: &ScheduleName, at: Timestamp, message: &Message) -> Result<Wanted, PortError> {
        let arn = match message {
            Message::Launch { .. } | Message::Newsletter { .. } => &self.targets.launch_arn,
            Message::Shard(_) => &self.targets.shard_arn,
            Message::Preview { .. } => &self.targets.preview_arn,
            Message::Feedback { .. } => {
                return Err(PortError::corrupt("a schedule", "events are queued, not scheduled"));
            }
        };
        Ok(Wanted {
            expression: format!("at({})", at.strftime("%Y-%m-%dT%H:%M:%S")),
            zone: "UTC".to_owned(),
            afterwards: ActionAfterCompletion::Delete,
            ..self.wanted(name, arn, message.body()?)?
        })
    }

    /// One that says not yet when.
    fn wanted(&self, name: &ScheduleName, arn: &str, input: String) -> Result<Wanted, PortError> {
        let wrong = |error: aws_sdk_scheduler::error::BuildError| PortError::corrupt("a request to Scheduler", error);
        let dead_letters =
            self.targets.dead_letter_arn.as_ref().map(|arn| DeadLetterConfig::builder().arn(arn).build());
        let target = Target::builder().arn(arn).role_arn(&self.targets.role_arn).input(input);
        let target = target.set_dead_letter_config(dead_letters).build().map_err(wrong)?;
        let window = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build().map_err(wrong)?;
        Ok(Wanted {
            name: name.to_string(),
            expression: String::new(),
            zone: String::new(),
            afterwards: ActionAfterCompletion::None,
            target,
            window,
        })
    }
}

/// A schedule as it is to be, whether there is one or not.
struct Wanted {
    name: String,
    expression: String,
    zone: String,
    afterwards: ActionAfterCompletion,
    target: Target,
    window: FlexibleTimeWindow,
}

#[async_trait]
impl Scheduler for EventBridgeScheduler {
    async fn once(&self, name: &ScheduleName, at: Timestamp, message: &Message) -> Result<(), PortError> {
        let at = whole_second(at);
        let wanted = self.wanted_once(name, at, message)?;
        for _ in 0..TRIES {
            let ahead = Duration::try_from(at.duration_since(self.clock.now())).unwrap_or_default();
            if ahead <= NEAR {
                return self.soon(name, ahead, message).await;
            }
            if self.created(&wanted).await? || self.moved(&wanted).await? {
                return Ok(());
            }
        }
        Err(comes_and_goes(name))
    }

    async fn recur(
        &self,
        name: &ScheduleName,
        recurrence: &Recurrence,
        newsletter: &NewsletterId,
    ) -> Result<(), PortError> {
        let input = newsletter_body(newsletter, SCHEDULED_TIME);
        let wanted = Wanted {
            expression: cron_expression(&recurrence.cron),
            zone: recurrence.zone.as_str().to_owned(),
            ..self.wanted(name, &self.targets.launch_arn, input)?
        };
        for _ in 0..TRIES {
            if self.created(&wanted).await? || self.moved(&wanted).await? {
                return Ok(());
            }
        }
        Err(comes_and_goes(name))
    }

    async fn forget(&self, name: &ScheduleName) -> Result<(), PortError> {
        self.deleted(name).await
    }
}

fn comes_and_goes(name: &ScheduleName) -> PortError {
    PortError::unavailable(SERVICE, format!("the schedule {name} comes and goes"))
}

/// With a sixth field for the year, and a `?` for the days that are not asked about
/// (<https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based>). Days of the week by name,
/// since Scheduler counts them from 1.
fn cron_expression(cron: &Cron) -> String {
    let list = |numbers: &mut dyn Iterator<Item = &i8>| {
        let numbers: Vec<String> = numbers.map(ToString::to_string).collect();
        numbers.join(",")
    };
    let (day, weekday) = match &cron.days {
        Days::Every => ("*".to_owned(), "?".to_owned()),
        Days::OfMonth(days) => (list(&mut days.iter()), "?".to_owned()),
        Days::OfWeek(days) => {
            let name = |day: &i8| usize::try_from(*day).ok().and_then(|day| WEEKDAYS.get(day)).copied();
            let weekdays: Vec<&str> = days.iter().filter_map(name).collect();
            ("?".to_owned(), weekdays.join(","))
        }
    };
    let months = if cron.months.len() == MONTHS { "*".to_owned() } else { list(&mut cron.months.iter()) };
    format!("cron({} {} {day} {months} {weekday} *)", cron.time.minute(), cron.time.hour())
}

/// Whether a call did what it says; `false` if it was refused for this one reason.
fn unless<T, E>(refused: fn(&E) -> bool, answer: Result<T, SdkError<E>>) -> Result<bool, PortError>
where
    E: Error + Send + Sync + 'static,
{
    match answer {
        Ok(_) => Ok(true),
        Err(error) if error.as_service_error().is_some_and(refused) => Ok(false),
        Err(error) => Err(PortError::unavailable(SERVICE, error)),
    }
}

/// An expression has no fraction; a message may come later, never earlier.
fn whole_second(at: Timestamp) -> Timestamp {
    at.round(TimestampRound::new().smallest(Unit::Second).mode(RoundMode::Ceil)).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cron_of_five_fields_is_one_of_six_with_a_question_mark_for_the_days_that_are_not_asked_about() {
        for (five, six) in [
            ("0 9 * * *", "cron(0 9 * * ? *)"),
            ("30 6 * * mon", "cron(30 6 ? * MON *)"),
            ("30 6 * * 1-5", "cron(30 6 ? * MON,TUE,WED,THU,FRI *)"),
            ("30 6 * * 7", "cron(30 6 ? * SUN *)"),
            ("30 6 * * 0,6", "cron(30 6 ? * SUN,SAT *)"),
            ("0 0 1,15 * *", "cron(0 0 1,15 * ? *)"),
            ("59 23 */10 jan-mar *", "cron(59 23 1,11,21,31 1,2,3 ? *)"),
            ("0 9 29 2 *", "cron(0 9 29 2 ? *)"),
            ("05 09 * */1 *", "cron(5 9 * * ? *)"),
        ] {
            assert_eq!(five.parse::<Cron>().map(|cron| cron_expression(&cron)), Ok(six.to_owned()), "{five}");
        }
    }

    #[test]
    fn the_longest_expression_is_taken() {
        let longest: Result<Cron, _> = "59 23 1-31 1-11 *".parse();
        // What CreateSchedule takes.
        assert!(longest.is_ok_and(|cron| cron_expression(&cron).len() <= 256));
    }
}
