//! Mails: SES takes no token by which it would know a call again, so each is made once.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use futures_util::future::join_all;
use germane::{
    aws::clients::{Clients, Endpoints},
    flow::{queue::Unhurried, send::lease::SES_TIMEOUT_S},
    local::services,
};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::Mutex,
};

use super::{befallen, without_an_answer};
use crate::{
    between::{Between, Fate},
    journeys::faults::{after_mail, once},
    mishaps::{BULK, Mishaps, Service, refusals},
    world::{World, campaign},
};

/// Fewer than a batch.
const PEOPLE: usize = 40;

async fn launched() -> World {
    let world = World::with_shards(1).await;
    world.put_many(PEOPLE).await;
    world.launch(&campaign("weekly")).await;
    world
}

/// Sends with the first bulk call coming to `fate`; whatever else is there is drained, so that a second call would be
/// made if one ever were.
async fn sent_under(fate: Fate) -> (World, Mishaps) {
    let mut first = Some(fate);
    let rule = move |asked: &crate::mishaps::Asked| {
        if asked.is(BULK) { first.take().unwrap_or(Fate::Passed) } else { Fate::Passed }
    };
    let (world, mishaps) = befallen(launched().await, rule).await;
    world.deployment.sender().run(&world.work("weekly", 0), &Unhurried).await.unwrap();
    world.drain().await;
    (world, mishaps)
}

fn outcomes(report: &Value) -> (&Value, &Value, &Value) {
    (&report["outcomes"]["sent"], &report["outcomes"]["in_doubt"], &report["status"])
}

#[tokio::test]
async fn a_bulk_call_without_an_answer_is_made_once_and_its_people_are_in_doubt() {
    let cases = without_an_answer().into_iter().map(|fate| async move {
        let (world, mishaps) = sent_under(fate.clone()).await;
        assert_eq!(mishaps.calls(BULK), 1, "{fate:?}");
        let report = world.check("weekly").await;
        assert_eq!(outcomes(&report), (&json!(0), &json!(PEOPLE), &json!("complete")), "{fate:?}");
        let arrived = matches!(fate, Fate::Unanswered | Fate::Cut | Fate::Garbled);
        assert_eq!(world.services.ses.count(), if arrived { PEOPLE } else { 0 }, "{fate:?}");

        // What did arrive is known from SES's events.
        assert_eq!(world.feed_back().await, 0);
        let settled = world.report("weekly").await;
        let (sent, in_doubt) = if arrived { (PEOPLE, 0) } else { (0, PEOPLE) };
        assert_eq!(outcomes(&settled), (&json!(sent), &json!(in_doubt), &json!("complete")), "{fate:?}");
    });
    join_all(cases).await;
}

#[tokio::test]
async fn a_bulk_call_that_takes_too_long_is_made_once_and_may_still_arrive() {
    let late = Fate::Late(Duration::from_secs(SES_TIMEOUT_S + 1));
    let (world, mishaps) = sent_under(late).await;
    assert_eq!(mishaps.calls(BULK), 1);
    assert_eq!(world.services.ses.count(), 0, "given up before it arrived");
    let report = world.check("weekly").await;
    assert_eq!(outcomes(&report), (&json!(0), &json!(PEOPLE), &json!("complete")));

    let ses = world.services.ses.clone();
    crate::stack::until("the late call", async || (ses.count() == PEOPLE).then_some(())).await;
    world.feed_back().await;
    let settled = world.report("weekly").await;
    assert_eq!(outcomes(&settled), (&json!(PEOPLE), &json!(0), &json!("complete")));
}

#[tokio::test]
async fn a_throttled_bulk_call_is_made_again_by_the_flow_and_puts_nobody_in_doubt() {
    let (world, mishaps) = sent_under(Fate::Answered(refusals::throttles(Service::Ses)[0])).await;
    assert_eq!(mishaps.calls(BULK), 2);
    let report = world.check("weekly").await;
    assert_eq!(outcomes(&report), (&json!(PEOPLE), &json!(0), &json!("complete")));
}

/// The world's clients, but for those that send, which look for SES at `address`.
fn sending_to(world: &World, address: SocketAddr) -> Clients {
    let there = Endpoints { ses: Some(format!("http://{address}")), ..world.services.endpoints.clone() };
    Clients { ses_sending: services::clients(&there).ses_sending, ..world.services.clients.clone() }
}

#[tokio::test]
async fn a_connection_that_is_refused_is_made_again_by_the_flow_and_puts_nobody_in_doubt() {
    let world = launched().await;
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let deployment = world.deployment_over(&sending_to(&world, address)).await.unwrap();
    let mut sender = deployment.sender();
    let (between, ses) = (Arc::new(Mutex::new(Between::default())), world.services.endpoints.ses.clone().unwrap());
    // SES is back after the first call.
    after_mail(
        &mut sender,
        once(move || {
            let (between, ses) = (Arc::clone(&between), ses.clone());
            async move {
                between.lock().await.at(address, &ses, Arc::new(|_: &_| Fate::Passed)).await;
            }
        }),
    );
    sender.run(&world.work("weekly", 0), &Unhurried).await.unwrap();
    let report = world.check("weekly").await;
    assert_eq!(outcomes(&report), (&json!(PEOPLE), &json!(0), &json!("complete")));
}

#[tokio::test]
async fn a_connection_that_is_not_made_in_time_puts_nobody_in_doubt() {
    let world = launched().await;
    // A listener that takes no more connections lets whoever asks wait.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(address)).await {
        waiting.push(stream.unwrap());
    }
    let deployment = world.deployment_over(&sending_to(&world, address)).await.unwrap();
    let mut sender = deployment.sender();
    // SES is within reach after the first call.
    let held = Arc::new(std::sync::Mutex::new(Some(listener)));
    let (between, ses) = (Arc::new(Mutex::new(Between::default())), world.services.endpoints.ses.clone().unwrap());
    after_mail(
        &mut sender,
        once(move || {
            let (between, ses) = (Arc::clone(&between), ses.clone());
            drop(held.lock().unwrap().take());
            async move {
                between.lock().await.at(address, &ses, Arc::new(|_: &_| Fate::Passed)).await;
            }
        }),
    );
    sender.run(&world.work("weekly", 0), &Unhurried).await.unwrap();
    let report = world.check("weekly").await;
    assert_eq!(outcomes(&report), (&json!(PEOPLE), &json!(0), &json!("complete")));
}
