//! What SES says of mails afterwards: as it publishes it, as SNS wraps it, and as EventBridge does.

use germane::domain::feedback::{Event, Settlement};
use serde_json::{Value, json};

use super::{Door, documents, json as read, refused};
use crate::{mutate::Format, run::Answer};

pub static EVENT: Door = Door {
    name: "event",
    format: Format::Json,
    words: &["\"Message\":", "\\\"", "\"eventType\":", "Bounce", "Permanent", "\"tags\":", "null", "\\u0000"],
    one_in: 1,
    documents: || {
        let plain = events();
        let wrapped = plain.iter().map(|event| {
            json!({ "Type": "Notification", "MessageId": "1", "TopicArn": "arn:aws:sns:eu-central-1:123456789012:t",
                    "Message": event.to_string(), "Timestamp": "2026-11-23T09:00:00.000Z" })
        });
        let bridged = plain.iter().map(|event| json!({ "source": "aws.ses", "detail": event }));
        let all: Vec<Value> = plain.iter().cloned().chain(wrapped).chain(bridged).collect();
        documents(&all)
    },
    open: || {
        Box::new(|input: &[u8]| {
            let value = match read(input) {
                Ok(value) => value,
                Err(refused) => return refused,
            };
            match Event::parse(&value) {
                Ok(event) => {
                    assert_eq!(Event::parse(&value).as_ref(), Ok(&event), "it reads the same twice");
                    let shown = format!("{event:?}");
                    assert!(!shown.contains("zq7-private@"), "it shows an address: {shown}");
                    let _ = (Settlement::of(event.what), event.counts_for_reputation());
                    Answer::Taken
                }
                Err(unreadable) => refused(&unreadable),
            }
        })
    },
};

pub fn events() -> Vec<Value> {
    let mail = json!({
        "timestamp": "2026-11-23T09:00:00.000Z", "messageId": "0100", "source": "news@example.com",
        "destination": ["zq7-private@example.com"],
        // c-1 and r-1 in base64url.
        "tags": { "campaign": ["Yy0x"], "recipient": ["ci0x"], "ses:configuration-set": ["germane"] },
    });
    let of = |kind: &str, name: &str, body: Value| {
        let mut event = json!({ "eventType": kind, "mail": mail });
        event[name] = body;
        event
    };
    let to = json!([{ "emailAddress": "zq7-private@example.com", "status": "5.1.1", "diagnosticCode": "smtp; 550" }]);
    let at = "2026-11-23T09:00:05.123Z";
    vec![
        of("Delivery", "delivery", json!({ "timestamp": at, "recipients": ["zq7-private@example.com"] })),
        of(
            "Bounce",
            "bounce",
            json!({ "bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": to, "timestamp": at }),
        ),
        of("Bounce", "bounce", json!({ "bounceType": "Transient", "bounceSubType": "MailboxFull", "timestamp": at })),
        of("Complaint", "complaint", json!({ "complaintFeedbackType": "abuse", "timestamp": at })),
        of("Rendering Failure", "failure", json!({ "templateName": "t", "errorMessage": "zq7-private@example.com" })),
        of("Reject", "reject", json!({ "reason": "Bad content" })),
        of("Open", "open", json!({ "timestamp": at, "ipAddress": "192.0.2.1" })),
    ]
}
