//! A stand-in for the few SES v2 calls that we use, spoken to by the real SDK over loopback HTTP. It keeps SES's rules
//! (what is refused, what is accepted and then fails to render, which events follow, how much is taken in a second and
//! in a day) and captures every mail: in memory, or in a folder that a later start goes on from.
//!
//! Where the two differ: every sender's domain counts as verified, unless all are to be pending; events are published
//! whichever configuration set a call names. The rate is exact: SES allows short bursts above it, here no second ever holds more. What becomes of a bulk call that is
//! over the rate AWS does not write down, so that both is offered, as [`Throttle`]; and only messages that break no
//! rule count against the limits.

mod accept;
mod allowance;
mod archive;
mod bulk;
mod digest;
mod event;
mod http;
mod letter;
mod mail;
mod prepared;
mod refusal;
mod rules;
mod single;
mod template;
mod wire;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use axum::Router;
use serde_json::Value;

pub use accept::Tally;
pub use allowance::{Allowance, Room};
pub use archive::ArchiveError;
pub use mail::Mail;
pub use prepared::CONFIGURATION_SET;

use super::Now;
use accept::Book;
use archive::{Archive, Held};
use event::Event;
use refusal::Refusal;
use template::Template;

/// The account's limits, and how it holds them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SesConfig {
    /// Recipients a second; 0.5 is one in two seconds.
    pub max_send_rate: f64,
    /// Recipients in any 24 hours; -1 is any number.
    pub daily_quota: f64,
    pub throttle: Throttle,
    /// In the sandbox mail goes only to the simulator and to the sender's own, verified domain.
    pub sandbox: bool,
    /// The senders' domains wait for their DNS records: nothing is sent.
    pub identity_pending: bool,
}

impl Default for SesConfig {
    fn default() -> Self {
        Self {
            max_send_rate: 5_000.0,
            daily_quota: 1_000_000.0,
            throttle: Throttle::default(),
            sandbox: false,
            identity_pending: false,
        }
    }
}

/// What becomes of a bulk call of which not everything fits in the rate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Throttle {
    /// The call fails and nothing of it is taken.
    #[default]
    Whole,
    /// The entries that fit are taken, the others are `ACCOUNT_THROTTLED`.
    Entry,
}

/// One SES account in one region; clones share it.
#[derive(Clone)]
pub struct Ses(Arc<Account>);

struct Account {
    config: SesConfig,
    now: Now,
    templates: Mutex<BTreeMap<String, Arc<Template>>>,
    book: Mutex<Book>,
    archive: Option<Arc<Archive>>,
    publisher: OnceLock<Publisher>,
}

/// Takes events as SNS hands them on.
type Publisher = Box<dyn Fn(Vec<String>) + Send + Sync>;

impl Ses {
    /// An account that ends with the process.
    pub fn new(config: SesConfig, now: Now) -> Self {
        Self::of(config, now, None, Held::default())
    }

    /// An account whose templates and mails are in a folder, which is made if it is not there. What was accepted there
    /// before counts and is shown as if it had never ended.
    pub fn open(config: SesConfig, now: Now, folder: &Path) -> Result<Self, ArchiveError> {
        let (archive, held) = Archive::open(folder)?;
        Ok(Self::of(config, now, Some(archive), held))
    }

    fn of(config: SesConfig, now: Now, archive: Option<Arc<Archive>>, held: Held) -> Self {
        let mut book = Book::new(Allowance::new(config.max_send_rate, config.daily_quota));
        for accepted in held.accepted {
            book.enter(accepted);
        }
        Self(Arc::new(Account {
            config,
            now,
            templates: Mutex::new(held.templates),
            book: Mutex::new(book),
            archive,
            publisher: OnceLock::new(),
        }))
    }

    /// Lets go of the folder, so that it can be opened again while a connection still holds this one. From now on
    /// nothing is taken. Without a folder it does nothing.
    pub fn close(&self) {
        if let Some(archive) = &self.0.archive {
            archive.close();
        }
    }

    /// From now on events go there as they happen: what an SNS topic delivers of an event destination for bounces,
    /// complaints, deliveries, rejects and rendering failures. Only the first one counts.
    pub fn publish(&self, publisher: impl Fn(Vec<String>) + Send + Sync + 'static) {
        let _ = self.0.publisher.set(Box::new(publisher));
    }

    /// The HTTP API: `/v2/email/...`.
    pub fn router(&self) -> Router {
        http::router(self.clone())
    }

    /// Every captured mail, oldest first.
    pub fn mails(&self) -> Vec<Arc<Mail>> {
        self.book().mails.clone()
    }

    pub fn mail(&self, id: &str) -> Option<Arc<Mail>> {
        self.book().mails.iter().find(|mail| mail.id == id).cloned()
    }

    /// How many mails were captured.
    pub fn count(&self) -> usize {
        self.book().mails.len()
    }

    /// What SES would have published so far, oldest first: Send, Delivery, Bounce, Complaint and Rendering Failure.
    pub fn events(&self) -> Vec<Value> {
        let events = self.book().events.clone();
        events.iter().map(Event::to_json).collect()
    }

    pub fn tally(&self) -> Tally {
        self.book().tally
    }

    fn sent_last_24_hours(&self) -> usize {
        self.book().allowance.sent_last_24_hours((self.0.now)())
    }

    fn template(&self, name: &str) -> Option<Arc<Template>> {
        self.templates().get(name).cloned()
    }

    fn templates(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Template>>> {
        self.0.templates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Account {
    fn keep_template(&self, template: &Template) -> Result<(), Refusal> {
        let Some(archive) = &self.archive else { return Ok(()) };
        archive.keep_template(template).map_err(|error| Refusal::not_kept(&error))
    }

    fn drop_template(&self, name: &str) -> Result<(), Refusal> {
        let Some(archive) = &self.archive else { return Ok(()) };
        archive.drop_template(name).map_err(|error| Refusal::not_kept(&error))
    }
}
