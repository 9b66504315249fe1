//! The yearly notice: what is held, how it was used, to each person alone, whatever they are called.

use serde_json::{Value, json};

use crate::world::{World, campaign, person, policy, with};

fn notice(id: &str) -> Value {
    let file = include_str!("../../templates/data-notice/campaign.json");
    with(serde_json::from_str(file).unwrap(), json!({ "id": id }))
}

#[tokio::test]
async fn each_person_is_told_what_is_held_where_it_comes_from_and_how_often_it_was_used() {
    let world = World::start().await;
    let hostile = "\"><script>alert('x')</script>&amp;{{h.why}}\\";
    let german = json!({ "locale": "de", "attributes": { "first_name": hostile }, "owns": ["course-rust-101"],
        "preferences": { "muted_topics": ["rust/macros"], "max_frequency": { "sends": 2, "days": 7 } } });
    world.put(&[with(person("r-1"), german), person("r-2"), with(person("r-3"), json!({ "consents": null }))]).await;
    for id in ["one", "two"] {
        world.send(&campaign(id)).await;
    }
    let report = world.send(&notice("notice")).await;
    assert_eq!((&report["outcomes"]["sent"], &report["reasons"]), (&json!(3), &json!({})));

    let mails = world.mails("notice");
    let mail = |id: &str| mails[&id.parse().unwrap()][0].clone();
    let (html, text) = (mail("r-1").html().unwrap(), mail("r-1").text().unwrap());
    assert_eq!(mail("r-1").subject, "Was wir über Sie gespeichert haben");
    assert!(text.contains(hostile), "{text}");
    assert!(!html.contains("<script") && html.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;amp;"));
    assert!(html.contains("{{h.why}}"), "it is a value, and nobody runs it");
    for told in [
        "vor dieser bekommen haben: 2",
        "r…@example.com",
        "Europe/Berlin",
        "Rust: 90 %",
        "Ihre Angabe",
        "12. März 2026",
        "eingewilligt",
        "course-rust-101",
        "2 in 7 Tagen",
        "sign-up form",
        "https://mail.example.com/p/",
    ] {
        assert!(text.contains(told), "{told} in {text}");
    }
    assert!(!text.contains("r-1@example.com") && !html.contains("r-1@example.com"));
    let text = mail("r-2").text().unwrap();
    assert!(text.contains("30 days before this one: 2") && text.contains("12 March 2026"), "{text}");
    assert!(text.contains("what you told us") || text.contains("you told us"), "{text}");
    assert!(mail("r-3").text().unwrap().contains("30 days before this one: 0"));
    assert!(mail("r-2").headers().contains_key("List-Unsubscribe"));

    // A notice uses no slot of anybody's cap, and is no mail that the next notice would count.
    let again = world.send(&notice("again")).await;
    assert_eq!(again["reasons"], json!({ "frequency_cap": 3 }));
    world.clock.advance(std::time::Duration::from_hours(24 * 30));
    assert_eq!(world.send(&notice("later")).await["outcomes"]["sent"], 3);
    let later = world.mails("later")[&"r-2".parse().unwrap()][0].text().unwrap();
    assert!(later.contains("30 days before this one: 0"), "{later}");
}

#[tokio::test]
async fn the_files_for_both_channels_reach_everybody_once() {
    let world = World::start().await;
    let personal = json!({ "addresses": { "work": null, "personal": "r-2@example.net" } });
    let both = json!({ "addresses": { "personal": "r-3@example.net" } });
    world.put(&[person("r-1"), with(person("r-2"), personal), with(person("r-3"), both)]).await;
    for file in [
        include_str!("../../templates/data-notice/campaign.json"),
        include_str!("../../templates/data-notice/campaign-personal.json"),
    ] {
        world.send(&serde_json::from_str(file).unwrap()).await;
    }
    let to: std::collections::BTreeSet<String> =
        world.services.ses.mails().iter().map(|mail| mail.to.clone()).collect();
    assert_eq!(to.into_iter().collect::<Vec<_>>(), ["r-1@example.com", "r-2@example.net", "r-3@example.com"]);
    assert_eq!(world.services.ses.mails().len(), 3);
}

#[tokio::test]
async fn whoever_has_more_than_fits_in_a_mail_is_told_how_much() {
    let world = World::start().await;
    let interests: Vec<Value> =
        (0..200).map(|n| json!({ "topic": format!("rust/{}-{n:03}", "x".repeat(100)), "strength": 0.5 })).collect();
    world.put(&[with(person("r-1"), json!({ "interests": interests }))]).await;
    assert_eq!(world.send(&notice("notice")).await["outcomes"]["sent"], 1);
    let text = world.mails("notice")[&"r-1".parse().unwrap()][0].text().unwrap();
    let listed = text.matches("50 %").count();
    assert!(listed > 20 && listed < 200, "{listed}");
    assert!(text.contains(&format!("Further entries: {}", 200 - listed + 1)), "{listed} of 200, and a consent\n{text}");
}

#[tokio::test]
async fn it_counts_mails_of_other_notices_too() {
    let world = World::start().await;
    world.put_policy(&policy()).await;
    let pending = json!({ "consents": [{ "topic": "rust", "channel": "work", "status": "pending" }] });
    world.put(&[with(person("r-1"), pending)]).await;
    world.drain().await;
    assert_eq!(world.send(&notice("notice")).await["outcomes"]["sent"], 1);
    let text = world.mails("notice")[&"r-1".parse().unwrap()][0].text().unwrap();
    assert!(text.contains("30 days before this one: 1") && text.contains("not confirmed"), "{text}");
}
