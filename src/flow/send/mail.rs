//! Handing a batch to SES, and what its answers mean.

use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{claim::Claimed, lease::CLAIM_SLACK, stop::Stopped, walk::Run};
use crate::{
    domain::{
        decision::Reason,
        email::EmailAddress,
        id::{CampaignId, RecipientId},
        policy::Policy,
        recipient::Recipient,
        report::{CampaignStatus, StatusCode, StatusDetail},
    },
    flow::{
        launch::{Move, Pinned},
        notice,
        pace::{Count, Order, Reservation},
        port::PortError,
        sentence,
        template::Personal,
        token::Purpose,
        words::words,
    },
};

/// A claim is followed by its send within 30 seconds or given back: no new attempt begins later than this.
const SEND_WITHIN: Duration = Duration::from_secs(12);
const BACK_OFF: Duration = Duration::from_millis(200);
/// How many moments are asked for before the mails are given back.
const MAX_MOMENTS: usize = 5;
/// A batch is at most a twentieth of a second's mails and a twentieth of the rate is left unused, so a call that is this
/// late fits still.
pub const LATE: SignedDuration = SignedDuration::from_millis(50);

/// One mail of a batch.
#[derive(Debug, Clone)]
pub struct Mail {
    pub recipient: RecipientId,
    pub to: EmailAddress,
    /// The template data, as JSON.
    pub data: String,
    /// For the mail program (RFC 8058); `None` for what somebody asked for with their own hands.
    pub unsubscribe_url: Option<String>,
}

/// Mails of one campaign for one SES call.
#[derive(Debug)]
pub struct Batch<'a> {
    /// Whose events name campaign and recipient; `None` for a mail that belongs to no campaign.
    pub campaign: Option<&'a CampaignId>,
    pub pinned: &'a Pinned,
    /// The stored template's name in SES.
    pub template: &'a str,
    pub mails: Vec<Mail>,
}

/// What SES said of one mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Accepted,
    /// Surely not taken; may be tried again.
    Busy,
    /// Surely not taken; not before the daily quota frees.
    QuotaExceeded,
    /// Surely not taken, and no other mail of the campaign will be.
    Stopped(Stop),
    /// Surely not taken, and never will be.
    Rejected {
        status: String,
    },
    /// May have gone out.
    InDoubt,
}

/// Why SES takes nothing of a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    pub code: StatusCode,
    pub message: String,
}

/// What SES said of a whole call.
#[derive(Debug, thiserror::Error)]
pub enum MailerError {
    /// Nothing was taken: throttled, or no connection was made.
    #[error("SES is busy or out of reach")]
    Busy(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Nothing was taken, because something in the call is wrong.
    #[error("SES refused the call: {0}")]
    Refused(String),
    /// Nothing was taken, and nothing of this campaign will be.
    #[error("SES takes nothing: {}", .0.message)]
    Stopped(Stop),
    /// The bytes may have left and the answer did not come: all of it may have gone out.
    #[error("SES did not answer")]
    InDoubt(#[source] Box<dyn std::error::Error + Send + Sync>),
}

#[async_trait]
pub trait Mailer: Send + Sync {
    /// Sends once, without repeating anything, and answers in the order of the mails.
    async fn send(&self, batch: &Batch<'_>) -> Result<Vec<Answer>, MailerError>;
}

/// What became of a claimed person.
#[derive(Debug, Clone)]
pub(super) enum Fate {
    Sent,
    Failed(Reason),
    /// Not taken in time; the slot goes back and the gate is asked again.
    NotYet,
    Deferred(Reason),
    InDoubt,
}

impl Fate {
    /// Whether SES surely did not take the mail.
    pub fn frees_the_slot(&self) -> bool {
        match self {
            Fate::Failed(_) | Fate::NotYet | Fate::Deferred(_) => true,
            Fate::Sent | Fate::InDoubt => false,
        }
    }
}

/// Mails everybody who was claimed from `begun` on, at `start` and not before, trying again what SES surely did not
/// take.
pub(super) async fn mail(
    run: &Run<'_>,
    policy: &Policy,
    claimed: Vec<Claimed>,
    start: Timestamp,
    begun: Duration,
) -> Vec<(Claimed, Fate)> {
    let mut fates = Vec::with_capacity(claimed.len());
    // A stack of batches: a refused one is halved until the mail at fault is alone.
    let mut batches = vec![claimed];
    let mut start = Some(start);
    let (mut attempt, mut back_off) = (0, Duration::ZERO);
    while let Some(batch) = batches.pop() {
        if batch.is_empty() {
            continue;
        }
        let order = order(policy, batch.len(), Count::Again);
        let moment = run.stop.or_reserved(moment(run, &order, start.take(), back_off)).await;
        let late = run.ports.clock.monotonic() > begun + SEND_WITHIN;
        let kept_back = match moment {
            Err(stopped) => Some(Fate::Deferred(stopped.reason())),
            Ok(Err(error)) => {
                tracing::warn!(%error, "no moment could be reserved for claimed mails: they are given back");
                Some(Fate::NotYet)
            }
            Ok(Ok(())) if late || run.check_lease(CLAIM_SLACK).is_err() => Some(Fate::NotYet),
            Ok(Ok(())) => None,
        };
        if let Some(fate) = kept_back {
            fates.extend(batch.into_iter().map(|claimed| (claimed, fate.clone())));
            continue;
        }
        let answers = run.ports.mailer.send(&compose(run, policy, &batch)).await;
        let mut busy = Vec::new();
        match answers {
            // Answers are matched by position; with another number of them nobody knows whose they are.
            Ok(answers) if answers.len() != batch.len() => {
                fates.extend(batch.into_iter().map(|claimed| (claimed, Fate::InDoubt)));
            }
            Ok(answers) => {
                for (claimed, answer) in batch.into_iter().zip(answers) {
                    match fate(run, answer).await {
                        Some(fate) => fates.push((claimed, fate)),
                        None => busy.push(claimed),
                    }
                }
            }
            Err(MailerError::Busy(_)) => busy = batch,
            Err(MailerError::Refused(why)) => {
                let mut first = batch;
                let second = first.split_off(first.len() / 2);
                if first.is_empty() {
                    let failed = |claimed| (claimed, Fate::Failed(Reason::Rejected { status: why.clone() }));
                    fates.extend(second.into_iter().map(failed));
                } else {
                    batches.extend([second, first]);
                }
            }
            Err(MailerError::Stopped(stop)) => {
                stop_campaign(run, stop).await;
                fates.extend(batch.into_iter().map(|claimed| (claimed, Fate::Deferred(Reason::Stopped))));
            }
            Err(MailerError::InDoubt(error)) => {
                tracing::warn!(%error, mails = batch.len(), "a bulk call was not answered: its people are in doubt");
                fates.extend(batch.into_iter().map(|claimed| (claimed, Fate::InDoubt)));
            }
        }
        back_off = Duration::ZERO;
        if !busy.is_empty() {
            run.meter.throttled(busy.len());
            batches.push(busy);
            back_off = BACK_OFF * 2_u32.pow(attempt);
            attempt = (attempt + 1).min(4);
        }
    }
    fates
}

pub(super) fn order(policy: &Policy, mails: usize, count: Count) -> Order {
    Order { mails, count, reserved_percent: policy.reserved_rate_percent }
}

/// Comes when the batch may go. A moment that is missed, or was used up by a call that SES did not take, is replaced
/// by another one.
async fn moment(run: &Run<'_>, order: &Order, start: Option<Timestamp>, back_off: Duration) -> Result<(), PortError> {
    let clock = &run.ports.clock;
    if !back_off.is_zero() {
        clock.sleep(back_off).await;
    }
    let mut start = start;
    for _ in 0..MAX_MOMENTS {
        if let Some(start) = start.filter(|start| clock.now().duration_since(*start) <= LATE) {
            run.wait_until(start, Duration::ZERO).await;
            return Ok(());
        }
        start = match run.ports.pacer.reserve(order).await? {
            Reservation::Granted { start, .. } => Some(start),
            // What was counted before is not refused.
            Reservation::Refused { .. } => break,
        };
    }
    Err(PortError::unavailable("the rate's timeline", "each moment had passed before it was known"))
}

fn compose<'a>(run: &'a Run<'_>, policy: &Policy, batch: &[Claimed]) -> Batch<'a> {
    let mails = batch.iter().filter_map(|claimed| {
        let recipient = &claimed.recipient;
        let to = recipient.address(run.campaign.channel)?.email.clone();
        let link = |purpose, path| {
            let token = run.ports.tokens.sign(purpose, &recipient.id, &run.campaign.id);
            format!("{}/{path}/{token}", run.ports.public_url)
        };
        let unsubscribe_url = link(Purpose::Unsubscribe, "u");
        // In the language of the body that they get, so that no mail is in two.
        let language = recipient.locale.as_deref().and_then(|locale| run.template.language(locale));
        let personal = Personal {
            attributes: &recipient.attributes,
            held: &if run.template.manifest.held {
                notice::held(recipient, &run.campaign, policy, language.unwrap_or("en"), claimed.at)
            } else {
                Value::Null
            },
            unsubscribe_url: &unsubscribe_url,
            preferences_url: &link(Purpose::Reduce, "p"),
            confirm_url: &if run.template.manifest.notice { confirm_url(run, recipient, &to) } else { String::new() },
            why: &sentence::why(words(language), &run.campaign, policy, &claimed.grounds),
        };
        let data = run.template.data_in(recipient.locale.as_deref(), &run.shared, &personal);
        Some(Mail { recipient: recipient.id.clone(), to, data, unsubscribe_url: Some(unsubscribe_url) })
    });
    Batch { campaign: Some(&run.campaign.id), pinned: &run.pinned, template: &run.ses_template, mails: mails.collect() }
}

/// Leads to the page on which a consent that waits is confirmed, by whoever reads the mail at `to`.
fn confirm_url(run: &Run<'_>, recipient: &Recipient, to: &EmailAddress) -> String {
    let token = run.ports.tokens.sign_for(Purpose::Confirm, &recipient.id, &run.campaign.id, to);
    format!("{}/c/{token}", run.ports.public_url)
}

/// `None` if it may be tried again.
async fn fate(run: &Run<'_>, answer: Answer) -> Option<Fate> {
    match answer {
        Answer::Accepted => Some(Fate::Sent),
        Answer::Busy => None,
        // Said of each mail of a call, and done once.
        Answer::QuotaExceeded if run.stop.get().is_some() => Some(Fate::Deferred(Reason::Quota)),
        Answer::QuotaExceeded => {
            // Without it the next reservation or the next answer says the same.
            let opens = run.ports.pacer.frees_at().await;
            let waits = match opens {
                Ok(until) => run.wait_for_quota(until, Stopped::Campaign(Reason::Quota)).await,
                Err(error) => Err(error),
            };
            if let Err(error) = waits {
                tracing::warn!(%error, "the campaign could not be told to wait for its quota");
                run.stop.set(Stopped::Failed(Reason::Quota));
            }
            Some(Fate::Deferred(Reason::Quota))
        }
        Answer::Stopped(stop) => {
            stop_campaign(run, stop).await;
            Some(Fate::Deferred(Reason::Stopped))
        }
        Answer::Rejected { status } => Some(Fate::Failed(Reason::Rejected { status })),
        Answer::InDoubt => Some(Fate::InDoubt),
    }
}

async fn stop_campaign(run: &Run<'_>, stop: Stop) {
    let detail = StatusDetail::new(stop.code, stop.message);
    let paused = Move { to: CampaignStatus::Paused, detail: Some(detail), pinned: None };
    run.halt(Stopped::Campaign(Reason::Stopped), &paused).await;
}
