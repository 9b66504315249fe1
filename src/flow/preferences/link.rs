//! Mailing the link that shows everything, to the address on file and to no other.

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
        launch::Versioned,
        port::PortError,
        send::mail::Mail,
        single::{Handed, Single},
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

    async fn hand_over(&self, mail: Mail, policy: &Versioned, template: &Compiled) -> Result<Linked, PortError> {
        let single = Single { clock: self.clock.as_ref(), pacer: &self.pacer, mailer: self.mailer.as_ref() };
        match single.send(mail, policy, template).await? {
            // It may have gone out.
            Handed::Accepted | Handed::InDoubt => Ok(Linked::OnItsWay),
            Handed::NoQuota { .. } | Handed::Busy => Ok(Linked::Later),
            Handed::Refused(why) => {
                tracing::warn!(why, "SES did not take a mail with a link");
                Ok(Linked::Later)
            }
        }
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
