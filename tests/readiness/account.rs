//! The SES account.

use germane::domain::{
    price::Plan,
    readiness::{
        State,
        account::{Account, Reputation, judge},
    },
};

use super::{says_what_to_do, states};

fn account() -> Account {
    Account {
        production: true,
        sending: true,
        reputation: Reputation::Healthy,
        per_second: 14.0,
        per_day: Some(50_000),
        sent_last_day: 1_234,
        plan: Some(Plan::Essentials),
    }
}

/// Production, sending, rate, quota and plan.
fn judged(change: impl Fn(&mut Account)) -> [State; 5] {
    let mut account = account();
    change(&mut account);
    let checks = judge(&account);
    assert!(checks.iter().all(says_what_to_do), "{checks:?}");
    states(&checks)
}

#[test]
fn a_healthy_account_in_production_is_ready() {
    let found = judge(&account()).map(|check| check.found);
    assert_eq!(
        found,
        [
            "SES lets the account mail everybody",
            "on, and the account is in good standing",
            "14 mails a second",
            "50,000 mails a day; 1,234 in the last 24 hours",
            "essentials: a million mails cost $160.00",
        ]
    );
    assert_eq!(judged(|_| ()), [State::Ready; 5]);
}

#[test]
fn each_thing_that_is_wrong_is_told_by_its_own_check_alone() {
    use State::{Advice, Missing, Ready};
    type Change = fn(&mut Account);
    let cases: [(Change, [State; 5]); 12] = [
        (|a| a.production = false, [Missing, Ready, Ready, Ready, Ready]),
        (|a| a.sending = false, [Ready, Missing, Ready, Ready, Ready]),
        (|a| a.reputation = Reputation::Probation, [Ready, Advice, Ready, Ready, Ready]),
        (|a| a.reputation = Reputation::Shutdown, [Ready, Missing, Ready, Ready, Ready]),
        (|a| a.reputation = Reputation::Other, [Ready, Missing, Ready, Ready, Ready]),
        (|a| a.per_second = 0.0, [Ready, Ready, Missing, Ready, Ready]),
        (|a| a.per_second = f64::NAN, [Ready, Ready, Missing, Ready, Ready]),
        (|a| a.per_day = None, [Ready; 5]),
        (|a| a.per_day = Some(0), [Ready, Ready, Ready, Missing, Ready]),
        (|a| a.sent_last_day = 49_999, [Ready; 5]),
        (|a| a.sent_last_day = 50_000, [Ready, Ready, Ready, Advice, Ready]),
        (|a| a.plan = None, [Ready, Ready, Ready, Ready, Advice]),
    ];
    for (number, (change, wanted)) in cases.into_iter().enumerate() {
        assert_eq!(judged(change), wanted, "case {number}");
    }
}

#[test]
fn sending_that_is_off_is_off_whatever_aws_thinks_of_the_account() {
    assert_eq!(
        judged(|a| {
            a.sending = false;
            a.reputation = Reputation::Probation;
        })[1],
        State::Missing
    );
}

#[test]
fn a_plan_with_a_monthly_price_names_it_beside_the_mails() {
    let plan = |plan| judge(&Account { plan: Some(plan), ..account() })[4].found.clone();
    assert_eq!(plan(Plan::Pro), "pro: a million mails cost $220.00, beside $105.00 a month");
    assert_eq!(plan(Plan::ALaCarte), "a la carte: a million mails cost $100.00");
}
