//! Before the first send: what of the account and of the deployment is ready, and what is next for the rest.
//!
//! Every check is made whatever becomes of the others. One that cannot be made is told as such, and counts as not ready.

pub mod order;

use std::{error::Error, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::join;
use serde::Serialize;
use tracing::warn;

use self::order::Simulator;
use super::{
    api::{attributes::Usage, recipients::People, suppressions::Addresses},
    clock::Clock,
    launch::{Policies, Templates, Versioned},
    ledger::Ledger,
    pace::{self, Pacer},
    port::PortError,
    queue::Work,
    template::Compiled,
};
use crate::domain::{
    email::EmailAddress,
    id::{CampaignId, RecipientId, Shard, TemplateName},
    policy::Policy,
    price::Plan,
    readiness::{
        Check, Looked,
        account::{self, Account},
        events::{self, ConfigurationSet},
        rules,
        sender::{self, Identity},
        templates::{self, Held, Pushed},
    },
};

/// For how long templates are looked at: SES answers about one such question a second, an HTTP API waits for 30.
const TEMPLATES_WITHIN: Duration = Duration::from_secs(15);
const AGAIN: &str = "ask again; if it stays so, see what the API logged";

/// What SES says of the account and of what is in it.
#[async_trait]
pub trait Surroundings: Send + Sync {
    /// An identity by its name, an address or a domain; `None` if there is none of this very name.
    async fn identity(&self, name: &str) -> Result<Option<Identity>, PortError>;

    async fn account(&self) -> Result<Account, PortError>;

    /// The configuration set that mails are sent under.
    async fn configuration_set(&self) -> Result<ConfigurationSet, PortError>;

    /// How SES has this form of a template.
    async fn template(&self, form: &Compiled) -> Result<Held, PortError>;
}

/// What the checks need.
pub struct Doctor {
    pub clock: Arc<dyn Clock>,
    pub policies: Arc<dyn Policies>,
    pub templates: Arc<dyn Templates>,
    pub usage: Arc<dyn Usage>,
    pub people: Arc<dyn People>,
    pub addresses: Arc<dyn Addresses>,
    pub ledger: Arc<dyn Ledger>,
    pub surroundings: Arc<dyn Surroundings>,
    pub account: Arc<dyn pace::Account>,
    pub pacer: Pacer,
    pub simulator: Arc<dyn Simulator>,
    /// Of the tables.
    pub shards: u16,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Readiness {
    /// Whether a campaign could run.
    pub ready: bool,
    pub checks: Vec<Check>,
    pub figures: Figures,
}

/// What a program may want to reckon with; `None` where it is not known.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Figures {
    pub shards: u16,
    pub mails_per_second: Option<f64>,
    /// `None` also where SES sets no limit.
    pub mails_per_day: Option<u64>,
    pub sent_last_day: Option<u64>,
    pub plan: Option<Plan>,
    /// Without what a month costs anyway.
    pub usd_per_million: Option<f64>,
    pub usd_per_month: Option<f64>,
}

impl Doctor {
    pub async fn examine(&self) -> Readiness {
        let (rules, account, events) = join!(self.policies.current(), self.surroundings.account(), self.events());
        let policy = rules.as_ref().ok().and_then(Option::as_ref).map(|current| &current.policy);
        let (tables, sender, templates) =
            join!(self.tables(rules.as_ref().err()), self.sender(policy), self.templates(policy));
        let figures = figures(self.shards, account.as_ref().ok());
        let checks: Vec<Check> = [tables]
            .into_iter()
            .chain(judge_rules(&rules))
            .chain(sender)
            .chain(judge_account(&account))
            .chain(events)
            .chain(templates)
            .collect();
        Readiness { ready: checks.iter().all(Check::lets_run), checks, figures }
    }

    /// Reads from each table as requests do, in places where there may be nothing. The policy was read from that of the
    /// campaigns already.
    async fn tables(&self, campaigns: Option<&PortError>) -> Check {
        let made_up = || -> Option<(RecipientId, CampaignId, EmailAddress)> {
            Some(("doctor".parse().ok()?, "doctor".parse().ok()?, "doctor@example.com".parse().ok()?))
        };
        let Some((recipient, campaign, address)) = made_up() else {
            return Check::unknown(Looked::Tables, "there is no key to look for", AGAIN);
        };
        let work = Work { campaign, shard: Shard(0), pass: 1 };
        let addresses = [address];
        let (recipients, addresses, ledger, evidence) = join!(
            self.people.get(&recipient),
            self.addresses.get(&addresses),
            self.ledger.after(&work, None),
            self.people.evidence(&recipient),
        );
        let answers = [
            ("recipients", recipients.as_ref().err()),
            ("addresses", addresses.as_ref().err()),
            ("campaigns", campaigns),
            ("ledger", ledger.as_ref().err()),
            ("evidence", evidence.as_ref().err()),
        ];
        let silent: Vec<(&str, &PortError)> =
            answers.into_iter().filter_map(|(table, error)| Some((table, error?))).collect();
        let Some((_, error)) = silent.first() else {
            return Check::ready(Looked::Tables, format!("all five answer; recipients lie in {} shards", self.shards));
        };
        let names: Vec<&str> = silent.iter().map(|(table, _)| *table).collect();
        let [check] = unknown([Looked::Tables], &format!("{}: ", names.join(", ")), error);
        check
    }

    async fn sender(&self, policy: Option<&Policy>) -> [Check; 3] {
        const ASPECTS: [Looked; 3] = [Looked::Identity, Looked::Dkim, Looked::MailFrom];
        let Some(policy) = policy else { return ASPECTS.map(|check| Check::rests_on(check, Looked::Policy)) };
        let mut found: Vec<(String, Identity)> = Vec::new();
        for name in sender::names(&policy.from) {
            match self.surroundings.identity(&name).await {
                Ok(Some(identity)) => {
                    let decides = identity.verified && !name.contains('@');
                    found.push((name, identity));
                    if decides {
                        break;
                    }
                }
                Ok(None) => {}
                Err(error) => return unknown(ASPECTS, "", &error),
            }
        }
        sender::judge(&policy.from, &found)
    }

    async fn events(&self) -> [Check; 2] {
        match self.surroundings.configuration_set().await {
            Ok(set) => events::judge(&set),
            Err(error) => unknown([Looked::ConfigurationSet, Looked::Events], "", &error),
        }
    }

    async fn templates(&self, policy: Option<&Policy>) -> Vec<Check> {
        let names: Vec<TemplateName> = match self.usage.declared().await {
            Ok(declared) => declared.into_keys().collect(),
            Err(error) => {
                return unknown([Looked::Templates, Looked::ConfirmConsent, Looked::AccessLink], "", &error).to_vec();
            }
        };
        let in_ses = match self.in_ses(&names).await {
            Ok(pushed) => templates::judge(&pushed, names.len().saturating_sub(pushed.len())),
            Err(error) => {
                let [check] = unknown([Looked::Templates], "", &error);
                check
            }
        };
        [in_ses].into_iter().chain(templates::judge_own(policy, &names)).collect()
    }

    /// Looks at as many as there is time for, one after the other.
    async fn in_ses(&self, names: &[TemplateName]) -> Result<Vec<Pushed>, PortError> {
        let mut pushed = Vec::with_capacity(names.len());
        let begun = self.clock.monotonic();
        for name in names {
            if self.clock.monotonic().saturating_sub(begun) > TEMPLATES_WITHIN {
                break;
            }
            let form = self.templates.current(name).await?;
            let form = form.ok_or_else(|| PortError::corrupt("a template", "its newest form is not there"))?;
            let held = self.surroundings.template(&form).await?;
            pushed.push(Pushed { name: name.clone(), in_ses: form.ses_name(), held });
        }
        Ok(pushed)
    }
}

fn judge_rules(rules: &Result<Option<Arc<Versioned>>, PortError>) -> [Check; 4] {
    match rules {
        Ok(current) => rules::judge(current.as_ref().map(|current| (current.version, &current.policy))),
        Err(error) => {
            let all = [Looked::Policy, Looked::PostalAddress, Looked::PrivacyUrl, Looked::TestAddresses];
            unknown(all, "", error)
        }
    }
}

fn judge_account(account: &Result<Account, PortError>) -> [Check; 5] {
    match account {
        Ok(account) => account::judge(account),
        Err(error) => {
            let all = [Looked::Production, Looked::Sending, Looked::Rate, Looked::Quota, Looked::Plan];
            unknown(all, "", error)
        }
    }
}

fn figures(shards: u16, account: Option<&Account>) -> Figures {
    let Some(account) = account else { return Figures { shards, ..Figures::default() } };
    Figures {
        shards,
        mails_per_second: Some(account.per_second),
        mails_per_day: account.per_day,
        sent_last_day: Some(account.sent_last_day),
        plan: account.plan,
        usd_per_million: account.plan.map(|plan| plan.for_mails(1_000_000)),
        usd_per_month: account.plan.map(Plan::monthly),
    }
}

/// Checks that could not be made, for one reason. Its first cause is told as well: mostly it says whether it is rights
/// or the network.
fn unknown<const N: usize>(checks: [Looked; N], what: &str, error: &PortError) -> [Check; N] {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    let found = format!("{what}{error}{cause}");
    let names: Vec<&str> = checks.iter().map(|check| check.as_str()).collect();
    warn!(checks = names.join(", "), found, "checks could not be made");
    checks.map(|check| Check::unknown(check, found.as_str(), AGAIN))
}
