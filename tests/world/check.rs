//! What must hold of every campaign at every moment.

use std::collections::{BTreeMap, BTreeSet};

use germane::{
    domain::{
        campaign::Audience,
        decision::OutcomeKind,
        id::{RecipientId, Ref, Shard},
        recipient::Recipient,
        report::{CampaignStatus, Counts},
    },
    flow::launch::Campaigns,
};
use serde_json::{Value, json};

use super::World;

impl World {
    /// Compares the ledger with the people who are really there, the slots that they hold and the mails that SES really
    /// took, and with what is listed; answers with the report.
    pub async fn check(&self, id: &str) -> Value {
        let people = self.people().await;
        let (report, decided) = self.promises(id, &people).await;
        let listed = self.decisions(id).await;
        let told = listed.iter().map(|(id, decision)| (id.clone(), decision["outcome"].clone()));
        let expected = decided.into_iter().map(|(id, outcome)| (id, json!(outcome)));
        assert_eq!(told.collect::<BTreeMap<_, _>>(), expected.collect::<BTreeMap<_, _>>(), "what is listed of each");
        assert_eq!(listed.len(), people.keys().filter(|id| listed.iter().any(|(told, _)| told == *id)).count());
        report
    }

    /// The same of every campaign, without what is listed.
    pub async fn check_all(&self) {
        let people = self.people().await;
        let (listed, _) = self.deployment.api().campaigns(None).await.unwrap();
        for campaign in listed {
            self.promises(campaign.id.as_str(), &people).await;
        }
    }

    /// The report, and the outcomes of those who are there.
    async fn promises(
        &self,
        id: &str,
        people: &BTreeMap<RecipientId, Recipient>,
    ) -> (Value, BTreeMap<RecipientId, OutcomeKind>) {
        let report = self.report(id).await;
        let (entries, mails) = (self.entries(id).await, self.mails(id));
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

        let in_audience = |id: &RecipientId| match &campaign.audience {
            Audience::Everyone => true,
            Audience::Recipients(ids) => ids.contains(id),
        };
        let mut decided = BTreeMap::new();
        for (id, person) in people {
            let outcome = outcomes.get(&person.reference).copied();
            decided.extend(outcome.map(|outcome| (id.clone(), outcome)));
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
        if report["audience"].is_null() {
            assert_ne!(report["status"], "complete");
        } else {
            let there: BTreeSet<RecipientId> = people.keys().filter(|id| in_audience(id)).cloned().collect();
            let read = self.read_by(id, there);
            assert_eq!(report["audience"], report["decided"]);
            let late = self.late.lock().unwrap();
            for id in people.keys() {
                assert!(read.contains(id) || !decided.contains_key(id), "{id} came after the first pass");
                // Whoever came while it was under way may stand behind its cursor.
                let meant = read.contains(id) && !late.contains(id);
                assert!(!meant || decided.contains_key(id), "{id} was there all the time and is not decided on");
            }
        }
        (report, decided)
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
