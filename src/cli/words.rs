//! Reason codes and gates in words short enough for a table.

use crate::domain::decision::ReasonCode;

/// Beside the code, at most 27 characters.
pub fn label(reason: ReasonCode) -> &'static str {
    match reason {
        ReasonCode::Suppressed => "must not be mailed at all",
        ReasonCode::NoAddress => "no address for this channel",
        ReasonCode::AddressUnusable => "their address bounces",
        ReasonCode::NoConsent => "never agreed to this topic",
        ReasonCode::ConsentPending => "has not confirmed yet",
        ReasonCode::ConsentWithdrawn => "took the consent back",
        ReasonCode::ConsentExpired => "their consent has run out",
        ReasonCode::Paused => "paused all mail",
        ReasonCode::TopicMuted => "muted the topic",
        ReasonCode::NotInterested => "too little interest",
        ReasonCode::OutOfContext => "cares, but not here",
        ReasonCode::ProfilingNotPermitted => "social data not permitted",
        ReasonCode::AlreadyOwned => "owns what is promoted",
        ReasonCode::AlreadySent => "has it already",
        ReasonCode::FrequencyCap => "had enough mail for now",
        ReasonCode::OutsideSendWindow => "outside their hours",
        ReasonCode::NoTimeZone => "time zone not known",
        ReasonCode::Holdout => "held out, to compare",
        ReasonCode::CampaignExpired => "the campaign ended before",
        ReasonCode::CampaignCancelled => "the campaign was cancelled",
        ReasonCode::Quota => "the daily quota was used up",
        ReasonCode::Throttled => "SES asked to slow down",
        ReasonCode::Stopped => "the campaign was stopped",
        ReasonCode::Contended => "their record kept changing",
        ReasonCode::Rejected => "SES refused the mail",
        ReasonCode::NotRendered => "the mail did not render",
        ReasonCode::InDoubt => "may or may not have gone",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_fits_its_column_and_is_nobody_elses() {
        let mut labels: Vec<&str> = ReasonCode::ALL.iter().map(|code| label(*code)).collect();
        assert!(labels.iter().all(|label| label.len() <= 27));
        labels.sort_unstable();
        labels.dedup();
        assert_eq!(labels.len(), ReasonCode::ALL.len());
    }
}
