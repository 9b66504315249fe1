//! Help that a person can start from.

use std::fmt::Write as _;

use super::run::alone;

#[test]
fn every_verb_says_what_it_does_and_shows_examples() {
    let verbs: [&[&str]; 36] = [
        &[],
        &["demo"],
        &["local"],
        &["worker"],
        &["doctor"],
        &["import"],
        &["preview"],
        &["send"],
        &["status"],
        &["pause"],
        &["resume"],
        &["cancel"],
        &["why"],
        &["decisions"],
        &["newsletters"],
        &["newsletters", "list"],
        &["newsletters", "get"],
        &["newsletters", "put"],
        &["newsletters", "delete"],
        &["recipients"],
        &["recipients", "get"],
        &["recipients", "put"],
        &["recipients", "export"],
        &["recipients", "erase"],
        &["suppressions"],
        &["suppressions", "add"],
        &["suppressions", "get"],
        &["suppressions", "remove"],
        &["suppressions", "import"],
        &["attributes"],
        &["policy"],
        &["policy", "get"],
        &["policy", "put"],
        &["tables", "create"],
        &["templates", "push"],
        &["templates", "render"],
    ];
    let mut all = String::new();
    for verb in verbs {
        let ended = alone(&[verb, &["--help"]].concat());
        assert_eq!(ended.code, 0);
        let _ = write!(all, "$ {} --help\n{}\n", [&["germane"], verb].concat().join(" "), ended.out);
    }
    let too_long: Vec<&str> = all.lines().filter(|line| line.chars().count() > 100).collect();
    assert!(too_long.is_empty(), "{too_long:#?}");
    insta::assert_snapshot!(all);
}

#[test]
fn no_verb_at_all_is_usage_and_shows_the_help() {
    let ended = alone(&[]);
    assert_eq!((ended.code, ended.out.as_str()), (2, ""));
    assert!(ended.err.contains("germane demo"));
}
