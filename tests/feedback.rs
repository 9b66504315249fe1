//! SES's events, one sample of each, and what is understood of them.

use std::{collections::BTreeMap, fs, path::Path};

use germane::domain::{
    decision::OutcomeKind,
    feedback::{Bounce, Event, Reputation, Settlement, Step, What},
    policy::{Breaker, Policy},
};
use serde_json::Value;

use crate::world::{policy, with};

fn samples() -> BTreeMap<String, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/feedback/samples");
    let read = |path: &Path| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap())
    };
    fs::read_dir(folder).unwrap().map(|entry| read(&entry.unwrap().path())).collect()
}

fn sample(name: &str) -> Event {
    Event::parse(&samples()[name]).unwrap()
}

#[test]
fn every_sample_is_understood_as_what_it_is() {
    let hard = What::Bounced(Bounce::Hard);
    let soft = What::Bounced(Bounce::Soft);
    let of_message = What::Bounced(Bounce::OfMessage);
    let expected = [
        ("bounce-by-eventbridge", hard),
        ("bounce-by-sns", hard),
        ("bounce-permanent-general", hard),
        ("bounce-permanent-noemail", hard),
        ("bounce-permanent-onaccountsuppressionlist", hard),
        ("bounce-permanent-suppressed", hard),
        ("bounce-permanent-unsubscribedrecipient", hard),
        ("bounce-transient-attachmentrejected", of_message),
        ("bounce-transient-contentrejected", of_message),
        ("bounce-transient-general", soft),
        ("bounce-transient-mailboxfull", soft),
        ("bounce-transient-messagetoolarge", of_message),
        ("bounce-undetermined-undetermined", soft),
        ("click", What::Clicked),
        ("complaint-abuse", What::Complained),
        ("complaint-auth-failure", What::Complained),
        ("complaint-fraud", What::Complained),
        ("complaint-not-spam", What::Unremarkable),
        ("complaint-on-account-suppression-list", What::Complained),
        ("complaint-other", What::Complained),
        ("complaint-untyped", What::Complained),
        ("complaint-virus", What::Complained),
        ("delivery", What::Delivered),
        ("delivery-delay", What::Unremarkable),
        ("delivery-of-a-test", What::Delivered),
        ("of-a-kind-that-came-later", What::Unremarkable),
        ("open", What::Opened),
        ("reject", What::Rejected),
        ("rendering-failure", What::NotRendered),
        ("send", What::Unremarkable),
        ("subscription", What::Unremarkable),
    ];
    let mut samples = samples();
    assert!(Event::parse(&samples.remove("malformed").unwrap()).is_err());
    let understood: Vec<(String, What)> =
        samples.iter().map(|(name, event)| (name.clone(), Event::parse(event).unwrap().what)).collect();
    let expected: Vec<(String, What)> = expected.iter().map(|(name, what)| ((*name).to_owned(), *what)).collect();
    assert_eq!(understood, expected);
}

#[test]
fn an_event_names_its_campaign_recipient_address_and_time() {
    let event = sample("bounce-by-sns");
    let about = event.about.clone().unwrap();
    assert_eq!((about.campaign.as_str(), about.recipient.as_str()), ("weekly", "r-1042"));
    assert_eq!(event.to.unwrap().reveal(), "r-1042@example.com");
    assert_eq!(event.at, "2026-11-23T09:00:05Z".parse().unwrap());
    assert_eq!(sample("delivery-of-a-test").about, None);
    // Where the event itself says no time, the mail's stands.
    assert_eq!(sample("reject").at, "2026-11-23T09:00:02Z".parse().unwrap());
}

#[test]
fn no_event_shows_its_address_in_debug_output() {
    for (name, event) in samples() {
        if let Ok(event) = Event::parse(&event) {
            assert!(!format!("{event:?}").contains("example.com"), "{name}");
        }
    }
}

#[test]
fn a_settlement_only_ever_adds_to_what_is_known() {
    let steps: Vec<(OutcomeKind, Settlement, Step)> = OutcomeKind::ALL
        .iter()
        .flat_map(|kind| Settlement::ALL.iter().map(|to| (*kind, *to)))
        .filter_map(|(kind, to)| Some((kind, to, to.from(kind)?)))
        .collect();
    let expected = [
        (OutcomeKind::Sent, Settlement::Rejected, Step::SentToRejected),
        (OutcomeKind::Sent, Settlement::NotRendered, Step::SentToNotRendered),
        (OutcomeKind::InDoubt, Settlement::Sent, Step::DoubtToSent),
        (OutcomeKind::InDoubt, Settlement::Rejected, Step::DoubtToRejected),
        (OutcomeKind::InDoubt, Settlement::NotRendered, Step::DoubtToNotRendered),
    ];
    assert_eq!(steps, expected);
    for step in Step::ALL {
        let ((from, _), (to, _)) = step.moves();
        assert_eq!(step.settlement().from(from), Some(*step));
        assert_ne!(from, to);
    }
}

fn breaker() -> Breaker {
    Policy::parse(&policy()).unwrap().breaker
}

#[test]
fn a_campaign_is_stopped_above_a_rate_and_not_at_it() {
    let seen = |hard_bounced, complained| Reputation { hard_bounced, complained };
    assert_eq!(breaker().tripped_by(1_000, seen(50, 1)), None);
    let (what, figures) = breaker().tripped_by(1_000, seen(51, 0)).unwrap();
    assert_eq!((what, figures.percent, figures.limit_percent, figures.sent), ("hard bounces", 5.1, 5.0, 1_000));
    let (what, figures) = breaker().tripped_by(1_000, seen(0, 2)).unwrap();
    assert_eq!((what, figures.percent, figures.complained), ("complaints", 0.2, 2));
}

#[test]
fn too_few_mails_say_nothing_of_a_rate() {
    let all = Reputation { hard_bounced: 499, complained: 499 };
    assert_eq!(breaker().tripped_by(499, all), None);
    assert!(breaker().tripped_by(500, all).is_some());
    assert_eq!(breaker().tripped_by(0, all), None);
    let never = with(policy(), serde_json::json!({ "breaker": { "hard_bounce_percent": 100.0 } }));
    let never = Policy::parse(&never).unwrap().breaker;
    assert_eq!(never.tripped_by(1_000, Reputation { hard_bounced: 1_000, complained: 0 }), None);
}
