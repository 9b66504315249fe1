//! What recipients do themselves: by a mail's link only less, by a link mailed to them everything.

use germane::domain::{
    channel::{Channel, Context},
    consent::{
        ConsentStatus::{Granted, Withdrawn},
        standing,
    },
    frequency::FrequencyCap,
    interest::{InterestSource, Strength},
    recipient::{
        Act, Less, More, NotDone, Recipient, Suppression,
        SuppressionKind::{Complaint, UnsubscribedAll},
    },
    time::days_after,
};

use crate::given::{Given, cap, consent, days_ago, interest, now, policy, recipient, topic};

fn act(person: &mut Recipient, act: &Act) -> Result<usize, NotDone> {
    person.act(act, &policy(), now()).map(|moves| moves.len())
}

fn less(person: &mut Recipient, less: Less) -> Result<usize, NotDone> {
    act(person, &Act::Less(less))
}

fn more(person: &mut Recipient, more: More) -> Result<usize, NotDone> {
    act(person, &Act::More(more))
}

fn join(on: &str, channel: Channel) -> More {
    More::Join { topic: topic(on), channel }
}

#[test]
fn a_cap_implies_another_where_nobody_who_keeps_it_can_break_the_other() {
    // By trying: the most that fits is a full slot at the start of each span.
    let most =
        |cap: FrequencyCap, days: u32| (0..days).filter(|day| day % cap.days == 0).map(|_| cap.sends).sum::<u32>();
    for (sends, days) in [(1, 7), (2, 7), (1, 14), (3, 30), (1, 30)] {
        for (other_sends, other_days) in [(1, 1), (3, 7), (1, 7), (2, 14), (5, 30), (1, 30)] {
            let (ours, other) = (cap(sends, days), cap(other_sends, other_days));
            assert_eq!(ours.implies(other), most(ours, other.days) <= other.sends, "{ours:?} {other:?}");
        }
    }
}

#[test]
fn a_mails_link_lowers_the_frequency_only_below_what_holds() {
    let mut person = recipient();
    for (looser, why) in
        [(cap(3, 7), "the policy has it"), (cap(9, 30), "the policy has a stricter one"), (cap(20, 1), "")]
    {
        assert_eq!(less(&mut person, Less::Lower(looser)), Err(NotDone::NotLess), "{why}");
    }
    assert!(!person.preferences.by_recipient);
    less(&mut person, Less::Lower(cap(1, 7))).unwrap();
    assert_eq!((person.preferences.max_frequency, person.preferences.by_recipient), (Some(cap(1, 7)), true));
    for not_stricter in [cap(1, 7), cap(2, 7), cap(2, 30), cap(1, 1)] {
        assert_eq!(less(&mut person, Less::Lower(not_stricter)), Err(NotDone::NotLess), "{not_stricter:?}");
    }
    less(&mut person, Less::Lower(cap(1, 14))).unwrap();
    more(&mut person, More::Frequency(Some(cap(2, 7)))).unwrap();
    assert_eq!(person.preferences.max_frequency, Some(cap(2, 7)));
    more(&mut person, More::Frequency(None)).unwrap();
    assert_eq!(person.preferences.max_frequency, None);
}

#[test]
fn a_mails_link_only_lengthens_a_pause() {
    let mut person = recipient();
    let pause = |days: u32| Less::Pause { until: days_after(now(), days) };
    assert_eq!(less(&mut person, Less::Pause { until: days_ago(1) }), Err(NotDone::NotLess));
    less(&mut person, pause(30)).unwrap();
    for shorter in [14, 30] {
        assert_eq!(less(&mut person, pause(shorter)), Err(NotDone::NotLess));
    }
    less(&mut person, pause(90)).unwrap();
    assert_eq!(person.preferences.paused_until, Some(days_after(now(), 90)));
    more(&mut person, More::Pause(None)).unwrap();
    assert!(Given::germane().but(|given| given.recipient = person).sends());
}

#[test]
fn leaving_everything_keeps_a_complaint_and_only_leaving_is_taken_back() {
    let mut person = recipient();
    less(&mut person, Less::LeaveAll).unwrap();
    assert_eq!(person.suppression.map(|s| s.kind), Some(UnsubscribedAll));
    more(&mut person, More::Return).unwrap();
    assert_eq!(person.suppression, None);

    let complained = Suppression { kind: Complaint, since: days_ago(3) };
    person.profile.suppression = Some(complained);
    less(&mut person, Less::LeaveAll).unwrap();
    more(&mut person, More::Return).unwrap();
    assert_eq!(person.suppression, Some(complained));
}

#[test]
fn a_mute_covers_what_lies_below_and_holds_on_both_channels() {
    let mut person = recipient();
    person.profile.consents.push(consent(Granted, "rust/async", days_ago(9)));
    for muted in ["rust/async", "rust", "rust/async"] {
        less(&mut person, Less::Mute(topic(muted))).unwrap();
    }
    assert_eq!(person.preferences.muted_topics, [topic("rust")]);
    assert!(!Given::germane().but(|given| given.recipient = person.clone()).sends());
    more(&mut person, More::Unmute(topic("rust"))).unwrap();
    assert!(Given::germane().but(|given| given.recipient = person).sends());
}

#[test]
fn leaving_withdraws_the_grant_that_permits_the_topic_once() {
    let mut person = recipient();
    let mut leave = || person.leave(&topic("rust/async"), Channel::Work, "one-click", now()).is_some();
    assert_eq!([leave(), leave()], [true, false]);
    assert_eq!(less(&mut person, Less::Leave { topic: topic("rust"), channel: Channel::Work }), Ok(0));
    let [left] = person.consents.as_slice() else { panic!("{:?}", person.consents) };
    assert_eq!((left.topic.as_str(), left.status, left.by_recipient), ("rust", Withdrawn, true));
}

#[test]
fn a_forwarded_link_cannot_fill_up_a_record() {
    let mut person = recipient();
    let before = person.clone();
    for n in 0..3 {
        let made_up = topic(&format!("rust/made-up-{n}"));
        let leave = Less::Leave { topic: made_up.clone(), channel: Channel::Personal };
        assert_eq!(less(&mut person, leave), Err(NotDone::NotOffered));
        assert_eq!(less(&mut person, Less::Mute(made_up)), Err(NotDone::NotOffered));
    }
    more(&mut person, More::Disown("never-had".parse().unwrap())).unwrap();
    more(&mut person, More::Unmute(topic("garden"))).unwrap();
    assert_eq!(person, before);
}

#[test]
fn joining_grants_also_after_any_withdrawal_and_makes_the_topic_germane() {
    for withdrawn in ["rust", "rust/async"] {
        let mut given = Given::germane();
        let person = &mut given.recipient;
        person.profile.consents = vec![consent(Withdrawn, withdrawn, days_after(now(), 1))];
        person.profile.interests.clear();
        person.profile.preferences.muted_topics = vec![topic("rust")];
        assert!(!given.sends());
        more(&mut given.recipient, join("rust", Channel::Work)).unwrap();
        let topic = if withdrawn == "rust" { topic("rust/async") } else { topic("rust") };
        let standing = standing(&given.recipient.consents, &topic, Channel::Work, now());
        assert!(standing.is_ok_and(|grant| grant.by_recipient), "{withdrawn}");
        given.campaign.topic = topic;
        assert!(given.sends(), "{withdrawn}: interest and mutes follow");
    }
}

#[test]
fn only_what_the_policy_offers_and_an_address_reaches_can_be_joined() {
    let mut person = recipient();
    for (on, channel) in [("garden", Channel::Work), ("rust/async", Channel::Work), ("nothing", Channel::Personal)] {
        assert_eq!(more(&mut person, join(on, channel)), Err(NotDone::NotOffered), "{on}");
    }
    person.profile.personal = None;
    assert_eq!(more(&mut person, join("garden", Channel::Personal)), Err(NotDone::NoAddress));
    assert_eq!(person.consents.iter().filter(|c| c.status == Granted).count(), 1);
}

#[test]
fn what_they_say_of_an_interest_stands_in_place_of_all_that_was_observed() {
    let mut person = recipient();
    let observed = [InterestSource::Behaviour, InterestSource::Purchase].map(|source| interest(source, "rust", 0.8));
    person.profile.interests.extend(observed);
    let set = |strength| More::Interest { topic: topic("rust"), context: Context::Any, strength };
    more(&mut person, set(Some(Strength::new(0.5)))).unwrap();
    let of = |person: &Recipient| {
        let of_rust = person.interests.iter().filter(|i| i.context == Context::Any);
        of_rust.map(|i| (i.source, i.strength.get())).collect::<Vec<_>>()
    };
    assert_eq!(of(&person), [(InterestSource::Declared, 0.5)]);
    assert_eq!(person.interests.len(), 2, "another context is another fact");
    more(&mut person, set(None)).unwrap();
    assert_eq!(of(&person), []);
    let unknown = More::Interest { topic: topic("nothing"), context: Context::Any, strength: None };
    assert_eq!(more(&mut person, unknown), Err(NotDone::NotOffered));
}

#[test]
fn addresses_are_chosen_from_those_held_and_one_stays() {
    let mut person = recipient();
    let (work, personal) = (person.work.clone().unwrap(), person.personal.clone().unwrap());
    let choose = |work: Option<&str>, personal: Option<&str>| {
        let read = |raw: Option<&str>| raw.map(|raw| raw.parse().unwrap());
        More::Addresses { work: read(work), personal: read(personal) }
    };
    let (w, p) = (Some("r-1042@example.com"), Some("r-1042@example.net"));
    assert_eq!(more(&mut person, choose(None, None)), Err(NotDone::LastAddress));
    assert_eq!(more(&mut person, choose(Some("new@example.org"), p)), Err(NotDone::NotOffered));
    assert!(person.own.is_empty());
    for _again in 0..2 {
        more(&mut person, choose(p, w)).unwrap();
        assert_eq!((person.work.as_ref(), person.personal.as_ref()), (Some(&personal), Some(&work)));
    }
    more(&mut person, choose(w, w)).unwrap();
    more(&mut person, choose(w, None)).unwrap();
    assert_eq!((person.work.as_ref(), person.personal.as_ref()), (Some(&work), None));
}
