//! An SES account with its exact rate, and a record of every call.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use germane::{
    domain::id::{CampaignId, RecipientId},
    flow::{
        pace::{Account, Limits},
        port::PortError,
        send::mail::{Answer, Batch, Mailer, MailerError},
    },
    local::ses::{Allowance, Throttle},
};
use jiff::Timestamp;

use super::network::Network;

/// One bulk call as SES saw it.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub at: Timestamp,
    pub campaign: CampaignId,
    pub mails: usize,
    pub taken: Vec<RecipientId>,
}

pub struct SesAccount {
    network: Arc<Network>,
    rate: f64,
    throttle: Throttle,
    book: Mutex<Book>,
}

struct Book {
    allowance: Allowance,
    calls: Vec<Call>,
}

impl SesAccount {
    pub fn new(network: Arc<Network>, rate: f64, throttle: Throttle) -> Self {
        let book = Book { allowance: Allowance::new(rate, -1.0), calls: Vec::new() };
        Self { network, rate, throttle, book: Mutex::new(book) }
    }

    /// Every call so far, in the order in which they came.
    pub fn calls(&self) -> Vec<Call> {
        self.book.lock().unwrap().calls.clone()
    }

    fn take(&self, batch: &Batch<'_>) -> Result<Vec<Answer>, MailerError> {
        let mut book = self.book.lock().unwrap();
        let (at, mails) = (self.network.time.now(), batch.mails.len());
        let fits = book.allowance.fits(at).min(mails);
        let taken = match self.throttle {
            Throttle::Whole if fits < mails => 0,
            Throttle::Whole | Throttle::Entry => fits,
        };
        book.allowance.take(at, taken);
        let recipients = batch.mails.iter().take(taken).map(|mail| mail.recipient.clone()).collect();
        book.calls.push(Call { at, campaign: batch.campaign.unwrap().clone(), mails, taken: recipients });
        if taken == 0 && self.throttle == Throttle::Whole {
            return Err(MailerError::Busy("TooManyRequestsException".into()));
        }
        Ok((0..mails).map(|place| if place < taken { Answer::Accepted } else { Answer::Busy }).collect())
    }
}

#[async_trait]
impl Mailer for SesAccount {
    async fn send(&self, batch: &Batch<'_>) -> Result<Vec<Answer>, MailerError> {
        self.network.ses(|| self.take(batch)).await
    }
}

#[async_trait]
impl Account for SesAccount {
    async fn limits(&self) -> Result<Limits, PortError> {
        let limits = || {
            let mut book = self.book.lock().unwrap();
            let sent_last_day = book.allowance.sent_last_24_hours(self.network.time.now()) as u64;
            Limits { per_second: self.rate, per_day: None, sent_last_day }
        };
        Ok(self.network.ses(limits).await)
    }
}
