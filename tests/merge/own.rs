//! What recipients corrected or removed themselves: no PUT and no import has a say in it any more.

use germane::domain::{
    channel::Context,
    interest::Strength,
    recipient::{Act, More, Recipient},
    time::ZoneName,
};
use serde_json::{Value, json};

use super::put;
use crate::given::{now, policy, recipient, recipient_document, topic};

fn own(changes: Vec<More>) -> Recipient {
    let mut person = recipient();
    person.profile.owns = vec!["course-rust-101".parse().unwrap()];
    for change in changes {
        person.act(&Act::More(change), &policy(), now()).unwrap();
    }
    person
}

/// What every import of the old facts says, and what one that removes everything says.
fn stays(person: &Recipient) {
    let old = json!({ "owns": ["course-rust-101"] });
    let nothing = json!({ "time_zone": null, "locale": null, "attributes": null, "interests": null, "owns": null });
    let removed = json!({ "attributes": { "first_name": null }, "addresses": { "work": null } });
    for document in [recipient_document(), old, nothing, removed] {
        let mut after = person.clone();
        put(&mut after, &document);
        let told = |person: &Recipient| {
            let set = person.own.iter().map(|own| format!("{:?}", own.fact)).collect::<Vec<_>>();
            let facts = json!({ "locale": person.locale, "time_zone": person.time_zone, "owns": person.owns,
                                "attributes": person.attributes, "interests": person.interests });
            let address = person.work.as_ref().map(|address| address.email.reveal().to_owned());
            (set, facts, address)
        };
        assert_eq!(told(&after), told(person), "{document}");
    }
}

fn everything(value: Option<&str>) -> Vec<More> {
    vec![
        More::TimeZone(value.map(|_| "Europe/Paris".parse().unwrap())),
        More::Locale(value.map(|_| "fr".to_owned())),
        More::Attribute { name: "first_name".to_owned(), value: value.map(str::to_owned) },
        More::Interest { topic: topic("rust"), context: Context::Work, strength: value.map(|_| Strength::new(0.2)) },
        More::Disown("course-rust-101".parse().unwrap()),
        More::Addresses {
            work: value.map(|_| "r-1042@example.net".parse().unwrap()),
            personal: Some("r-1042@example.net".parse().unwrap()),
        },
    ]
}

#[test]
fn what_they_corrected_stays_corrected() {
    stays(&own(everything(Some("Corrected"))));
}

#[test]
fn what_they_removed_stays_removed() {
    stays(&own(everything(None)));
}

#[test]
fn what_they_did_not_touch_is_merged_as_ever() {
    let mut person = own(vec![More::Locale(Some("fr".to_owned()))]);
    put(&mut person, &json!({ "locale": "es", "time_zone": "Europe/Madrid", "owns": ["book-rust"] }));
    let zone = person.time_zone.as_ref().map(ZoneName::as_str);
    assert_eq!((person.locale.as_deref(), zone, person.owns.len()), (Some("fr"), Some("Europe/Madrid"), 2));
    let interest = |strength: f64, context: &str| -> Value {
        json!({ "interests": [{ "topic": "rust", "strength": strength, "context": context }] })
    };
    let mut person = own(vec![More::Interest { topic: topic("rust"), context: Context::Work, strength: None }]);
    put(&mut person, &interest(0.9, "work"));
    put(&mut person, &interest(0.8, "personal"));
    let held: Vec<_> = person.interests.iter().map(|i| i.context).collect();
    assert_eq!(held, [Context::Personal]);
}

#[test]
fn a_person_whose_only_other_address_they_removed_keeps_the_last_one() {
    let remove = More::Addresses { work: None, personal: Some("r-1042@example.net".parse().unwrap()) };
    let mut person = own(vec![remove]);
    let refused = super::put_at(&mut person, &json!({ "addresses": { "personal": null } }), now());
    assert_eq!(refused.unwrap_err()[0].field, "/addresses");
}
