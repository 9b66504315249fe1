//! Trying out that SES answers in the order of its mails: on its simulator, and only when somebody asks, since it mails.

use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;

use super::Doctor;
use crate::{
    domain::{
        policy::Policy,
        readiness::{
            Check, Looked,
            order::{self, MAILS, Said},
        },
    },
    flow::{
        pace::{Count, Order, Reservation},
        port::PortError,
        send::mail::{Answer, LATE, MailerError},
        template::Compiled,
    },
};

/// How many moments are asked for until one is kept.
const MOMENTS: usize = 3;
const AGAIN: &str = "ask again in a quieter moment";

/// SES's simulator, which delivers to nobody and harms no reputation.
/// <https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html>
#[async_trait]
pub trait Simulator: Send + Sync {
    /// Sends [`MAILS`] to it in one call, once, in the way of a campaign's batch; the one at [`order::FLAWED`] cannot be
    /// sent to anybody. Answers in the order in which SES did.
    async fn send(&self, letter: &Letter<'_>, flaw: Flaw) -> Result<Vec<Answer>, MailerError>;
}

/// What is sent.
#[derive(Debug)]
pub struct Letter<'a> {
    pub from: &'a str,
    /// The stored template's name in SES.
    pub template: &'a str,
    /// Its data, as JSON.
    pub data: &'a str,
}

/// Why SES cannot take one mail of the call. It is not written down which of them refuse the whole call instead; then
/// nothing is sent, and the next is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// No address, though at the simulator's domain.
    Address,
    /// No JSON.
    Data,
}

const FLAWS: [Flaw; 2] = [Flaw::Address, Flaw::Data];

/// What became of waiting for a moment.
enum Moment {
    Now,
    /// The day has no room.
    Full,
    Missed,
}

impl Doctor {
    /// Sends a few mails to the simulator in one call, and judges whether the answers came in their order.
    pub async fn verify_order(&self) -> Result<Check, PortError> {
        let Some(current) = self.policies.current().await? else {
            return Ok(unknown("there is no policy yet", "germane policy put policy.json"));
        };
        let Some(template) = self.any_template().await? else {
            return Ok(unknown("no template was pushed", "germane templates push newsletter"));
        };
        let per_second = self.account.limits().await?.per_second;
        #[expect(clippy::cast_precision_loss, reason = "a handful")]
        let seconds = MAILS as f64 / per_second;
        if seconds > 1.0 {
            let found = format!("{MAILS} mails have to go at once, and the account may send {per_second} a second");
            return Ok(unknown(&found, "ask again once it may send more: the sandbox allows one a second"));
        }
        let ahead = SignedDuration::try_from_secs_f64(seconds).unwrap_or(SignedDuration::from_secs(1));
        let mut count = Count::New;
        let mut refused = String::new();
        for flaw in FLAWS {
            match self.moment(ahead, count).await? {
                Moment::Now => {}
                Moment::Full => return Ok(unknown("the day's quota is used up", "ask again tomorrow")),
                Moment::Missed => {
                    return Ok(unknown("each moment that was reserved had passed before it was known", AGAIN));
                }
            }
            count = Count::Again;
            match self.try_out(&current.policy, &template, flaw).await {
                Ok(check) => return Ok(check),
                Err(why) => refused = why,
            }
        }
        let next = "see what else is not ready: germane doctor. If nothing is, SES refuses a call for one bad mail in it, \
                    and its order cannot be seen so";
        Ok(unknown(&format!("SES refused the whole call ({refused}): nothing was sent"), next))
    }

    async fn any_template(&self) -> Result<Option<Compiled>, PortError> {
        for name in self.usage.declared().await?.keys() {
            if let Some(template) = self.templates.current(name).await? {
                return Ok(Some(template));
            }
        }
        Ok(None)
    }

    /// Comes when so many mails may go at once. As much time as they take is left before them, so that no second sees
    /// more than the rate.
    async fn moment(&self, ahead: SignedDuration, count: Count) -> Result<Moment, PortError> {
        let mut count = count;
        for _ in 0..MOMENTS {
            let order = Order { mails: 2 * MAILS, count, reserved_percent: 0 };
            let start = match self.pacer.reserve(&order).await? {
                Reservation::Granted { start, mails } if mails == order.mails => start,
                Reservation::Granted { .. } | Reservation::Refused { .. } => return Ok(Moment::Full),
            };
            count = Count::Again;
            let start = start.saturating_add(ahead).unwrap_or(start);
            let wait = Duration::try_from(start.duration_since(self.clock.now())).unwrap_or_default();
            self.clock.sleep(wait).await;
            if self.clock.now().duration_since(start) <= LATE {
                return Ok(Moment::Now);
            }
        }
        Ok(Moment::Missed)
    }

    /// What the call shows, or why SES refused it as a whole.
    async fn try_out(&self, policy: &Policy, template: &Compiled, flaw: Flaw) -> Result<Check, String> {
        let letter =
            Letter { from: policy.from.as_str(), template: &template.ses_name(), data: &template.sample_data(policy) };
        Ok(match self.simulator.send(&letter, flaw).await {
            Ok(answers) => order::judge(&answers.into_iter().map(said).collect::<Vec<_>>()),
            Err(MailerError::Refused(why)) => return Err(why),
            Err(error @ (MailerError::Busy(_) | MailerError::InDoubt(_))) => unknown(&error.to_string(), AGAIN),
            Err(MailerError::Stopped(stop)) => unknown(&stop.message, "see what else is not ready: germane doctor"),
        })
    }
}

fn said(answer: Answer) -> Said {
    match answer {
        Answer::Accepted => Said::Taken,
        Answer::Rejected { .. } => Said::Refused,
        Answer::Busy => Said::Other("it is busy".to_owned()),
        Answer::QuotaExceeded => Said::Other("the day's quota is used up".to_owned()),
        Answer::Stopped(stop) => Said::Other(stop.message),
        Answer::InDoubt => Said::Other("one of its answers, or their number, is not clear".to_owned()),
    }
}

fn unknown(found: &str, next: &str) -> Check {
    Check::unknown(Looked::Order, found, next)
}
