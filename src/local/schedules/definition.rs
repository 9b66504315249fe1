//! What a schedule is, and what EventBridge Scheduler asks of it.
//!
//! Members and values that are not stood in for are refused by name, rather than taken and not kept to.

use std::{iter::successors, sync::Arc};

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::{DEFAULT_GROUP, refusal::Refusal};
use crate::{
    aws::scheduler::SCHEDULED_TIME,
    domain::{
        newsletter::{Recurrence, Run, cron::Cron},
        time::LocalTime,
    },
    local::sqs::{self, Queues},
};

/// Of names and tokens.
const MAX_NAME: usize = 64;
const MAX_DESCRIPTION: usize = 512;
const MAX_INPUT_BYTES: usize = 256 * 1024;
/// Without a fraction and without an offset: the time zone has a member of its own.
const AT: &str = "%Y-%m-%dT%H:%M:%S";

/// The body of a call, as the SDK writes it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Definition {
    #[serde(default = "default_group")]
    pub group_name: String,
    schedule_expression: String,
    #[serde(default = "default_time_zone")]
    schedule_expression_timezone: String,
    #[serde(default)]
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    flexible_time_window: Window,
    target: Target,
    action_after_completion: Action,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_token: Option<String>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Target {
    arn: String,
    role_arn: String,
    input: String,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Window {
    mode: WindowMode,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum WindowMode {
    Off,
}

#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum State {
    #[default]
    Enabled,
}

/// One that comes once is deleted by it, one that recurs stays.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Action {
    Delete,
    None,
}

fn default_group() -> String {
    DEFAULT_GROUP.to_owned()
}

fn default_time_zone() -> String {
    "UTC".to_owned()
}

/// A definition that keeps the rules, and what follows from it.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Schedule {
    pub definition: Definition,
    pub queue: String,
    pub due: Timestamp,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
}

impl Schedule {
    pub(super) fn new(definition: Definition, queues: &Queues) -> Result<Self, Refusal> {
        definition.check()?;
        let target = &definition.target.arn;
        let queue = sqs::queue_of(target).filter(|queue| queues.has(queue));
        let queue = queue.ok_or_else(|| Refusal::invalid(format!("There is no target {target}.")))?.to_owned();
        let now = queues.now();
        let due = definition.first_after(now)?;
        Ok(Self { definition, queue, due, created_at: now, modified_at: now })
    }

    /// With the time at which it is due in place of the word for it.
    pub(super) fn input(&self) -> Arc<str> {
        let due = self.due.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        self.definition.target.input.replace(SCHEDULED_TIME, &due).into()
    }

    /// What stands after it has fired; `None` if nothing does.
    pub(super) fn afterwards(&self) -> Option<Self> {
        let recurrence = self.definition.recurrence()?.ok()?;
        let due = kept_run(&recurrence, self.due).ok()?;
        Some(Self { due, ..self.clone() })
    }
}

impl Definition {
    fn check(&self) -> Result<(), Refusal> {
        let token = self.client_token.as_deref().unwrap_or("none");
        let checks = [
            (is_name(&self.group_name), "GroupName is 1 to 64 of 0-9 a-z A-Z - _ ."),
            (is_name(token) && !token.contains('.'), "ClientToken is 1 to 64 of a-z A-Z 0-9 - _"),
            (
                self.description.as_deref().unwrap_or_default().chars().count() <= MAX_DESCRIPTION,
                "Description has at most 512 characters",
            ),
            (is_role(&self.target.role_arn), "Target.RoleArn is not the ARN of a role"),
            ((1..=MAX_INPUT_BYTES).contains(&self.target.input.len()), "Target.Input has 1 to 262144 bytes"),
        ];
        checks.into_iter().try_for_each(|(fits, rule)| if fits { Ok(()) } else { Err(Refusal::invalid(rule)) })
    }

    fn first_after(&self, now: Timestamp) -> Result<Timestamp, Refusal> {
        match (self.recurrence(), self.action_after_completion) {
            (None, Action::Delete) => self.only_time(now),
            (Some(recurrence), Action::None) => kept_run(&recurrence?, now),
            (None, Action::None) | (Some(_), Action::Delete) => {
                Err(Refusal::invalid("ActionAfterCompletion is DELETE for a time and NONE for a cron"))
            }
        }
    }

    /// What becomes of a time that has passed is not documented; it is reported to be refused.
    fn only_time(&self, now: Timestamp) -> Result<Timestamp, Refusal> {
        let text = self.between("at(").ok_or_else(|| self.wrong())?;
        let at = DateTime::strptime(AT, text).map_err(|_| self.wrong())?;
        if at.strftime(AT).to_string() != text {
            return Err(self.wrong());
        }
        let name = &self.schedule_expression_timezone;
        let zone = TimeZone::get(name).map_err(|_| self.no_zone())?;
        let due = zone.to_timestamp(at).map_err(|_| self.wrong())?;
        if due <= now {
            let expression = &self.schedule_expression;
            return Err(Refusal::invalid(format!("Invalid Schedule Expression {expression}: it is in the past.")));
        }
        Ok(due)
    }

    /// `None` if the expression is no cron.
    fn recurrence(&self) -> Option<Result<Recurrence, Refusal>> {
        let fields: Vec<&str> = self.between("cron(")?.split(' ').collect();
        Some(self.read_cron(&fields))
    }

    /// Of the six fields those that a newsletter needs: every year, and days of the week by name alone, since Scheduler
    /// numbers them otherwise than crontab does.
    fn read_cron(&self, fields: &[&str]) -> Result<Recurrence, Refusal> {
        let &[minute, hour, day, month, weekday, "*"] = fields else { return Err(self.wrong()) };
        let (day, weekday) = match (day, weekday) {
            ("?", "?") => return Err(self.wrong()),
            (day, "?") => (day, "*"),
            ("?", weekday) if !weekday.contains(|c: char| c.is_ascii_digit()) => ("*", weekday),
            (_, _) => return Err(self.wrong()),
        };
        let cron: Cron = format!("{minute} {hour} {day} {month} {weekday}").parse().map_err(|_| self.wrong())?;
        let zone = self.schedule_expression_timezone.parse().map_err(|_| self.no_zone())?;
        Ok(Recurrence { cron, zone })
    }

    fn between(&self, start: &str) -> Option<&str> {
        self.schedule_expression.strip_prefix(start)?.strip_suffix(')')
    }

    fn wrong(&self) -> Refusal {
        Refusal::invalid(format!("Invalid Schedule Expression {}.", self.schedule_expression))
    }

    fn no_zone(&self) -> Refusal {
        Refusal::invalid(format!("There is no time zone {}.", self.schedule_expression_timezone))
    }
}

/// The next run that EventBridge Scheduler keeps: it leaves out a time that daylight saving skips. Of one that exists
/// twice it takes one, and does not say which; here the first.
/// (<https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#daylist-savings-time>)
fn kept_run(recurrence: &Recurrence, after: Timestamp) -> Result<Timestamp, Refusal> {
    let runs = successors(recurrence.next_after(after), |run: &Run| recurrence.next_after(run.at));
    let kept = runs.filter(|run| run.local != LocalTime::Skipped).map(|run| run.at).next();
    kept.ok_or_else(|| Refusal::invalid("The schedule never comes."))
}

pub(super) fn is_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// `arn:aws:iam::000000000000:role/name`.
fn is_role(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let &["arn", partition, "iam", "", account, role] = parts.as_slice() else { return false };
    partition.starts_with("aws")
        && account.len() == 12
        && account.bytes().all(|b| b.is_ascii_digit())
        && role.strip_prefix("role/").is_some_and(|name| !name.is_empty())
}
