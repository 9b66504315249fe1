//! People who are all mailed: what is measured is the rate, not the gate.

use germane::domain::{
    channel::{Channel, Context},
    consent::{Basis, Consent, ConsentStatus},
    id::Ref,
    interest::{Interest, InterestSource, Strength},
    recipient::{Address, Recipient},
    topic::Topic,
};
use jiff::Timestamp;

pub fn person(number: usize, now: Timestamp) -> Recipient {
    let id = format!("r-{number:05}");
    let topic: Topic = "rust".parse().unwrap();
    let mut person = Recipient::blank(id.parse().unwrap(), Ref(number.to_be_bytes()), now);
    person.profile.work = Some(Address { email: format!("{id}@example.com").parse().unwrap(), unusable: None });
    person.profile.attributes.insert("first_name".to_owned(), "Sample".to_owned());
    person.profile.interests.push(Interest {
        topic: topic.clone(),
        strength: Strength::new(0.9),
        source: InterestSource::Declared,
        context: Context::Work,
        at: now,
    });
    person.profile.consents.push(Consent {
        topic,
        channel: Channel::Work,
        status: ConsentStatus::Granted,
        basis: Basis::Consent,
        source: None,
        at: now,
        expires_at: None,
        by_recipient: false,
    });
    person
}
