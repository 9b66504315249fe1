//! Campaigns: an id is used once, a status moves only from where it was seen.

use germane::{
    domain::{
        actor::Actor,
        campaign::Campaign,
        policy::Policy,
        report::{CampaignStatus, StatusCode, StatusDetail},
    },
    flow::launch::{CampaignRecord, Created, Move, Pinned},
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Ports, at, id, keeps, work};
use crate::virtual_world::tables::shipped_policy;

pub fn record(raw: &str, seconds: i64, audience: &Value) -> CampaignRecord {
    let body = json!({
        "id": raw, "topic": "rust", "channel": "work", "template": "newsletter",
        "content": { "headline": "Async closures" }, "audience": audience,
    });
    let policy = Policy::parse(&shipped_policy()).unwrap();
    CampaignRecord {
        campaign: Campaign::parse(&body, &policy, at(0)).unwrap(),
        body,
        created_by: Actor::local(),
        created_at: at(seconds),
        status: CampaignStatus::Scheduled,
        status_detail: None,
        pinned: None,
    }
}

pub fn sign_up(raw: &str, seconds: i64, audience: &Value) -> CampaignRecord {
    CampaignRecord { created_by: Actor::double_opt_in(), ..record(raw, seconds, audience) }
}

pub fn pinned(hash: &str) -> Pinned {
    Pinned {
        template: "newsletter".parse().unwrap(),
        template_hash: hash.to_owned(),
        from: "news@example.com".to_owned(),
        reply_to: None,
        shards: 2,
        forget_at: Some(at(86_400)),
    }
}

fn everyone() -> Value {
    json!("everyone")
}

impl Ports {
    async fn campaign(&self, raw: &str) -> Option<CampaignRecord> {
        germane::flow::launch::Campaigns::get(self.campaigns.as_ref(), &raw.parse().unwrap()).await.unwrap()
    }

    /// The ids of the whole list, a part at a time.
    pub async fn whole_list(&self) -> Vec<String> {
        let (mut ids, mut cursor) = (Vec::new(), None);
        loop {
            let (part, next) = self.campaigns.list(cursor.as_deref()).await.unwrap();
            assert!(part.len() <= 100);
            ids.extend(part.into_iter().map(|summary| summary.id.to_string()));
            cursor = next;
            if cursor.is_none() {
                return ids;
            }
        }
    }
}

#[test]
fn an_id_is_taken_once_and_whoever_comes_second_is_told_by_whom() {
    keeps(async |ports| {
        let first = record("weekly", 0, &everyone());
        assert_eq!(ports.campaign("weekly").await, None);
        assert_eq!(ports.campaigns.create(&first).await.unwrap(), Created::New);
        assert_eq!(ports.campaign("weekly").await, Some(first.clone()));
        let other = record("weekly", 5, &json!({ "recipients": ["r-1"] }));
        for again in [&first, &other] {
            assert_eq!(ports.campaigns.create(again).await.unwrap(), Created::Exists(Box::new(first.clone())));
        }
        assert_eq!(ports.campaign("weekly").await, Some(first));
        assert_eq!(ports.whole_list().await, ["weekly"]);
    });
}

#[test]
fn a_status_moves_only_from_one_of_those_that_were_named() {
    keeps(async |ports| {
        use CampaignStatus::{Cancelled, Launching, Paused, Scheduled, Sending};
        let weekly = work(1).campaign;
        let advance = async |from: &[CampaignStatus], to: CampaignStatus| {
            ports.campaigns.advance(&weekly, from, &Move::to(to)).await.unwrap()
        };
        assert!(!advance(CampaignStatus::ALL, Launching).await, "there is none");
        assert_eq!(ports.campaign("weekly").await, None);
        ports.campaigns.create(&record("weekly", 0, &everyone())).await.unwrap();
        for status in CampaignStatus::ALL.iter().filter(|status| **status != Scheduled) {
            assert!(!advance(&[*status], Launching).await, "from {status}");
        }
        assert!(advance(&[Paused, Scheduled], Launching).await);
        assert!(!advance(&[Paused, Scheduled], Launching).await, "it has happened");
        assert!(advance(&[Launching], Sending).await);
        assert!(advance(CampaignStatus::ALL, Cancelled).await);
        assert_eq!(ports.campaign("weekly").await.unwrap().status, Cancelled);
    });
}

#[test]
fn a_move_replaces_the_detail_and_leaves_what_is_pinned() {
    keeps(async |ports| {
        let weekly = work(1).campaign;
        ports.campaigns.create(&record("weekly", 0, &everyone())).await.unwrap();
        let advance = async |to: Move| {
            assert!(ports.campaigns.advance(&weekly, CampaignStatus::ALL, &to).await.unwrap());
            let record = ports.campaign("weekly").await.unwrap();
            (record.status, record.status_detail, record.pinned)
        };
        let (paused, sending) = (CampaignStatus::Paused, CampaignStatus::Sending);
        let detail = Some(StatusDetail::new(StatusCode::Window, "some wait").until(at(100)));
        let to = Move { to: sending, detail: None, pinned: Some(pinned("one")) };
        assert_eq!(advance(to).await, (sending, None, Some(pinned("one"))));
        let to = Move { to: paused, detail: detail.clone(), pinned: None };
        assert_eq!(advance(to).await, (paused, detail, Some(pinned("one"))));
        assert_eq!(advance(Move::to(sending)).await, (sending, None, Some(pinned("one"))));
        let to = Move { to: sending, detail: None, pinned: Some(pinned("two")) };
        assert_eq!(advance(to).await, (sending, None, Some(pinned("two"))));
    });
}

#[test]
fn the_list_is_newest_first_without_the_campaigns_of_sign_ups() {
    keeps(async |ports| {
        for (raw, seconds) in [("b", 0), ("a", 0), ("d", 60), ("c", 30)] {
            ports.campaigns.create(&record(raw, seconds, &everyone())).await.unwrap();
        }
        ports.campaigns.create(&sign_up("e", 45, &everyone())).await.unwrap();
        assert_eq!(ports.whole_list().await, ["d", "c", "b", "a"]);
        let (list, _) = ports.campaigns.list(None).await.unwrap();
        let first = &list[0];
        assert_eq!((first.status, first.created_at), (CampaignStatus::Scheduled, at(60)));
    });
}

#[test]
fn a_long_list_comes_in_parts() {
    keeps(async |ports| {
        for number in 0..130 {
            ports.campaigns.create(&record(&format!("c-{number}"), number, &everyone())).await.unwrap();
        }
        let expected: Vec<String> = (0..130).rev().map(|number| format!("c-{number}")).collect();
        assert_eq!(ports.whole_list().await, expected);
    });
}

#[test]
fn of_campaigns_that_stand_in_no_list_those_that_name_somebody_are_found() {
    keeps(async |ports| {
        let named = |ids: &[&str]| json!({ "recipients": ids });
        for (raw, seconds, audience) in [
            ("b", 5, named(&["r-1", "r-2"])),
            ("a", 5, named(&["r-1"])),
            ("c", 9, named(&["r-2"])),
            ("d", 7, everyone()),
        ] {
            ports.campaigns.create(&sign_up(raw, seconds, &audience)).await.unwrap();
        }
        ports.campaigns.create(&record("listed", 0, &named(&["r-1"]))).await.unwrap();
        let of = async |person: &str| -> Vec<(String, Timestamp)> {
            let records = ports.unlisted.of(&id(person)).await.unwrap().into_iter();
            records.map(|record| (record.campaign.id.to_string(), record.created_at)).collect()
        };
        let all = |ids: &[(&str, i64)]| ids.iter().map(|(id, s)| ((*id).to_owned(), at(*s))).collect::<Vec<_>>();
        assert_eq!(of("r-1").await, all(&[("d", 7), ("a", 5), ("b", 5)]));
        assert_eq!(of("r-2").await, all(&[("c", 9), ("d", 7), ("b", 5)]));
    });
}

#[test]
fn a_shard_counts_once_as_through() {
    keeps(async |ports| {
        let of = |shard| germane::flow::queue::Work { shard: germane::domain::id::Shard(shard), ..work(1) };
        let mut told = Vec::new();
        for shard in [7, 0, 7, 3, 0] {
            told.push(ports.campaigns.shard_through(&of(shard)).await.unwrap());
        }
        assert_eq!(told, [1, 2, 2, 3, 3]);
        let other = germane::flow::queue::Work { campaign: "other".parse().unwrap(), ..of(7) };
        assert_eq!(ports.campaigns.shard_through(&other).await.unwrap(), 1);
    });
}
