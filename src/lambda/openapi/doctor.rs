//! What is ready for the first send.

use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::domain::{
    price::Plan,
    readiness::{Looked, State},
};

/// What of the account and of the deployment is ready for the first send.
#[derive(ToSchema)]
pub struct Readiness {
    /// Whether a campaign could run: no check is `missing` or `unknown`.
    pub ready: bool,
    /// One of each but `order`, always in the same order.
    pub checks: Vec<Checked>,
    pub figures: Figures,
}

/// How one thing stands.
#[derive(ToSchema)]
pub struct Checked {
    pub check: Looked,
    pub state: State,
    /// For people.
    pub found: String,
    /// What to do about it, for people; null if nothing is to be done, or something else first.
    #[schema(required)]
    pub next: Option<String>,
}

/// Figures of the account; null where they are not known.
#[derive(ToSchema)]
pub struct Figures {
    /// How many slices the recipients lie in.
    pub shards: u16,
    /// What SES lets the account send in a second.
    #[schema(required)]
    pub mails_per_second: Option<f64>,
    /// In any 24 hours; null also for any number.
    #[schema(required)]
    pub mails_per_day: Option<u64>,
    /// By the whole account, in the last 24 hours.
    #[schema(required)]
    pub sent_last_day: Option<u64>,
    #[schema(required)]
    pub plan: Option<Plan>,
    /// What SES asks for a million mails, in US dollars, beside `usd_per_month`.
    #[schema(required)]
    pub usd_per_million: Option<f64>,
    #[schema(required)]
    pub usd_per_month: Option<f64>,
}

pub fn readiness() -> Value {
    let check = |check: Looked, state: State, found: &str, next: Option<&str>| json!({ "check": check, "state": state, "found": found, "next": next });
    json!({
        "ready": false,
        "checks": [
            check(Looked::Tables, State::Ready, "all five answer; recipients lie in 64 shards", None),
            check(
                Looked::Production,
                State::Missing,
                "the account is in SES's sandbox: only verified addresses and the simulator get mail",
                Some("ask for production access in the SES console (Account dashboard)"),
            ),
        ],
        "figures": {
            "shards": 64, "mails_per_second": 1.0, "mails_per_day": 200, "sent_last_day": 0,
            "plan": "essentials", "usd_per_million": 160.0, "usd_per_month": 0.0,
        },
    })
}

pub fn order() -> Value {
    json!({
        "check": Looked::Order, "state": State::Ready,
        "found": "of 4 mails SES refused number 2, as it must, and said so at its place", "next": null,
    })
}
