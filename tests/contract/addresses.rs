//! Addresses by themselves: suppressed whoever has them, and what bounced.

use germane::{
    domain::recipient::{Marks, Suppression, Unusable},
    flow::api::suppressions::AddressRecord,
};

use super::{at, id, keeps, people::suppressed, person};

fn manual() -> AddressRecord {
    let marks = Marks { suppression: Some(Suppression::manual(at(5))), unusable: None };
    AddressRecord { marks, note: Some("asked by letter".to_owned()), ..AddressRecord::default() }
}

#[test]
fn addresses_are_told_in_the_order_in_which_they_were_asked_for() {
    keeps(async |ports| {
        ports.add(&person("r-1")).await;
        let emails =
            ["nobody@example.com", "r-1@example.com", "Nobody@example.com"].map(|email| email.parse().unwrap());
        let records = ports.addresses.get(&emails).await.unwrap();
        let owned = AddressRecord { owner: Some(id("r-1")), ..AddressRecord::default() };
        assert_eq!(records, [AddressRecord::default(), owned, AddressRecord::default()]);
    });
}

#[test]
fn only_an_address_of_which_nothing_is_stored_is_suppressed_as_a_new_one() {
    keeps(async |ports| {
        ports.add(&person("r-1")).await;
        let emails: Vec<_> = ["a@example.com", "r-1@example.com", "b@example.com"].map(|e| e.parse().unwrap()).to_vec();
        let records: Vec<_> =
            emails.iter().map(|email: &germane::domain::email::EmailAddress| (email.clone(), manual())).collect();
        assert_eq!(ports.addresses.create(&records).await.unwrap(), [true, false, true]);
        assert_eq!(ports.addresses.create(&records).await.unwrap(), [false, false, false]);
        assert_eq!(ports.addresses.create(&[]).await.unwrap(), [true; 0]);
        let owned = AddressRecord { owner: Some(id("r-1")), ..AddressRecord::default() };
        assert_eq!(ports.addresses.get(&emails).await.unwrap(), [manual(), owned, manual()]);
    });
}

#[test]
fn many_new_addresses_are_suppressed_in_several_calls_and_answered_in_their_order() {
    keeps(async |ports| {
        let records: Vec<_> =
            (0..60).map(|number| (format!("a-{number}@example.com").parse().unwrap(), manual())).collect();
        ports.addresses.create(&records[30..31]).await.unwrap();
        let created = ports.addresses.create(&records).await.unwrap();
        assert_eq!(created, (0..60).map(|number| number != 30).collect::<Vec<_>>());
    });
}

#[test]
fn an_address_is_marked_only_if_owner_erasure_and_marks_are_as_they_were_read() {
    keeps(async |ports| {
        let email = "a@example.com".parse().unwrap();
        let blank = AddressRecord::default();
        let unusable = AddressRecord {
            marks: Marks { unusable: Some(Unusable::HardBounce), ..Marks::default() },
            ..blank.clone()
        };
        let others = [
            AddressRecord { owner: Some(id("r-1")), ..blank.clone() },
            AddressRecord { erased: Some(at(1)), ..blank.clone() },
            unusable,
            manual(),
        ];
        for other in others {
            assert!(!ports.addresses.replace(&email, &other, &manual()).await.unwrap(), "{other:?}");
        }
        assert!(ports.addresses.replace(&email, &blank, &manual()).await.unwrap());
        assert!(!ports.addresses.replace(&email, &blank, &manual()).await.unwrap());
        let noted = AddressRecord { note: None, ..manual() };
        // Since when, and the note, are no part of what is compared.
        let mut before = noted.clone();
        before.marks.suppression = Some(Suppression::manual(at(99)));
        assert!(ports.addresses.replace(&email, &before, &noted).await.unwrap());
        assert_eq!(ports.addresses.get(&[email]).await.unwrap(), [noted]);
    });
}

#[test]
fn an_address_of_which_nothing_is_left_is_forgotten_and_its_bounces_are_not() {
    keeps(async |ports| {
        let email = "a@example.com".parse().unwrap();
        let blank = AddressRecord::default();
        assert!(ports.addresses.replace(&email, &blank, &manual()).await.unwrap());
        assert!(ports.addresses.replace(&email, &manual(), &blank).await.unwrap());
        let create = [(email.clone(), manual())];
        assert_eq!(ports.addresses.create(&create).await.unwrap(), [true], "nothing of it is stored");

        let one = person("r-1");
        ports.add(&one).await;
        let owned = "r-1@example.com".parse().unwrap();
        ports.mailboxes.soft_bounced(&owned, at(1)).await.unwrap();
        let mut left = super::next(&one, suppressed);
        left.profile.work = None;
        ports.put(Some(&one), &left).await;
        let held = ports.addresses.get(std::slice::from_ref(&owned)).await.unwrap().remove(0);
        assert_eq!((held.soft_bounces.as_slice(), held.marks.suppression), (&[at(1)][..], left.suppression));
        let lifted = AddressRecord { marks: Marks::default(), ..held.clone() };
        assert!(ports.addresses.replace(&owned, &held, &lifted).await.unwrap());
        assert_eq!(ports.addresses.get(&[owned]).await.unwrap(), [lifted]);
    });
}

#[test]
fn a_note_stands_only_beside_a_manual_suppression() {
    keeps(async |ports| {
        let email = "a@example.com".parse().unwrap();
        assert!(ports.addresses.replace(&email, &AddressRecord::default(), &manual()).await.unwrap());
        let mut heavier = manual();
        heavier.marks.suppression.as_mut().unwrap().kind = germane::domain::recipient::SuppressionKind::Complaint;
        assert!(ports.addresses.replace(&email, &manual(), &heavier).await.unwrap());
        let held = ports.addresses.get(&[email]).await.unwrap().remove(0);
        assert_eq!(held, AddressRecord { note: None, ..heavier });
    });
}

#[test]
fn a_soft_bounce_is_noted_once_of_a_mailbox_that_somebody_has_and_the_oldest_are_forgotten() {
    keeps(async |ports| {
        let nobodys = "nobody@example.com".parse().unwrap();
        assert_eq!(ports.mailboxes.soft_bounced(&nobodys, at(1)).await.unwrap(), []);
        assert_eq!(ports.addresses.get(&[nobodys]).await.unwrap(), [AddressRecord::default()]);
        ports.add(&person("r-1")).await;
        let email = "r-1@example.com".parse().unwrap();
        let mut times = Vec::new();
        for second in [5, 3, 5, 1] {
            times = ports.mailboxes.soft_bounced(&email, at(second)).await.unwrap();
        }
        assert_eq!(times, [at(1), at(3), at(5)]);
        for second in 100..115 {
            times = ports.mailboxes.soft_bounced(&email, at(second)).await.unwrap();
        }
        // Those before were forgotten after they were told.
        assert_eq!((times.len(), times[0]), (17, at(3)));
        let mut kept = vec![at(5)];
        kept.extend((100..115).map(at));
        assert_eq!(ports.addresses.get(&[email]).await.unwrap().remove(0).soft_bounces, kept);
    });
}
