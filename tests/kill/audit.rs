//! What must hold after all kills, as anybody can see it from outside.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{Failure, site::Site};

/// So many breaches of one kind are named.
const NAMED: usize = 5;

/// What a campaign's report says.
#[derive(Debug, Clone, Deserialize)]
pub struct Report {
    pub status: String,
    pub decided: u64,
    pub audience: Option<u64>,
    pub outcomes: BTreeMap<String, u64>,
}

impl Report {
    pub async fn of(site: &Site, campaign: &str) -> Result<Self, Failure> {
        site.get(&format!("/v1/campaigns/{campaign}")).await
    }

    pub fn outcome(&self, name: &str) -> u64 {
        self.outcomes.get(name).copied().unwrap_or_default()
    }
}

#[derive(Deserialize)]
struct Decisions {
    items: Vec<Decision>,
    cursor: Option<String>,
}

#[derive(Deserialize)]
struct Decision {
    recipient: String,
    outcome: String,
}

#[derive(Deserialize)]
struct Mail {
    tags: BTreeMap<String, String>,
}

/// A campaign at its end: what is reported, what is listed, and who was mailed.
pub struct Account {
    pub campaign: &'static str,
    pub report: Report,
    decisions: HashMap<String, String>,
    /// How often each person was mailed.
    pub mails: HashMap<String, usize>,
    twice_listed: Vec<String>,
}

/// The accounts of campaigns whose events have all been taken.
pub async fn accounts(site: &Site, campaigns: &[&'static str]) -> Result<Vec<Account>, Failure> {
    let mut mails: HashMap<(String, String), usize> = HashMap::new();
    for mail in site.get::<Vec<Mail>>("/inbox/messages").await? {
        let tag = |name: &str| -> Result<String, Failure> {
            Ok(String::from_utf8(URL_SAFE_NO_PAD.decode(mail.tags.get(name).ok_or("a mail without a tag")?)?)?)
        };
        *mails.entry((tag("campaign")?, tag("recipient")?)).or_default() += 1;
    }
    let mut accounts = Vec::new();
    for campaign in campaigns {
        let (report, decisions, twice_listed) = settled(site, campaign).await?;
        let theirs = mails.iter().filter(|((of, _), _)| of == campaign);
        let mails = theirs.map(|((_, recipient), mails)| (recipient.clone(), *mails)).collect();
        accounts.push(Account { campaign, report, decisions, mails, twice_listed });
    }
    Ok(accounts)
}

/// The report and the decisions of one moment: events may still settle what was in doubt.
async fn settled(site: &Site, campaign: &str) -> Result<(Report, HashMap<String, String>, Vec<String>), Failure> {
    loop {
        let before = Report::of(site, campaign).await?;
        let (decisions, twice) = decisions(site, campaign).await?;
        let after = Report::of(site, campaign).await?;
        if before.outcomes == after.outcomes {
            return Ok((after, decisions, twice));
        }
    }
}

async fn decisions(site: &Site, campaign: &str) -> Result<(HashMap<String, String>, Vec<String>), Failure> {
    let (mut decisions, mut twice, mut cursor) = (HashMap::new(), Vec::new(), String::new());
    loop {
        let page: Decisions = site.get(&format!("/v1/campaigns/{campaign}/decisions{cursor}")).await?;
        for Decision { recipient, outcome } in page.items {
            if decisions.insert(recipient.clone(), outcome).is_some() {
                twice.push(recipient);
            }
        }
        match page.cursor {
            Some(next) => cursor = format!("?cursor={next}"),
            None => return Ok((decisions, twice)),
        }
    }
}

impl Account {
    /// What does not hold of this campaign over so many people.
    pub fn breaches(&self, people: usize) -> Vec<String> {
        let Self { campaign, report, decisions, mails, twice_listed } = self;
        let mut breaches = Breaches::of(campaign);
        breaches.people("has a second decision", twice_listed.iter());
        let audience = people as u64;
        breaches.figures("decided", report.decided, audience);
        breaches.figures("audience", report.audience.unwrap_or_default(), audience);
        breaches.figures("people listed", decisions.len() as u64, audience);
        breaches.figures("people who failed", report.outcome("failed"), 0);
        let mut listed: BTreeMap<&str, u64> = BTreeMap::new();
        for outcome in decisions.values() {
            *listed.entry(outcome).or_default() += 1;
        }
        for (outcome, count) in &report.outcomes {
            breaches.figures(outcome, *count, listed.get(outcome.as_str()).copied().unwrap_or_default());
        }
        breaches.people("was mailed twice", mails.iter().filter(|(_, mails)| **mails > 1).map(|(person, _)| person));
        let is =
            |person: &str, wanted: &[&str]| decisions.get(person).is_some_and(|had| wanted.contains(&had.as_str()));
        let sent = decisions.keys().filter(|person| is(person, &["sent"]));
        breaches.people("is sent and was not mailed", sent.filter(|person| !mails.contains_key(*person)));
        let unsaid = mails.keys().filter(|person| !is(person, &["sent", "in_doubt"]));
        breaches.people("was mailed, and the ledger says otherwise", unsaid);
        breaches.found
    }
}

/// A cap over all campaigns: nobody was mailed more often than this.
pub fn over_cap(accounts: &[Account], cap: usize) -> Vec<String> {
    let mut mails: HashMap<&str, usize> = HashMap::new();
    for (person, count) in accounts.iter().flat_map(|account| &account.mails) {
        *mails.entry(person).or_default() += count;
    }
    let mut breaches = Breaches::of("all campaigns");
    breaches
        .people("was mailed more often than the cap allows", mails.iter().filter(|(_, n)| **n > cap).map(|(p, _)| *p));
    breaches.found
}

/// Nobody holds a slot that was taken after their withdrawal was answered.
pub async fn claimed_after(site: &Site, withdrawals: &BTreeMap<String, Timestamp>) -> Result<Vec<String>, Failure> {
    let mut late = BTreeSet::new();
    for (person, answered) in withdrawals {
        let held: Value = site.get(&format!("/v1/recipients/{person}/export")).await?;
        let sends = held.pointer("/recipient/sends").and_then(Value::as_array).ok_or("an export without sends")?;
        for send in sends {
            let at = send.get("at").and_then(Value::as_str).ok_or("a send without a time")?;
            if at.parse::<Timestamp>()? > *answered {
                late.insert(person.as_str());
            }
        }
    }
    let mut breaches = Breaches::of("all campaigns");
    breaches.people("was claimed after a withdrawal", late.into_iter());
    Ok(breaches.found)
}

struct Breaches<'a> {
    of: &'a str,
    found: Vec<String>,
}

impl<'a> Breaches<'a> {
    fn of(campaign: &'a str) -> Self {
        Self { of: campaign, found: Vec::new() }
    }

    fn figures(&mut self, what: &str, found: u64, wanted: u64) {
        if found != wanted {
            self.found.push(format!("{}: {what}: {found} instead of {wanted}", self.of));
        }
    }

    fn people(&mut self, what: &str, who: impl Iterator<Item = impl AsRef<str>>) {
        let who: Vec<String> = who.map(|person| person.as_ref().to_owned()).collect();
        if let Some(some) = who.get(..who.len().min(NAMED)).filter(|some| !some.is_empty()) {
            self.found.push(format!("{}: {} who {what}, such as {}", self.of, who.len(), some.join(", ")));
        }
    }
}
