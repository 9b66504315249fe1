//! A stand-in for the few SES v2 calls that we use, spoken to by the real SDK over loopback HTTP. It keeps SES's rules
//! (what is refused, what is accepted and then fails to render, which events follow) and captures every mail.
//!
//! Where the two differ: every sender identity counts as verified; a configuration set is accepted and ignored; the
//! send rate and the daily quota are reported, not enforced.

mod bulk;
mod event;
mod http;
mod mail;
mod refusal;
mod rules;
mod single;
mod template;
mod wire;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::Router;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

pub use mail::Mail;

use super::Now;
use event::{Event, What};
use mail::Draft;
use template::{NotRendered, Template};

/// What `GetAccount` says of the account.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SesConfig {
    /// Recipients a second.
    pub max_send_rate: f64,
    /// Recipients in any 24 hours.
    pub daily_quota: f64,
    /// In the sandbox mail goes only to the simulator and to the sender's own, verified domain.
    pub sandbox: bool,
}

impl Default for SesConfig {
    fn default() -> Self {
        Self { max_send_rate: 5_000.0, daily_quota: 1_000_000.0, sandbox: false }
    }
}

/// One SES account in one region; clones share it.
#[derive(Clone)]
pub struct Ses(Arc<Account>);

struct Account {
    config: SesConfig,
    now: Now,
    templates: Mutex<BTreeMap<String, Arc<Template>>>,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    /// When each message was accepted, in order; also the ones that failed to render, which SES bills all the same.
    accepted: Vec<Timestamp>,
    mails: Vec<Arc<Mail>>,
    events: Vec<Event>,
}

impl Ses {
    pub fn new(config: SesConfig, now: Now) -> Self {
        Self(Arc::new(Account { config, now, templates: Mutex::default(), log: Mutex::default() }))
    }

    /// The HTTP API: `/v2/email/...`.
    pub fn router(&self) -> Router {
        http::router(self.clone())
    }

    /// Every captured mail, oldest first.
    pub fn mails(&self) -> Vec<Arc<Mail>> {
        self.log().mails.clone()
    }

    pub fn mail(&self, id: &str) -> Option<Arc<Mail>> {
        self.log().mails.iter().find(|mail| mail.id == id).cloned()
    }

    /// How many mails were captured.
    pub fn count(&self) -> usize {
        self.log().mails.len()
    }

    /// What SES would have published so far, oldest first: Send, Delivery, Bounce, Complaint and Rendering Failure.
    pub fn events(&self) -> Vec<Value> {
        let log = self.log();
        log.events.iter().map(Event::to_json).collect()
    }

    fn sent_last_24_hours(&self) -> usize {
        let log = self.log();
        let since = (self.0.now)().saturating_sub(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MIN);
        log.accepted.len() - log.accepted.partition_point(|at| *at <= since)
    }

    fn template(&self, name: &str) -> Option<Arc<Template>> {
        self.templates().get(name).cloned()
    }

    /// Takes a message that broke no rule: it gets its id, and is captured unless it could not be rendered.
    fn accept(&self, draft: Draft, rendered: Result<String, NotRendered>) -> String {
        let mut log = self.log();
        let at = (self.0.now)();
        // Unique by the count; by the time as well over restarts.
        let id = format!("{:016x}-{:08x}-000000", at.as_millisecond(), log.accepted.len());
        log.accepted.push(at);
        match rendered {
            Ok(subject) => {
                let mail = Arc::new(draft.sealed(id.clone(), at, subject));
                log.events.extend(What::follow(&mail.to).map(|what| Event { mail: Arc::clone(&mail), what }));
                log.mails.push(mail);
            }
            Err(failure) => {
                let mail = Arc::new(draft.sealed(id.clone(), at, String::new()));
                log.events.push(Event { mail, what: What::NotRendered(failure) });
            }
        }
        id
    }

    fn templates(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Template>>> {
        self.0.templates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
