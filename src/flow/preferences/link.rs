//! Mailing the link that shows everything, to the address on file and to no other.

use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::Preferences;
use crate::{
    domain::{
        channel::Channel,
        email::EmailAddress,
        id::{RecipientId, TemplateName},
        recipient::{Recipient, SuppressionKind},
    },
    flow::{
        launch::{Pinned, Versioned},
        pace::{Count, Order, Reservation},
        port::PortError,
        send::mail::{Answer, Batch, Mail, MailerError},
        template::{Compiled, Personal},
        token::Access,
        words::{Words, words},
    },
};

const TEMPLATE: &str = "access-link";
/// How long a link works.
const VALID: SignedDuration = SignedDuration::from_hours(1);
/// At most one link is mailed to a person within this time.
const PAUSE: SignedDuration = SignedDuration::from_mins(5);
/// How often a mail that SES surely did not take is tried.
const TRIES: usize = 3;

#[async_trait]
pub trait Marks: Send + Sync {
    /// Notes that a link is mailed at `at`; false if one was mailed after `since`, or nobody is there.
    async fn mark(&self, id: &RecipientId, at: Timestamp, since: Timestamp) -> Result<bool, PortError>;

    /// Takes a mark back, unless there is a newer one.
    async fn unmark(&self, id: &RecipientId, at: Timestamp) -> Result<(), PortError>;
}

/// What may be said of a link that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Linked {
    /// If the address is still on file and may be mailed, a mail is on its way. Which of these, nobody is told: the one
    /// who asks may have got the mail forwarded.
    OnItsWay,
    /// Nothing was mailed: the quota is used up, or SES takes nothing.
    Later,
}

impl Preferences {
    /// Mails a link to the address of the channel, unless one was mailed just before. `language` is that of the page.
    pub async fn mail_link(&self, id: &RecipientId, channel: Channel, language: &str) -> Result<Linked, PortError> {
        let Some(recipient) = self.people.get(id).await? else { return Ok(Linked::OnItsWay) };
        let Some(to) = reachable(&recipient, channel) else { return Ok(Linked::OnItsWay) };
        let policy = self.policy().await?;
        let name: TemplateName =
            TEMPLATE.parse().map_err(|wanted| PortError::corrupt("the name of a template", wanted))?;
        let Some(template) = self.templates.current(&name).await? else {
            tracing::error!(template = TEMPLATE, "links cannot be mailed: this template was never put");
            return Ok(Linked::Later);
        };
        let now = self.clock.now();
        let since = now.saturating_sub(PAUSE).unwrap_or(Timestamp::MIN);
        if !self.marks.mark(id, now, since).await? {
            return Ok(Linked::OnItsWay);
        }
        let access =
            Access { recipient: id.clone(), channel, expires_at: now.saturating_add(VALID).unwrap_or(Timestamp::MAX) };
        let mail = self.compose_link(&recipient, to, &access, &policy, &template, language);
        let sent = self.hand_over(mail, &policy, &template).await;
        if !matches!(sent, Ok(Linked::OnItsWay)) {
            // Nothing went out: they need not wait before they ask again.
            self.marks.unmark(id, now).await?;
        }
        sent
    }

    fn compose_link(
        &self,
        recipient: &Recipient,
        to: EmailAddress,
        access: &Access,
        policy: &Versioned,
        template: &Compiled,
        language: &str,
    ) -> Mail {
        let locale = recipient.locale.as_deref().unwrap_or(language);
        let words: &Words = words(template.language(locale));
        let sender = policy.policy.from.name();
        let text = |key: &str| Value::String(words.say(key, &[("sender", sender)]));
        let content = [("subject", text("link.subject")), ("sender", Value::String(sender.to_owned()))];
        let content: Map<String, Value> = content.map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
        let personal = Personal {
            attributes: &recipient.attributes,
            held: &Value::Null,
            confirm_url: "",
            unsubscribe_url: "",
            preferences_url: &format!("{}/p/{}", self.public_url, self.tokens.sign_access(access)),
            why: &words.say("why.link", &[]),
        };
        let shared = template.shared(&content, &policy.policy);
        let data = template.data_in(Some(locale), &shared, &personal);
        Mail { recipient: recipient.id.clone(), to, data, unsubscribe_url: None }
    }

    /// Sends one mail at a moment of its own, and never twice.
    async fn hand_over(&self, mail: Mail, policy: &Versioned, template: &Compiled) -> Result<Linked, PortError> {
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
            // The part of the rate that the policy keeps free of campaigns is for mails like this one.
            let order = Order { mails: 1, count, reserved_percent: 0 };
            let Reservation::Granted { start, .. } = self.pacer.reserve(&order).await? else {
                return Ok(Linked::Later);
            };
            count = Count::Again;
            let wait = Duration::try_from(start.duration_since(self.clock.now())).unwrap_or_default();
            self.clock.sleep(wait).await;
            match self.mailer.send(&batch).await {
                Ok(answers) => match answers.first() {
                    Some(Answer::Accepted | Answer::InDoubt) | None => return Ok(Linked::OnItsWay),
                    Some(Answer::Busy) => {}
                    Some(Answer::QuotaExceeded | Answer::Stopped(_) | Answer::Rejected { .. }) => {
                        tracing::warn!("SES did not take a mail with a link");
                        return Ok(Linked::Later);
                    }
                },
                // It may have gone out.
                Err(MailerError::InDoubt(_)) => return Ok(Linked::OnItsWay),
                Err(MailerError::Busy(_)) => {}
                Err(error @ (MailerError::Refused(_) | MailerError::Stopped(_))) => {
                    tracing::warn!(%error, "SES did not take a mail with a link");
                    return Ok(Linked::Later);
                }
            }
        }
        Ok(Linked::Later)
    }
}

/// The address, if it may be mailed at all. Who left everything may still ask what is held.
fn reachable(recipient: &Recipient, channel: Channel) -> Option<EmailAddress> {
    let barred = match recipient.suppression.map(|suppression| suppression.kind) {
        Some(SuppressionKind::Complaint | SuppressionKind::Manual | SuppressionKind::Erased) => true,
        Some(SuppressionKind::UnsubscribedAll) | None => false,
    };
    let address = recipient.address(channel).filter(|address| address.unusable.is_none() && !barred)?;
    Some(address.email.clone())
}
