//! The rate's timeline, one item of the campaigns table, and the account's limits from SES.

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    operation::update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    types::{AttributeValue, ReturnConsumedCapacity, ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use aws_sdk_sesv2::operation::get_account::GetAccountOutput;
use jiff::Timestamp;

use super::{
    clients::Clients,
    dynamo::{Dynamo, Item, Read, n, s, unavailable},
};
use crate::{
    domain::price::Plan,
    flow::{
        pace::{Account, Change, Changed, Day, Limits, Take, Timeline, Timelines},
        port::PortError,
        preview::{Contract, Terms},
    },
};

const FORMAT: u8 = 1;

#[async_trait]
impl Timelines for Dynamo {
    async fn get(&self) -> Result<Option<Timeline>, PortError> {
        let get = self
            .client
            .get_item()
            .table_name(&self.names.rate)
            .key("k", s("rate"))
            .key("t", s("rate"))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = get.send().await.map_err(unavailable)?;
        self.meter.read(answer.consumed_capacity());
        answer.item.as_ref().map(timeline).transpose()
    }

    async fn change(&self, change: &Change) -> Result<Changed, PortError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.names.rate)
            .key("k", s("rate"))
            .key("t", s("rate"))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match described(update, change).send().await {
            Ok(answer) => {
                self.meter.write(answer.consumed_capacity());
                let item = answer.attributes();
                let item = item.ok_or_else(|| PortError::corrupt("the rate's timeline", "the answer holds no item"))?;
                Ok(Changed::Done(timeline(item)?))
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    let held = failed.item().filter(|item| !item.is_empty());
                    Ok(Changed::Not(held.map(timeline).transpose()?))
                }
                Some(_) | None => Err(unavailable(error)),
            },
        }
    }
}

fn described(update: UpdateItemFluentBuilder, change: &Change) -> UpdateItemFluentBuilder {
    match change {
        Change::Create(timeline) => update
            .condition_expression("attribute_not_exists(k)")
            .update_expression(
                "SET f = :f, h = :h, u = :u, n = :n, b = :b, d = :d, r = :r, q = :q, o = :o, a = :a, g = :a",
            )
            .expression_attribute_values(":f", n(FORMAT))
            .expression_attribute_values(":h", micros(timeline.head))
            .expression_attribute_values(":u", n(timeline.day.hour))
            .expression_attribute_values(":n", n(timeline.day.current))
            .expression_attribute_values(":b", hours(&timeline.day))
            .expression_attribute_values(":d", n(timeline.day.total))
            .expression_attribute_values(":r", n(timeline.limits.per_second))
            .expression_attribute_values(":q", per_day(&timeline.limits))
            .expression_attribute_values(":o", n(timeline.limits.sent_last_day))
            .expression_attribute_values(":a", n(timeline.asked_at.as_millisecond())),
        Change::Follow { earliest, take } => taking(update, take, "h >= :from")
            .update_expression("SET h = h + :span, n = n + :mails, d = d + :mails")
            .expression_attribute_values(":from", micros(*earliest))
            .expression_attribute_values(":span", n(take.span.as_micros())),
        Change::Begin { start, take } => taking(update, take, "h < :from")
            .update_expression("SET h = :end, n = n + :mails, d = d + :mails")
            .expression_attribute_values(":from", micros(*start))
            .expression_attribute_values(":end", micros(start.saturating_add(take.span).unwrap_or(Timestamp::MAX))),
        Change::Roll { from, to } => update
            .condition_expression("u = :u AND n = :n")
            .update_expression("SET u = :to, n = :none, b = :b, d = :d")
            .expression_attribute_values(":u", n(from.hour))
            .expression_attribute_values(":n", n(from.current))
            .expression_attribute_values(":to", n(to.hour))
            .expression_attribute_values(":none", n(to.current))
            .expression_attribute_values(":b", hours(to))
            .expression_attribute_values(":d", n(to.total)),
        Change::Ask { from, at } => update
            .condition_expression("a = :from")
            .update_expression("SET a = :at")
            .expression_attribute_values(":from", n(from.as_millisecond()))
            .expression_attribute_values(":at", n(at.as_millisecond())),
        Change::Learn { limits, at } => update
            .condition_expression("g < :at")
            .update_expression("SET r = :r, q = :q, o = :o, g = :at")
            .expression_attribute_values(":r", n(limits.per_second))
            .expression_attribute_values(":q", per_day(limits))
            .expression_attribute_values(":o", n(limits.sent_last_day))
            .expression_attribute_values(":at", n(at.as_millisecond())),
    }
}

fn taking(update: UpdateItemFluentBuilder, take: &Take, head: &str) -> UpdateItemFluentBuilder {
    let update =
        update.expression_attribute_values(":hour", n(take.hour)).expression_attribute_values(":mails", n(take.mails));
    match take.at_most {
        None => update.condition_expression(format!("{head} AND u = :hour")),
        Some(at_most) => update
            .condition_expression(format!("{head} AND u = :hour AND d <= :room"))
            .expression_attribute_values(":room", n(i128::from(at_most) - i128::from(take.mails))),
    }
}

pub(super) fn timeline(item: &Item) -> Result<Timeline, PortError> {
    let corrupt = |error: jiff::Error| PortError::corrupt("the rate's timeline", error);
    let time = |name| Timestamp::from_millisecond(item.number(name)?).map_err(corrupt);
    let mut earlier = [0; 24];
    let held = item.get("b").and_then(|hours| hours.as_l().ok()).map(Vec::as_slice).unwrap_or_default();
    for (slot, count) in earlier.iter_mut().zip(held) {
        let count = count.as_n().ok().and_then(|count| count.parse().ok());
        *slot = count.ok_or_else(|| PortError::corrupt("the rate's timeline", "an hour that is no number"))?;
    }
    Ok(Timeline {
        head: Timestamp::from_microsecond(item.number("h")?).map_err(corrupt)?,
        day: Day { hour: item.number("u")?, current: item.number("n")?, earlier, total: item.number("d")? },
        limits: Limits {
            per_second: item.number("r")?,
            per_day: u64::try_from(item.number::<i64>("q")?).ok(),
            sent_last_day: item.number("o")?,
        },
        asked_at: time("a")?,
        known_at: time("g")?,
    })
}

/// A head to the microsecond: at high rates a batch takes about a millisecond.
fn micros(time: Timestamp) -> AttributeValue {
    n(time.as_microsecond())
}

/// As SES says it: -1 for no limit.
fn per_day(limits: &Limits) -> AttributeValue {
    limits.per_day.map_or_else(|| n(-1), n)
}

fn hours(day: &Day) -> AttributeValue {
    AttributeValue::L(day.earlier.iter().map(n).collect())
}

/// The account that mails are sent from.
pub struct SesAccount {
    client: aws_sdk_sesv2::Client,
}

impl SesAccount {
    pub fn new(clients: &Clients) -> Self {
        Self { client: clients.ses.clone() }
    }
}

#[async_trait]
impl Account for SesAccount {
    async fn limits(&self) -> Result<Limits, PortError> {
        let answer = self.client.get_account().send().await.map_err(|error| PortError::unavailable("SES", error))?;
        let limits = limits(&answer)?;
        if !limits.per_second.is_finite() || limits.per_second <= 0.0 {
            return Err(PortError::corrupt("the account's limits", "its send rate is not above 0"));
        }
        Ok(limits)
    }
}

#[async_trait]
impl Contract for SesAccount {
    async fn terms(&self) -> Result<Terms, PortError> {
        let answer = self.client.get_account().send().await.map_err(|error| PortError::unavailable("SES", error))?;
        Ok(Terms { limits: limits(&answer)?, plan: plan(&answer) })
    }
}

/// `None` where SES does not say, or says one whose price nobody knows here.
pub(super) fn plan(answer: &GetAccountOutput) -> Option<Plan> {
    let plan = answer.pricing_attributes().and_then(|pricing| pricing.current_plan());
    plan.and_then(|plan| Plan::of_ses(plan.as_str()))
}

/// The limits as SES tells them, also those by which nobody could send.
pub(super) fn limits(answer: &GetAccountOutput) -> Result<Limits, PortError> {
    let quota = answer.send_quota().ok_or_else(|| PortError::corrupt("the account's limits", "there are none"))?;
    let limit = quota.max24_hour_send();
    Ok(Limits {
        per_second: quota.max_send_rate(),
        // -1 is SES's word for no limit.
        per_day: (limit >= 0.0).then(|| whole(limit)),
        sent_last_day: whole(quota.sent_last24_hours()),
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "SES counts mails in floating point")]
fn whole(count: f64) -> u64 {
    count.max(0.0).round() as u64
}
