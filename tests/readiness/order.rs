//! The order of SES's answers.

use germane::domain::readiness::{
    State::{self, Missing, Ready, Unknown},
    order::{
        FLAWED, MAILS,
        Said::{self, Other, Refused, Taken},
        judge,
    },
};

fn judged(said: &[Said]) -> State {
    let check = judge(said);
    assert_eq!(check.next.is_some(), check.state != Ready);
    check.state
}

#[test]
fn only_the_refused_mail_at_its_own_place_proves_the_order() {
    assert_eq!((MAILS, FLAWED), (4, 1));
    assert_eq!(judged(&[Taken, Refused, Taken, Taken]), Ready);
}

#[test]
fn reversed_rotated_or_sorted_answers_are_out_of_order() {
    for said in [[Refused, Taken, Taken, Taken], [Taken, Taken, Refused, Taken], [Taken, Taken, Taken, Refused]] {
        assert_eq!(judged(&said), Missing, "{said:?}");
    }
    let found = judge(&[Taken, Taken, Refused, Taken]).found;
    assert_eq!(found, "SES had to refuse mail 2 of 4, and said that it refused 3");
}

#[test]
fn what_proves_nothing_is_not_known() {
    let busy = || Other("it is busy".to_owned());
    for said in [
        vec![Taken, Taken, Taken, Taken],
        vec![Refused, Refused, Refused, Refused],
        vec![Taken, Refused, Refused, Taken],
        vec![busy(), Refused, busy(), busy()],
        vec![Taken, Refused, Taken],
        vec![],
    ] {
        assert_eq!(judged(&said), Unknown, "{said:?}");
    }
}
