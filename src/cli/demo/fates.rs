//! Three people for whom a campaign ended differently.

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use crate::{
    cli::client::Client,
    cli::failure::Failure,
    cli::why::Told,
    domain::decision::{OutcomeKind, ReasonCode},
};

/// The first people whose decisions are looked at: enough to meet the rarer reasons, and quickly asked.
const ASKED: u64 = 60;
const AT_ONCE: usize = 8;

/// Reasons that say most about what the gate understands, the most telling first.
const TELLING: [ReasonCode; 8] = [
    ReasonCode::OutOfContext,
    ReasonCode::AlreadyOwned,
    ReasonCode::FrequencyCap,
    ReasonCode::ProfilingNotPermitted,
    ReasonCode::ConsentExpired,
    ReasonCode::ConsentWithdrawn,
    ReasonCode::NotInterested,
    ReasonCode::NoConsent,
];

/// The decisions about somebody who got it and two who did not, for different reasons; fewer where there are not so
/// many. The same people give the same three.
pub async fn three(campaign: &str, recipients: u64, client: &Client) -> Result<Vec<Value>, Failure> {
    let ids: Vec<String> = (1..=recipients.min(ASKED)).map(|number| format!("r-{number:05}")).collect();
    let decisions: Vec<Value> = stream::iter(&ids)
        .map(async |id| client.get(&["campaigns", campaign, "decisions", id.as_str()], &[]).await)
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(pick(&decisions))
}

fn pick(decisions: &[Value]) -> Vec<Value> {
    let told: Vec<(&Value, Told)> = decisions.iter().filter_map(|value| Some((value, Told::read(value)?))).collect();
    let sent = told.iter().find(|(_, told)| told.outcome == OutcomeKind::Sent);
    let refused = TELLING.iter().filter_map(|reason| told.iter().find(|(_, told)| told.code() == Some(*reason)));
    sent.into_iter().chain(refused.take(2)).map(|(value, _)| (*value).clone()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn decision(recipient: &str, outcome: &str, reason: Option<&str>) -> Value {
        json!({ "campaign": "c", "recipient": recipient, "outcome": outcome, "reason": reason, "detail": {} })
    }

    #[test]
    fn one_who_got_it_and_two_who_did_not_for_different_reasons() {
        let decisions = [
            decision("r-1", "skipped", Some("no_consent")),
            decision("r-2", "skipped", Some("already_owned")),
            decision("r-3", "sent", None),
            decision("r-4", "skipped", Some("already_owned")),
            decision("r-5", "sent", None),
            decision("r-6", "skipped", Some("out_of_context")),
        ];
        let picked: Vec<Value> = pick(&decisions).into_iter().map(|decision| decision["recipient"].clone()).collect();
        assert_eq!(picked, ["r-3", "r-6", "r-2"]);
    }

    #[test]
    fn fewer_where_there_are_not_so_many() {
        assert_eq!(pick(&[decision("r-1", "skipped", Some("no_consent"))]).len(), 1);
    }
}
