//! What events said of mails: settled with the count that it moves, and marked once.

use std::collections::BTreeMap;

use germane::{
    domain::{
        feedback::{Reputation, Settlement, Step, Tally},
        id::{CampaignId, Shard},
    },
    flow::feedback::{Mark, Place, Reads},
};

use super::{Ports, at, campaign_id, keeps, reference};

fn place(campaign: &CampaignId, number: u8) -> Place<'_> {
    Place { campaign, shard: Shard(0), reference: reference(number), forget_at: None }
}

impl Ports {
    async fn settled(&self, number: u8) -> Option<Settlement> {
        self.settlements.get(&place(&campaign_id(), number)).await.unwrap()
    }

    async fn settle(&self, number: u8, held: Option<Settlement>, step: Step) -> bool {
        self.settlements.settle(&place(&campaign_id(), number), held, step).await.unwrap()
    }

    async fn steps(&self) -> BTreeMap<Step, u64> {
        self.campaigns.standings(&campaign_id()).await.unwrap()[0].settled.clone()
    }
}

#[test]
fn each_step_is_taken_from_what_was_held_and_counted_once() {
    keeps(async |ports| {
        ports.prepare().await;
        let mut counted = BTreeMap::new();
        for (number, &step) in (1..).zip(Step::ALL) {
            assert_eq!(ports.settled(number).await, None);
            let held = match step {
                Step::DoubtToSent | Step::DoubtToRejected | Step::DoubtToNotRendered => None,
                Step::SentToRejected | Step::SentToNotRendered => {
                    assert!(ports.settle(number, None, Step::DoubtToSent).await);
                    *counted.entry(Step::DoubtToSent).or_default() += 1;
                    Some(Settlement::Sent)
                }
            };
            for wrong in [None, Some(Settlement::Sent), Some(Settlement::Rejected), Some(Settlement::NotRendered)] {
                if wrong != held {
                    assert!(!ports.settle(number, wrong, step).await, "{step:?} from {wrong:?}");
                }
            }
            assert!(ports.settle(number, held, step).await);
            *counted.entry(step).or_default() += 1;
            assert!(!ports.settle(number, held, step).await, "{step:?} a second time");
            assert_eq!(ports.settled(number).await, Some(step.settlement()));
            assert_eq!(ports.steps().await, counted);
        }
    });
}

#[test]
fn without_the_shard_neither_the_mail_nor_a_count_is_written() {
    keeps(async |ports| {
        let weekly = campaign_id();
        assert!(ports.settlements.settle(&place(&weekly, 1), None, Step::DoubtToSent).await.is_err());
        assert_eq!(ports.settled(1).await, None);
        // What is held is looked at first.
        assert!(!ports.settle(1, Some(Settlement::Sent), Step::SentToRejected).await);
        ports.prepare().await;
        assert_eq!(ports.steps().await, BTreeMap::new());
        assert!(ports.settle(1, None, Step::DoubtToSent).await);
    });
}

#[test]
fn the_settlements_of_a_shard_are_its_own() {
    keeps(async |ports| {
        let (weekly, other) = (campaign_id(), "weekly-2".parse().unwrap());
        let elsewhere = Place { shard: Shard(1), ..place(&weekly, 9) };
        let works = [(&weekly, 0), (&weekly, 1), (&other, 0)].map(|(campaign, shard)| germane::flow::queue::Work {
            campaign: campaign.clone(),
            shard: Shard(shard),
            pass: 1,
        });
        ports.campaigns.prepare(&works).await.unwrap();
        for number in [3, 1, 2] {
            assert!(ports.settle(number, None, Step::DoubtToSent).await);
        }
        for place in [elsewhere, place(&other, 8)] {
            assert!(ports.settlements.settle(&place, None, Step::DoubtToRejected).await.unwrap());
        }
        // A mail of which there is only a mark is not settled.
        assert!(ports.settlements.mark(&place(&weekly, 4), Mark::Complaint, at(1), true).await.unwrap());
        let of = async |campaign, shard| ports.settlements.of_shard(campaign, Shard(shard)).await.unwrap();
        assert_eq!(of(&weekly, 0).await, [1, 2, 3].map(|number| (reference(number), Settlement::Sent)));
        assert_eq!(of(&weekly, 1).await, [(reference(9), Settlement::Rejected)]);
        assert_eq!(of(&other, 0).await, [(reference(8), Settlement::Rejected)]);
        assert_eq!(of(&other, 1).await, []);
        assert_eq!(ports.settled(4).await, None);
    });
}

#[test]
fn a_mark_of_a_mail_is_counted_once_and_those_of_the_simulator_say_nothing_of_the_sender() {
    keeps(async |ports| {
        let weekly = campaign_id();
        assert_eq!(ports.settlements.tally(&weekly).await.unwrap(), Tally::default());
        let mark = async |number, mark, real| {
            ports.settlements.mark(&place(&weekly, number), mark, at(i64::from(number)), real).await.unwrap()
        };
        for kind in [Mark::HardBounce, Mark::SoftBounce, Mark::Complaint] {
            assert!(mark(1, kind, true).await, "{kind:?}");
            assert!(!mark(1, kind, true).await, "{kind:?} again");
            assert!(!mark(1, kind, false).await, "{kind:?} again");
            assert!(mark(2, kind, false).await, "{kind:?}");
        }
        assert!(mark(3, Mark::Complaint, true).await);
        let tally = Tally {
            hard_bounced: 2,
            soft_bounced: 2,
            complained: 3,
            reputation: Reputation { hard_bounced: 1, complained: 2 },
            ..Tally::default()
        };
        assert_eq!(ports.settlements.tally(&weekly).await.unwrap(), tally);
        // Marked and settled are two things.
        ports.prepare().await;
        assert!(ports.settle(1, None, Step::DoubtToSent).await);
        assert!(!mark(1, Mark::HardBounce, true).await);
    });
}

#[test]
fn deliveries_are_added_up() {
    keeps(async |ports| {
        let weekly = campaign_id();
        for reads in [
            Reads { delivered: 3, opened: 0, clicked: 1 },
            Reads::default(),
            Reads { delivered: 2, opened: 5, clicked: 0 },
        ] {
            ports.settlements.add(&weekly, reads).await.unwrap();
        }
        let tally = Tally { delivered: 5, opened: 5, clicked: 1, ..Tally::default() };
        assert_eq!(ports.settlements.tally(&weekly).await.unwrap(), tally);
        assert_eq!(ports.settlements.tally(&"other".parse().unwrap()).await.unwrap(), Tally::default());
    });
}
