//! Taking messages that broke no rule: as many as the rate and the quota let pass, kept before the call is answered.

use std::{iter::repeat_n, sync::Arc};

use jiff::Timestamp;

use super::{
    Ses, Throttle,
    allowance::Allowance,
    event::{Event, What},
    mail::{Draft, Mail},
    refusal::{Refusal, Unfit},
    template::NotRendered,
};

/// A message, and what rendering it gave: its subject, or why it will not be delivered.
pub(super) struct Message {
    pub draft: Draft,
    pub rendered: Result<String, NotRendered>,
}

/// An accepted message. One that was not rendered has no subject and is never delivered.
pub(super) struct Accepted {
    pub mail: Mail,
    pub failure: Option<NotRendered>,
}

/// Figures of the calls, since this SES was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Of `SendEmail` and `SendBulkEmail`, whatever became of them.
    pub calls: u64,
    /// Calls of which something was over the rate, be it the whole call or some of its entries.
    pub throttled_calls: u64,
    /// The most recipients accepted in any one second.
    pub busiest_second: usize,
}

/// All that was accepted.
pub(super) struct Book {
    pub allowance: Allowance,
    pub tally: Tally,
    /// Also those that failed to render, which SES bills all the same.
    pub accepted: u64,
    pub mails: Vec<Arc<Mail>>,
    pub events: Vec<Event>,
}

impl Book {
    pub(super) fn new(allowance: Allowance) -> Self {
        Self { allowance, tally: Tally::default(), accepted: 0, mails: Vec::new(), events: Vec::new() }
    }

    pub(super) fn enter(&mut self, Accepted { mail, failure }: Accepted) {
        let mail = Arc::new(mail);
        self.accepted += 1;
        self.allowance.take(mail.at, 1);
        if let Some(failure) = failure {
            self.events.push(Event { mail, what: What::NotRendered(failure) });
            return;
        }
        self.events.extend(What::follow(&mail.to).map(|what| Event { mail: Arc::clone(&mail), what }));
        self.mails.push(mail);
    }
}

impl Ses {
    /// Takes of one call's messages, in their order, what fits: an id for each, or why it was not taken. The quota is
    /// looked at first, so that a call over both is told what waiting a second does not mend.
    pub(super) fn accept(&self, messages: Vec<Message>) -> Result<Vec<Result<String, Unfit>>, Refusal> {
        let mut book = self.book();
        let at = book.allowance.time((self.0.now)());
        let room = book.allowance.room(at);
        let within_quota = messages.len().min(room.quota);
        let beyond_quota = messages.len() - within_quota;
        let fitting = within_quota.min(room.rate);
        let throttled = within_quota - fitting;
        if throttled > 0 {
            book.tally.throttled_calls += 1;
            match self.0.config.throttle {
                Throttle::Whole => return Err(Unfit::Throttled.into()),
                Throttle::Entry => {}
            }
        }
        let mut accepted: Vec<Accepted> = (book.accepted..)
            .zip(messages.into_iter().take(fitting))
            .map(|(number, Message { draft, rendered })| {
                let id = message_id(at, number);
                match rendered {
                    Ok(subject) => Accepted { mail: draft.sealed(id, at, subject), failure: None },
                    Err(failure) => Accepted { mail: draft.sealed(id, at, String::new()), failure: Some(failure) },
                }
            })
            .collect();
        if let Some(archive) = &self.0.archive {
            archive.keep(&mut accepted).map_err(|error| Refusal::not_kept(&error))?;
        }
        let ids: Vec<String> = accepted.iter().map(|accepted| accepted.mail.id.clone()).collect();
        let known = book.events.len();
        for accepted in accepted {
            book.enter(accepted);
        }
        let events: Vec<Event> = book.events.get(known..).unwrap_or_default().to_vec();
        let last_second = book.allowance.sent_last_second(at);
        book.tally.busiest_second = book.tally.busiest_second.max(last_second);
        drop(book);
        if let Some(publish) = self.0.publisher.get() {
            publish(events.iter().filter(|event| event.is_published()).map(Event::notification).collect());
        }
        let refused = repeat_n(Unfit::Throttled, throttled).chain(repeat_n(Unfit::QuotaExceeded, beyond_quota));
        Ok(ids.into_iter().map(Ok).chain(refused.map(Err)).collect())
    }

    /// The same for a call of one message.
    pub(super) fn accept_one(&self, message: Message) -> Result<String, Refusal> {
        let accepted = self.accept(vec![message])?;
        Ok(accepted.into_iter().collect::<Result<String, Unfit>>()?)
    }
}

/// Unique by the number; in memory, where it begins anew with each process, by the time as well.
fn message_id(at: Timestamp, number: u64) -> String {
    format!("{:016x}-{number:08x}-000000", at.as_millisecond())
}

/// Whether this may have been made by [`message_id`].
pub(super) fn is_message_id(text: &str) -> bool {
    text.len() >= 32 && text.ends_with("-000000") && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}
