//! Stored templates.

use aws_sdk_sesv2::{error::ProvideErrorMetadata, types::EmailTemplateContent};

use super::{Stack, content, entry, statuses};

#[tokio::test]
async fn a_stored_template_is_read_back_updated_and_deleted() {
    let stack = Stack::start().await;
    stack.plain().await;
    let read = async || stack.mailer.get_email_template().template_name("plain").send().await;
    assert_eq!(read().await.unwrap().template_content(), Some(&content("Hello", "Text", "<p>HTML</p>")));

    let other = content("Other", "Text", "<p>HTML</p>");
    stack.mailer.update_email_template().template_name("plain").template_content(other.clone()).send().await.unwrap();
    assert_eq!(read().await.unwrap().template_content(), Some(&other));

    stack.mailer.delete_email_template().template_name("plain").send().await.unwrap();
    assert!(read().await.unwrap_err().into_service_error().is_not_found_exception());
}

#[tokio::test]
async fn a_name_is_taken_once() {
    let stack = Stack::start().await;
    stack.plain().await;

    let again = stack.mailer.create_email_template().template_name("plain").template_content(content("B", "B", "B"));

    assert!(again.send().await.unwrap_err().into_service_error().is_already_exists_exception());
    let held = stack.mailer.get_email_template().template_name("plain").send().await.unwrap();
    assert_eq!(held.template_content().unwrap().subject(), Some("Hello"));
}

#[tokio::test]
async fn what_is_not_there_cannot_be_updated() {
    let stack = Stack::start().await;

    let update = stack.mailer.update_email_template().template_name("none").template_content(content("B", "B", "B"));

    assert!(update.send().await.unwrap_err().into_service_error().is_not_found_exception());
}

#[tokio::test]
async fn a_template_that_does_not_parse_or_is_incomplete_or_too_large_is_refused() {
    let stack = Stack::start().await;
    let no_subject = EmailTemplateContent::builder().html("<p>HTML</p>").build();
    let no_body = EmailTemplateContent::builder().subject("Hello").build();
    let large = "x".repeat(500 * 1024 + 1);

    for content in [no_subject, no_body, content("Hello", "{{#if a}}", "HTML"), content("Hello", "Text", &large)] {
        let create = stack.mailer.create_email_template().template_name("bad").template_content(content);
        let error = create.send().await.unwrap_err().into_service_error();
        assert!(error.is_bad_request_exception(), "{:?}", error.message());
    }
}

#[tokio::test]
async fn a_mail_keeps_the_template_that_it_was_sent_with() {
    let stack = Stack::start().await;
    stack.plain().await;
    statuses(stack.bulk("plain", "{}").bulk_email_entries(entry("a@example.com").build())).await;

    let other = content("Other", "Other", "<p>Other</p>");
    stack.mailer.update_email_template().template_name("plain").template_content(other).send().await.unwrap();

    assert_eq!(stack.ses.mails()[0].html().as_deref(), Some("<p>HTML</p>"));
}
