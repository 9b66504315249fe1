//! A captured mail as a message of RFC 5322.

use aws_sdk_sesv2::types::{Destination, EmailContent, Template};
use mail_parser::MessageParser;

use super::{Stack, data, entry, header, statuses};

#[tokio::test]
async fn the_source_is_the_whole_message() {
    let stack = Stack::start().await;
    stack.template("t", "Grüße, {{name}}", "Hallo {{name}}\n", "<p>Hallo <b>{{name}}</b></p>").await;
    let unsubscribe = format!("<https://example.com/u/{}>", "t".repeat(300));
    let own = entry("r-1@example.com")
        .replacement_email_content(data(r#"{"name":"Jörg"}"#))
        .replacement_headers(header("List-Unsubscribe", &unsubscribe))
        .replacement_headers(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
        .build();
    let call = stack.bulk("t", "{}").reply_to_addresses("Help <help@example.com>").bulk_email_entries(own);
    assert_eq!(statuses(call).await, ["SUCCESS"]);

    let mail = &stack.ses.mails()[0];
    let source = mail.source();
    let parsed = MessageParser::new().parse(source.as_bytes()).unwrap();

    let raw = |name: &'static str| parsed.header_raw(name).map(str::trim);
    assert_eq!(parsed.subject(), Some("Grüße, Jörg"));
    assert_eq!(parsed.from().unwrap().first().unwrap().name(), Some("Rust Weekly"));
    assert_eq!(parsed.from().unwrap().first().unwrap().address(), Some("news@example.com"));
    assert_eq!(parsed.to().unwrap().first().unwrap().address(), Some("r-1@example.com"));
    assert_eq!(parsed.reply_to().unwrap().first().unwrap().address(), Some("help@example.com"));
    assert_eq!(parsed.date().unwrap().to_timestamp(), mail.at.as_second());
    assert!(parsed.message_id().unwrap().starts_with(&mail.id));
    assert_eq!(raw("List-Unsubscribe"), Some(unsubscribe.as_str()));
    assert_eq!(raw("List-Unsubscribe-Post"), Some("List-Unsubscribe=One-Click"));
    assert_eq!(parsed.body_text(0).as_deref().map(str::trim_end), Some("Hallo Jörg"));
    assert_eq!(parsed.body_html(0).as_deref(), Some("<p>Hallo <b>Jörg</b></p>"));
    assert_eq!(source, mail.source(), "the same bytes each time");
}

#[tokio::test]
async fn the_headers_are_the_standard_ones_and_the_senders_own() {
    let stack = Stack::start().await;
    stack.plain().await;
    let own = entry("r-1@example.com").replacement_headers(header("X-Own", "1")).build();
    statuses(stack.bulk("plain", "{}").reply_to_addresses("help@example.com").bulk_email_entries(own)).await;

    let headers = stack.ses.mails()[0].headers();

    let wanted = ["Date", "From", "MIME-Version", "Message-ID", "Reply-To", "Subject", "To", "X-Own"];
    assert_eq!(headers.keys().map(String::as_str).collect::<Vec<_>>(), wanted);
    assert_eq!(headers["From"], "Rust Weekly <news@example.com>");
    assert_eq!(headers["Date"], "Mon, 23 Nov 2026 09:00:00 +0000");
}

#[tokio::test]
async fn a_subject_with_a_line_break_adds_no_header() {
    let stack = Stack::start().await;
    stack.template("t", "{{s}}", "Text", "<p>HTML</p>").await;
    let own = data(r#"{"s":"Hello\r\nX-Injected: yes"}"#);
    statuses(stack.bulk("t", "{}").bulk_email_entries(entry("a@example.com").replacement_email_content(own).build()))
        .await;

    let source = stack.ses.mails()[0].source();

    let parsed = MessageParser::new().parse(source.as_bytes()).unwrap();
    assert!(parsed.header("X-Injected").is_none(), "{source}");
}

#[tokio::test]
async fn a_stored_template_serves_single_mails_too() {
    let stack = Stack::start().await;
    stack.template("t", "Hello {{name}}", "Text", "<p>HTML</p>").await;
    let call = |template: &str| {
        let template = Template::builder().template_name(template).template_data(r#"{"name":"Sample"}"#).build();
        stack
            .mailer
            .send_email()
            .from_email_address("news@example.com")
            .destination(Destination::builder().to_addresses("qa@example.com").build())
            .content(EmailContent::builder().template(template).build())
    };

    call("t").send().await.unwrap();
    assert_eq!(stack.ses.mails()[0].subject, "Hello Sample");
    assert!(call("none").send().await.unwrap_err().into_service_error().is_not_found_exception());
}
