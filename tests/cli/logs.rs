//! What a stack logs names no address, no person and no link, whatever is done with it.

use serde_json::{Value, json};

use super::run::{Running, alone};
use crate::{
    stack::Site,
    world::{campaign, person, with},
};

/// Stands in every address, name and note.
const MARK: &str = "zqmark";

fn marked(id: &str, work: &str) -> Value {
    let change = json!({
        "addresses": { "work": work, "personal": format!("{MARK}.{id}@example.net") },
        "attributes": { "first_name": MARK.to_uppercase() },
    });
    with(person(id), change)
}

/// The tokens of the links in the mails so far.
async fn tokens(site: &Site) -> Vec<String> {
    let mails = site.get("/inbox/messages").await.1;
    let texts = mails.as_array().unwrap().iter().map(|mail| mail["text"].as_str().unwrap());
    let words = texts.flat_map(str::split_whitespace);
    let links = words.filter(|word| ["/u/", "/p/", "/c/"].iter().any(|part| word.contains(part)));
    links.map(|link| link.rsplit('/').next().unwrap().trim_end_matches(['.', ',']).to_owned()).collect()
}

#[tokio::test]
async fn no_log_of_a_whole_journey_names_an_address_a_person_or_a_link() {
    let mut stack = Running::start_talkative(&["local", "--port", "0"]);
    let site = Site::at(&stack.says("listening on "));
    let accounts = ["success", "bounce", "complaint", "ooto"];
    for account in accounts {
        let address = format!("{account}+{MARK}@simulator.amazonses.com");
        assert_eq!(site.put(&format!("/v1/recipients/{account}"), &marked(account, &address)).await.0, 200);
    }
    let address = |id: &str| format!("{MARK}.{id}@example.com");
    for id in ["left", "asked", "erased", "taken"] {
        assert_eq!(site.put(&format!("/v1/recipients/{id}"), &marked(id, &address(id))).await.0, 200);
    }
    // Each refused with what was found.
    assert_eq!(site.put("/v1/recipients/twice", &marked("twice", &address("taken"))).await.0, 409);
    assert_eq!(
        site.put("/v1/recipients/wrong", &json!({ "addresses": { "work": format!("{MARK} at") } })).await.0,
        422
    );
    assert_eq!(site.put(&format!("/v1/suppressions/{MARK}"), &json!({})).await.0, 422);
    assert_eq!(site.put(&format!("/v1/suppressions/{}", address("nobody")), &json!({ "note": MARK })).await.0, 200);
    let pending = json!({ "consents": [{ "topic": "rust/async", "channel": "work", "status": "pending" }] });
    assert_eq!(site.put("/v1/recipients/asked", &pending).await.0, 200);

    site.send(&campaign("weekly")).await;
    // The bounce, the complaint and the automatic answer are told afterwards.
    let told = |report: &Value| {
        let of = |kind: &str| report["feedback"][kind].as_u64() == Some(1);
        report["status"] == "complete" && of("hard_bounced") && of("complained") && of("soft_bounced")
    };
    site.report("weekly", told).await;
    site.report("weekly", |report| report["feedback"]["delivered"].as_u64() >= Some(7)).await;

    let tokens = tokens(&site).await;
    assert!(tokens.len() >= 16, "{}", tokens.len());
    for token in &tokens {
        for kind in ["u", "p", "c"] {
            let link = format!("{}/{kind}/{token}", site.url);
            let opened = reqwest::get(&link).await.unwrap().status();
            assert!(opened == 200 || opened == 404, "{opened}");
            site.post_text(&link, "List-Unsubscribe=One-Click").await;
        }
    }
    let erased = reqwest::Client::new().delete(format!("{}/v1/recipients/erased", site.url)).send().await.unwrap();
    assert_eq!(erased.status(), 204);
    assert_eq!(site.put("/v1/recipients/again", &marked("again", &address("erased"))).await.0, 409);

    stack.signal("-INT");
    let ended = stack.ends();
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.err.contains("launched"), "it logs what happens: {}", ended.err);
    let log = ended.err.to_lowercase();
    let named: Vec<&str> = log.lines().filter(|line| line.contains(MARK) || line.contains("@example")).collect();
    assert!(named.is_empty(), "{named:#?}");
    let linked: Vec<&String> = tokens.iter().filter(|token| ended.err.contains(token.as_str())).collect();
    assert!(linked.is_empty(), "{linked:?}");
}

#[tokio::test]
async fn hostile_names_and_sources_reach_no_terminal_and_no_log_as_more_than_text() {
    const ESCAPE: char = '\u{1b}';
    let mut stack = Running::start_talkative(&["local", "--port", "0"]);
    let site = Site::at(&stack.says("listening on "));
    let clears = format!("{ESCAPE}[2J{MARK}\r\nINFO forged");
    for field in ["attributes/first_name", "consents/0/source", "consents/0/evidence", "locale", "owns/0"] {
        let mut hostile = marked("r-1", &format!("{MARK}@example.com"));
        hostile["owns"] = json!(["course-rust-101"]);
        hostile["locale"] = json!("de");
        let consent = &mut hostile["consents"][0];
        (consent["source"], consent["evidence"]) = (json!("form"), json!("shown"));
        *hostile.pointer_mut(&format!("/{field}")).unwrap() = json!(clears);
        let (status, problem) = site.put("/v1/recipients/r-1", &hostile).await;
        assert_eq!((status, problem["errors"][0]["field"].as_str()), (422, Some(&*format!("/{field}"))), "{problem}");
    }
    let mut person = marked("r-1", &format!("{MARK}@example.com"));
    let markup = "<img src=x onerror=alert(1)>{{why}}$(reboot)`%s";
    (person["attributes"]["first_name"], person["consents"][0]["source"]) = (json!(markup), json!(markup));
    assert_eq!(site.put("/v1/recipients/r-1", &person).await.0, 200);
    site.send(&campaign("weekly")).await;
    site.report("weekly", |report| report["status"] == "complete").await;
    let told = [
        vec!["status", "weekly"],
        vec!["why", "weekly", "r-1", "--all"],
        vec!["decisions", "weekly"],
        vec!["recipients", "get", "r-1"],
        vec!["recipients", "export", "r-1"],
        vec!["why", "weekly", &clears],
        vec!["status", &clears],
    ];
    for args in told {
        let ended = alone(&[&args[..], &["--endpoint", &site.url]].concat());
        assert!(!ended.out.contains(ESCAPE) && !ended.err.contains(ESCAPE), "{args:?}: {ended:?}");
    }
    stack.signal("-INT");
    let log = stack.ends().err;
    assert!(log.contains("launched"), "{log}");
    assert!(!log.contains(ESCAPE) && !log.contains("INFO forged") && !log.contains("onerror"), "{log}");
}
