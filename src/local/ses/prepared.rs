//! What is prepared once in an account: the identities that it may send for, and where its events go.

use serde_json::{Value, json};

use super::{SesConfig, refusal::Refusal};

/// The one configuration set that is there; its events are published whether or not a call names it.
pub const CONFIGURATION_SET: &str = "germane";

/// Every domain is there, with all that makes a good sender, or waits for its DNS records. Addresses inherit from their
/// domain: SES knows none of them by itself.
pub(super) fn identity(name: &str, config: &SesConfig) -> Result<Value, Refusal> {
    if name.contains('@') {
        return Err(Refusal::not_found("Email identity does not exist."));
    }
    let status = if config.identity_pending { "PENDING" } else { "SUCCESS" };
    Ok(json!({
        "IdentityType": "DOMAIN",
        "VerifiedForSendingStatus": !config.identity_pending,
        "VerificationStatus": status,
        "FeedbackForwardingStatus": true,
        "DkimAttributes": { "SigningEnabled": true, "Status": status, "SigningAttributesOrigin": "AWS_SES" },
        "MailFromAttributes": {
            "MailFromDomain": format!("bounce.{name}"),
            "MailFromDomainStatus": status,
            "BehaviorOnMxFailure": "USE_DEFAULT_VALUE",
        },
    }))
}

pub(super) fn event_destinations(set: &str) -> Result<Value, Refusal> {
    if set != CONFIGURATION_SET {
        return Err(Refusal::not_found(format!("Configuration set <{set}> does not exist.")));
    }
    let events = ["BOUNCE", "COMPLAINT", "DELIVERY", "RENDERING_FAILURE", "REJECT", "DELIVERY_DELAY"];
    Ok(json!({
        "EventDestinations": [{
            "Name": "feedback",
            "Enabled": true,
            "MatchingEventTypes": events,
            "SnsDestination": { "TopicArn": "arn:aws:sns:us-east-1:000000000000:germane-feedback" },
        }],
    }))
}
