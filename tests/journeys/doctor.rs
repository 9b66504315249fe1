//! What is said before the first send, of the deployment and of its SES account.

mod order;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use germane::{
    aws::{clients::Endpoints, surroundings::SesSurroundings},
    domain::{
        policy::Policy,
        price::Plan,
        readiness::{
            Check, Looked,
            State::{self, Advice, Missing, Unknown},
            account::Account,
            events::ConfigurationSet,
            sender::Identity,
            templates::Held,
        },
    },
    flow::{
        doctor::{Readiness, Surroundings},
        launch::{Policies, PolicyPut, Versioned},
        port::PortError,
        template::Compiled,
    },
    local::{services, ses::SesConfig},
};
use serde_json::json;

use crate::world::{DrivenClock, Setup, World, policy, with};

async fn of(ses: SesConfig) -> World {
    World::with(Setup { ses, ..Setup::default() }).await
}

async fn examined(world: &World) -> Readiness {
    let readiness = world.deployment.doctor().examine().await;
    let told: Vec<Looked> = readiness.checks.iter().map(|check| check.check).collect();
    let all: Vec<Looked> = Looked::ALL.iter().copied().filter(|check| *check != Looked::Order).collect();
    assert_eq!(told, all, "every check answers, in the same order");
    assert_eq!(readiness.ready, readiness.checks.iter().all(Check::lets_run));
    readiness
}

/// What is not ready, without the placeholders of the tests' policy.
fn amiss(readiness: &Readiness) -> BTreeMap<Looked, State> {
    let placeholders = [Looked::PostalAddress, Looked::PrivacyUrl];
    let amiss = readiness.checks.iter().filter(|check| check.state != State::Ready);
    let amiss = amiss.filter(|check| check.state != Advice || !placeholders.contains(&check.check));
    amiss.map(|check| (check.check, check.state)).collect()
}

fn found(readiness: &Readiness, looked: Looked) -> &str {
    &readiness.checks.iter().find(|check| check.check == looked).unwrap().found
}

/// Deletes what stands under a reserved key of the campaigns table.
async fn forget(world: &World, key: &str) {
    let client = &world.services.clients.dynamodb;
    let table = || "germane-campaigns".to_owned();
    let query = client.query().table_name(table()).key_condition_expression("k = :k");
    let items = query.expression_attribute_values(":k", AttributeValue::S(key.to_owned())).send().await.unwrap();
    for item in items.items() {
        let delete = client.delete_item().table_name(table()).key("k", item["k"].clone()).key("t", item["t"].clone());
        delete.send().await.unwrap();
    }
}

#[tokio::test]
async fn where_all_is_ready_a_campaign_can_run() {
    let world = World::start().await;
    let readiness = examined(&world).await;
    assert!(readiness.ready);
    assert_eq!(amiss(&readiness), BTreeMap::new());
    assert_eq!(found(&readiness, Looked::Identity), "example.com is verified");
    assert_eq!(found(&readiness, Looked::Tables), "all five answer; recipients lie in 4 shards");
    let figures = &readiness.figures;
    assert_eq!((figures.shards, figures.mails_per_second, figures.mails_per_day), (4, Some(5_000.0), Some(1_000_000)));
    assert_eq!(
        (figures.plan, figures.usd_per_million, figures.usd_per_month),
        (Some(Plan::Essentials), Some(160.0), Some(0.0))
    );

    world.put_many(3).await;
    world.send(&crate::world::campaign("weekly")).await;
    assert_eq!(examined(&world).await.figures.sent_last_day, Some(3));
}

#[tokio::test]
async fn in_the_sandbox_nobody_is_told_to_send() {
    let world = of(SesConfig { sandbox: true, ..SesConfig::default() }).await;
    let readiness = examined(&world).await;
    assert!(!readiness.ready);
    assert_eq!(amiss(&readiness), BTreeMap::from([(Looked::Production, Missing)]));
}

#[tokio::test]
async fn a_sender_that_waits_for_its_dns_records_is_not_ready() {
    let world = of(SesConfig { identity_pending: true, ..SesConfig::default() }).await;
    let readiness = examined(&world).await;
    assert!(!readiness.ready);
    let pending = [(Looked::Identity, Missing), (Looked::Dkim, Missing), (Looked::MailFrom, Advice)];
    assert_eq!(amiss(&readiness), BTreeMap::from(pending));
    assert_eq!(found(&readiness, Looked::Identity), "example.com waits for its verification");
}

#[tokio::test]
async fn without_an_event_destination_nothing_should_be_sent() {
    let mut world = World::start().await;
    for (set, told) in [
        (None, "mails are sent under none, so that SES tells nothing of them"),
        (Some("another".to_owned()), "SES knows none called another"),
    ] {
        world.deployment.surroundings = Arc::new(SesSurroundings::new(&world.services.clients, set));
        let readiness = examined(&world).await;
        assert!(!readiness.ready);
        assert_eq!(amiss(&readiness), BTreeMap::from([(Looked::ConfigurationSet, Missing), (Looked::Events, Unknown)]));
        assert_eq!(found(&readiness, Looked::ConfigurationSet), told);
    }
}

#[tokio::test]
async fn without_a_policy_everything_else_answers_still() {
    let world = World::start().await;
    forget(&world, "policy").await;
    let readiness = examined(&world).await;
    assert!(!readiness.ready);
    let resting = [
        Looked::PostalAddress,
        Looked::PrivacyUrl,
        Looked::TestAddresses,
        Looked::Identity,
        Looked::Dkim,
        Looked::MailFrom,
        Looked::ConfirmConsent,
        Looked::AccessLink,
    ];
    let wanted = resting.map(|check| (check, Unknown)).into_iter().chain([(Looked::Policy, Missing)]);
    assert_eq!(amiss(&readiness), wanted.collect());
}

#[tokio::test]
async fn a_real_sender_may_have_no_placeholder() {
    let world = World::start().await;
    world.put_policy(&with(policy(), json!({ "from": "news@germane.dev" }))).await;
    let readiness = examined(&world).await;
    assert!(!readiness.ready);
    assert_eq!(amiss(&readiness), BTreeMap::from([(Looked::PostalAddress, Missing), (Looked::PrivacyUrl, Missing)]));
}

#[tokio::test]
async fn without_a_template_there_is_nothing_to_send() {
    let world = World::start().await;
    forget(&world, "templates").await;
    let readiness = examined(&world).await;
    let wanted = [(Looked::Templates, Missing), (Looked::ConfirmConsent, Advice), (Looked::AccessLink, Advice)];
    assert_eq!((readiness.ready, amiss(&readiness)), (false, BTreeMap::from(wanted)));
}

#[tokio::test]
async fn a_template_that_is_another_one_in_ses_or_gone_from_it_is_named() {
    let world = World::start().await;
    let newsletter = world.deployment.templates.current(&"newsletter".parse().unwrap()).await.unwrap().unwrap();
    let ses = &world.services.clients.ses;
    let other = aws_sdk_sesv2::types::EmailTemplateContent::builder().subject("Hello").text("Hello").build();
    ses.update_email_template().template_name(newsletter.ses_name()).template_content(other).send().await.unwrap();
    let readiness = examined(&world).await;
    assert_eq!((readiness.ready, amiss(&readiness)), (false, BTreeMap::from([(Looked::Templates, Missing)])));
    assert_eq!(found(&readiness, Looked::Templates), "changed in SES since they were pushed: newsletter");

    ses.delete_email_template().template_name(newsletter.ses_name()).send().await.unwrap();
    assert_eq!(found(&examined(&world).await, Looked::Templates), "not in SES: newsletter");

    // What it says is next mends it.
    let source = world.deployment.templates.source(&newsletter.name).await.unwrap().unwrap();
    world.deployment.api().put_template(&newsletter.name, &source).await.unwrap();
    assert!(examined(&world).await.ready);
}

#[tokio::test]
async fn where_ses_does_not_answer_its_checks_are_unknown_and_the_others_answer() {
    let mut world = World::start().await;
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let nobody = services::clients(&Endpoints { ses: Some(format!("http://{free}")), ..Endpoints::default() });
    world.deployment.surroundings = Arc::new(SesSurroundings::new(&nobody, Some("germane".to_owned())));
    let readiness = examined(&world).await;
    assert!(!readiness.ready);
    let silent = [
        Looked::Identity,
        Looked::Dkim,
        Looked::MailFrom,
        Looked::Production,
        Looked::Sending,
        Looked::Rate,
        Looked::Quota,
        Looked::Plan,
        Looked::ConfigurationSet,
        Looked::Events,
        Looked::Templates,
    ];
    assert_eq!(amiss(&readiness), silent.map(|check| (check, Unknown)).into_iter().collect());
    assert_eq!(found(&readiness, Looked::Production), "SES is not available: dispatch failure");
    assert_eq!((readiness.figures.mails_per_second, readiness.figures.plan, readiness.figures.shards), (None, None, 4));
}

/// Takes its time with each template.
struct Slow(Arc<dyn Surroundings>, Arc<DrivenClock>);

#[async_trait]
impl Surroundings for Slow {
    async fn identity(&self, name: &str) -> Result<Option<Identity>, PortError> {
        self.0.identity(name).await
    }

    async fn account(&self) -> Result<Account, PortError> {
        self.0.account().await
    }

    async fn configuration_set(&self) -> Result<ConfigurationSet, PortError> {
        self.0.configuration_set().await
    }

    async fn template(&self, form: &Compiled) -> Result<Held, PortError> {
        self.1.advance(Duration::from_secs(6));
        self.0.template(form).await
    }
}

#[tokio::test]
async fn more_templates_than_there_is_time_for_are_told_as_not_looked_at() {
    let mut world = World::start().await;
    let slow = Slow(Arc::clone(&world.deployment.surroundings), Arc::clone(&world.clock));
    world.deployment.surroundings = Arc::new(slow);
    let readiness = examined(&world).await;
    assert_eq!((readiness.ready, amiss(&readiness)), (false, BTreeMap::from([(Looked::Templates, Unknown)])));
    let told = "3 are in SES as they were pushed; 2 could not be looked at in time";
    assert_eq!(found(&readiness, Looked::Templates), told);
}

struct Silent;

#[async_trait]
impl Policies for Silent {
    async fn current(&self) -> Result<Option<Arc<Versioned>>, PortError> {
        Err(PortError::unavailable("DynamoDB", "throttled"))
    }

    async fn put(&self, _policy: &Policy, _put: &PolicyPut) -> Result<u32, PortError> {
        Err(PortError::unavailable("DynamoDB", "throttled"))
    }
}

#[tokio::test]
async fn a_table_that_does_not_answer_is_named() {
    let mut world = World::start().await;
    world.deployment.policies = Arc::new(Silent);
    let readiness = examined(&world).await;
    assert!(!readiness.ready);
    assert_eq!(found(&readiness, Looked::Tables), "campaigns: DynamoDB is not available: throttled");
    assert_eq!(amiss(&readiness)[&Looked::Policy], Unknown);
    assert!(!amiss(&readiness).contains_key(&Looked::Production));
}
