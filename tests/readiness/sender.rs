//! The sender's identity.

use germane::domain::{
    email::Mailbox,
    readiness::{
        State::{self, Advice, Missing, Ready, Unknown},
        sender::{Identity, MailFrom, Proof, judge, names},
    },
};

use super::{says_what_to_do, states};

fn from() -> Mailbox {
    "Rust Weekly <news@mail.Example.com>".parse().unwrap()
}

fn identity() -> Identity {
    Identity {
        verified: true,
        verification: Proof::Success,
        dkim: Some(Proof::Success),
        mail_from: Some(MailFrom { proof: Proof::Success, refuses: false }),
    }
}

/// Identity, DKIM and MAIL FROM.
fn judged(change: impl Fn(&mut Identity)) -> [State; 3] {
    let mut identity = identity();
    change(&mut identity);
    let checks = judge(&from(), &[("example.com".to_owned(), identity)]);
    assert!(checks.iter().all(says_what_to_do), "{checks:?}");
    states(&checks)
}

#[test]
fn the_address_is_looked_for_first_then_its_domain_and_those_above() {
    assert_eq!(names(&from()), ["news@mail.Example.com", "mail.example.com", "example.com"]);
    assert_eq!(names(&"a@example.org".parse().unwrap()), ["a@example.org", "example.org"]);
}

#[test]
fn a_verified_domain_that_signs_is_ready() {
    let checks = judge(&from(), &[("example.com".to_owned(), identity())]);
    assert_eq!(
        checks.map(|check| check.found),
        ["example.com is verified", "mails of example.com are signed", "example.com has a MAIL FROM domain of its own"]
    );
}

#[test]
fn no_address_is_told() {
    let checks = judge(&from(), &[("news@mail.Example.com".to_owned(), identity())]);
    assert!(checks.iter().all(|check| !check.found.contains('@')), "{checks:?}");
    assert_eq!(checks[0].found, "the address of `from` at mail.Example.com is verified");
}

#[test]
fn without_an_identity_nothing_of_it_can_be_looked_at() {
    let checks = judge(&from(), &[]);
    assert_eq!(states(&checks), [Missing, Unknown, Unknown]);
    assert!(checks[0].next.as_ref().unwrap().contains("create the identity mail.Example.com"), "{checks:?}");
}

#[test]
fn only_what_ses_sends_for_is_verified() {
    for proof in
        [Proof::Success, Proof::Pending, Proof::Failed, Proof::TemporaryFailure, Proof::NotStarted, Proof::Other]
    {
        let judged = judged(|identity| {
            identity.verified = false;
            identity.verification = proof;
        });
        assert_eq!(judged, [Missing, Ready, Ready], "{proof:?}");
    }
    // SES goes on with what it found before.
    assert_eq!(judged(|identity| identity.verification = Proof::TemporaryFailure), [Ready; 3]);
}

#[test]
fn unsigned_mail_keeps_campaigns_from_running() {
    let signed = |dkim| judged(|identity| identity.dkim = dkim)[1];
    assert_eq!(
        [None, Some(Proof::Pending), Some(Proof::Failed), Some(Proof::NotStarted), Some(Proof::Other)].map(signed),
        [Missing; 5]
    );
    assert_eq!(signed(Some(Proof::TemporaryFailure)), Advice);
}

#[test]
fn a_mail_from_domain_is_advice_unless_ses_refuses_mails_without_it() {
    let of = |mail_from| judged(|identity| identity.mail_from = mail_from)[2];
    assert_eq!(of(None), Advice);
    for proof in [Proof::Pending, Proof::Failed, Proof::TemporaryFailure, Proof::NotStarted, Proof::Other] {
        let own = |refuses| of(Some(MailFrom { proof, refuses }));
        assert_eq!([own(false), own(true)], [Advice, Missing], "{proof:?}");
    }
    assert_eq!(of(Some(MailFrom { proof: Proof::Success, refuses: true })), Ready);
}

#[test]
fn what_is_verified_closest_decides_and_has_from_above_what_it_leaves_open() {
    let judged = |address: Identity| {
        let found = [("news@mail.Example.com".to_owned(), address), ("example.com".to_owned(), identity())];
        judge(&from(), &found).map(|check| {
            (check.state, check.found.starts_with("mails of example.com") || check.found.starts_with("example.com"))
        })
    };
    let own = |dkim| Identity { dkim, mail_from: None, ..identity() };
    let address = (Ready, false);
    let domain = (Ready, true);
    assert_eq!(judged(own(Some(Proof::NotStarted))), [address, domain, domain], "the domain's key signs");
    assert_eq!(judged(own(Some(Proof::Success))), [address, address, domain]);
    assert_eq!(judged(own(None)), [address, (Missing, false), domain], "it was switched off for this address");
    let unverified = Identity { verified: false, verification: Proof::Pending, ..own(None) };
    assert_eq!(judged(unverified), [domain; 3], "an address that nobody confirmed inherits");
}
