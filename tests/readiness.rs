//! What is said of what was found, before the first send: values in, verdicts out.

mod account;
mod events;
mod order;
mod rules;
mod sender;
mod templates;

use germane::domain::readiness::{Check, State, is_reserved};

fn states<const N: usize>(checks: &[Check; N]) -> [State; N] {
    checks.each_ref().map(|check| check.state)
}

/// Every check that keeps a campaign from running by itself says what to do.
fn says_what_to_do(check: &Check) -> bool {
    check.next.is_some() == (check.state != State::Ready)
}

#[test]
fn only_domains_that_nobody_can_own_are_reserved() {
    let reserved = ["example.com", "mail.Example.ORG", "a.test", "example", "x.invalid", "localhost"];
    assert_eq!(reserved.map(is_reserved), [true; 6]);
    let owned = ["myexample.com", "example.de", "example.com.de", "contest", ""];
    assert_eq!(owned.map(is_reserved), [false; 5]);
}
