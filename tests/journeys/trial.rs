//! Test mails: what a person would get, in the mailbox of those who make it, and nothing else happens.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use germane::{
    flow::{
        api::{ApiError, Code},
        send::mail::{Answer, Batch, Mailer, MailerError},
    },
    local::ses::{Mail, SesConfig},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::http::Site;
use crate::world::{Setup, World, campaign, person, policy, with};

const TEST: &str = "/v1/campaigns/weekly/test";

fn somebody() -> Value {
    with(person("r-1"), json!({ "locale": "de", "attributes": { "first_name": "Muster" } }))
}

/// One that greets.
fn greeting() -> Value {
    with(campaign("weekly"), json!({ "content": { "intro": "Three reads." } }))
}

async fn site() -> Site {
    let site = Site::open().await;
    site.world.clock.hurry();
    site.world.put(&[somebody()]).await;
    site
}

fn only_mail(world: &World) -> Arc<Mail> {
    let mails = world.services.ses.mails();
    assert_eq!(mails.len(), 1);
    mails[0].clone()
}

#[tokio::test]
async fn a_campaign_that_is_only_planned_is_mailed_as_a_sample_and_leaves_no_trace() {
    let site = site().await;
    let asked = json!({ "campaign": greeting() });
    assert_eq!(site.json(Method::POST, TEST, &asked).await, (200, json!({ "id": "weekly", "result": "sent" })));
    let mail = only_mail(&site.world);
    assert_eq!((mail.to.as_str(), mail.subject.as_str()), ("qa@example.com", "Async closures"));
    assert!(mail.tags.is_empty(), "its events name no campaign and nobody: {:?}", mail.tags);
    assert!(mail.text().unwrap().contains("Sample"), "{}", mail.text().unwrap());
    assert_eq!(site.get("/v1/campaigns/weekly").await.0, 404);
    site.world.drain().await;
    let people = site.world.people().await;
    assert!(people.values().all(|person| person.sends.iter().next().is_none()), "nobody holds a slot");
    let before = site.world.send(&greeting()).await;
    assert_eq!(before["outcomes"]["sent"], 1, "the campaign itself is as if nothing had been");
}

#[tokio::test]
async fn a_named_persons_mail_is_theirs_but_its_links_act_on_nobody() {
    let site = site().await;
    site.world.submit(&greeting()).await;
    let asked = json!({ "to": "QA@example.com", "recipient": "r-1" });
    assert_eq!(site.json(Method::POST, TEST, &asked).await.0, 200);
    let mail = only_mail(&site.world);
    assert!(mail.text().unwrap().contains("Muster") && mail.html().unwrap().contains("Muster"));
    let before = (site.get("/v1/recipients/r-1").await, site.world.evidence("r-1").await.len());
    let (text, headers) = (mail.text().unwrap(), mail.headers());
    let links: Vec<&str> = text.split("https://mail.example.com").skip(1).map(|rest| &rest[..7]).collect();
    assert!(!links.is_empty() && links.iter().all(|link| link.ends_with("/test")), "{links:?} in {text}");
    assert_eq!(mail.html().unwrap().matches("https://mail.example.com").count(), {
        let html = mail.html().unwrap();
        html.matches("https://mail.example.com/u/test").count()
            + html.matches("https://mail.example.com/p/test").count()
    });
    assert_eq!(headers["List-Unsubscribe"], "<https://mail.example.com/u/test>");
    for path in ["/u/test", "/p/test", "/c/test"] {
        for (method, body) in [(Method::GET, ""), (Method::POST, "List-Unsubscribe=One-Click")] {
            let answer = site.ask(method, path, body).await;
            assert_eq!(answer.status(), StatusCode::OK);
            assert!(answer.headers().contains_key("content-security-policy"));
            assert!(answer.text().await.unwrap().contains("This was a test mail"));
        }
    }
    assert_eq!((site.get("/v1/recipients/r-1").await, site.world.evidence("r-1").await.len()), before);
}

#[tokio::test]
async fn what_is_held_about_somebody_is_not_shown_to_those_who_test() {
    let site = site().await;
    let notice = json!({
        "id": "weekly", "kind": "notice", "topic": "rust", "channel": "work", "template": "data-notice",
    });
    let template = site.get("/v1/templates/data-notice").await.1;
    let sample = |(name, variable): (&String, &Value)| (name.clone(), variable["sample"].clone());
    let content: serde_json::Map<String, Value> =
        template["manifest"]["variables"].as_object().into_iter().flatten().map(sample).collect();
    let asked = json!({ "recipient": "r-1", "campaign": with(notice, json!({ "content": content })) });
    assert_eq!(site.json(Method::POST, TEST, &asked).await, (200, json!({ "id": "weekly", "result": "sent" })));
    let mail = only_mail(&site.world);
    assert!(!mail.source().contains("Europe/Berlin") && !mail.source().contains("…@example.com"));
    assert!(mail.text().unwrap().contains("What you are interested in"), "{}", mail.text().unwrap());
}

#[tokio::test]
async fn nobody_but_the_policys_test_addresses_is_mailed() {
    let site = site().await;
    let refused = |asked: Value| site.problem(Method::POST, TEST, asked.to_string());
    let to = |to: &str| json!({ "to": to, "campaign": campaign("weekly") });
    assert_eq!(refused(to("r-1@example.com")).await, (422, "invalid".to_owned(), vec!["/to".to_owned()]));
    assert_eq!(refused(to("nobody")).await.2, ["/to"]);
    let told = site.ask(Method::POST, TEST, to("r-1@example.com").to_string()).await.text().await.unwrap();
    assert!(!told.contains("r-1@"), "{told}");
    site.world.put_policy(&with(policy(), json!({ "test_addresses": [] }))).await;
    assert_eq!(refused(json!({ "campaign": campaign("weekly") })).await.2, ["/to"]);
    assert_eq!(site.world.services.ses.mails().len(), 0);
}

#[tokio::test]
async fn whatever_is_wrong_with_it_is_named_in_its_place() {
    let site = site().await;
    let refused = |asked: Value| site.problem(Method::POST, TEST, asked.to_string());
    assert_eq!(refused(json!({ "campaign": campaign("monthly") })).await.2, ["/campaign/id"]);
    let other = json!({ "to": "r-1@example.com", "campaign": campaign("monthly") });
    assert_eq!(refused(other).await.2, ["/to", "/campaign/id"]);
    let wrong = with(campaign("weekly"), json!({ "colour": "red", "content": { "headline": "" } }));
    assert_eq!(refused(json!({ "campaign": wrong })).await.2, ["/campaign/colour", "/campaign/content/headline"]);
    assert_eq!(refused(json!({ "colour": "red" })).await.2, ["/colour"]);
    assert_eq!(refused(json!({})).await.1, "not_found");
    let nobody = json!({ "recipient": "r-9", "campaign": campaign("weekly") });
    assert_eq!(refused(nobody).await.1, "not_found");
    assert_eq!(site.world.services.ses.mails().len(), 0);
}

/// SES that says the same each time.
struct Says(fn() -> Result<Vec<Answer>, MailerError>, AtomicUsize);

#[async_trait]
impl Mailer for Says {
    async fn send(&self, _batch: &Batch<'_>) -> Result<Vec<Answer>, MailerError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        (self.0)()
    }
}

/// What is told if SES says so, and how often it was asked.
async fn told(says: fn() -> Result<Vec<Answer>, MailerError>) -> (Result<Value, ApiError>, usize) {
    let mut world = World::start().await;
    world.clock.hurry();
    let mailer = Arc::new(Says(says, AtomicUsize::new(0)));
    world.deployment.mailer = mailer.clone();
    let asked = json!({ "campaign": campaign("weekly") });
    let told = world.deployment.api().try_out(&"weekly".parse().unwrap(), &asked).await;
    (told, mailer.1.load(Ordering::Relaxed))
}

#[tokio::test]
async fn what_may_have_gone_out_is_told_as_that_and_not_sent_again() {
    for says in [
        (|| Err(MailerError::InDoubt("no answer".into()))) as fn() -> _,
        || Ok(vec![Answer::InDoubt]),
        || Ok(Vec::new()),
    ] {
        let (told, calls) = told(says).await;
        assert_eq!((told.unwrap()["result"].clone(), calls), (json!("in_doubt"), 1));
    }
}

#[tokio::test]
async fn what_surely_did_not_go_out_is_told_as_that() {
    let not_sent = |told: Result<Value, ApiError>| match told {
        Err(ApiError::Conflict { code: Code::NotSent, detail, .. }) => detail,
        other => panic!("{other:?}"),
    };
    let (busy, calls) = told(|| Err(MailerError::Busy("throttled".into()))).await;
    assert_eq!((not_sent(busy).as_str(), calls), ("SES was busy at each try: try again", 3));
    let (refused, calls) = told(|| Err(MailerError::Refused("MESSAGE_REJECTED".to_owned()))).await;
    assert_eq!((not_sent(refused).as_str(), calls), ("SES refused it: MESSAGE_REJECTED", 1));
    let (quota, calls) = told(|| Ok(vec![Answer::QuotaExceeded])).await;
    assert_eq!((not_sent(quota).as_str(), calls), ("the daily quota is used up", 1));
}

#[tokio::test]
async fn a_test_mail_counts_for_the_quota_like_any_other() {
    let ses = SesConfig { daily_quota: 1.0, ..SesConfig::default() };
    let world = World::with(Setup { ses, ..Setup::default() }).await;
    world.clock.hurry();
    let asked = json!({ "campaign": campaign("weekly") });
    let test = async || world.deployment.api().try_out(&"weekly".parse().unwrap(), &asked).await;
    assert_eq!(test().await.unwrap()["result"], "sent");
    let Err(ApiError::Conflict { code: Code::NotSent, detail, .. }) = test().await else { panic!("there is no room") };
    assert!(detail.starts_with("the daily quota is used up until 2026-11-24T"), "{detail}");
    assert_eq!(world.services.ses.mails().len(), 1);
}
