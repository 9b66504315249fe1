//! What must be true of a world, told by other means than those of the flow: from every write that was made, and from
//! every mail that SES took.

mod claims;
mod ends;
mod ledger;
mod mails;
mod told;

pub use ledger::Expected;
pub use told::told;

use std::{collections::BTreeMap, time::Duration};

use germane::domain::{
    campaign::Campaign,
    consent::ConsentStatus,
    id::{CampaignId, RecipientId},
    recipient::Recipient,
};

use super::{
    super::virtual_world::{
        queue::Queues,
        ses::SesAccount,
        tables::{Store, Tables, people::Change},
    },
    clients::Promise,
    plan::Plan,
};

/// Who watches a world.
pub struct Witness {
    pub calm: bool,
    /// Whether every answer comes and nobody dies, so that every slot is accounted for.
    pub certain: bool,
    /// How far clocks may be apart.
    pub skewed: bool,
    /// What was not kept, each in a sentence.
    pub broken: Vec<String>,
    promised: Vec<(usize, Promise)>,
    /// Since when each campaign runs over its policy's rates, and how many bounces and complaints there were then.
    tripped: BTreeMap<CampaignId, (Duration, u64)>,
}

impl Witness {
    pub fn new(plan: &Plan) -> Self {
        let skewed = plan.processes.iter().any(|process| !process.ahead.is_zero());
        Self {
            calm: plan.is_calm(),
            certain: plan.is_certain(),
            skewed,
            tripped: BTreeMap::new(),
            broken: Vec::new(),
            promised: Vec::new(),
        }
    }

    fn says(&mut self, promise: u8, broken: impl std::fmt::Display) {
        let broken = format!("promise {promise}: {broken}");
        if !self.broken.contains(&broken) {
            self.broken.push(broken);
        }
    }

    /// Somebody was told something, and it must be so by now.
    pub fn promised(&mut self, promise: Promise, tables: &Tables) {
        let (written, kept) = tables.look(|store| {
            let kept = match &promise {
                Promise::Left { recipient, campaign } => {
                    let campaign = store.campaigns.get(campaign).map(|record| record.campaign.clone());
                    campaign.zip(store.people.get(recipient)).is_none_or(|(campaign, person)| left(person, &campaign))
                }
                // Somebody may have put somebody else under the same id since.
                Promise::Gone { recipient } => {
                    let gone = |change: &Change| change.id == *recipient && change.after.is_none();
                    store.people.get(recipient).is_none() || store.people.changes.iter().any(gone)
                }
                Promise::Suppressed { recipient } => {
                    let address = format!("{recipient}@example.com");
                    let has = |person: &Recipient| person.work.as_ref().is_some_and(|w| w.email.reveal() == address);
                    store.people.get(recipient).is_none_or(|person| !has(person) || person.suppression.is_some())
                }
            };
            (store.people.changes.len(), kept)
        });
        if !kept {
            self.says(4, format!("{promise:?} was answered and is not so"));
        }
        self.promised.push((written, promise));
    }

    /// What must be so at every moment.
    pub fn look(&mut self, tables: &Tables) {
        let now = tables.network.time.passed();
        tables.look(|store| {
            ledger::adds_up(self, store);
            ends::stops_itself(self, store, now);
        });
    }

    /// What the API told otherwise than the ledger holds it.
    pub fn told(&mut self, broken: Vec<String>) {
        for broken in broken {
            self.says(1, broken);
        }
    }

    pub fn end(&mut self, tables: &Tables, ses: &SesAccount, queues: &Queues) {
        let calls = ses.calls();
        tables.look(|store| {
            claims::allowed(self, store);
            self.withdrawals_won(store);
            mails::right(self, store, &calls);
            ledger::adds_up(self, store);
            ledger::true_to_the_world(self, store, &calls, &ses.told());
            ends::came(self, store, queues);
        });
    }

    /// After each answer nobody was taken any more for what they had left.
    fn withdrawals_won(&mut self, store: &Store) {
        let campaigns: Vec<Campaign> = store.campaigns.all().map(|record| record.campaign.clone()).collect();
        for (written, promise) in std::mem::take(&mut self.promised) {
            let Promise::Left { recipient, campaign } = &promise else { continue };
            let Some(of) = campaigns.iter().find(|held| held.id == *campaign) else { continue };
            let later = store.people.changes.iter().skip(written).filter(|change| change.id == *recipient);
            // Somebody who was erased and came again is somebody else.
            let later = later.take_while(|change| change.after.is_some());
            for change in later {
                for taken in taken_by(change, &campaigns) {
                    if taken.channel == of.channel && of.topic.covers(&taken.topic) && taken.kind == of.kind {
                        self.says(4, format!("{recipient} had left {campaign} and was taken for {}", taken.id));
                    }
                }
            }
        }
    }
}

/// Whether nothing about a campaign's topic may come on its channel any more: somebody withdrew what permitted it, and
/// what is granted besides is above or as old as that.
fn left(person: &Recipient, campaign: &Campaign) -> bool {
    let on =
        person.consents.iter().filter(|held| held.channel == campaign.channel && held.topic.covers(&campaign.topic));
    person.suppression.is_some() || on.into_iter().any(|held| held.status == ConsentStatus::Withdrawn)
}

/// The campaigns for which a write took somebody.
fn taken_by<'a>(change: &Change, campaigns: &'a [Campaign]) -> Vec<&'a Campaign> {
    let had = |key| change.before.as_ref().is_some_and(|before| before.sends.of(key).is_some());
    let has = |key| change.after.as_ref().is_some_and(|after| after.sends.of(key).is_some());
    campaigns.iter().filter(|campaign| has(campaign.key()) && !had(campaign.key())).collect()
}

/// What the API must tell.
pub fn expected(tables: &Tables) -> Vec<Expected> {
    tables.look(|store| ledger::of_everybody(store))
}

/// When each person was taken for each campaign, and when given back.
type Taken = BTreeMap<(CampaignId, RecipientId), Vec<(Duration, bool)>>;

fn taken(store: &Store) -> Taken {
    let campaigns: Vec<Campaign> = store.campaigns.all().map(|record| record.campaign.clone()).collect();
    let mut taken = Taken::new();
    // Who is erased between their claim and its call is mailed still, and holds no slot any more.
    for change in store.people.changes.iter().filter(|change| change.after.is_some()) {
        for campaign in &campaigns {
            let holds =
                |of: &Option<Recipient>| of.as_ref().is_some_and(|person| person.sends.of(campaign.key()).is_some());
            let (had, has) = (holds(&change.before), holds(&change.after));
            if had != has {
                taken.entry((campaign.id.clone(), change.id.clone())).or_default().push((change.at, has));
            }
        }
    }
    taken
}
