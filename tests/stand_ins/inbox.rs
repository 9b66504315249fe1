//! The inbox: what is shown, and that a captured mail can do nothing there.

use reqwest::StatusCode;
use serde_json::Value;

use super::{Stack, data, entry, header, statuses, tag};

const HOSTILE: &str = r#"<script>alert(1)</script>"><img src=x onerror=alert(1)>"#;

async fn hostile() -> Stack {
    let stack = Stack::start().await;
    let html = "<html><head><title>t</title></head><body><script>alert(1)</script>{{x}}</body></html>";
    stack.template("t", "{{x}}", "{{x}}", html).await;
    let own = entry("r-1@example.com")
        .replacement_email_content(data(&serde_json::json!({ "x": HOSTILE }).to_string()))
        .replacement_headers(header("X-Own", HOSTILE))
        .build();
    assert_eq!(statuses(stack.bulk("t", "{}").bulk_email_entries(own)).await, ["SUCCESS"]);
    stack
}

async fn crowd(count: usize) -> Stack {
    let stack = Stack::start().await;
    stack.template("t", "Issue {{n}}", "Text", "<p>HTML</p>").await;
    for n in 0..count {
        let own = entry(&format!("r-{n}@example.com")).replacement_email_content(data(&format!(r#"{{"n":{n}}}"#)));
        statuses(stack.bulk("t", "{}").bulk_email_entries(own.build())).await;
    }
    stack
}

#[tokio::test]
async fn an_empty_inbox_says_so() {
    let stack = Stack::start().await;

    assert!(stack.page("/inbox").await.contains("Nothing was sent yet."));
}

#[tokio::test]
async fn the_list_shows_the_newest_first_in_pages_of_50() {
    let stack = crowd(51).await;

    let first = stack.page("/inbox").await;
    assert!(first.contains("51 mails captured") && first.contains("Page 1 of 2"));
    assert!(first.find("Issue 50").unwrap() < first.find("Issue 49").unwrap());
    assert!(!first.contains("r-0@example.com"));

    let second = stack.page("/inbox?page=2").await;
    assert!(second.contains("r-0@example.com") && !second.contains("r-1@example.com"));
    assert_eq!(stack.page("/inbox?page=99").await, second, "beyond the end is the last page");
}

#[tokio::test]
async fn the_list_is_searched_by_recipient_and_by_subject() {
    let stack = crowd(12).await;

    for query in ["R-11@", "issue 11"] {
        let page = stack.page(&format!("/inbox?q={}", query.replace(' ', "%20").replace('@', "%40"))).await;
        assert!(page.contains("1 of 12 mails") && page.contains("r-11@example.com"), "{query}");
    }
    assert!(stack.page("/inbox?q=nobody").await.contains("No mail has this"));
}

#[tokio::test]
async fn whatever_a_mail_says_is_escaped_on_every_page_of_ours() {
    let stack = hostile().await;
    let id = &stack.ses.mails()[0].id;
    let query = "/inbox?q=%22%3E%3Cscript%3E";

    let paths = ["", "?view=text", "?view=headers", "?view=source"].map(|view| format!("/inbox/{id}{view}"));
    for path in paths.iter().map(String::as_str).chain(["/inbox", query]) {
        let response = stack.get(path).await;
        let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
        let page = response.text().await.unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'self'"), "{path}: {policy}");
        assert!(!page.contains("<script") && !page.contains("<img"), "{path}");
    }
    assert!(stack.page(&paths[0]).await.contains("&lt;script&gt;alert(1)"));
}

#[tokio::test]
async fn a_mails_html_is_framed_without_rights() {
    let stack = hostile().await;
    let id = &stack.ses.mails()[0].id;

    let response = stack.get(&format!("/inbox/{id}/html")).await;

    let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'"), "{policy}");
    assert!(!policy.contains("script-src") && !policy.contains("http"));
    let html = response.text().await.unwrap();
    assert!(html.contains(HOSTILE), "shown as it was sent");
    assert!(html.contains(r#"<head><base target="_blank">"#));
    let page = stack.page(&format!("/inbox/{id}?width=phone")).await;
    assert!(page.contains(r#"<iframe class="phone""#));
    assert!(page.contains(r#"sandbox="allow-popups allow-popups-to-escape-sandbox""#));
}

#[tokio::test]
async fn the_source_is_a_download() {
    let stack = crowd(1).await;
    let mail = &stack.ses.mails()[0];

    let response = stack.get(&format!("/inbox/{}/source", mail.id)).await;

    assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
    assert_eq!(response.headers()["content-disposition"], format!("attachment; filename=\"{}.eml\"", mail.id));
    assert_eq!(response.text().await.unwrap(), mail.source());
}

#[tokio::test]
async fn a_mail_that_is_not_there_is_not_found() {
    let stack = Stack::start().await;

    for path in ["/inbox/none", "/inbox/none/html", "/inbox/none/source"] {
        assert_eq!(stack.get(path).await.status(), StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn messages_are_listed_oldest_first_with_headers_and_tags_as_objects() {
    let stack = Stack::start().await;
    stack.plain().await;
    let call = stack
        .bulk("plain", "{}")
        .bulk_email_entries(entry("a@example.com").replacement_headers(header("X-Own", "1")).build())
        .bulk_email_entries(entry("b@example.com").replacement_tags(tag("recipient", "r")).build());
    statuses(call).await;

    let messages: Value = stack.get("/inbox/messages").await.json().await.unwrap();
    let of_b: Value = stack.get("/inbox/messages?to=B@example.com").await.json().await.unwrap();

    assert_eq!(messages.as_array().unwrap().len(), 2);
    let a = &messages[0];
    assert_eq!((a["to"].as_str(), a["from"].as_str()), (Some("a@example.com"), Some("Rust Weekly <news@example.com>")));
    assert_eq!(
        (a["subject"].as_str(), a["html"].as_str(), a["text"].as_str()),
        (Some("Hello"), Some("<p>HTML</p>"), Some("Text"))
    );
    assert_eq!((a["headers"]["X-Own"].as_str(), a["at"].as_str()), (Some("1"), Some("2026-11-23T09:00:00Z")));
    assert_eq!(messages[1]["tags"]["recipient"], "r");
    assert_eq!(of_b.as_array().unwrap(), &[messages[1].clone()]);
}

#[tokio::test]
async fn no_mail_is_an_empty_list() {
    let stack = Stack::start().await;

    assert_eq!(stack.page("/inbox/messages").await, "[]");
}
