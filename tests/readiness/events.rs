//! What SES tells of mails afterwards.

use germane::domain::readiness::{
    State::{self, Missing, Ready, Unknown},
    events::{ConfigurationSet, Destination, EventKind, judge},
};

use super::states;

fn topic(kinds: &[EventKind]) -> Destination {
    Destination { enabled: true, topic: true, kinds: kinds.iter().copied().collect() }
}

fn judged(destinations: Vec<Destination>) -> ([State; 2], String) {
    let checks = judge(&ConfigurationSet::Found { name: "germane".to_owned(), destinations });
    (states(&checks), checks[1].found.clone())
}

#[test]
fn mails_under_no_configuration_set_are_never_told_of() {
    assert_eq!(states(&judge(&ConfigurationSet::Unnamed)), [Missing, Unknown]);
    let absent = judge(&ConfigurationSet::Absent { name: "staging".to_owned() });
    assert_eq!((states(&absent), absent[0].found.as_str()), ([Missing, Unknown], "SES knows none called staging"));
}

#[test]
fn all_kinds_that_are_needed_may_be_told_by_one_topic_or_by_several() {
    assert_eq!(judged(vec![topic(EventKind::ALL)]).0, [Ready; 2]);
    let (first, second) = EventKind::ALL.split_at(2);
    assert_eq!(judged(vec![topic(first), topic(second)]).0, [Ready; 2]);
}

#[test]
fn each_kind_that_no_topic_is_told_of_is_named() {
    for left_out in EventKind::ALL {
        let kinds: Vec<EventKind> = EventKind::ALL.iter().copied().filter(|kind| kind != left_out).collect();
        let (states, found) = judged(vec![topic(&kinds)]);
        assert_eq!((states, found), ([Ready, Missing], format!("no SNS topic is told of {}", left_out.as_str())));
    }
}

#[test]
fn a_destination_that_is_off_or_no_topic_leads_nowhere() {
    let all = topic(EventKind::ALL);
    let nothing = "no SNS topic is told of bounce, complaint, delivery, rendering failure, reject, delivery delay";
    for destinations in
        [vec![], vec![Destination { enabled: false, ..all.clone() }], vec![Destination { topic: false, ..all }]]
    {
        assert_eq!(judged(destinations), ([Ready, Missing], nothing.to_owned()));
    }
}
