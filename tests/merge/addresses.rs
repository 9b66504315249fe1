//! A mailbox keeps what is known of it.

use germane::domain::{
    channel::Channel,
    recipient::{Recipient, Unusable},
};
use serde_json::json;

use super::{put, put_at};
use crate::given::{now, recipient};

fn bounced() -> Recipient {
    let mut person = recipient();
    person.profile.work.as_mut().unwrap().unusable = Some(Unusable::HardBounce);
    person
}

fn usability(person: &Recipient) -> [Option<Unusable>; 2] {
    [Channel::Work, Channel::Personal].map(|channel| person.address(channel).and_then(|a| a.unusable))
}

#[test]
fn the_same_mailbox_stays_unusable_however_it_is_spelled() {
    let mut person = bounced();
    put(&mut person, &json!({ "addresses": { "work": "R-1042@EXAMPLE.com" } }));
    assert_eq!(person.work.as_ref().unwrap().email.reveal(), "R-1042@example.com");
    assert_eq!(usability(&person), [Some(Unusable::HardBounce), None]);
}

#[test]
fn a_mailbox_stays_unusable_on_the_other_channel() {
    let mut person = bounced();
    let swapped = json!({ "work": "r-1042@example.net", "personal": "r-1042@example.com" });
    put(&mut person, &json!({ "addresses": swapped }));
    assert_eq!(usability(&person), [None, Some(Unusable::HardBounce)]);
}

#[test]
fn another_mailbox_starts_usable() {
    let mut person = bounced();
    put(&mut person, &json!({ "addresses": { "work": "new@example.com" } }));
    assert_eq!(usability(&person), [None, None]);
}

#[test]
fn a_person_keeps_at_least_one_address_and_is_untouched_by_a_change_that_takes_both() {
    for addresses in [json!(null), json!({ "work": null, "personal": null })] {
        let mut person = recipient();
        let document = json!({ "addresses": addresses, "locale": "fr" });
        let faults = put_at(&mut person, &document, now()).unwrap_err();
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].field, "/addresses");
        assert_eq!(person, recipient());
    }
}
