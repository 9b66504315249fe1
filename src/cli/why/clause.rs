//! What stands behind a reason, as the rest of a sentence.

use serde_json::Value;

use crate::domain::decision::{CapRule, ReasonCode};

use super::{
    super::prose::{counted, local_moment, moment},
    Told,
};

/// Why somebody was not mailed; reads on after a colon.
pub fn of(code: ReasonCode, detail: &Value, channel: Option<&str>) -> String {
    let detail = Detail(detail);
    let channel = detail.text("channel").or(channel).unwrap_or("this");
    let topic = detail.text("topic").unwrap_or("this topic");
    match code {
        ReasonCode::Suppressed => suppressed(&detail),
        ReasonCode::NoAddress => {
            format!("no {channel} address of theirs is known, and no other address is ever used instead")
        }
        ReasonCode::AddressUnusable => match detail.text("kind") {
            Some("hard_bounce") => format!("their {channel} address does not exist any more"),
            Some("soft_bounces") => format!("mails to their {channel} address kept coming back"),
            Some(_) | None => format!("their {channel} address cannot be mailed"),
        },
        ReasonCode::NoConsent => format!("they never agreed to {topic} at their {channel} address"),
        ReasonCode::ConsentPending => format!(
            "they were asked on {} whether they want {topic} at their {channel} address and have not confirmed yet",
            detail.moment("at")
        ),
        ReasonCode::ConsentWithdrawn => {
            format!("they took back their consent to {topic} at their {channel} address on {}", detail.moment("at"))
        }
        ReasonCode::ConsentExpired => format!(
            "their consent to {topic} at their {channel} address, given on {}, ran out on {}",
            detail.moment("at"),
            detail.moment("expires_at")
        ),
        ReasonCode::Paused => format!("they paused all mail until {}", detail.moment("until")),
        ReasonCode::TopicMuted => format!("they muted {topic}"),
        ReasonCode::NotInterested if detail.number("strength") == Some(0.0) => {
            format!(
                "no interest of theirs in {topic} is known, and the campaign asks for {}",
                detail.shown("threshold")
            )
        }
        ReasonCode::NotInterested => format!(
            "their interest in {topic} is {}, and the campaign asks for {}",
            detail.shown("strength"),
            detail.shown("threshold")
        ),
        ReasonCode::OutOfContext => format!(
            "their interest in {topic} ({}) belongs to another part of their life than their {channel} address",
            detail.shown("strength")
        ),
        ReasonCode::ProfilingNotPermitted => format!(
            "their interest in {topic} ({}) was seen on social networks, and they did not permit using that",
            detail.shown("strength")
        ),
        ReasonCode::AlreadyOwned => {
            format!("they already own {}, which it promotes", detail.text("product").unwrap_or("the product"))
        }
        ReasonCode::AlreadySent => format!("it was sent to them before, on {}", detail.moment("at")),
        ReasonCode::FrequencyCap => capped(&detail),
        ReasonCode::OutsideSendWindow => outside(&detail),
        ReasonCode::NoTimeZone => "it may be sent at certain hours only, and their time zone is not known".to_owned(),
        ReasonCode::Holdout => format!(
            "{} % of those who would get it are left out, to see what difference it makes",
            detail.shown("percent")
        ),
        ReasonCode::CampaignExpired => "the campaign ended before their turn came".to_owned(),
        ReasonCode::CampaignCancelled => "the campaign was cancelled before their turn came".to_owned(),
        ReasonCode::Quota => "the mails that SES allows in a day were used up".to_owned(),
        ReasonCode::Throttled => "SES asked to slow down before their turn came".to_owned(),
        ReasonCode::Stopped => "the campaign was stopped before their turn came".to_owned(),
        ReasonCode::Contended => "their record kept changing while it was their turn".to_owned(),
        ReasonCode::Rejected => format!("SES refused the mail ({})", detail.text("status").unwrap_or("no status")),
        ReasonCode::NotRendered => "the mail could not be made from its template".to_owned(),
        ReasonCode::InDoubt => {
            "it was handed to SES and no answer came back, so it is not sent a second time".to_owned()
        }
    }
}

/// What justified a mail; reads on after "because".
pub fn grounds(told: &Told) -> String {
    let detail = Detail(&told.detail);
    let channel = told.channel.as_deref().unwrap_or("this");
    match (detail.text("consent"), detail.text("interest")) {
        (Some(consent), Some(interest)) => {
            let strength = detail.shown("strength");
            let enough = match detail.number("threshold") {
                Some(_) => format!("reaches {}", detail.shown("threshold")),
                None => "is strong enough".to_owned(),
            };
            format!(
                "they agreed to {consent} at their {channel} address and their interest in {interest} ({strength}) \
                 {enough}"
            )
        }
        (Some(consent), None) => {
            format!("they agreed to {consent} at their {channel} address, which is all that it asks for")
        }
        (None, _) => "it is a notice, which goes to everybody who can be reached".to_owned(),
    }
}

fn suppressed(detail: &Detail<'_>) -> String {
    let since = detail.moment("since");
    match detail.text("kind") {
        Some("unsubscribed_all") => format!("they unsubscribed from everything on {since}"),
        Some("complaint") => format!("they reported a mail of ours as spam on {since}"),
        Some("manual") => format!("somebody put them on the list of people not to be mailed on {since}"),
        Some("erased") => format!("what was known about them was erased on {since}"),
        Some(_) | None => format!("they must not be mailed since {since}"),
    }
}

fn capped(detail: &Detail<'_>) -> String {
    let count = |key| detail.count(key).unwrap_or(0);
    let (used, days) = (count("used"), counted(count("days"), "day", "days"));
    let mails = counted(count("sends"), "mail", "mails");
    let next = detail.moment("next_slot");
    match detail.text("rule").and_then(|rule| rule.parse().ok()) {
        Some(CapRule::Recipient) => {
            format!("they asked for at most {mails} in {days} and got {used}; the next fits from {next}")
        }
        Some(CapRule::Policy) => {
            format!("nobody gets more than {mails} in {days}, and they got {used}; the next fits from {next}")
        }
        Some(CapRule::Notice) => {
            format!("they got this notice already, and it comes at most once in {days}; the next fits from {next}")
        }
        Some(CapRule::History) => {
            format!("they got {used} in {days}, as many as a record holds; the next fits from {next}")
        }
        None => format!("they got {used} in {days} and may get {mails}; the next fits from {next}"),
    }
}

fn outside(detail: &Detail<'_>) -> String {
    let opens = detail.text("opens_at").unwrap_or("a time that is not known");
    let opens = match detail.text("time_zone") {
        Some(zone) => local_moment(opens, zone),
        None => moment(opens),
    };
    format!("it was outside the hours in which they may be mailed; these begin again on {opens}")
}

/// The values that a gate compared, under the contract's keys.
struct Detail<'a>(&'a Value);

impl<'a> Detail<'a> {
    fn text(&self, key: &str) -> Option<&'a str> {
        self.0.get(key)?.as_str()
    }

    fn number(&self, key: &str) -> Option<f64> {
        self.0.get(key)?.as_f64()
    }

    fn count(&self, key: &str) -> Option<u64> {
        self.0.get(key)?.as_u64()
    }

    /// A number as it stands there.
    fn shown(&self, key: &str) -> String {
        self.0.get(key).filter(|value| value.is_number()).map_or_else(|| "unknown".to_owned(), Value::to_string)
    }

    fn moment(&self, key: &str) -> String {
        self.text(key).map_or_else(|| "an unknown day".to_owned(), moment)
    }
}
