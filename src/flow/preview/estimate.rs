//! What a campaign would take: so many mails, how long, and what SES asks for them.

use async_trait::async_trait;
use serde::Serialize;

use crate::{
    domain::price::Plan,
    flow::{
        pace::{self, Limits},
        port::PortError,
    },
};

const DAY_S: f64 = 86_400.0;

/// How SES serves the account at this moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    pub limits: Limits,
    /// `None` where nobody knows here what it costs.
    pub plan: Option<Plan>,
}

#[async_trait]
pub trait Contract: Send + Sync {
    async fn terms(&self) -> Result<Terms, PortError>;
}

/// Each part `null` where it is not known.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimate {
    pub sends: u64,
    pub duration_seconds: Option<u64>,
    /// To the cent, without what a month costs anyway.
    pub cost_usd: Option<f64>,
}

impl Estimate {
    /// `reserved_percent` of the rate is kept free of campaigns.
    pub fn of(sends: u64, terms: Option<&Terms>, reserved_percent: u8) -> Self {
        let duration = terms.and_then(|terms| duration_s(sends, &terms.limits, reserved_percent));
        let plan = terms.and_then(|terms| terms.plan);
        Self { sends, duration_seconds: duration, cost_usd: plan.map(|plan| plan.for_mails(sends)) }
    }
}

/// At the send rate; what the day's quota has no room for waits for a day, and so on. `None` if it would never end.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive number that is finite")]
fn duration_s(sends: u64, limits: &Limits, reserved_percent: u8) -> Option<u64> {
    let at_rate = |mails: u64| float(mails) / pace::usable(limits.per_second, reserved_percent);
    let room = limits.per_day.map(|per_day| per_day.saturating_sub(limits.sent_last_day));
    let beyond = sends.saturating_sub(room.unwrap_or(sends));
    let seconds = match limits.per_day {
        _ if sends == 0 => 0.0,
        Some(0) => return None,
        Some(per_day) if beyond > 0 => {
            let days = beyond.div_ceil(per_day);
            let last = beyond - (days - 1) * per_day;
            (float(days) * DAY_S + at_rate(last)).max(at_rate(sends))
        }
        Some(_) | None => at_rate(sends),
    };
    (seconds.is_finite() && seconds >= 0.0).then(|| seconds.ceil() as u64)
}

#[expect(clippy::cast_precision_loss, reason = "exact up to nine quadrillion mails")]
fn float(mails: u64) -> f64 {
    mails as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(per_second: f64, per_day: Option<u64>, sent_last_day: u64) -> Limits {
        Limits { per_second, per_day, sent_last_day }
    }

    #[test]
    fn it_takes_as_long_as_the_part_of_the_rate_that_campaigns_may_use() {
        assert_eq!(duration_s(0, &limits(100.0, None, 0), 0), Some(0));
        assert_eq!(duration_s(95_000, &limits(100.0, None, 0), 0), Some(1_000));
        assert_eq!(duration_s(95_000, &limits(100.0, Some(95_000), 0), 50), Some(2_000));
    }

    #[test]
    fn what_the_quota_has_no_room_for_waits_for_another_day() {
        let day = 86_400;
        assert_eq!(duration_s(1_950, &limits(100.0, Some(1_000), 0), 0), Some(day + 10));
        assert_eq!(duration_s(1_950, &limits(100.0, Some(1_000), 1_000), 0), Some(2 * day + 10));
        assert_eq!(duration_s(1, &limits(100.0, Some(0), 0), 0), None);
    }

    #[test]
    fn without_a_rate_it_never_ends() {
        assert_eq!(duration_s(1, &limits(0.0, None, 0), 0), None);
        assert_eq!(duration_s(1, &limits(100.0, None, 0), 100), None);
    }

    #[test]
    fn what_is_not_known_is_null() {
        let unknown = Estimate { sends: 7, duration_seconds: None, cost_usd: None };
        assert_eq!(Estimate::of(7, None, 10), unknown);
        let terms = Terms { limits: limits(100.0, None, 0), plan: None };
        assert_eq!(
            Estimate::of(95, Some(&terms), 0),
            Estimate { sends: 95, duration_seconds: Some(1), cost_usd: None }
        );
    }
}
