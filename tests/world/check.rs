//! What must hold of every campaign at every moment.

use std::collections::{BTreeMap, BTreeSet};

use germane::{
    domain::{
        campaign::Audience,
        decision::OutcomeKind,
        id::{RecipientId, Ref, Shard},
        report::{CampaignStatus, Counts},
    },
    flow::launch::Campaigns,
};
use serde_json::{Value, json};

use super::World;

impl World {
    /// [`World::check`] of every campaign.
    pub async fn check_all(&self) {
        let (listed, _) = self.deployment.api().campaigns(None).await.unwrap();
        for campaign in listed {
            self.check(campaign.id.as_str()).await;
        }
    }

    /// Compares the ledger with the people who are really there, the slots that they hold and the mails that SES really
    /// took; answers with the report.
    pub async fn check(&self, id: &str) -> Value {
        let report = self.report(id).await;
        let (entries, people, mails) = (self.entries(id).await, self.people().await, self.mails(id));
        let campaign = self.campaign(id).await;
        let held = self.held(id).await;

        let mut counts = Counts::default();
        let mut outcomes: BTreeMap<Ref, OutcomeKind> = BTreeMap::new();
        let status: CampaignStatus = serde_json::from_value(report["status"].clone()).unwrap();
        for entry in &entries {
            let outcome = entry.outcome.clone().under(status);
            counts.add(&outcome);
            let twice = outcomes.insert(entry.reference, outcome.kind());
            assert_eq!(twice, None, "somebody was decided on twice");
        }
        assert_eq!(report["outcomes"], json!(counts.outcomes()), "the report's counts are those of the ledger");
        assert_eq!(report["reasons"], json!(counts.reasons()));
        assert_eq!(report["decided"], entries.len());

        let listed: BTreeMap<RecipientId, Value> = self.decisions(id).await.into_iter().collect();
        let in_audience = |id: &RecipientId| match &campaign.audience {
            Audience::Everyone => true,
            Audience::Recipients(ids) => ids.contains(id),
        };
        for (id, person) in &people {
            let outcome = outcomes.get(&person.reference).copied();
            let said = listed.get(id).map(|decision| decision["outcome"].clone());
            assert_eq!(said, outcome.map(|outcome| json!(outcome)), "what is listed of {id}");
            let mailed = mails.get(id).map_or(0, Vec::len);
            assert!(mailed <= 1, "{id} was mailed {mailed} times");
            assert!(outcome.is_none() || in_audience(id), "{id} is not in the audience");
            let slots = person.sends.iter().filter(|send| send.key == campaign.key()).count();
            let out = matches!(outcome, Some(OutcomeKind::Sent | OutcomeKind::InDoubt));
            if !out && slots == 1 && held.contains(&Shard::of(id, self.services.dynamo.shards)) {
                // Taken by a worker that did not come so far as to say so.
                continue;
            }
            assert!(mailed == 0 || out, "{id} was mailed and is {outcome:?}");
            assert!(mailed == 1 || outcome != Some(OutcomeKind::Sent), "{id} is sent and was not mailed");
            if outcome.is_some() {
                assert_eq!(slots, usize::from(out), "the slot of {id}, who is {outcome:?}");
            }
        }
        assert!(listed.keys().all(|id| people.contains_key(id)), "only who is there is named");
        if report["audience"].is_null() {
            assert_ne!(report["status"], "complete");
        } else {
            let there: BTreeSet<RecipientId> = people.keys().filter(|id| in_audience(id)).cloned().collect();
            let read = self.read_by(id, there);
            assert_eq!(report["audience"], report["decided"]);
            for id in people.keys() {
                assert_eq!(
                    read.contains(id),
                    listed.contains_key(id),
                    "{id} is decided on if the first pass read them"
                );
            }
        }
        report
    }

    /// The shards that a worker has, or has not left in order.
    async fn held(&self, campaign: &str) -> BTreeSet<Shard> {
        let campaigns: &dyn Campaigns = &self.services.dynamo;
        let standings = campaigns.standings(&campaign.parse().unwrap()).await.unwrap();
        standings.into_iter().filter(|shard| shard.undrained).map(|shard| shard.work.shard).collect()
    }

    /// Whom a campaign's first pass read: who was there when it was first seen to be through.
    fn read_by(&self, campaign: &str, there: BTreeSet<RecipientId>) -> BTreeSet<RecipientId> {
        self.read.lock().unwrap().entry(campaign.to_owned()).or_insert(there).clone()
    }
}
