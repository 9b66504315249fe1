//! A service that is gone: a clear error, nobody lost, and nobody mailed twice once it is back.

use std::sync::Arc;

use germane::{
    aws::{
        clients::{Clients, Endpoints},
        mailer::SesMailer,
        tables::{self, TableNames},
    },
    domain::secret::Secret,
    flow::{queue::Unhurried, send::SendError},
    lambda::problem::chain,
    local::services,
};
use serde_json::json;
use tokio::{io::AsyncReadExt, net::TcpListener, task::JoinSet};

use super::faults::{Commit, Write, claim_by, commit_by, fails, nothing};
use crate::world::{World, campaign};

const PEOPLE: u64 = 120;

async fn launched() -> World {
    let world = World::with_shards(1).await;
    world.put_many(usize::try_from(PEOPLE).unwrap()).await;
    world.launch(&campaign("weekly")).await;
    world.clock.hurry();
    world
}

/// Clients whose every service is at one address.
fn clients(address: std::net::SocketAddr) -> Clients {
    let url = Some(format!("http://{address}"));
    services::clients(&Endpoints { dynamodb: url.clone(), sqs: url.clone(), ses: url.clone(), scheduler: url })
}

async fn nobody_listens() -> Clients {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    clients(listener.local_addr().unwrap())
}

#[tokio::test]
async fn an_ses_that_cannot_be_reached_surely_took_nothing() {
    let world = launched().await;
    let mut sender = world.deployment.sender();
    sender.mailer = Arc::new(SesMailer::new(&nobody_listens().await, None));
    let error = fails(&sender, &world.work("weekly", 0)).await;
    assert!(matches!(error, SendError::MailerDown), "{error:?}");
    assert_eq!((world.slots("weekly").await, &world.check("weekly").await["decided"]), (0, &json!(0)));
    world.drain().await;
    assert_eq!(world.check("weekly").await["outcomes"]["sent"], PEOPLE);
}

#[tokio::test]
async fn an_ses_that_hangs_up_after_it_was_spoken_to_may_have_taken_everything() {
    let world = launched().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut sender = world.deployment.sender();
    sender.mailer = Arc::new(SesMailer::new(&clients(listener.local_addr().unwrap()), None));
    let mut server = JoinSet::new();
    server.spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut some = [0; 64];
            connection.read_exact(&mut some).await.unwrap();
        }
    });
    sender.run(&world.work("weekly", 0), &Unhurried).await.unwrap();
    world.drain().await;
    let report = world.check("weekly").await;
    assert_eq!((&report["status"], &report["outcomes"]["in_doubt"]), (&json!("complete"), &json!(PEOPLE)));
    assert_eq!(world.services.ses.count(), 0);
}

#[tokio::test]
async fn a_dynamodb_that_cannot_be_reached_is_named() {
    let clients = nobody_listens().await;
    let opened = tables::open(&clients, TableNames::new("germane"), Secret::new([1; 32]), None).await;
    let error = opened.err().unwrap();
    assert!(chain(&error).starts_with("DynamoDB is not available: "), "{}", chain(&error));
}

#[tokio::test]
async fn a_dynamodb_that_goes_away_before_a_claim_costs_nobody_anything() {
    let world = launched().await;
    let mut sender = world.deployment.sender();
    claim_by(&mut sender, |_| Write::Fail, nothing());
    let error = fails(&sender, &world.work("weekly", 0)).await;
    assert_eq!(error.to_string(), "DynamoDB is not available");
    assert_eq!(world.services.ses.count(), 0);
    world.drain().await;
    assert_eq!(world.check("weekly").await["outcomes"]["sent"], PEOPLE);
}

#[tokio::test]
async fn a_dynamodb_that_goes_away_before_the_commit_leaves_who_was_mailed_in_doubt_and_mails_them_no_more() {
    let world = launched().await;
    let mut sender = world.deployment.sender();
    commit_by(&mut sender, |_| Commit::Fail, nothing(), 0);
    let error = fails(&sender, &world.work("weekly", 0)).await;
    assert_eq!(error.to_string(), "DynamoDB is not available");
    let mailed = world.services.ses.count();
    world.drain().await;
    let report = world.check("weekly").await;
    assert_eq!((&report["status"], &report["outcomes"]["in_doubt"]), (&json!("complete"), &json!(mailed)));
    assert_eq!(report["outcomes"]["sent"], PEOPLE - mailed as u64);
}
