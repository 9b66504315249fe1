//! Claims and give-backs: each a conditional write of its own, several in one call.

use germane::{
    domain::{
        frequency::{Send, Sends},
        id::SendKey,
        recipient::Recipient,
    },
    flow::send::claim::{SendsWrite, Written},
};

use super::{at, campaign_id, claim, id, keeps, next, person};

fn sends(number: u8) -> Sends {
    let send = Send { key: SendKey::campaign(&campaign_id()), at: at(1), claim: claim(number), counts: true };
    Sends::new(vec![send])
}

fn write(person: &Recipient, number: u8) -> SendsWrite {
    SendsWrite { id: person.id.clone(), version: person.version, sends: sends(number) }
}

fn claimed(person: &Recipient, number: u8) -> Recipient {
    next(person, |person| person.sends = sends(number))
}

#[test]
fn a_claim_raises_the_version_and_changes_nothing_but_the_sends() {
    keeps(async |ports| {
        let one = person("r-1");
        ports.add(&one).await;
        assert_eq!(ports.claims.write(&[write(&one, 1)]).await.unwrap(), [Written::Done]);
        assert_eq!(ports.person("r-1").await, Some(claimed(&one, 1)));
    });
}

#[test]
fn a_claim_that_loses_is_answered_with_what_is_there() {
    keeps(async |ports| {
        let one = person("r-1");
        ports.add(&one).await;
        let two = next(&one, |person| person.profile.locale = Some("de".to_owned()));
        ports.put(Some(&one), &two).await;
        let lost = ports.claims.write(&[write(&one, 1)]).await.unwrap();
        assert_eq!(lost, [Written::Lost(Some(Box::new(two.clone())))]);
        assert_eq!(ports.person("r-1").await, Some(two));
    });
}

#[test]
fn a_claim_pins_the_very_version_and_neither_one_before_nor_one_after_it() {
    keeps(async |ports| {
        let one = person("r-1");
        ports.add(&one).await;
        for version in [one.version - 1, one.version + 1] {
            let lost = ports.claims.write(&[SendsWrite { version, ..write(&one, 1) }]).await.unwrap();
            assert_eq!(lost, [Written::Lost(Some(Box::new(one.clone())))]);
        }
        assert_eq!(ports.person("r-1").await, Some(one));
    });
}

#[test]
fn a_claim_on_somebody_who_is_not_there_makes_nobody() {
    keeps(async |ports| {
        assert_eq!(ports.claims.write(&[write(&person("r-1"), 1)]).await.unwrap(), [Written::Lost(None)]);
        assert_eq!(ports.person("r-1").await, None);
        let one = person("r-2");
        ports.add(&one).await;
        assert!(ports.people.erase(&one, at(1)).await.unwrap());
        assert_eq!(ports.claims.write(&[write(&one, 1)]).await.unwrap(), [Written::Lost(None)]);
    });
}

#[test]
fn a_claim_that_is_repeated_finds_itself() {
    keeps(async |ports| {
        let one = person("r-1");
        ports.add(&one).await;
        ports.claims.write(&[write(&one, 1)]).await.unwrap();
        let again = ports.claims.write(&[write(&one, 1)]).await.unwrap();
        assert_eq!(again, [Written::Lost(Some(Box::new(claimed(&one, 1))))]);
    });
}

#[test]
fn claims_of_one_call_are_answered_in_their_order_each_by_itself() {
    keeps(async |ports| {
        let people: Vec<Recipient> = (10..34).map(|number| person(&format!("r-{number}"))).collect();
        for person in people.iter().filter(|person| person.id != id("r-15")) {
            ports.add(person).await;
        }
        let moved = next(&people[7], |person| person.profile.locale = Some("de".to_owned()));
        ports.put(Some(&people[7]), &moved).await;
        let writes: Vec<SendsWrite> = people.iter().rev().map(|person| write(person, 1)).collect();
        let expected: Vec<Written> = (0..24)
            .rev()
            .map(|place| match place {
                5 => Written::Lost(None),
                7 => Written::Lost(Some(Box::new(moved.clone()))),
                _ => Written::Done,
            })
            .collect();
        assert_eq!(ports.claims.write(&writes).await.unwrap(), expected);
    });
}

#[test]
fn a_slot_that_is_given_back_leaves_no_send() {
    keeps(async |ports| {
        let one = person("r-1");
        ports.add(&one).await;
        ports.claims.write(&[write(&one, 1)]).await.unwrap();
        let held = claimed(&one, 1);
        let back = SendsWrite { id: held.id.clone(), version: held.version, sends: held.sends.without(claim(1)) };
        assert_eq!(ports.claims.write(&[back]).await.unwrap(), [Written::Done]);
        let after = ports.person("r-1").await.unwrap();
        assert_eq!((after.version, after.sends), (one.version + 2, Sends::default()));
    });
}
