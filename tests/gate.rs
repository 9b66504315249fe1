//! The gate by tables: each case starts from a person for whom the campaign is germane and changes one thing.

mod consent;
mod defer;
mod frequency;
mod holdout;
mod interest;
mod notice;
mod order;
mod ownership;
mod pause;
mod suppression_channel;
mod window;

use germane::domain::{
    decision::{Decision, Grounds},
    interest::Strength,
};

use crate::given::{Given, topic};

#[test]
fn a_germane_campaign_is_sent_and_says_which_consent_and_interest_justify_it() {
    let grounds =
        Grounds { consent: Some(topic("rust")), interest: Some(topic("rust")), strength: Some(Strength::new(0.9)) };
    assert_eq!(Given::germane().decide(), Decision::Send(grounds));
}
