//! The SES account: whom it may mail, how fast, how much, and for what price.

use super::{Check, Looked};
use crate::domain::{number::grouped, price::Plan};

/// The account in one region, as SES tells of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Out of the sandbox.
    pub production: bool,
    pub sending: bool,
    pub reputation: Reputation,
    /// Mails a second.
    pub per_second: f64,
    /// Mails in any 24 hours; `None` for any number.
    pub per_day: Option<u64>,
    pub sent_last_day: u64,
    /// `None` where SES does not say, or says one whose price nobody knows here.
    pub plan: Option<Plan>,
}

/// What SES makes of the account's bounces and complaints (`EnforcementStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reputation {
    Healthy,
    /// Under review; it may still send.
    Probation,
    Shutdown,
    /// SES does not say, or by a word that came later.
    Other,
}

pub fn judge(account: &Account) -> [Check; 5] {
    [production(account), sending(account), rate(account), quota(account), plan(account)]
}

fn production(account: &Account) -> Check {
    if account.production {
        return Check::ready(Looked::Production, "SES lets the account mail everybody");
    }
    let found = "the account is in SES's sandbox: only verified addresses and the simulator get mail";
    Check::missing(Looked::Production, found, "ask for production access in the SES console (Account dashboard)")
}

fn sending(account: &Account) -> Check {
    let missing = |found| {
        Check::missing(
            Looked::Sending,
            found,
            "look at the account's status in the SES console, and answer AWS's mail about it",
        )
    };
    match account.reputation {
        _ if !account.sending => missing("sending is switched off for the account"),
        Reputation::Healthy => Check::ready(Looked::Sending, "on, and the account is in good standing"),
        Reputation::Probation => {
            let next = "put right what AWS wrote about, before it ends in a pause of all sending";
            Check::advice(Looked::Sending, "on, but AWS is reviewing the account", next)
        }
        Reputation::Shutdown => missing("AWS has paused the account's sending"),
        Reputation::Other => missing("SES does not say that the account is in good standing"),
    }
}

fn rate(account: &Account) -> Check {
    let per_second = account.per_second;
    if per_second > 0.0 && per_second.is_finite() {
        return Check::ready(Looked::Rate, format!("{per_second} mails a second"));
    }
    let next = "ask for a higher rate in the SES console (Service Quotas)";
    Check::missing(Looked::Rate, "SES lets the account send nothing", next)
}

fn quota(account: &Account) -> Check {
    let used = format!("{} in the last 24 hours", grouped(account.sent_last_day));
    let more = "ask for a higher quota in the SES console (Service Quotas)";
    match account.per_day {
        None => Check::ready(Looked::Quota, format!("any number of mails a day; {used}")),
        Some(0) => Check::missing(Looked::Quota, "no mail a day", more),
        Some(per_day) if account.sent_last_day >= per_day => {
            let found = format!("all of {} mails a day are used", grouped(per_day));
            Check::advice(Looked::Quota, found, format!("campaigns wait until it frees; for more, {more}"))
        }
        Some(per_day) => Check::ready(Looked::Quota, format!("{} mails a day; {used}", grouped(per_day))),
    }
}

fn plan(account: &Account) -> Check {
    let Some(plan) = account.plan else {
        let next = "see https://aws.amazon.com/ses/pricing/ for what a mail costs";
        return Check::advice(Looked::Plan, "SES names no plan whose price is known here", next);
    };
    let name = plan.as_str().replace('_', " ");
    let million = plan.for_mails(1_000_000);
    let monthly = plan.monthly();
    let beside = if monthly > 0.0 { format!(", beside ${monthly:.2} a month") } else { String::new() };
    Check::ready(Looked::Plan, format!("{name}: a million mails cost ${million:.2}{beside}"))
}
