//! Double opt-in: a consent that is said to be pending is confirmed by whoever reads the mail at that address.
//!
//! The mail is a notice campaign like any other, so that it passes the same gate, claim, rate and ledger. Its id is made
//! from what it says and to whom, so that a PUT that is repeated after a lost answer submits the same campaign again.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{Api, ApiError};
use crate::{
    domain::{
        actor::Actor,
        campaign::MAX_EXPIRY_DAYS,
        channel::Channel,
        consent::Consent,
        id::{RecipientId, SendKey, TemplateName},
        policy::Policy,
        recipient::Recipient,
        topic::Topic,
    },
    flow::template::Compiled,
};

/// The template of the mail that asks.
pub(in crate::flow) const TEMPLATE: &str = "confirm-consent";

/// A consent that waits for a confirmation.
#[derive(Debug, Clone)]
pub(super) struct Unconfirmed {
    recipient: RecipientId,
    consent: Consent,
    /// When the person was last asked, about whichever consent: one mail in 30 days asks about all.
    asked: Option<Timestamp>,
}

impl Unconfirmed {
    pub fn of(recipient: &Recipient, consent: &Consent) -> Self {
        let template = TEMPLATE.parse::<TemplateName>().ok();
        let asked = template.and_then(|template| recipient.sends.of(SendKey::notice(&template)));
        Self { recipient: recipient.id.clone(), consent: consent.clone(), asked: asked.map(|send| send.at) }
    }

    /// Until when it can be confirmed; `None` if there is nothing to ask about any more.
    fn ask_until(&self, policy: &Policy, now: Timestamp) -> Option<Timestamp> {
        let until = self.consent.lapses(policy.pending_consent_days.min(MAX_EXPIRY_DAYS));
        let was_asked = self.asked.is_some_and(|asked| asked >= self.consent.at);
        (until > now && !was_asked).then_some(until)
    }
}

/// Who is asked about the same thing.
#[derive(Default)]
struct Group {
    /// And since when their consent waits; in their order, so that it is the same however they were listed.
    recipients: BTreeMap<RecipientId, Timestamp>,
    /// Until the last of them can confirm.
    until: Option<Timestamp>,
}

impl Api {
    /// Submits one campaign for each topic and channel. Where the deployment cannot ask, the consents stay pending.
    pub(super) async fn ask_to_confirm(&self, policy: &Policy, waiting: Vec<Unconfirmed>) -> Result<(), ApiError> {
        let now = self.clock.now();
        let mut groups: BTreeMap<(Topic, Channel), Group> = BTreeMap::new();
        for one in waiting {
            let Some(until) = one.ask_until(policy, now) else { continue };
            let group = groups.entry((one.consent.topic, one.consent.channel)).or_default();
            group.until = group.until.max(Some(until));
            group.recipients.insert(one.recipient, one.consent.at);
        }
        if groups.is_empty() {
            return Ok(());
        }
        let name: Option<TemplateName> = TEMPLATE.parse().ok().filter(|name| policy.notices.contains(name));
        let template = match &name {
            Some(name) => self.templates.current(name).await?,
            None => None,
        };
        let Some(template) = template else {
            let consents: usize = groups.values().map(|group| group.recipients.len()).sum();
            tracing::warn!(
                consents,
                "pending consents stay unconfirmed: push the template confirm-consent and list it in the policy's notices"
            );
            return Ok(());
        };
        for ((topic, channel), group) in groups {
            match self.submit(&campaign(policy, &template, &topic, channel, &group), &Actor::double_opt_in()).await {
                Ok(_) => {}
                Err(ApiError::Invalid(faults)) => {
                    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
                    let consents = group.recipients.len();
                    tracing::warn!(%topic, %channel, consents, faults = faults.join("; "), "pending consents stay unconfirmed");
                }
                Err(error @ (ApiError::NotFound { .. } | ApiError::Conflict { .. } | ApiError::Port(_))) => {
                    return Err(error);
                }
            }
        }
        Ok(())
    }
}

fn campaign(policy: &Policy, template: &Compiled, topic: &Topic, channel: Channel, group: &Group) -> Value {
    // A body in another language reads its own word of each.
    let languages = || std::iter::once("default").chain(template.languages.iter().map(String::as_str));
    let spoken = |word: &dyn Fn(&str) -> String| -> Map<String, Value> {
        let tag = |language| if language == "default" { "en" } else { language };
        languages().map(|language| (language.replace('-', "_"), json!(word(tag(language))))).collect()
    };
    let mut body = json!({
        "kind": "notice",
        "topic": topic,
        "channel": channel,
        "template": template.name,
        "content": {
            "topic": spoken(&|language| policy.topic_name(topic, language).to_owned()),
            "purpose": spoken(&|language| policy.topic_purpose(topic, language).trim_end_matches('.').to_owned()),
            "sender": policy.from.name(),
            "days": policy.pending_consent_days,
        },
        "audience": { "recipients": group.recipients.keys().collect::<Vec<_>>() },
        "expires_at": group.until,
    });
    let id = id(&body, group);
    if let Some(body) = body.as_object_mut() {
        body.insert("id".to_owned(), json!(id));
    }
    body
}

/// Says what is asked, whom, and about which consent of theirs.
fn id(body: &Value, group: &Group) -> String {
    let mut hash = Sha256::new();
    hash.update(body.to_string());
    for (recipient, since) in &group.recipients {
        hash.update(format!("\0{recipient}\0{}", since.as_millisecond()));
    }
    let [half @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _]: [u8; 32] = hash.finalize().into();
    format!("confirm.{:032x}", u128::from_be_bytes(half))
}
