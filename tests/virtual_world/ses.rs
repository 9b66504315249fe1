//! An SES account with its exact rate and quota, a record of every call, and what it tells of its mails afterwards.

use std::{
    collections::BTreeSet,
    ops::Range,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use germane::{
    domain::{
        id::{CampaignId, RecipientId},
        report::StatusCode,
    },
    flow::{
        pace::{Account, Limits},
        port::PortError,
        send::mail::{Answer, Batch, Mail, Mailer, MailerError, Stop},
    },
    local::ses::{Allowance, Throttle},
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    network::{Fault, Network, Service},
    queue::Queues,
};

/// How soon an event follows its mail, in microseconds: before the answer, or long after it.
const EVENT_AFTER: Range<u64> = 1_000..120_000_000;

/// What an account is like.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// Recipients a second.
    pub rate: f64,
    /// In any 24 hours; `None` for no limit.
    pub quota: Option<u64>,
    pub throttle: Throttle,
    pub moods: Moods,
}

/// How often SES does what it may do to a mail or a call, in 10,000.
#[derive(Debug, Clone, Default)]
pub struct Moods {
    /// Refuses the whole call, because of one mail in it.
    pub refuses: u64,
    /// Takes nothing of the campaign any more.
    pub stops: u64,
    /// Is busy with one mail.
    pub busy: u64,
    /// Rejects one mail.
    pub rejects: u64,
    /// Says `FAILED` of one mail, which may have gone out or not.
    pub fails: u64,
    /// Takes a mail and cannot render it.
    pub not_rendered: u64,
    pub hard_bounces: u64,
    pub complaints: u64,
    /// Tells nothing of a mail.
    pub silent: u64,
    /// Tells an event twice.
    pub twice: u64,
}

/// One bulk call as SES saw it.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// When it came to SES.
    pub at: Timestamp,
    /// When it was begun, since the world was.
    pub begun: Duration,
    pub campaign: CampaignId,
    pub mails: usize,
    pub taken: Vec<RecipientId>,
}

/// The account as one process reaches it.
#[derive(Clone)]
pub struct SesAccount {
    pub network: Network,
    terms: Arc<Terms>,
    /// Where its events go; `None` if nobody listens.
    feedback: Option<Queues>,
    book: Arc<Mutex<Book>>,
}

struct Book {
    allowance: Allowance,
    calls: Vec<Call>,
    /// The mails of which something was told that settles a doubt.
    told: BTreeSet<(CampaignId, RecipientId)>,
}

impl SesAccount {
    #[expect(clippy::cast_precision_loss, reason = "a quota of some thousand")]
    pub fn new(network: Network, terms: Terms, feedback: Option<Queues>) -> Self {
        let quota = terms.quota.map_or(-1.0, |quota| quota as f64);
        let book = Book { allowance: Allowance::new(terms.rate, quota), calls: Vec::new(), told: BTreeSet::new() };
        Self { network, terms: Arc::new(terms), feedback, book: Arc::new(Mutex::new(book)) }
    }

    /// The same account from another process.
    pub fn from(&self, network: Network) -> Self {
        Self { network, ..self.clone() }
    }

    /// Every call so far, in the order in which they came.
    pub fn calls(&self) -> Vec<Call> {
        self.book.lock().unwrap().calls.clone()
    }

    pub fn told(&self) -> BTreeSet<(CampaignId, RecipientId)> {
        self.book.lock().unwrap().told.clone()
    }

    fn happens(&self, in_10_000: u64) -> bool {
        self.network.happens(in_10_000)
    }

    fn take(&self, begun: Duration, campaign: &CampaignId, mails: &[Mail]) -> Result<Vec<Answer>, MailerError> {
        let (moods, at) = (&self.terms.moods, self.network.time.now());
        let mut book = self.book.lock().unwrap();
        let call = |taken| Call { at, begun, campaign: campaign.clone(), mails: mails.len(), taken };
        if self.happens(moods.refuses) {
            book.calls.push(call(Vec::new()));
            return Err(MailerError::Refused("BadRequestException".to_owned()));
        }
        if self.happens(moods.stops) {
            book.calls.push(call(Vec::new()));
            let message = "the account's sending is paused".to_owned();
            return Err(MailerError::Stopped(Stop { code: StatusCode::Account, message }));
        }
        let room = book.allowance.room(at);
        if self.terms.throttle == Throttle::Whole && room.rate.min(room.quota) < mails.len() {
            book.calls.push(call(Vec::new()));
            return if room.quota < mails.len() {
                Ok(vec![Answer::QuotaExceeded; mails.len()])
            } else {
                Err(MailerError::Busy("TooManyRequestsException".into()))
            };
        }
        let mut taken = Vec::new();
        let mut answers = Vec::with_capacity(mails.len());
        for mail in mails {
            answers.push(if room.quota == taken.len() {
                Answer::QuotaExceeded
            } else if room.rate == taken.len() || self.happens(moods.busy) {
                Answer::Busy
            } else if self.happens(moods.rejects) {
                Answer::Rejected { status: "MESSAGE_REJECTED".to_owned() }
            } else if self.happens(moods.fails) {
                if self.network.chance.happens(5_000) {
                    taken.push(mail);
                }
                Answer::InDoubt
            } else {
                taken.push(mail);
                Answer::Accepted
            });
        }
        book.allowance.take(at, taken.len());
        book.calls.push(call(taken.iter().map(|mail| mail.recipient.clone()).collect()));
        for mail in taken {
            if self.tell(campaign, mail, at) {
                book.told.insert((campaign.clone(), mail.recipient.clone()));
            }
        }
        Ok(answers)
    }

    /// Publishes what became of a mail; false if that stays unknown.
    fn tell(&self, campaign: &CampaignId, mail: &Mail, at: Timestamp) -> bool {
        let Some(feedback) = &self.feedback else { return false };
        let moods = &self.terms.moods;
        let kinds: &[&str] = if self.happens(moods.silent) {
            &[]
        } else if self.happens(moods.not_rendered) {
            &["Rendering Failure"]
        } else if self.happens(moods.hard_bounces) {
            &["Bounce"]
        } else if self.happens(moods.complaints) {
            &["Delivery", "Complaint"]
        } else {
            &["Delivery"]
        };
        for kind in kinds {
            let body = event(kind, campaign, mail, at).to_string();
            for _ in 0..=u8::from(self.happens(moods.twice)) {
                feedback.put(body.clone(), self.network.chance.micros(EVENT_AFTER));
            }
        }
        !kinds.is_empty()
    }
}

/// As SES publishes it.
fn event(kind: &str, campaign: &CampaignId, mail: &Mail, at: Timestamp) -> Value {
    let tag = |id: &str| json!([URL_SAFE_NO_PAD.encode(id)]);
    let mut event = json!({
        "eventType": kind,
        "mail": {
            "timestamp": at,
            "destination": [mail.to.reveal()],
            "tags": { "campaign": tag(campaign.as_str()), "recipient": tag(mail.recipient.as_str()) },
        },
    });
    match kind {
        "Bounce" => event["bounce"] = json!({ "bounceType": "Permanent", "bounceSubType": "General", "timestamp": at }),
        "Complaint" => event["complaint"] = json!({ "complaintFeedbackType": "abuse", "timestamp": at }),
        _ => {}
    }
    event
}

#[async_trait]
impl Mailer for SesAccount {
    async fn send(&self, batch: &Batch<'_>) -> Result<Vec<Answer>, MailerError> {
        let (account, campaign) = (self.clone(), batch.campaign.unwrap().clone());
        let (begun, mails) = (self.network.time.passed(), batch.mails.clone());
        let fault = self
            .network
            .fault(Service::Ses, &[Fault::Throttled, Fault::LostBefore, Fault::LostAfter, Fault::Late, Fault::Slow]);
        let answer = self.network.ses("SES bulk", fault, move || account.take(begun, &campaign, &mails)).await;
        answer.unwrap_or_else(|| match fault {
            Some(Fault::Throttled) => Err(MailerError::Busy("TooManyRequestsException".into())),
            _ => Err(MailerError::InDoubt("no answer".into())),
        })
    }
}

#[async_trait]
impl Account for SesAccount {
    async fn limits(&self) -> Result<Limits, PortError> {
        let account = self.clone();
        let limits = move || {
            let mut book = account.book.lock().unwrap();
            let sent_last_day = book.allowance.sent_last_24_hours(account.network.time.now()) as u64;
            Limits { per_second: account.terms.rate, per_day: account.terms.quota, sent_last_day }
        };
        let fault = self.network.fault(Service::Ses, &[Fault::Throttled, Fault::LostBefore, Fault::Slow]);
        let answer = self.network.ses("SES account", fault, limits).await;
        answer.ok_or_else(|| PortError::unavailable("SES", "no answer"))
    }
}
