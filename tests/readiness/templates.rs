//! The templates.

use germane::domain::{
    id::TemplateName,
    policy::Policy,
    readiness::{
        State::{self, Advice, Missing, Ready, Unknown},
        templates::{Held, Pushed, judge, judge_own},
    },
};
use serde_json::{Value, json};

use super::{says_what_to_do, states};
use crate::{given::policy_document, world::with};

fn pushed(name: &str, held: Held) -> Pushed {
    Pushed { name: name.parse().unwrap(), in_ses: format!("germane-{name}-0123456789abcdef"), held }
}

#[test]
fn what_ses_has_as_it_was_pushed_is_ready() {
    let check = judge(&[pushed("a", Held::AsPushed), pushed("b", Held::AsPushed)], 0);
    assert_eq!((check.state, check.found.as_str()), (Ready, "in SES as they were pushed: a, b"));
    let many: Vec<Pushed> = ["a", "b", "c", "d", "e", "f", "g"].map(|name| pushed(name, Held::AsPushed)).into();
    assert_eq!(judge(&many, 0).found, "in SES as they were pushed: a, b, c, d, e, and 2 more");
}

#[test]
fn without_any_template_there_is_nothing_to_send() {
    assert_eq!(judge(&[], 0).state, Missing);
}

#[test]
fn one_that_ses_has_lost_is_pushed_again() {
    let check = judge(&[pushed("a", Held::AsPushed), pushed("b", Held::Absent)], 0);
    assert_eq!((check.state, check.found.as_str()), (Missing, "not in SES: b"));
    assert_eq!(check.next.as_deref(), Some("germane templates push b"));
}

#[test]
fn one_that_was_changed_in_ses_has_to_go_before_it_is_pushed_again() {
    let check = judge(&[pushed("a", Held::Absent), pushed("b", Held::Changed)], 0);
    assert_eq!((check.state, check.found.as_str()), (Missing, "changed in SES since they were pushed: b"));
    let next = check.next.unwrap();
    assert!(
        next.contains("--template-name germane-b-0123456789abcdef") && next.ends_with("templates push b"),
        "{next}"
    );
}

#[test]
fn what_there_was_no_time_for_is_not_known() {
    assert_eq!(judge(&[pushed("a", Held::AsPushed)], 3).state, Unknown);
    assert_eq!(judge(&[pushed("a", Held::Absent)], 3).state, Missing, "what is known to be wrong is told first");
}

/// Confirmations and links to what is held.
fn own(notices: &Value, names: &[&str]) -> [State; 2] {
    let mut document = with(policy_document(), json!({}));
    document["notices"] = notices.clone();
    let policy = Policy::parse(&document).unwrap();
    let names: Vec<TemplateName> = names.iter().map(|name| name.parse().unwrap()).collect();
    let checks = judge_own(Some(&policy), &names);
    assert!(checks.iter().all(says_what_to_do), "{checks:?}");
    states(&checks)
}

#[test]
fn confirmations_need_their_template_and_the_policys_word() {
    let both = ["access-link", "confirm-consent"];
    assert_eq!(own(&json!(["confirm-consent"]), &both), [Ready, Ready]);
    assert_eq!(own(&json!(["data-notice"]), &both), [Advice, Ready]);
    assert_eq!(own(&json!(["confirm-consent"]), &["access-link"]), [Advice, Ready]);
    assert_eq!(own(&json!(["confirm-consent"]), &["confirm-consent"]), [Ready, Advice]);
    assert_eq!(own(&json!([]), &[]), [Advice, Advice]);
    assert_eq!(states(&judge_own(None, &[])), [Unknown, Unknown]);
}
