//! What the gate said of a person and how it ended, with the reason as a value.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    channel::Channel,
    codes::codes,
    id::Product,
    interest::Strength,
    recipient::{SuppressionKind, Unusable},
    time::compact,
    topic::Topic,
};

/// What the gate said.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    Send(Grounds),
    Skip(Reason),
    Defer { reason: Reason, until: Timestamp },
    HoldOut { percent: u8 },
}

impl Decision {
    /// What justifies a mail, or the outcome of there being none.
    pub fn grounds(self) -> Result<Grounds, Outcome> {
        match self {
            Decision::Send(grounds) => Ok(grounds),
            Decision::Skip(reason) => Err(Outcome::Skipped(reason)),
            Decision::Defer { reason, until } => Err(Outcome::Deferred { reason, until: Some(until) }),
            Decision::HoldOut { percent } => Err(Outcome::HeldOut { percent }),
        }
    }
}

/// The topics that justify a mail; a notice needs neither.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Grounds {
    pub consent: Option<Topic>,
    pub interest: Option<Topic>,
    pub strength: Option<Strength>,
}

/// How it ended. Variants are stored by their order: add new ones at the end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    Sent(Grounds),
    Skipped(Reason),
    Deferred {
        reason: Reason,
        #[serde(with = "compact::option")]
        until: Option<Timestamp>,
    },
    HeldOut {
        percent: u8,
    },
    Failed(Reason),
    InDoubt,
}

impl Outcome {
    pub fn kind(&self) -> OutcomeKind {
        match self {
            Outcome::Sent(_) => OutcomeKind::Sent,
            Outcome::Skipped(_) => OutcomeKind::Skipped,
            Outcome::Deferred { .. } => OutcomeKind::Deferred,
            Outcome::HeldOut { .. } => OutcomeKind::HeldOut,
            Outcome::Failed(_) => OutcomeKind::Failed,
            Outcome::InDoubt => OutcomeKind::InDoubt,
        }
    }

    /// `None` for what was sent: its `detail` says why.
    pub fn reason(&self) -> Option<ReasonCode> {
        match self {
            Outcome::Sent(_) => None,
            Outcome::Skipped(reason) | Outcome::Deferred { reason, .. } | Outcome::Failed(reason) => {
                Some(reason.code())
            }
            Outcome::HeldOut { .. } => Some(ReasonCode::Holdout),
            Outcome::InDoubt => Some(ReasonCode::InDoubt),
        }
    }

    pub fn detail(&self) -> Value {
        match self {
            Outcome::Sent(grounds) => json!(grounds),
            Outcome::Skipped(reason) | Outcome::Deferred { reason, .. } | Outcome::Failed(reason) => reason.detail(),
            Outcome::HeldOut { percent } => Reason::Holdout { percent: *percent }.detail(),
            Outcome::InDoubt => json!({}),
        }
    }
}

codes!(
    /// An [`Outcome`] without its reason.
    OutcomeKind, "sent, skipped, deferred, held_out, failed or in_doubt" {
        Sent = "sent",
        Skipped = "skipped",
        Deferred = "deferred",
        HeldOut = "held_out",
        Failed = "failed",
        InDoubt = "in_doubt",
    }
);

codes!(
    /// A [`Reason`] without its detail, as reports and filters name it.
    ReasonCode, "a reason code, such as no_consent or frequency_cap" {
        Suppressed = "suppressed",
        NoAddress = "no_address",
        AddressUnusable = "address_unusable",
        NoConsent = "no_consent",
        ConsentPending = "consent_pending",
        ConsentWithdrawn = "consent_withdrawn",
        ConsentExpired = "consent_expired",
        Paused = "paused",
        TopicMuted = "topic_muted",
        NotInterested = "not_interested",
        OutOfContext = "out_of_context",
        ProfilingNotPermitted = "profiling_not_permitted",
        AlreadyOwned = "already_owned",
        AlreadySent = "already_sent",
        FrequencyCap = "frequency_cap",
        OutsideSendWindow = "outside_send_window",
        NoTimeZone = "no_time_zone",
        Holdout = "holdout",
        CampaignExpired = "campaign_expired",
        CampaignCancelled = "campaign_cancelled",
        Quota = "quota",
        Throttled = "throttled",
        Stopped = "stopped",
        Contended = "contended",
        Rejected = "rejected",
        NotRendered = "not_rendered",
        InDoubt = "in_doubt",
    }
);

codes!(
    /// Whose cap it was that refused.
    CapRule, "policy, recipient, history or notice" {
        Policy = "policy",
        Recipient = "recipient",
        History = "history",
        Notice = "notice",
    }
);

/// Why somebody was not mailed. Variants are stored by their order: add new ones at the end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Reason {
    Suppressed {
        kind: SuppressionKind,
        #[serde(with = "compact")]
        since: Timestamp,
    },
    NoAddress {
        channel: Channel,
    },
    AddressUnusable {
        channel: Channel,
        kind: Unusable,
    },
    NoConsent {
        topic: Topic,
    },
    ConsentPending {
        topic: Topic,
        #[serde(with = "compact")]
        at: Timestamp,
    },
    ConsentWithdrawn {
        topic: Topic,
        #[serde(with = "compact")]
        at: Timestamp,
    },
    ConsentExpired {
        topic: Topic,
        #[serde(with = "compact")]
        at: Timestamp,
        #[serde(with = "compact")]
        expires_at: Timestamp,
    },
    Paused {
        #[serde(with = "compact")]
        until: Timestamp,
    },
    TopicMuted {
        topic: Topic,
    },
    NotInterested(Shortfall),
    OutOfContext(Shortfall),
    ProfilingNotPermitted(Shortfall),
    AlreadyOwned {
        product: Product,
    },
    AlreadySent {
        #[serde(with = "compact")]
        at: Timestamp,
    },
    FrequencyCap {
        sends: u32,
        days: u32,
        used: u32,
        #[serde(with = "compact")]
        next_slot: Timestamp,
        rule: CapRule,
    },
    OutsideSendWindow {
        #[serde(with = "compact")]
        opens_at: Timestamp,
        time_zone: String,
    },
    NoTimeZone,
    Holdout {
        percent: u8,
    },
    CampaignExpired,
    CampaignCancelled,
    Quota,
    Throttled,
    Stopped,
    Contended,
    /// What SES said, as its status code.
    Rejected {
        status: String,
    },
    NotRendered,
}

/// An interest that did not reach, or could not be used to reach, the threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shortfall {
    pub topic: Topic,
    pub strength: Strength,
    pub threshold: Strength,
}

impl Reason {
    pub fn code(&self) -> ReasonCode {
        match self {
            Reason::Suppressed { .. } => ReasonCode::Suppressed,
            Reason::NoAddress { .. } => ReasonCode::NoAddress,
            Reason::AddressUnusable { .. } => ReasonCode::AddressUnusable,
            Reason::NoConsent { .. } => ReasonCode::NoConsent,
            Reason::ConsentPending { .. } => ReasonCode::ConsentPending,
            Reason::ConsentWithdrawn { .. } => ReasonCode::ConsentWithdrawn,
            Reason::ConsentExpired { .. } => ReasonCode::ConsentExpired,
            Reason::Paused { .. } => ReasonCode::Paused,
            Reason::TopicMuted { .. } => ReasonCode::TopicMuted,
            Reason::NotInterested(_) => ReasonCode::NotInterested,
            Reason::OutOfContext(_) => ReasonCode::OutOfContext,
            Reason::ProfilingNotPermitted(_) => ReasonCode::ProfilingNotPermitted,
            Reason::AlreadyOwned { .. } => ReasonCode::AlreadyOwned,
            Reason::AlreadySent { .. } => ReasonCode::AlreadySent,
            Reason::FrequencyCap { .. } => ReasonCode::FrequencyCap,
            Reason::OutsideSendWindow { .. } => ReasonCode::OutsideSendWindow,
            Reason::NoTimeZone => ReasonCode::NoTimeZone,
            Reason::Holdout { .. } => ReasonCode::Holdout,
            Reason::CampaignExpired => ReasonCode::CampaignExpired,
            Reason::CampaignCancelled => ReasonCode::CampaignCancelled,
            Reason::Quota => ReasonCode::Quota,
            Reason::Throttled => ReasonCode::Throttled,
            Reason::Stopped => ReasonCode::Stopped,
            Reason::Contended => ReasonCode::Contended,
            Reason::Rejected { .. } => ReasonCode::Rejected,
            Reason::NotRendered => ReasonCode::NotRendered,
        }
    }

    /// The values compared, under the keys that the contract names.
    pub fn detail(&self) -> Value {
        match self {
            Reason::Suppressed { kind, since } => json!({ "kind": kind, "since": since }),
            Reason::NoAddress { channel } => json!({ "channel": channel }),
            Reason::AddressUnusable { channel, kind } => json!({ "channel": channel, "kind": kind }),
            Reason::NoConsent { topic } | Reason::TopicMuted { topic } => json!({ "topic": topic }),
            Reason::ConsentPending { topic, at } | Reason::ConsentWithdrawn { topic, at } => {
                json!({ "topic": topic, "at": at })
            }
            Reason::ConsentExpired { topic, at, expires_at } => {
                json!({ "topic": topic, "at": at, "expires_at": expires_at })
            }
            Reason::Paused { until } => json!({ "until": until }),
            Reason::NotInterested(short) | Reason::OutOfContext(short) | Reason::ProfilingNotPermitted(short) => {
                json!(short)
            }
            Reason::AlreadyOwned { product } => json!({ "product": product }),
            Reason::AlreadySent { at } => json!({ "at": at }),
            Reason::FrequencyCap { sends, days, used, next_slot, rule } => {
                json!({ "sends": sends, "days": days, "used": used, "next_slot": next_slot, "rule": rule })
            }
            Reason::OutsideSendWindow { opens_at, time_zone } => {
                json!({ "opens_at": opens_at, "time_zone": time_zone })
            }
            Reason::Holdout { percent } => json!({ "percent": percent }),
            Reason::Rejected { status } => json!({ "status": status }),
            Reason::NoTimeZone
            | Reason::CampaignExpired
            | Reason::CampaignCancelled
            | Reason::Quota
            | Reason::Throttled
            | Reason::Stopped
            | Reason::Contended
            | Reason::NotRendered => json!({}),
        }
    }
}
