//! One mail that belongs to no campaign: at a moment of its own, in the part of the rate that the policy keeps free for
//! such, and never twice.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    clock::Clock,
    launch::{Pinned, Versioned},
    pace::{Count, Order, Pacer, Reservation},
    port::PortError,
    send::mail::{Answer, Batch, Mail, Mailer, MailerError},
    template::Compiled,
};

/// How often a mail that SES surely did not take is tried.
const TRIES: usize = 3;

/// What mailing needs.
pub struct Single<'a> {
    pub clock: &'a dyn Clock,
    pub pacer: &'a Pacer,
    pub mailer: &'a dyn Mailer,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handed {
    Accepted,
    /// SES did not answer: it may have gone out.
    InDoubt,
    /// The day's quota is used up, at least until then.
    NoQuota {
        until: Option<Timestamp>,
    },
    /// SES took it at none of the tries.
    Busy,
    /// And never will, in SES's words.
    Refused(String),
}

impl Single<'_> {
    pub async fn send(&self, mail: Mail, policy: &Versioned, template: &Compiled) -> Result<Handed, PortError> {
        let pinned = Pinned {
            template: template.name.clone(),
            template_hash: template.hash.clone(),
            from: policy.policy.from.as_str().to_owned(),
            reply_to: policy.policy.reply_to.as_ref().map(|reply_to| reply_to.as_str().to_owned()),
            shards: 0,
            forget_at: None,
        };
        let ses_template = template.ses_name();
        let batch = Batch { campaign: None, pinned: &pinned, template: &ses_template, mails: vec![mail] };
        let mut count = Count::New;
        for _ in 0..TRIES {
            let order = Order { mails: 1, count, reserved_percent: 0 };
            let start = match self.pacer.reserve(&order).await? {
                Reservation::Granted { start, .. } => start,
                Reservation::Refused { until } => return Ok(Handed::NoQuota { until: Some(until) }),
            };
            count = Count::Again;
            let wait = Duration::try_from(start.duration_since(self.clock.now())).unwrap_or_default();
            self.clock.sleep(wait).await;
            match self.mailer.send(&batch).await {
                Ok(answers) => match answers.into_iter().next() {
                    Some(Answer::Accepted) => return Ok(Handed::Accepted),
                    Some(Answer::InDoubt) | None => return Ok(Handed::InDoubt),
                    Some(Answer::Busy) => {}
                    Some(Answer::QuotaExceeded) => return Ok(Handed::NoQuota { until: None }),
                    Some(Answer::Stopped(stop)) => return Ok(Handed::Refused(stop.message)),
                    Some(Answer::Rejected { status }) => return Ok(Handed::Refused(status)),
                },
                Err(MailerError::InDoubt(error)) => {
                    tracing::warn!(%error, "SES did not answer for a mail of no campaign: it may have gone out");
                    return Ok(Handed::InDoubt);
                }
                Err(MailerError::Busy(_)) => {}
                Err(MailerError::Refused(why)) => return Ok(Handed::Refused(why)),
                Err(MailerError::Stopped(stop)) => return Ok(Handed::Refused(stop.message)),
            }
        }
        Ok(Handed::Busy)
    }
}
