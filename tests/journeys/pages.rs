//! The pages behind a mail's links, through the real router on loopback.

mod access;
mod safety;

use reqwest::{Method, Response, StatusCode, header};
use serde_json::{Value, json};

use super::http::Site;
use crate::world::{campaign, person, with};

const FORM: &str = "application/x-www-form-urlencoded";

/// A site with one person who got one mail, and what a browser does with it.
struct Reader {
    site: Site,
    unsubscribe: String,
    page: String,
}

impl Reader {
    async fn with(change: Value) -> Self {
        let site = Site::open().await;
        site.world.put(&[with(person("r-1"), change)]).await;
        site.world.send(&campaign("weekly")).await;
        let mail = site.world.mails("weekly")[&"r-1".parse().unwrap()][0].clone();
        let path = |url: &str| url.strip_prefix("https://mail.example.com").unwrap().to_owned();
        let unsubscribe = path(mail.headers()["List-Unsubscribe"].trim_matches(['<', '>']));
        let page = path(
            mail.text().unwrap().split_whitespace().find(|word| word.contains("/p/")).unwrap().trim_matches(['(', ')']),
        );
        Self { site, unsubscribe, page }
    }

    async fn start() -> Self {
        Self::with(json!({})).await
    }

    async fn text(&self, path: &str) -> String {
        let answer = self.site.ask(Method::GET, path, "").await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.text().await.unwrap()
    }

    /// Sends the form of an action as its page has it, with these fields.
    async fn send(&self, path: &str, action: &str, fields: &[(&str, &str)]) -> (StatusCode, String) {
        let form = form_token(&self.text(path).await, action);
        let answer = self.post(path, action, &form, fields).await;
        (answer.status(), answer.text().await.unwrap())
    }

    async fn post(&self, path: &str, action: &str, form: &str, fields: &[(&str, &str)]) -> Response {
        let mut pairs = vec![("action", action), ("form", form)];
        pairs.extend(fields);
        let request = self.site.request(Method::POST, path).header(header::CONTENT_TYPE, FORM);
        request.body(encoded(&pairs)).send().await.unwrap()
    }

    async fn document(&self) -> Value {
        self.site.get("/v1/recipients/r-1").await.1
    }

    /// The link of the newest mail without a campaign, which is asked for on the page.
    async fn access(&self, page: &str) -> String {
        self.site.world.clock.hurry();
        let (status, text) = self.send(page, "link", &[]).await;
        assert_eq!(status, StatusCode::OK, "{text}");
        let mails = self.site.world.services.ses.mails();
        let mail = mails.last().unwrap();
        assert!(mail.tags.is_empty(), "it belongs to no campaign");
        let text = mail.text().unwrap();
        let link = text.split_whitespace().find(|word| word.contains("/p/")).unwrap();
        link.trim_matches(['(', ')']).strip_prefix("https://mail.example.com").unwrap().to_owned()
    }
}

/// The token that a page's form of an action carries.
pub fn form_token(page: &str, action: &str) -> String {
    let form = page.split(&format!("name=\"action\" value=\"{action}\"")).nth(1);
    let form = form.unwrap_or_else(|| panic!("no form {action} in {page}"));
    form.split("name=\"form\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

fn encoded(pairs: &[(&str, &str)]) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    let text = |text: &str| text.bytes().map(byte).collect::<String>();
    pairs.iter().map(|(name, value)| format!("{}={}", text(name), text(value))).collect::<Vec<_>>().join("&")
}

#[tokio::test]
async fn the_page_of_a_mail_says_why_it_came_in_plain_words() {
    let reader = Reader::start().await;
    let page = reader.text(&reader.page).await;
    for told in [
        "<html lang=\"en\">",
        "You get this because you agreed to mail about Rust at your work address, and Rust is among your interests.",
        "You agreed on 12 March 2026. We have it from: the records of Rust Weekly.",
        "https://example.com/privacy",
    ] {
        let escaped = told.replace('=', "&#x3D;");
        assert!(page.contains(told) || page.contains(&escaped), "{told} in {page}");
    }
    for hidden in ["r-1@example.com", "Europe/Berlin", "&quot;r-1&quot;"] {
        assert!(!page.contains(hidden), "{hidden}");
    }
}

#[tokio::test]
async fn the_language_is_the_persons_then_the_browsers_then_english() {
    for (locale, accept, lang, heading) in [
        (json!("de-AT"), "en", "de", "Warum Sie diese E-Mail bekommen haben"),
        (json!(null), "fr, de;q=0.8", "de", "Warum Sie diese E-Mail bekommen haben"),
        (json!(null), "fr", "en", "Why you got this mail"),
        (json!("fr"), "de", "de", "Warum Sie diese E-Mail bekommen haben"),
    ] {
        let reader = Reader::with(json!({ "locale": locale })).await;
        let request = reader.site.request(Method::GET, &reader.page).header("accept-language", accept);
        let page = request.send().await.unwrap().text().await.unwrap();
        assert!(
            page.contains(&format!("<html lang=\"{lang}\">")) && page.contains(heading),
            "{locale} {accept}: {page}"
        );
    }
}

#[tokio::test]
async fn each_choice_of_the_page_holds_against_campaigns_and_imports() {
    for (action, fields, reason) in [
        ("leave", &[("topic", "rust"), ("channel", "work")][..], "consent_withdrawn"),
        ("leave_all", &[], "suppressed"),
        ("mute", &[("topic", "rust")], "topic_muted"),
        ("lower", &[("cap", "1/7")], "frequency_cap"),
        ("pause", &[("days", "14")], "paused"),
    ] {
        let reader = Reader::start().await;
        for _again in 0..2 {
            let form = form_token(&reader.text(&reader.page).await, "link");
            assert!(!form.is_empty());
            let token = reader.site.world.deployment.tokens.form(reader.page.trim_start_matches("/p/"), action);
            let answer = reader.post(&reader.page, action, &token, fields).await;
            let text = answer.text().await.unwrap();
            assert!(text.contains("role=\"status\"") || text.contains("role=\"alert\""), "{action}: {text}");
        }
        let imported = json!({ "preferences": { "max_frequency": null, "paused_until": null, "muted_topics": null } });
        reader.site.world.put(&[with(person("r-1"), imported)]).await;
        let report = reader.site.world.send(&campaign("next")).await;
        assert_eq!(report["reasons"], json!({ reason: 1 }), "{action}");
    }
}

#[tokio::test]
async fn what_is_chosen_wrongly_is_said_beside_the_field_and_at_the_top() {
    let reader = Reader::start().await;
    let (status, page) = reader.send(&reader.page, "lower", &[]).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("<title>Please check: "), "{page}");
    assert!(page.contains("<a href=\"#lower\">Choose one of these.</a>") && page.contains("id=\"lower\""), "{page}");
    assert!(page.contains("<p class=\"fault\" id=\"pace-fault\">Choose one of these.</p>"), "{page}");
    let (status, page) = reader.send(&reader.page, "lower", &[("cap", "20/1")]).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("This link can only reduce"), "{page}");
    let (status, page) = reader.send(&reader.page, "leave", &[("topic", "no topic"), ("channel", "fax")]).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("This page does not know that choice."), "{page}");
    assert_eq!(reader.document().await["preferences"]["max_frequency"], Value::Null);
}

#[tokio::test]
async fn a_withdrawal_on_the_page_leaves_evidence_of_what_was_shown_and_from_where() {
    let reader = Reader::start().await;
    reader.send(&reader.page, "leave", &[("topic", "rust"), ("channel", "work")]).await;
    let evidence = reader.site.world.evidence("r-1").await;
    let left = json!(evidence.last().unwrap());
    assert_eq!(
        (&left["place"], &left["before"], &left["after"]),
        (&json!("page"), &json!("granted"), &json!("withdrawn"))
    );
    assert_eq!(left["text_version"], "preferences.en 1");
    assert!(left["text"].as_str().unwrap().contains("Rust"));
    assert_eq!(left["origin"].as_str().unwrap().len(), 32, "{left}");
    assert!(reader.text(&reader.page).await.contains("Meanwhile you have taken this back."));
}
