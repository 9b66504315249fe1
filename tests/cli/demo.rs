//! The demo and the local stack, as processes.

use serde_json::Value;

use super::run::{Running, alone};

#[test]
fn the_demo_is_one_object_whose_sums_agree() {
    let ended = alone(&["demo", "--recipients", "300", "--json"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    let demo = ended.json();
    assert_eq!(demo["recipients"], 300);
    assert_eq!(demo["report"]["status"], "complete");
    assert_eq!(demo["report"]["audience"], 300);
    assert_eq!(demo["report"]["outcomes"], demo["preview"]["outcomes"]);
    assert_eq!(demo["mails"], demo["report"]["outcomes"]["sent"]);
    let outcomes: u64 = demo["report"]["outcomes"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
    assert_eq!(outcomes, 300);
}

#[test]
fn three_people_with_different_fates_are_told_why() {
    let demo = alone(&["demo", "--recipients", "100", "--json"]).json();
    let fates: Vec<Option<&str>> = demo["why"].as_array().unwrap().iter().map(|why| why["reason"].as_str()).collect();
    assert_eq!(fates, [None, Some("out_of_context"), Some("already_owned")]);
}

#[test]
fn other_seeds_invent_other_people() {
    let report =
        |seed| alone(&["demo", "--recipients", "100", "--json", "--seed", seed]).json()["report"]["reasons"].clone();
    assert_ne!(report("1"), report("2"));
}

#[cfg(unix)]
#[test]
fn local_says_where_it_listens_and_ends_well_when_told_to() {
    for signal in ["-INT", "-TERM"] {
        let mut local = Running::start(&["local", "--port", "0"]);
        let url = local.says("listening on ");
        std::net::TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
        local.signal(signal);
        let ended = local.ends();
        assert_eq!((ended.code, ended.out.as_str()), (0, ""), "{ended:?}");
    }
}
