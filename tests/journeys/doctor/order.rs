//! Trying out the order of SES's answers: on the simulator, at the account's rate, and never on anybody else.

use std::sync::Arc;

use async_trait::async_trait;
use germane::{
    domain::readiness::{
        Check, Looked,
        State::{Missing, Ready, Unknown},
    },
    flow::{
        doctor::order::{Flaw, Letter, Simulator},
        send::mail::{Answer, MailerError},
    },
    local::ses::{SesConfig, Throttle},
};

use super::{forget, of};
use crate::world::World;

async fn verified(world: &World) -> Check {
    world.clock.hurry();
    let check = world.deployment.doctor().verify_order().await.unwrap();
    assert_eq!(check.check, Looked::Order);
    assert_eq!(check.next.is_some(), check.state != Ready);
    for mail in world.services.ses.mails() {
        assert!(mail.to.ends_with("@simulator.amazonses.com"), "{}", mail.to);
        assert!(mail.tags.is_empty(), "no campaign has it");
    }
    check
}

#[tokio::test]
async fn answers_in_their_order_are_seen_with_three_mails_to_the_simulator() {
    let world = World::start().await;
    assert_eq!(verified(&world).await.state, Ready);
    let ses = &world.services.ses;
    assert_eq!((ses.count(), ses.tally().calls), (3, 1), "one call, in which one mail was refused");
    assert_eq!(world.feed_back().await, 0, "its events are nobody's");
}

/// Answers in another order than it was asked.
struct Reversed(Arc<dyn Simulator>);

#[async_trait]
impl Simulator for Reversed {
    async fn send(&self, letter: &Letter<'_>, flaw: Flaw) -> Result<Vec<Answer>, MailerError> {
        let mut answers = self.0.send(letter, flaw).await?;
        answers.reverse();
        Ok(answers)
    }
}

#[tokio::test]
async fn answers_in_another_order_say_that_nothing_should_be_sent() {
    let mut world = World::start().await;
    world.deployment.simulator = Arc::new(Reversed(Arc::clone(&world.deployment.simulator)));
    let check = verified(&world).await;
    assert_eq!(check.state, Missing);
    assert!(check.next.unwrap().starts_with("send no campaign"));
}

/// Refuses a call for one bad address in it.
struct Strict(Arc<dyn Simulator>);

#[async_trait]
impl Simulator for Strict {
    async fn send(&self, letter: &Letter<'_>, flaw: Flaw) -> Result<Vec<Answer>, MailerError> {
        match flaw {
            Flaw::Address => Err(MailerError::Refused("BAD_REQUEST".to_owned())),
            Flaw::Data => self.0.send(letter, flaw).await,
        }
    }
}

#[tokio::test]
async fn where_a_bad_address_refuses_the_whole_call_bad_data_may_not() {
    let mut world = World::start().await;
    world.deployment.simulator = Arc::new(Strict(Arc::clone(&world.deployment.simulator)));
    assert_eq!(verified(&world).await.state, Ready);
    assert_eq!((world.services.ses.count(), world.services.ses.tally().calls), (3, 1));
}

#[tokio::test]
async fn the_rate_is_kept_however_often_it_is_asked() {
    for throttle in [Throttle::Whole, Throttle::Entry] {
        let world = of(SesConfig { max_send_rate: 4.0, throttle, ..SesConfig::default() }).await;
        for _ in 0..4 {
            assert_eq!(verified(&world).await.state, Ready);
        }
        let tally = world.services.ses.tally();
        assert_eq!((world.services.ses.count(), tally.throttled_calls), (12, 0), "{tally:?}");
        assert!(tally.busiest_second <= 4, "{tally:?}");
    }
}

#[tokio::test]
async fn at_a_rate_below_the_call_nothing_is_sent() {
    let world = of(SesConfig { sandbox: true, max_send_rate: 1.0, daily_quota: 200.0, ..SesConfig::default() }).await;
    let check = verified(&world).await;
    assert_eq!((check.state, world.services.ses.tally().calls), (Unknown, 0));
    assert_eq!(check.found, "4 mails have to go at once, and the account may send 1 a second");
}

#[tokio::test]
async fn without_room_in_the_quota_nothing_is_sent() {
    let world = of(SesConfig { daily_quota: 7.0, ..SesConfig::default() }).await;
    let check = verified(&world).await;
    assert_eq!((check.state, world.services.ses.tally().calls), (Unknown, 0));
    assert_eq!(check.found, "the day's quota is used up");
}

#[tokio::test]
async fn calls_that_ses_refuses_whole_tell_nothing() {
    let world = of(SesConfig { identity_pending: true, ..SesConfig::default() }).await;
    let check = verified(&world).await;
    assert_eq!((check.state, world.services.ses.tally().calls), (Unknown, 2));
    assert_eq!(check.found, "SES refused the whole call (MESSAGE_REJECTED): nothing was sent");
}

#[tokio::test]
async fn without_a_policy_or_a_template_it_says_what_is_wanted_first() {
    for (key, found) in [("templates", "no template was pushed"), ("policy", "there is no policy yet")] {
        let world = World::start().await;
        forget(&world, key).await;
        let check = verified(&world).await;
        assert_eq!((check.state, check.found.as_str(), world.services.ses.tally().calls), (Unknown, found, 0));
    }
}
