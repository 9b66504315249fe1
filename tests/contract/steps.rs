//! Every step of the flow over the simulated services, once, in good weather: what the simulation drives does work.

use std::{sync::Arc, time::Duration};

use germane::{
    domain::{
        actor::Actor,
        id::CampaignId,
        lifecycle::Command,
        policy::Policy,
        recipient::{Act, Less},
        report::CampaignStatus,
    },
    flow::{
        api::{ApiError, Code, decisions::Filter, recipients::Place},
        preferences::{Acted, Shown, Unsubscribed},
        queue::Message,
        token::Purpose,
    },
};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{SHARDS, id};
use crate::{
    given::topic,
    virtual_world::{
        chance::Chance,
        clock::{VirtualClock, VirtualTime},
        network::{Network, Weather},
        queue::{Delivery, Hold, Queues},
        ses::{SesAccount, Terms},
        steps::{Process, tokens},
        tables::{Tables, shipped_policy},
        tasks,
    },
    world::{campaign, person, with},
};

/// Longer than any work takes, and sooner than the campaigns' end.
const WORK: Duration = Duration::from_hours(1);

#[expect(clippy::needless_pass_by_value, reason = "a closure is written where it is handed over")]
fn in_good_weather(work: impl AsyncFn(&Process)) {
    let time = VirtualTime::default();
    let network = Network::new(time.clone(), Chance::new(1), Weather::default());
    let tables = Tables::new(network.clone(), SHARDS);
    tables.look(|store| store.rules.put(&Policy::parse(&shipped_policy()).unwrap(), None));
    let queues = Queues::new(network.clone(), Delivery::Fair);
    let ses = SesAccount::new(network, Terms { rate: 14.0, ..Terms::default() }, Some(queues.clone()));
    let clock = Arc::new(VirtualClock { time: time.clone(), ahead: SignedDuration::ZERO });
    let process = Process { clock, tables, queues, ses };
    tasks::run(&time, vec![Box::pin(work(&process))]);
}

/// Works on every message until none is left.
async fn drain(process: &Process) {
    let (launcher, sender, feedback) = (process.launcher(), process.sender(), process.feedback());
    let end = process.tables.network.time.passed() + WORK;
    while let Some(received) = process.queues.next(end).await {
        match Message::from_body(&received.body) {
            Ok(Message::Launch { campaign }) => launcher.attend(&campaign).await.unwrap(),
            Ok(Message::Shard(work)) => {
                let turn = Hold { queues: &process.queues, received: &received, ends: None };
                sender.run(&work, &turn).await.unwrap();
            }
            Ok(Message::Preview { .. } | Message::Newsletter { .. }) => panic!("nobody asked for that"),
            Ok(Message::Feedback { .. }) | Err(_) => {
                feedback.take(&[&received.body]).await.into_iter().for_each(|taken| taken.unwrap());
            }
        }
        process.queues.delete(&received).await;
    }
}

async fn sent(process: &Process, body: &Value) -> Value {
    let (id, _) = process.api().submit(body, &Actor::local()).await.unwrap();
    drain(process).await;
    process.api().report(&id).await.unwrap()
}

fn weekly() -> CampaignId {
    "weekly".parse().unwrap()
}

async fn put(process: &Process, ids: &[&str]) {
    let lines: Vec<String> = ids.iter().map(|id| person(id).to_string()).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    for answer in process.api().put_recipients(&lines, "a test").await.unwrap() {
        assert_eq!(answer["result"], "created", "{answer}");
    }
}

#[test]
fn a_campaign_goes_from_its_body_to_its_deliveries() {
    in_good_weather(async |process| {
        put(process, &["r-1", "r-2", "r-3", "r-4", "r-5"]).await;
        let api = process.api();
        let suppressed = api.suppress("r-3@example.com", &json!({ "note": "by letter" })).await.unwrap();
        assert_eq!(suppressed.owner, Some(id("r-3")));
        let report = sent(process, &campaign("weekly")).await;
        assert_eq!((&report["status"], &report["audience"]), (&json!("complete"), &json!(5)), "{report}");
        assert_eq!((&report["outcomes"]["sent"], &report["reasons"]["suppressed"]), (&json!(4), &json!(1)));
        assert_eq!(report["feedback"]["delivered"], 4, "{report}");

        let (decisions, cursor) = api.decisions(&weekly(), Filter::default(), None).await.unwrap();
        assert_eq!((decisions.len(), cursor), (5, None));
        let why = api.why(&weekly(), &id("r-3"), false).await.unwrap();
        assert_eq!((&why["outcome"], &why["reason"]), (&json!("skipped"), &json!("suppressed")));
        assert_eq!(api.campaigns(None).await.unwrap().0.len(), 1);
        assert_eq!(api.lift("r-3@example.com").await.unwrap(), Some(id("r-3")));
        // The same once more is the same campaign.
        let report = sent(process, &campaign("weekly")).await;
        assert_eq!(report["outcomes"]["sent"], 4);
        assert_eq!(process.ses.calls().iter().map(|call| call.taken.len()).sum::<usize>(), 4);
        process.tables.look(|store| {
            assert_eq!(store.campaigns.all().count(), 1);
            assert_eq!(store.settlements.of(&weekly()).count(), 0, "nobody was in doubt");
            assert_eq!(store.settlements.tally(&weekly()).delivered, 4);
            assert!(store.addresses.all().all(|(_, record)| record.owner.is_some() && record.marks.is_empty()));
        });
    });
}

#[test]
fn what_recipients_do_by_their_links_binds_the_next_campaign() {
    in_good_weather(async |process| {
        put(process, &["r-1", "r-2", "r-3"]).await;
        sent(process, &campaign("weekly")).await;
        let preferences = process.preferences();
        let token = tokens().sign(Purpose::Unsubscribe, &id("r-1"), &weekly());
        assert_eq!(preferences.unsubscribe(&token, None).await.unwrap(), Unsubscribed::Done);
        let shown = Shown { place: Place::Page, text: None, text_version: None, origin: None };
        let mute = Act::Less(Less::Mute(topic("rust")));
        assert_eq!(preferences.act(&id("r-2"), &mute, &shown).await.unwrap(), Acted::Done);
        process.tables.look(|store| {
            let places: Vec<Place> = store.evidence.of(&id("r-1")).iter().map(|evidence| evidence.place).collect();
            assert_eq!(places, [Place::Import, Place::OneClick]);
        });
        let report = sent(process, &campaign("monthly")).await;
        let reasons = json!({ "consent_withdrawn": 1, "topic_muted": 1 });
        assert_eq!((&report["outcomes"]["sent"], &report["reasons"]), (&json!(1), &reasons), "{report}");
    });
}

#[test]
fn a_campaign_that_was_paused_goes_on_and_one_that_was_cancelled_does_not() {
    in_good_weather(async |process| {
        put(process, &["r-1", "r-2"]).await;
        let api = process.api();
        let submit = async |raw: &str| api.submit(&campaign(raw), &Actor::local()).await.unwrap().0;
        let weekly = submit("weekly").await;
        assert_eq!(api.command(&weekly, Command::Pause).await.unwrap(), CampaignStatus::Paused);
        drain(process).await;
        assert_eq!(process.ses.calls().len(), 0);
        api.command(&weekly, Command::Resume).await.unwrap();
        drain(process).await;
        assert_eq!(api.report(&weekly).await.unwrap()["outcomes"]["sent"], 2);
        let other = submit("monthly").await;
        api.command(&other, Command::Cancel).await.unwrap();
        drain(process).await;
        assert_eq!(api.report(&other).await.unwrap()["status"], "cancelled");
        assert_eq!(process.ses.calls().iter().map(|call| call.taken.len()).sum::<usize>(), 2);
    });
}

#[test]
fn somebody_who_was_erased_is_gone_and_stays_away() {
    in_good_weather(async |process| {
        put(process, &["r-1"]).await;
        let api = process.api();
        let merged = api.put_recipient(&id("r-1"), &json!({ "locale": "de" }), "a test").await.unwrap();
        assert_eq!(format!("{merged:?}"), "Updated");
        sent(process, &campaign("weekly")).await;
        let export = api.export_recipient(&id("r-1")).await.unwrap();
        assert_eq!((&export["recipient"]["locale"], export["decisions"].as_array().unwrap().len()), (&json!("de"), 1));
        api.erase_recipient(&id("r-1")).await.unwrap();
        process.tables.look(|store| {
            assert_eq!((store.people.all().count(), store.evidence.has(&id("r-1"))), (0, false));
            let left = store.addresses.of(&"r-1@example.com".parse().unwrap()).unwrap();
            assert!(left.erased.is_some() && left.owner.is_none());
        });
        let again = with(person("r-2"), json!({ "addresses": { "work": "r-1@example.com" } }));
        let refused = api.put_recipient(&id("r-2"), &again, "a test").await;
        assert!(matches!(refused, Err(ApiError::Conflict { code: Code::ErasedAddress, .. })), "{refused:?}");
    });
}
