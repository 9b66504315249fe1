//! The link that shows everything: mailed to the address on file alone, for an hour.

use std::time::Duration;

use germane::{
    domain::{
        channel::Channel,
        recipient::{Profile, Suppression, SuppressionKind, Unusable},
    },
    flow::preferences::link::Linked,
    local::ses::SesConfig,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Reader, form_token};
use crate::world::{NOW, Setup, World, campaign, person, with};

fn mailed(world: &World) -> usize {
    world.services.ses.mails().iter().filter(|mail| mail.tags.is_empty()).count()
}

#[tokio::test]
async fn a_link_is_mailed_once_in_five_minutes_to_the_address_on_file_in_the_persons_language() {
    let reader = Reader::with(json!({ "locale": "de" })).await;
    reader.access(&reader.page).await;
    let mail = reader.site.world.services.ses.mails().last().unwrap().clone();
    assert_eq!(
        (mail.to.as_str(), mail.subject.as_str()),
        ("r-1@example.com", "Ihr Link zu allem, was Rust Weekly über Sie gespeichert hat")
    );
    assert!(mail.text().unwrap().contains("Der Link gilt eine Stunde lang."), "{:?}", mail.text());
    assert!(!mail.headers().contains_key("List-Unsubscribe"));

    for (advance_s, mails) in [(0, 1), (299, 1), (1, 2), (1, 2)] {
        reader.site.world.clock.advance(Duration::from_secs(advance_s));
        let (status, page) = reader.send(&reader.page, "link", &[]).await;
        assert!(status == StatusCode::OK && page.contains("Wenn diese Adresse noch gespeichert ist"), "{page}");
        assert_eq!(mailed(&reader.site.world), mails, "after {advance_s} s");
    }
    let report = reader.site.world.check("weekly").await;
    assert_eq!(report["outcomes"]["sent"], 1, "no ledger knows of it");
    assert_eq!(reader.site.world.evidence("r-1").await.len(), 1, "nor is it evidence");
}

#[tokio::test]
async fn nobody_is_mailed_a_link_whose_address_bounces_or_who_may_not_be_mailed_and_the_page_does_not_tell() {
    let kinds = [SuppressionKind::Complaint, SuppressionKind::Manual, SuppressionKind::Erased];
    let mut told = Vec::new();
    for kind in kinds.map(Some).into_iter().chain([None]) {
        let reader = Reader::start().await;
        reader.site.world.clock.hurry();
        let since = NOW.parse().unwrap();
        let change = |profile: &mut Profile| match kind {
            Some(kind) => profile.suppression = Some(Suppression { kind, since }),
            None => profile.work.as_mut().unwrap().unusable = Some(Unusable::HardBounce),
        };
        reader.site.world.change("r-1", change).await;
        let (status, page) = reader.send(&reader.page, "link", &[]).await;
        assert_eq!((status, mailed(&reader.site.world)), (StatusCode::OK, 0), "{kind:?}");
        told.push(page.contains("If that address is still on file, a mail is on its way."));
    }
    assert_eq!(told, [true; 4]);
    let reader = Reader::start().await;
    reader.send(&reader.page, "leave_all", &[]).await;
    reader.access(&reader.page).await;
    assert_eq!(mailed(&reader.site.world), 1, "who left everything may still ask what is held");
}

#[tokio::test]
async fn without_quota_no_link_is_mailed_and_one_may_be_asked_for_again_at_once() {
    let config = SesConfig { daily_quota: 1.0, ..SesConfig::default() };
    let world = World::with(Setup { ses: config, ..Setup::default() }).await;
    world.put(&[person("r-1")]).await;
    world.send(&campaign("weekly")).await;
    world.clock.hurry();
    let preferences = world.deployment.preferences();
    let id = "r-1".parse().unwrap();
    let ask = async || preferences.mail_link(&id, Channel::Work, "en").await.unwrap();
    assert_eq!(ask().await, Linked::Later);
    assert_eq!(mailed(&world), 0);
    world.clock.advance(Duration::from_hours(26));
    assert_eq!(ask().await, Linked::OnItsWay);
    assert_eq!(mailed(&world), 1);
}

#[tokio::test]
async fn after_an_hour_the_link_shows_nothing_and_offers_a_new_one() {
    let reader = Reader::with(json!({ "attributes": { "first_name": "Sample" } })).await;
    let link = reader.access(&reader.page).await;
    assert!(reader.text(&link).await.contains("Sample"));
    reader.site.world.clock.advance(Duration::from_hours(1));
    let answer = reader.site.ask(Method::GET, &link, "").await;
    let (status, page) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(status, StatusCode::GONE);
    assert!(page.contains("This link has ended") && !page.contains("Sample"), "{page}");
    for action in ["leave_all", "download", "erase_all"] {
        let form = reader.site.world.deployment.tokens.form(link.trim_start_matches("/p/"), action);
        let answer = reader.post(&link, action, &form, &[]).await;
        assert_eq!(answer.status(), StatusCode::GONE, "{action}");
    }
    let form = form_token(&page, "link");
    let answer = reader.post(&link, "link", &form, &[]).await;
    assert!(answer.text().await.unwrap().contains("a mail is on its way"));
    assert_eq!(mailed(&reader.site.world), 2);
    assert_eq!(reader.document().await["attributes"]["first_name"], "Sample");
}

#[tokio::test]
async fn every_fact_is_shown_with_its_source_and_use_and_can_be_corrected_for_good() {
    let facts = json!({
        "addresses": { "personal": "r-1@example.net" }, "attributes": { "first_name": "Sample" }, "owns": ["course-rust-101"],
    });
    let reader = Reader::with(facts.clone()).await;
    let link = reader.access(&reader.page).await;
    let page = reader.text(&link).await;
    for told in [
        "r-1@example.com",
        "r-1@example.net",
        "Europe/Berlin",
        "value=\"Sample\"",
        "Used for: To greet you by name. From: sign-up form.",
        "course-rust-101",
        "News and courses about Rust",
        "90 of 100, from what you told us, 12 March 2026",
        "One mail in the last 30 days.",
        "12 March 2026: you agreed.",
    ] {
        assert!(page.contains(told), "{told} in {page}");
    }
    for (action, fields) in [
        ("attribute", &[("name", "first_name"), ("value", "Other"), ("do", "save")][..]),
        ("time_zone", &[("value", "Europe/Paris"), ("do", "save")]),
        ("locale", &[("value", "de"), ("do", "save")]),
        ("interest", &[("topic", "rust"), ("context", "any"), ("strength", "medium"), ("do", "save")]),
        ("disown", &[("product", "course-rust-101")]),
        ("addresses", &[("work", "r-1@example.net"), ("personal", "r-1@example.com")]),
        ("join", &[("topic", "rust"), ("channel", "personal")]),
        ("frequency", &[("cap", "1/14")]),
        ("break", &[("days", "30")]),
    ] {
        let (status, page) = reader.send(&link, action, fields).await;
        assert_eq!(status, StatusCode::OK, "{action}: {page}");
        assert!(page.contains("role=\"status\""), "{action}");
    }
    let expected = async || {
        let held = reader.document().await;
        assert_eq!(held["attributes"]["first_name"], "Other");
        assert_eq!(
            (&held["time_zone"], &held["locale"], &held["owns"]),
            (&json!("Europe/Paris"), &json!("de"), &json!([]))
        );
        assert_eq!(held["addresses"], json!({ "work": "r-1@example.net", "personal": "r-1@example.com" }));
        let any: Vec<&Value> = held["interests"].as_array().unwrap().iter().filter(|i| i["context"] == "any").collect();
        assert_eq!((any.len(), &any[0]["strength"], &any[0]["source"]), (1, &json!(0.5), &json!("declared")));
        assert_eq!(held["preferences"]["max_frequency"], json!({ "sends": 1, "days": 14 }));
        assert!(held["preferences"]["paused_until"].is_string());
        let joined = held["consents"].as_array().unwrap().iter().find(|c| c["channel"] == "personal").unwrap();
        assert_eq!((&joined["status"], &joined["source"]), (&json!("granted"), &json!("preference-page")));
    };
    expected().await;
    reader.site.world.put(&[with(person("r-1"), facts)]).await;
    expected().await;
    let joined = json!(reader.site.world.evidence("r-1").await.last().unwrap());
    assert_eq!(
        (&joined["place"], &joined["before"], &joined["after"]),
        (&json!("page"), &json!(null), &json!("granted"))
    );
    assert!(joined["text"].as_str().unwrap().starts_with("Ja, senden Sie mir E-Mails zu Rust"), "{joined}");
    assert_eq!(joined["text_version"], "preferences.de 1");
}

#[tokio::test]
async fn a_grant_after_a_withdrawal_and_the_way_back_from_leaving_everything_need_the_mailed_link() {
    let reader = Reader::start().await;
    reader.send(&reader.page, "leave", &[("topic", "rust"), ("channel", "work")]).await;
    reader.send(&reader.page, "leave_all", &[]).await;
    let tokens = reader.site.world.deployment.tokens.clone();
    let rust = &[("topic", "rust"), ("channel", "work")][..];
    for (action, fields) in [("join", rust), ("return", &[]), ("download", &[]), ("erase_all", &[])] {
        let form = tokens.form(reader.page.trim_start_matches("/p/"), action);
        let answer = reader.post(&reader.page, action, &form, fields).await;
        assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8", "{action}");
    }
    assert_eq!(reader.document().await["consents"][0]["status"], "withdrawn", "a mail's link can only reduce");
    assert_eq!(reader.site.world.send(&campaign("second")).await["reasons"], json!({ "suppressed": 1 }));

    let link = reader.access(&reader.page).await;
    reader.send(&link, "return", &[]).await;
    reader.send(&link, "join", rust).await;
    assert_eq!(reader.site.world.send(&campaign("third")).await["outcomes"]["sent"], 1);
}

#[tokio::test]
async fn everything_can_be_taken_along_and_deleted_after_one_more_question() {
    let reader = Reader::start().await;
    let link = reader.access(&reader.page).await;
    let form = form_token(&reader.text(&link).await, "download");
    let answer = reader.post(&link, "download", &form, &[]).await;
    assert_eq!(answer.headers()["content-disposition"], "attachment; filename=\"held.json\"");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let export: Value = answer.json().await.unwrap();
    assert_eq!(export["recipient"]["addresses"]["work"], "r-1@example.com");
    assert_eq!(export["evidence"].as_array().unwrap().len(), 1);

    let (status, page) = reader.send(&link, "erase", &[]).await;
    assert!(status == StatusCode::OK && page.contains("Delete everything?"), "{page}");
    assert_eq!(reader.document().await["id"], "r-1", "asking is not doing");
    let answer = reader.post(&link, "erase_all", &form_token(&page, "erase_all"), &[]).await;
    assert!(answer.text().await.unwrap().contains("Everything is deleted"));
    assert_eq!(reader.site.get("/v1/recipients/r-1").await.0, 404);
    for path in [&link, &reader.page, &reader.unsubscribe] {
        assert_eq!(reader.site.ask(Method::GET, path, "").await.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let left = reader.site.world.services.clients.dynamodb.scan().table_name("germane-evidence").send().await.unwrap();
    assert_eq!(left.count(), 0, "also of when a link was mailed");
}
