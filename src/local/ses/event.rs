//! The events that SES would publish, and which of them follow a message.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    mail::Mail,
    rules::{bare, simulator_account},
    template::NotRendered,
};

const ACCOUNT: &str = "000000000000";
const REGION: &str = "eu-west-1";

/// One event, written out only when asked for: most are never read.
#[derive(Clone)]
pub(super) struct Event {
    pub mail: Arc<Mail>,
    pub what: What,
}

#[derive(Clone)]
pub(super) enum What {
    Send,
    Delivery,
    Bounce(Bounce),
    Complaint,
    NotRendered(NotRendered),
}

#[derive(Clone, Copy)]
pub(super) enum Bounce {
    NoSuchUser,
    Suppressed,
    /// An automatic answer, which SES reports as a passing bounce after the delivery.
    OutOfOffice,
}

impl What {
    /// What becomes of a message to this address: the simulator's accounts do as they are named, all others receive.
    pub(super) fn follow(to: &str) -> impl Iterator<Item = Self> {
        let fate: &[fn() -> Self] = match simulator_account(to).as_deref() {
            Some("bounce") => &[|| Self::Bounce(Bounce::NoSuchUser)],
            Some("suppressionlist") => &[|| Self::Bounce(Bounce::Suppressed)],
            Some("complaint") => &[|| Self::Delivery, || Self::Complaint],
            Some("ooto") => &[|| Self::Delivery, || Self::Bounce(Bounce::OutOfOffice)],
            Some(_) | None => &[|| Self::Delivery],
        };
        std::iter::once(Self::Send).chain(fate.iter().map(|what| what()))
    }
}

impl Event {
    /// Whether the event destination asks for it: that a mail was sent, the answer to the call has said.
    pub(super) fn is_published(&self) -> bool {
        match self.what {
            What::Send => false,
            What::Delivery | What::Bounce(_) | What::Complaint | What::NotRendered(_) => true,
        }
    }

    /// As SNS delivers it to a queue.
    pub(super) fn notification(&self) -> String {
        let at = time(self.mail.at);
        json!({
            "Type": "Notification",
            "MessageId": format!("{}-event", self.mail.id),
            "TopicArn": format!("arn:aws:sns:{REGION}:{ACCOUNT}:germane-feedback"),
            "Subject": "Amazon SES Email Event Notification",
            "Message": self.to_json().to_string(),
            "Timestamp": at,
        })
        .to_string()
    }

    pub(super) fn to_json(&self) -> Value {
        let mail = &self.mail;
        let at = time(mail.at);
        let (kind, key, detail) = match &self.what {
            What::Send => ("Send", "send", json!({})),
            What::Delivery => ("Delivery", "delivery", delivery(mail, &at)),
            What::Bounce(bounce) => ("Bounce", "bounce", bounce.to_json(mail, &at)),
            What::Complaint => ("Complaint", "complaint", complaint(mail, &at)),
            What::NotRendered(failure) => (
                "Rendering Failure",
                "failure",
                json!({ "errorMessage": failure.message, "templateName": failure.template }),
            ),
        };
        let described = match &self.what {
            What::NotRendered(_) => envelope(mail, &at),
            What::Send | What::Delivery | What::Bounce(_) | What::Complaint => with_headers(envelope(mail, &at), mail),
        };
        json!({ "eventType": kind, "mail": described, key: detail })
    }
}

impl Bounce {
    fn to_json(self, mail: &Mail, at: &str) -> Value {
        let (kind, sub_kind, status, diagnostic) = match self {
            Self::NoSuchUser => ("Permanent", "General", "5.1.1", "smtp; 550 5.1.1 user unknown"),
            Self::Suppressed => (
                "Permanent",
                "Suppressed",
                "5.1.1",
                "Amazon SES has suppressed sending to this address because it recently bounced as an invalid address.",
            ),
            Self::OutOfOffice => ("Transient", "General", "4.0.0", "smtp; 450 out of the office"),
        };
        json!({
            "feedbackId": format!("{}-bounce", mail.id),
            "bounceType": kind,
            "bounceSubType": sub_kind,
            "bouncedRecipients": [
                { "emailAddress": mail.to, "action": "failed", "status": status, "diagnosticCode": diagnostic },
            ],
            "timestamp": at,
            "reportingMTA": "dns; email.amazonses.com",
        })
    }
}

fn delivery(mail: &Mail, at: &str) -> Value {
    json!({
        "timestamp": at,
        "processingTimeMillis": 1,
        "recipients": [mail.to],
        "smtpResponse": "250 2.6.0 Message received",
        "reportingMTA": "email.amazonses.com",
    })
}

fn complaint(mail: &Mail, at: &str) -> Value {
    json!({
        "feedbackId": format!("{}-complaint", mail.id),
        "complaintSubType": null,
        "complainedRecipients": [{ "emailAddress": mail.to }],
        "timestamp": at,
        "userAgent": "Amazon SES Mailbox Simulator",
        "complaintFeedbackType": "abuse",
        "arrivalDate": at,
    })
}

fn envelope(mail: &Mail, at: &str) -> Value {
    let source = mail.source_address();
    let domain = source.rsplit_once('@').map_or(source, |(_, domain)| domain);
    let mut tags: BTreeMap<&str, [&str; 1]> =
        mail.tags.iter().map(|(name, value)| (name.as_str(), [value.as_str()])).collect();
    tags.insert("ses:from-domain", [domain]);
    json!({
        "timestamp": at,
        "source": &*mail.from,
        "sourceArn": format!("arn:aws:ses:{REGION}:{ACCOUNT}:identity/{domain}"),
        "sendingAccountId": ACCOUNT,
        "messageId": mail.id,
        "destination": [mail.to],
        "headersTruncated": false,
        "tags": tags,
    })
}

fn with_headers(mut envelope: Value, mail: &Mail) -> Value {
    let letter = mail.letter();
    let reply_to = &letter.sender.reply_to;
    let standard = mail.standard_headers(&letter).map(|(name, value)| json!({ "name": name, "value": value }));
    let own = letter.headers.iter().map(|header| json!({ "name": header.name, "value": header.value }));
    let headers: Vec<Value> = standard.chain(own).collect();
    let mut common = json!({
        "from": [&*mail.from],
        "to": [mail.to],
        "messageId": mail.id,
        "subject": mail.subject,
    });
    if let Some(common) = common.as_object_mut().filter(|_| !reply_to.is_empty()) {
        let reply_to: Vec<&str> = reply_to.iter().filter_map(|raw| bare(raw)).collect();
        common.insert("replyTo".to_owned(), json!(reply_to));
    }
    if let Some(envelope) = envelope.as_object_mut() {
        envelope.insert("headers".to_owned(), Value::Array(headers));
        envelope.insert("commonHeaders".to_owned(), common);
    }
    envelope
}

/// Milliseconds, always three digits, as SES writes them.
fn time(at: Timestamp) -> String {
    format!("{at:.3}")
}
