//! The events that follow a message.

use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use serde_json::Value;

use super::{Stack, data, entry, results, statuses, tag};

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event["eventType"].as_str()).collect()
}

#[tokio::test]
async fn a_missing_variable_is_a_success_whose_mail_is_never_delivered() {
    let stack = Stack::start().await;
    stack.template("t", "Hello {{name}}", "Text", "<p>HTML</p>").await;

    let call = stack
        .bulk("t", "{}")
        .default_email_tags(tag("campaign", "c"))
        .bulk_email_entries(entry("a@example.com").replacement_email_content(data(r#"{"name":"A"}"#)).build())
        .bulk_email_entries(entry("b@example.com").build());
    let results = results(call).await;

    assert!(results.iter().all(|result| result.status().unwrap().as_str() == "SUCCESS"));
    assert_eq!(stack.ses.count(), 1);
    let events = stack.ses.events();
    assert_eq!(kinds(&events), ["Send", "Delivery", "Rendering Failure"]);
    let failure = &events[2];
    assert_eq!(failure["failure"]["templateName"], "t");
    assert_eq!(failure["failure"]["errorMessage"], "Attribute 'name' is not present in the rendering data.");
    assert_eq!(failure["mail"]["messageId"].as_str(), results[1].message_id());
    assert_eq!(failure["mail"]["destination"][0], "b@example.com");
    assert_eq!(failure["mail"]["tags"]["campaign"][0], "c");
}

#[tokio::test]
async fn a_variable_missing_in_any_part_or_nested_fails_and_one_missing_in_a_condition_does_not() {
    let stack = Stack::start().await;
    stack.template("text", "S", "{{a}}", "H").await;
    stack.template("html", "S", "T", "{{person.name}}").await;
    stack.template("loop", "S", "T", "{{#each items}}{{this}}{{/each}}").await;
    stack.template("if", "S", "T", "{{#if a}}{{a}}{{/if}}").await;
    stack.template("helper", "S", "T", "{{#if (eq 1 1)}}a{{/if}}").await;

    for template in ["text", "html", "loop", "if", "helper"] {
        let call = stack.bulk(template, "{}").bulk_email_entries(entry("a@example.com").build());
        assert_eq!(statuses(call).await, ["SUCCESS"]);
    }

    let failed: Vec<String> = stack
        .ses
        .events()
        .iter()
        .filter_map(|event| event["failure"]["templateName"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(failed, ["text", "html", "loop", "helper"], "SES has no helpers beyond the built-in ones");
}

#[tokio::test]
async fn a_sent_mail_is_described_with_its_tags_and_headers() {
    let stack = Stack::start().await;
    stack.plain().await;

    let call = stack
        .bulk("plain", "{}")
        .reply_to_addresses("Help <help@example.com>")
        .bulk_email_entries(entry("a@example.com").replacement_tags(tag("recipient", "r")).build());
    let results = results(call).await;

    let events = stack.ses.events();
    let mail = &events[0]["mail"];
    assert_eq!(mail["messageId"].as_str(), results[0].message_id());
    assert_eq!(mail["timestamp"], "2026-11-23T09:00:00.000Z");
    assert_eq!(mail["tags"]["recipient"][0], "r");
    assert_eq!(mail["tags"]["ses:from-domain"][0], "example.com");
    assert_eq!(mail["commonHeaders"]["subject"], "Hello");
    assert_eq!(mail["commonHeaders"]["replyTo"][0], "help@example.com");
    assert_eq!(events[1]["delivery"]["recipients"][0], "a@example.com");
}

#[tokio::test]
async fn the_simulators_addresses_do_as_they_are_named() {
    let cases: [(&str, &[&str]); 6] = [
        ("success", &["Send", "Delivery"]),
        ("bounce", &["Send", "Bounce"]),
        ("Bounce+r-1", &["Send", "Bounce"]),
        ("suppressionlist", &["Send", "Bounce"]),
        ("complaint+r-2", &["Send", "Delivery", "Complaint"]),
        ("ooto", &["Send", "Delivery", "Bounce"]),
    ];
    for (account, wanted) in cases {
        let stack = Stack::start().await;
        stack.plain().await;
        let to = format!("{account}@simulator.amazonses.com");

        let call = stack.bulk("plain", "{}").bulk_email_entries(entry(&to).build());
        assert_eq!(statuses(call).await, ["SUCCESS"]);

        assert_eq!(stack.ses.mails()[0].to, to, "captured like any other");
        assert_eq!(kinds(&stack.ses.events()), wanted, "{account}");
    }
}

#[tokio::test]
async fn a_bounce_says_whether_it_is_permanent_and_a_complaint_whose_it_is() {
    let stack = Stack::start().await;
    stack.plain().await;
    let to = ["bounce", "suppressionlist", "ooto", "complaint"].map(|name| format!("{name}@simulator.amazonses.com"));

    let entries = to.iter().map(|to| entry(to).build()).collect();
    statuses(stack.bulk("plain", "{}").set_bulk_email_entries(Some(entries))).await;

    let events = stack.ses.events();
    let bounces: Vec<(&str, &str)> = events
        .iter()
        .filter_map(|event| Some((event["bounce"]["bounceType"].as_str()?, event["bounce"]["bounceSubType"].as_str()?)))
        .collect();
    assert_eq!(bounces, [("Permanent", "General"), ("Permanent", "Suppressed"), ("Transient", "General")]);
    let whose = &events[1]["bounce"]["bouncedRecipients"][0];
    assert_eq!((whose["emailAddress"].as_str(), whose["status"].as_str()), (Some(to[0].as_str()), Some("5.1.1")));
    let complaint = events.iter().find(|event| event["eventType"] == "Complaint").unwrap();
    assert_eq!(complaint["complaint"]["complainedRecipients"][0]["emailAddress"], to[3]);
    assert_eq!(complaint["complaint"]["complaintFeedbackType"], "abuse");
}

#[tokio::test]
async fn one_mail_written_out_is_sent_and_delivered() {
    let stack = Stack::start().await;
    let part = |data: &str| Content::builder().data(data).build().unwrap();
    let body = Body::builder().text(part("Text")).html(part("<p>{{not a template}}</p>")).build();
    let message = Message::builder().subject(part("A test")).body(body).build();

    let sent = stack
        .mailer
        .send_email()
        .from_email_address("news@example.com")
        .destination(Destination::builder().to_addresses("qa@example.com").build())
        .content(EmailContent::builder().simple(message).build())
        .email_tags(tag("kind", "test"))
        .send()
        .await
        .unwrap();

    let mail = stack.ses.mail(sent.message_id().unwrap()).unwrap();
    assert_eq!((mail.to.as_str(), mail.subject.as_str()), ("qa@example.com", "A test"));
    assert_eq!(mail.html().as_deref(), Some("<p>{{not a template}}</p>"));
    assert_eq!(mail.tags.get("kind").map(String::as_str), Some("test"));
    assert_eq!(kinds(&stack.ses.events()), ["Send", "Delivery"]);
}
