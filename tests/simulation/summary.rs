//! What a world came to, in numbers.

use std::collections::BTreeMap;

use germane::domain::decision::OutcomeKind;

use super::super::virtual_world::{
    network::{Fault, Network},
    queue::Queues,
    ses::SesAccount,
    tables::Tables,
};

#[derive(Debug, Clone, Default)]
pub struct Summary {
    pub worlds: u64,
    pub calls: u64,
    pub faults: BTreeMap<String, u64>,
    pub campaigns: BTreeMap<String, u64>,
    pub outcomes: BTreeMap<String, u64>,
    pub mails: u64,
    pub claims: u64,
    /// Virtual seconds.
    pub lived_s: u64,
}

impl Summary {
    pub fn of(network: &Network, tables: &Tables, ses: &SesAccount, queues: &Queues) -> Self {
        let mut summary = Self { worlds: 1, lived_s: network.time.passed().as_secs(), ..Self::default() };
        network.log(|log| {
            summary.calls = log.calls;
            let of = |(fault, count): (&Fault, &u64)| (fault.as_str().to_owned(), *count);
            summary.faults = log.faults.iter().map(of).collect();
            summary.faults.insert("process died".to_owned(), log.crashes);
            summary.faults.insert("process stood still".to_owned(), log.stalls);
        });
        summary.faults.insert("message delivered again".to_owned(), queues.delivered_again());
        let calls = ses.calls();
        summary.mails = calls.iter().map(|call| call.taken.len() as u64).sum();
        tables.look(|store| {
            for record in store.campaigns.all() {
                *summary.campaigns.entry(record.status.to_string()).or_default() += 1;
                for standing in store.shards.standings(&record.campaign.id) {
                    for kind in OutcomeKind::ALL {
                        *summary.outcomes.entry(kind.as_str().to_owned()).or_default() += standing.counts().of(*kind);
                    }
                }
            }
            let sends = |person: &Option<_>| {
                person.as_ref().map_or(0, |p: &germane::domain::recipient::Recipient| p.sends.iter().count())
            };
            let claims = store.people.changes.iter().filter(|change| sends(&change.after) > sends(&change.before));
            summary.claims = claims.count() as u64;
        });
        summary
    }

    pub fn add(&mut self, other: Self) {
        let Self { worlds, calls, faults, campaigns, outcomes, mails, claims, lived_s } = other;
        self.worlds += worlds;
        self.calls += calls;
        self.mails += mails;
        self.claims += claims;
        self.lived_s += lived_s;
        for (sum, part) in
            [(&mut self.faults, faults), (&mut self.campaigns, campaigns), (&mut self.outcomes, outcomes)]
        {
            for (name, count) in part {
                *sum.entry(name).or_default() += count;
            }
        }
    }
}
