//! What others may try with the pages: forge, replay, inject, look in.

use germane::flow::token::Purpose::{Reduce, Unsubscribe};
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{Reader, form_token};
use crate::world::{campaign, person, policy, with};

const HOSTILE: &str = "<img src=x onerror=alert(1)>\"'{{w}}&amp;";

#[tokio::test]
async fn every_link_that_is_not_ours_gets_the_same_page_byte_for_byte() {
    let reader = Reader::start().await;
    let site = &reader.site;
    site.world.put(&[person("gone")]).await;
    let tokens = &site.world.deployment.tokens;
    let sign =
        |purpose, id: &str, campaign: &str| tokens.sign(purpose, &id.parse().unwrap(), &campaign.parse().unwrap());
    let (page, leave) = (sign(Reduce, "gone", "weekly"), sign(Unsubscribe, "gone", "weekly"));
    for path in [format!("/p/{page}"), format!("/u/{leave}")] {
        assert_eq!(site.ask(Method::GET, &path, "").await.status(), StatusCode::OK);
    }
    site.ask(Method::DELETE, "/v1/recipients/gone", "").await;

    let wrong = [
        format!("/p/{page}"),
        format!("/u/{leave}"),
        format!("/p/{leave}"),
        format!("/u/{page}"),
        format!("/p/{}", &page[..page.len() - 3]),
        format!("/u/{}x", &leave[..leave.len() - 1]),
        "/p/none".to_owned(),
        "/u/%F0%9F%90%9B".to_owned(),
        format!("/p/{}", sign(Reduce, "r-1", "no-such-campaign")),
    ];
    let mut answers = Vec::new();
    for path in &wrong {
        for method in [Method::GET, Method::POST] {
            let answer = site.ask(method, path, "").await;
            let headers: Vec<String> =
                answer.headers().iter().filter(|(name, _)| *name != "date").map(|h| format!("{h:?}")).collect();
            answers.push((answer.status(), headers, answer.text().await.unwrap()));
        }
    }
    assert_eq!(answers[0].0, StatusCode::NOT_FOUND);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
}

#[tokio::test]
async fn every_answer_is_kept_from_caches_frames_referrers_and_search_engines() {
    let reader = Reader::start().await;
    let link = reader.access(&reader.page).await;
    for (method, path) in [
        (Method::GET, reader.page.as_str()),
        (Method::HEAD, &reader.page),
        (Method::POST, &reader.page),
        (Method::PUT, &reader.page),
        (Method::GET, &reader.unsubscribe),
        (Method::HEAD, &reader.unsubscribe),
        (Method::GET, &link),
        (Method::GET, "/p/none"),
    ] {
        let answer = reader.site.ask(method.clone(), path, "").await;
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        let csp = header("content-security-policy");
        for rule in [
            "default-src 'none'",
            "style-src 'sha256-",
            "frame-ancestors 'none'",
            "form-action 'self'",
            "base-uri 'none'",
        ] {
            assert!(csp.contains(rule), "{csp}");
        }
        assert!(!csp.contains("unsafe"), "{csp}");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!((header("cache-control"), header("x-content-type-options")), ("no-store".into(), "nosniff".into()));
        assert!(header("x-robots-tag").contains("noindex"));
        assert!(!answer.headers().contains_key("set-cookie") && !answer.headers().contains_key("location"));
    }
    assert_eq!(reader.document().await["consents"][0]["status"], "granted", "none of it changed anything");
}

#[tokio::test]
async fn a_form_needs_its_own_token_and_a_page_of_ours() {
    let reader = Reader::start().await;
    let page = reader.text(&reader.page).await;
    let form = form_token(&page, "leave_all");
    for wrong in ["", "AAAA", &form_token(&page, "link"), &form[..form.len() - 2]] {
        let answer = reader.post(&reader.page, "leave_all", wrong, &[]).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{wrong}");
    }
    let body = format!("action=leave_all&form={form}");
    let ask = async |headers: &[(&str, &str)]| {
        let mut request = reader.site.request(Method::POST, &reader.page).header("content-type", super::FORM);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(body.clone()).send().await.unwrap().status()
    };
    for headers in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "cross-site"), ("origin", "null")],
        &[("origin", "https://elsewhere.example.org")],
    ] {
        assert_eq!(ask(headers).await, StatusCode::FORBIDDEN, "{headers:?}");
    }
    assert_eq!(reader.site.world.send(&campaign("second")).await["outcomes"]["sent"], 1, "nothing was left");
    let multipart =
        reader.site.request(Method::POST, &reader.page).header("content-type", "multipart/form-data; boundary=x");
    assert_eq!(multipart.body("--x--").send().await.unwrap().status(), StatusCode::FORBIDDEN);
    let large = reader.site.request(Method::POST, &reader.page).header("content-type", super::FORM);
    let large = large.body(format!("{body}&x={}", "x".repeat(40_000))).send().await.unwrap();
    assert_eq!(large.status(), StatusCode::FORBIDDEN);
    for ours in [
        &[("sec-fetch-site", "same-origin"), ("origin", "null")][..],
        &[("origin", "https://mail.example.com")],
        &[("origin", "null")],
        &[],
    ] {
        assert_eq!(ask(ours).await, StatusCode::OK, "{ours:?}");
    }
    assert_eq!(reader.site.world.send(&campaign("third")).await["reasons"], json!({ "suppressed": 1 }));
}

#[tokio::test]
async fn one_click_takes_any_body_from_anywhere_and_a_head_or_get_changes_nothing() {
    for (kind, body) in [
        (super::FORM, "List-Unsubscribe=One-Click".to_owned()),
        (
            "multipart/form-data; boundary=x",
            "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n".to_owned(),
        ),
        ("text/plain", "TGlzdC1VbnN1YnNjcmliZT1PbmUtQ2xpY2s=".to_owned()),
        ("application/octet-stream", "\u{0}".repeat(12_000)),
        ("", String::new()),
    ] {
        let reader = Reader::start().await;
        for method in [Method::HEAD, Method::GET] {
            assert_eq!(reader.site.ask(method, &reader.unsubscribe, "").await.status(), StatusCode::OK);
        }
        assert_eq!(reader.document().await["consents"][0]["status"], "granted");
        for _again in 0..2 {
            let request = reader.site.request(Method::POST, &reader.unsubscribe).header("content-type", kind);
            let request =
                request.header("sec-fetch-site", "cross-site").header("origin", "https://elsewhere.example.org");
            let answer = request.body(body.clone()).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK, "{kind}");
            assert!(!answer.headers().contains_key("set-cookie") && !answer.headers().contains_key("location"));
        }
        assert_eq!(reader.document().await["consents"][0]["status"], "withdrawn", "{kind}");
        let evidence = reader.site.world.evidence("r-1").await;
        assert_eq!((evidence.len(), json!(evidence[1].place)), (2, json!("one_click")));
        assert!(evidence[1].origin.is_some());
    }
}

#[tokio::test]
async fn hostile_names_topics_and_sources_are_shown_as_what_they_are() {
    let reader = Reader::with(json!({ "attributes": { "first_name": HOSTILE } })).await;
    let hostile = json!({
        "postal_address": HOSTILE, "privacy_url": "https://example.com/\"><script>alert(1)</script>",
        "topics": { "rust": { "name": { "en": HOSTILE }, "purpose": { "en": HOSTILE } } },
        "attributes": { "first_name": { "purpose": { "en": HOSTILE }, "source": HOSTILE } },
    });
    reader.site.world.put_policy(&with(policy(), hostile)).await;
    let consent = json!({ "consents": [{ "topic": "rust", "channel": "work", "status": "granted", "source": HOSTILE.get(..50), "evidence": HOSTILE, "at": "2026-05-12T09:00:00Z" }] });
    reader.site.world.put(&[with(json!({ "id": "r-1" }), consent)]).await;
    let link = reader.access(&reader.page).await;
    let (_, wrong) = reader.send(&link, "time_zone", &[("value", HOSTILE), ("do", "save")]).await;
    let (_, saved) =
        reader.send(&link, "attribute", &[("name", "first_name"), ("value", HOSTILE), ("do", "save")]).await;
    let (_, muted) = reader.send(&link, "mute", &[("topic", "rust")]).await;
    for page in [reader.text(&reader.page).await, reader.text(&reader.unsubscribe).await, wrong, saved, muted] {
        assert!(page.contains("&lt;img src"), "{page}");
        for raw in ["<img", "<script", "onerror=alert(1)>", "=x onerror"] {
            assert!(!page.contains(raw), "{raw} in {page}");
        }
        assert!(page.contains("{{w}}"), "what looks like a template is text");
    }
    assert_eq!(reader.document().await["attributes"]["first_name"], HOSTILE);
}
