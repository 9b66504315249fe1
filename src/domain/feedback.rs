//! What SES tells of a mail afterwards, and how that corrects what the ledger says of it.
//!
//! The shape is SES's event publishing record (AWS: "Contents of event data that Amazon SES publishes to Amazon SNS").
//! What is not known here is never an error: SES may add events, and fields to them.

mod settlement;
mod tally;

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{
    email::EmailAddress,
    id::{CampaignId, RecipientId},
};

pub use settlement::{Counted, Settlement, Step};
pub use tally::{Figures, Reputation, Tally};

/// The mails of the mailbox simulator, which say nothing of anybody's reputation.
const SIMULATOR: &str = "simulator.amazonses.com";
/// Complaints of this type take an earlier one back.
const NOT_SPAM: &str = "not-spam";

/// One event of one mail.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub what: What,
    /// When it happened, or when the mail was sent if SES does not say.
    pub at: Timestamp,
    /// Whose mail it was; `None` for one without our tags, such as a test.
    pub about: Option<About>,
    /// Where it went; `None` if that cannot be read.
    pub to: Option<EmailAddress>,
}

/// What the tags of a mail name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    pub campaign: CampaignId,
    pub recipient: RecipientId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Delivered,
    Bounced(Bounce),
    Complained,
    /// SES took the mail and did not send it: it held a virus.
    Rejected,
    /// SES took the mail and could not render its template.
    NotRendered,
    Opened,
    Clicked,
    /// Nothing follows from it.
    Unremarkable,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bounce {
    /// The address does not exist, or SES no longer sends to it.
    Hard,
    /// It may pass: a mailbox that is full, a host that is down.
    Soft,
    /// This message was not wanted: too large, or its content refused. It says nothing of the address.
    OfMessage,
}

/// Why an event cannot be read; nothing of it is repeated here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no event that SES publishes")]
pub struct Unreadable;

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "eventType", alias = "notificationType")]
    kind: String,
    mail: MailRecord,
    #[serde(default)]
    bounce: Option<BounceRecord>,
    #[serde(default)]
    complaint: Option<ComplaintRecord>,
    #[serde(default)]
    delivery: Option<Timed>,
}

#[derive(Deserialize)]
struct MailRecord {
    timestamp: Timestamp,
    #[serde(default)]
    destination: Vec<String>,
    #[serde(default)]
    tags: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BounceRecord {
    bounce_type: String,
    #[serde(default)]
    bounce_sub_type: String,
    timestamp: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ComplaintRecord {
    complaint_feedback_type: Option<String>,
    timestamp: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Timed {
    timestamp: Option<Timestamp>,
}

impl Event {
    /// Reads an event as SES publishes it, as SNS wraps it (a JSON text in `Message`), or as EventBridge does (in
    /// `detail`).
    pub fn parse(body: &Value) -> Result<Self, Unreadable> {
        let inner;
        let event = if let Some(text) = body.get("Message").and_then(Value::as_str) {
            inner = serde_json::from_str::<Value>(text).map_err(|_| Unreadable)?;
            &inner
        } else {
            body.get("detail").unwrap_or(body)
        };
        let record = Record::deserialize(event).map_err(|_| Unreadable)?;
        let (what, at) = record.what()?;
        let tag = |name: &str| record.mail.tags.get(name).and_then(|values| values.first()).and_then(|tag| untag(tag));
        let campaign = tag("campaign").and_then(|id| id.parse().ok());
        let recipient = tag("recipient").and_then(|id| id.parse().ok());
        Ok(Self {
            what,
            at: at.unwrap_or(record.mail.timestamp),
            about: campaign.zip(recipient).map(|(campaign, recipient)| About { campaign, recipient }),
            to: record.mail.destination.first().and_then(|to| to.parse().ok()),
        })
    }

    /// Whether it says something of the sender's reputation.
    pub fn counts_for_reputation(&self) -> bool {
        self.to.as_ref().is_none_or(|to| !to.normalised().ends_with(&format!("@{SIMULATOR}")))
    }
}

impl Record {
    fn what(&self) -> Result<(What, Option<Timestamp>), Unreadable> {
        Ok(match self.kind.as_str() {
            "Delivery" => (What::Delivered, self.delivery.as_ref().and_then(|delivery| delivery.timestamp)),
            "Bounce" => {
                let bounce = self.bounce.as_ref().ok_or(Unreadable)?;
                (What::Bounced(bounce.kind()), bounce.timestamp)
            }
            "Complaint" => {
                let complaint = self.complaint.as_ref().ok_or(Unreadable)?;
                let taken_back = complaint.complaint_feedback_type.as_deref() == Some(NOT_SPAM);
                (if taken_back { What::Unremarkable } else { What::Complained }, complaint.timestamp)
            }
            "Reject" => (What::Rejected, None),
            "Rendering Failure" => (What::NotRendered, None),
            "Open" => (What::Opened, None),
            "Click" => (What::Clicked, None),
            // Send, DeliveryDelay, Subscription, and what SES may add.
            _nothing_follows => (What::Unremarkable, None),
        })
    }
}

impl BounceRecord {
    fn kind(&self) -> Bounce {
        match (self.bounce_type.as_str(), self.bounce_sub_type.as_str()) {
            (_, "MessageTooLarge" | "ContentRejected" | "AttachmentRejected") => Bounce::OfMessage,
            ("Permanent", _) => Bounce::Hard,
            // Also `Undetermined`: an address is not given up for what nobody knows.
            _passing => Bounce::Soft,
        }
    }
}

/// Tags carry ids in base64url.
fn untag(tag: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(tag).ok()?).ok()
}
