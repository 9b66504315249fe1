//! One-time schedules: EventBridge Scheduler, which puts the message on its queue and deletes the schedule.

use std::{error::Error, sync::Arc, time::Duration};

use async_trait::async_trait;
use aws_sdk_scheduler::{
    error::SdkError,
    operation::{
        create_schedule::CreateScheduleError, delete_schedule::DeleteScheduleError,
        update_schedule::UpdateScheduleError,
    },
    types::{ActionAfterCompletion, FlexibleTimeWindow, FlexibleTimeWindowMode, Target},
};
use jiff::{RoundMode, Timestamp, TimestampRound, Unit};

use super::clients::{Clients, OPERATION};
use crate::flow::{
    clock::Clock,
    port::PortError,
    queue::{Message, Queue},
    schedule::{ScheduleName, Scheduler},
};

const SERVICE: &str = "EventBridge Scheduler";
/// What is as near as this goes by the queue and its delay. Scheduler is said to refuse a time that has passed, which
/// its documentation leaves open; so the time is still ahead when the last attempt of a call comes, also by a clock that
/// is a little ahead of ours.
const NEAR: Duration = OPERATION.saturating_add(Duration::from_secs(5));
/// A schedule may fire between being found and being moved; not every time.
const TRIES: usize = 3;

/// What schedules belong to, and where they put their messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleTargets {
    pub launch_arn: String,
    pub shard_arn: String,
    pub preview_arn: String,
    /// What EventBridge Scheduler may do: send to these queues.
    pub role_arn: String,
    pub group: String,
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
            .schedule_expression_timezone("UTC")
            .flexible_time_window(wanted.window.clone())
            .target(wanted.target.clone())
            .action_after_completion(ActionAfterCompletion::Delete);
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
            .schedule_expression_timezone("UTC")
            .flexible_time_window(wanted.window.clone())
            .target(wanted.target.clone())
            .action_after_completion(ActionAfterCompletion::Delete);
        unless(UpdateScheduleError::is_resource_not_found_exception, call.send().await)
    }

    fn wanted(&self, name: &ScheduleName, at: Timestamp, message: &Message) -> Result<Wanted, PortError> {
        let arn = match message {
            Message::Launch { .. } => &self.targets.launch_arn,
            Message::Shard(_) => &self.targets.shard_arn,
            Message::Preview { .. } => &self.targets.preview_arn,
            Message::Feedback { .. } => {
                return Err(PortError::corrupt("a schedule", "events are queued, not scheduled"));
            }
        };
        let wrong = |error: aws_sdk_scheduler::error::BuildError| PortError::corrupt("a request to Scheduler", error);
        let target = Target::builder().arn(arn).role_arn(&self.targets.role_arn).input(message.body()?);
        let window = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off);
        Ok(Wanted {
            name: name.to_string(),
            expression: format!("at({})", at.strftime("%Y-%m-%dT%H:%M:%S")),
            target: target.build().map_err(wrong)?,
            window: window.build().map_err(wrong)?,
        })
    }
}

/// A schedule as it is to be, whether there is one or not.
struct Wanted {
    name: String,
    expression: String,
    target: Target,
    window: FlexibleTimeWindow,
}

#[async_trait]
impl Scheduler for EventBridgeScheduler {
    async fn once(&self, name: &ScheduleName, at: Timestamp, message: &Message) -> Result<(), PortError> {
        let at = whole_second(at);
        let wanted = self.wanted(name, at, message)?;
        for _ in 0..TRIES {
            let ahead = Duration::try_from(at.duration_since(self.clock.now())).unwrap_or_default();
            if ahead <= NEAR {
                return self.soon(name, ahead, message).await;
            }
            if self.created(&wanted).await? || self.moved(&wanted).await? {
                return Ok(());
            }
        }
        Err(PortError::unavailable(SERVICE, format!("the schedule {name} comes and goes")))
    }
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
