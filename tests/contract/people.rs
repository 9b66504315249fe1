//! People, their addresses and their evidence: together or not at all.

use germane::{
    domain::{
        channel::Channel,
        consent::ConsentStatus,
        recipient::{Recipient, Suppression, SuppressionKind, Unusable},
    },
    flow::api::{
        recipients::{Evidence, PersonWrite, Place, PutResult},
        suppressions::AddressRecord,
    },
};

use super::{Ports, address, at, id, keeps, next, person};
use crate::given::topic;

pub fn evidence(text: &str) -> Evidence {
    Evidence {
        topic: topic("rust"),
        channel: Channel::Work,
        before: None,
        after: Some(ConsentStatus::Granted),
        text: Some(text.to_owned()),
        text_version: None,
        source: Some("sign-up form".to_owned()),
        place: Place::Import,
        by: Some("a test".to_owned()),
        origin: None,
        at: at(-10),
        recorded_at: at(0),
    }
}

impl Ports {
    async fn record(&self, email: &str) -> AddressRecord {
        self.addresses.get(&[email.parse().unwrap()]).await.unwrap().remove(0)
    }

    async fn texts(&self, raw: &str) -> Vec<String> {
        let evidence = self.people.evidence(&id(raw)).await.unwrap();
        evidence.into_iter().filter_map(|evidence| evidence.text).collect()
    }
}

/// Suppressed by hand since then.
pub fn suppressed(person: &mut Recipient) {
    person.profile.suppression = Some(Suppression::manual(at(5)));
}

fn complained(person: &mut Recipient) {
    person.profile.suppression = Some(Suppression { kind: SuppressionKind::Complaint, since: at(9) });
}

#[test]
fn a_person_is_read_as_they_were_written_with_addresses_and_evidence() {
    keeps(async |ports| {
        let mut one = person("r-1");
        one.profile.personal = Some(address("r-1@example.net"));
        assert_eq!(ports.put_with(None, &one, vec![evidence("a form")]).await, PutResult::Written);
        assert_eq!(ports.person("r-1").await, Some(one));
        assert_eq!(ports.people.evidence(&id("r-1")).await.unwrap(), [evidence("a form")]);
        for email in ["R-1@example.com", "r-1@example.net"] {
            let owned = AddressRecord { owner: Some(id("r-1")), ..AddressRecord::default() };
            assert_eq!(ports.record(email).await, owned);
            assert_eq!(ports.mailboxes.owner(&email.parse().unwrap()).await.unwrap(), Some(id("r-1")));
        }
        assert_eq!(ports.person("r-2").await, None);
        assert_eq!(ports.people.evidence(&id("r-2")).await.unwrap(), []);
    });
}

#[test]
fn a_change_stands_only_on_the_version_that_it_was_made_from() {
    keeps(async |ports| {
        let one = person("r-1");
        let two = next(&one, |person| person.profile.locale = Some("de".to_owned()));
        assert_eq!(ports.put(Some(&one), &two).await, PutResult::Changed, "there is nobody yet");
        ports.add(&one).await;
        assert_eq!(ports.put(None, &one).await, PutResult::Changed, "somebody is there");
        assert_eq!(ports.put(Some(&one), &two).await, PutResult::Written);
        let stale = next(&one, suppressed);
        assert_eq!(ports.put_with(Some(&one), &stale, vec![evidence("a form")]).await, PutResult::Changed);
        assert_eq!(ports.person("r-1").await, Some(two));
        assert_eq!(ports.texts("r-1").await, [""; 0]);
        assert!(ports.record("r-1@example.com").await.marks.is_empty());
    });
}

#[test]
fn an_address_has_one_owner_and_who_is_refused_it_gets_nothing() {
    keeps(async |ports| {
        ports.add(&person("r-1")).await;
        let mut other = person("r-2");
        other.profile.personal = Some(address("R-1@Example.com"));
        let refused = ports.put_with(None, &other, vec![evidence("a form")]).await;
        assert_eq!(refused, PutResult::AddressTaken(Channel::Personal));
        assert_eq!(ports.person("r-2").await, None);
        assert_eq!(ports.texts("r-2").await, [""; 0]);
        assert_eq!(ports.record("r-2@example.com").await, AddressRecord::default());
        assert_eq!(ports.record("r-1@example.com").await.owner, Some(id("r-1")));
    });
}

#[test]
fn what_an_address_says_comes_before_what_changed_of_the_person() {
    keeps(async |ports| {
        ports.add(&person("r-1")).await;
        let mut one = person("r-2");
        ports.add(&one).await;
        one.version -= 1;
        let stale = next(&one, |person| person.profile.personal = Some(address("r-1@example.com")));
        assert_eq!(ports.put(Some(&one), &stale).await, PutResult::AddressTaken(Channel::Personal));
    });
}

#[test]
fn a_mailbox_that_serves_both_channels_is_one_address() {
    keeps(async |ports| {
        let mut one = person("r-1");
        one.profile.personal = Some(address("R-1@example.com"));
        ports.add(&one).await;
        let without = next(&one, |person| person.profile.personal = None);
        assert_eq!(ports.put(Some(&one), &without).await, PutResult::Written);
        assert_eq!(ports.record("r-1@example.com").await.owner, Some(id("r-1")));
        let gone = next(&without, |person| person.profile.work = None);
        assert_eq!(ports.put(Some(&without), &gone).await, PutResult::Written);
        assert_eq!(ports.record("r-1@example.com").await, AddressRecord::default());
    });
}

#[test]
fn an_address_with_a_mark_is_given_only_to_somebody_who_carries_it() {
    keeps(async |ports| {
        let mut first = person("r-1");
        suppressed(&mut first);
        first.profile.work.as_mut().unwrap().unusable = Some(Unusable::SoftBounces);
        ports.add(&first).await;
        let marks = ports.record("r-1@example.com").await.marks;
        assert_eq!((marks.suppression, marks.unusable), (first.suppression, Some(Unusable::SoftBounces)));
        let left = next(&first, |person| person.profile.work = Some(address("new@example.com")));
        assert_eq!(ports.put(Some(&first), &left).await, PutResult::Written);
        assert_eq!(ports.record("r-1@example.com").await, AddressRecord { marks, ..AddressRecord::default() });

        let mut heir = person("r-2");
        heir.profile.work = Some(address("r-1@example.com"));
        assert_eq!(ports.put(None, &heir).await, PutResult::AddressMarked { channel: Channel::Work, marks });
        assert_eq!(ports.person("r-2").await, None);
        suppressed(&mut heir);
        assert_eq!(ports.put(None, &heir).await, PutResult::AddressMarked { channel: Channel::Work, marks });
        // What weighs more covers what weighs less.
        complained(&mut heir);
        heir.profile.work.as_mut().unwrap().unusable = Some(Unusable::HardBounce);
        ports.add(&heir).await;
        let record = ports.record("r-1@example.com").await;
        let heavier =
            germane::domain::recipient::Marks { unusable: Some(Unusable::HardBounce), suppression: heir.suppression };
        assert_eq!((record.owner, record.marks), (Some(id("r-2")), heavier));
    });
}

#[test]
fn marks_change_with_the_person_who_has_the_address() {
    keeps(async |ports| {
        let one = person("r-1");
        ports.add(&one).await;
        let two = next(&one, suppressed);
        assert_eq!(ports.put(Some(&one), &two).await, PutResult::Written);
        assert_eq!(ports.record("r-1@example.com").await.marks.suppression, two.suppression);
        let three = next(&two, |person| person.profile.suppression = None);
        assert_eq!(ports.put(Some(&two), &three).await, PutResult::Written);
        assert!(ports.record("r-1@example.com").await.marks.is_empty());
    });
}

#[test]
fn an_address_that_is_left_is_forgotten_unless_something_is_known_of_it() {
    keeps(async |ports| {
        let one = person("r-1");
        ports.add(&one).await;
        let moved = next(&one, |person| person.profile.work = Some(address("new@example.com")));
        assert_eq!(ports.put(Some(&one), &moved).await, PutResult::Written);
        assert_eq!(ports.record("r-1@example.com").await, AddressRecord::default());

        let bounced = "new@example.com".parse().unwrap();
        assert_eq!(ports.mailboxes.soft_bounced(&bounced, at(1)).await.unwrap(), [at(1)]);
        let again = next(&moved, |person| person.profile.work = Some(address("newer@example.com")));
        assert_eq!(ports.put(Some(&moved), &again).await, PutResult::Written);
        let kept = AddressRecord { soft_bounces: vec![at(1)], ..AddressRecord::default() };
        assert_eq!(ports.record("new@example.com").await, kept);
        assert_eq!(ports.mailboxes.owner(&bounced).await.unwrap(), None);

        let unusable = next(&again, |person| {
            person.profile.work.as_mut().unwrap().unusable = Some(Unusable::HardBounce);
        });
        assert_eq!(ports.put(Some(&again), &unusable).await, PutResult::Written);
        let none = next(&unusable, |person| person.profile.work = None);
        assert_eq!(ports.put(Some(&unusable), &none).await, PutResult::Written);
        let left = ports.record("newer@example.com").await;
        assert_eq!((left.owner, left.marks.unusable), (None, Some(Unusable::HardBounce)));
    });
}

#[test]
fn of_several_people_in_one_call_who_is_refused_is_refused_alone() {
    keeps(async |ports| {
        ports.add(&person("r-taken")).await;
        let mut people: Vec<Recipient> = (10..30).map(|number| person(&format!("r-{number}"))).collect();
        people[3].profile.work = Some(address("r-taken@example.com"));
        let write = |after| PersonWrite { before: None, after, evidence: vec![evidence("a form")] };
        let writes: Vec<PersonWrite<'_>> = people.iter().map(write).collect();
        let results = ports.people.put(&writes).await.unwrap();
        let expected: Vec<PutResult> = (0..20)
            .map(|at| if at == 3 { PutResult::AddressTaken(Channel::Work) } else { PutResult::Written })
            .collect();
        assert_eq!(results, expected);
        assert_eq!(ports.person("r-13").await, None);
        assert_eq!(ports.texts("r-14").await, ["a form"]);
        assert_eq!(ports.people.put(&[]).await.unwrap(), []);

        let ids: Vec<_> = ["r-10", "r-13", "r-10", "r-29"].map(id).to_vec();
        let mut found: Vec<_> = ports.people.get_many(&ids).await.unwrap().into_iter().map(|p| p.id).collect();
        found.sort_unstable();
        assert_eq!(found, ["r-10", "r-29"].map(id));
    });
}

#[test]
fn an_address_may_change_hands_within_one_call() {
    keeps(async |ports| {
        let one = person("r-1");
        ports.add(&one).await;
        let left = next(&one, |person| person.profile.work = Some(address("new@example.com")));
        let mut heir = person("r-2");
        heir.profile.work = Some(address("r-1@example.com"));
        let writes = [
            PersonWrite { before: Some(&one), after: &left, evidence: Vec::new() },
            PersonWrite { before: None, after: &heir, evidence: Vec::new() },
        ];
        assert_eq!(ports.people.put(&writes).await.unwrap(), [PutResult::Written; 2]);
        assert_eq!(ports.record("r-1@example.com").await.owner, Some(id("r-2")));
    });
}

#[test]
fn evidence_is_appended_and_read_oldest_first() {
    keeps(async |ports| {
        let one = person("r-1");
        ports.put_with(None, &one, vec![evidence("a"), evidence("b")]).await;
        let two = next(&one, |person| person.profile.locale = Some("de".to_owned()));
        ports.put_with(Some(&one), &two, vec![evidence("c")]).await;
        assert_eq!(ports.texts("r-1").await, ["a", "b", "c"]);
        assert!(ports.links.mark(&id("r-1"), at(0), at(-300)).await.unwrap());
        assert_eq!(ports.texts("r-1").await, ["a", "b", "c"], "a mailed link is no evidence");
    });
}

#[test]
fn of_somebody_who_was_erased_only_that_their_addresses_were_remains() {
    keeps(async |ports| {
        let mut one = person("r-1");
        suppressed(&mut one);
        ports.put_with(None, &one, vec![evidence("a form")]).await;
        ports.mailboxes.soft_bounced(&"r-1@example.com".parse().unwrap(), at(1)).await.unwrap();
        assert!(ports.links.mark(&id("r-1"), at(0), at(-300)).await.unwrap());
        assert!(ports.people.erase(&one, at(7)).await.unwrap());
        assert_eq!(ports.person("r-1").await, None);
        assert_eq!(ports.texts("r-1").await, [""; 0]);
        let erased = AddressRecord { erased: Some(at(7)), ..AddressRecord::default() };
        assert_eq!(ports.record("r-1@example.com").await, erased);
        assert!(!ports.people.erase(&one, at(8)).await.unwrap(), "there is nobody any more");

        assert_eq!(ports.put(None, &one).await, PutResult::AddressErased(Channel::Work));
        one.profile.work = None;
        one.profile.personal = Some(address("r-1@example.com"));
        assert_eq!(ports.put(None, &one).await, PutResult::AddressErased(Channel::Personal));
        one.profile.personal = Some(address("other@example.com"));
        ports.add(&one).await;
        assert!(ports.links.mark(&id("r-1"), at(1), at(0)).await.unwrap(), "the mark went with the person");
    });
}

#[test]
fn who_changed_meanwhile_is_not_erased() {
    keeps(async |ports| {
        let one = person("r-1");
        ports.put_with(None, &one, vec![evidence("a")]).await;
        let two = next(&one, |person| person.profile.locale = Some("de".to_owned()));
        ports.put_with(Some(&one), &two, vec![evidence("b")]).await;
        assert!(!ports.people.erase(&one, at(7)).await.unwrap());
        assert_eq!(ports.person("r-1").await, Some(two.clone()));
        assert_eq!(ports.record("r-1@example.com").await.owner, Some(id("r-1")));
        assert_eq!(ports.texts("r-1").await, ["b"], "what is of a later version stays");
        assert!(ports.people.erase(&two, at(8)).await.unwrap());
        assert_eq!(ports.texts("r-1").await, [""; 0]);
    });
}
