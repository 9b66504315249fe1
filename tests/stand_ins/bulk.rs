//! `SendBulkEmail`: what a call and each of its entries may hold.

use std::collections::BTreeSet;

use aws_sdk_sesv2::types::{BulkEmailEntry, Destination, Template};

use super::{Stack, content, data, entry, header, results, statuses, tag};

fn people(count: usize) -> Vec<BulkEmailEntry> {
    (0..count).map(|n| entry(&format!("r-{n}@example.com")).build()).collect()
}

#[tokio::test]
async fn a_call_takes_50_entries_and_answers_in_their_order() {
    let stack = Stack::start().await;
    stack.plain().await;

    let results = results(stack.bulk("plain", "{}").set_bulk_email_entries(Some(people(50)))).await;

    let answered: Vec<&str> = results.iter().filter_map(|result| result.message_id()).collect();
    let mails = stack.ses.mails();
    assert_eq!(mails.iter().map(|mail| mail.id.as_str()).collect::<Vec<_>>(), answered);
    assert!((0..50).all(|n| mails[n].to == format!("r-{n}@example.com")));
    assert_eq!(answered.iter().collect::<BTreeSet<_>>().len(), 50, "message ids are unique");
}

#[tokio::test]
async fn a_call_of_51_entries_or_of_none_is_refused_whole() {
    let stack = Stack::start().await;
    stack.plain().await;

    for count in [0, 51] {
        let call = stack.bulk("plain", "{}").set_bulk_email_entries(Some(people(count)));
        assert!(call.send().await.unwrap_err().into_service_error().is_bad_request_exception());
    }
    assert_eq!(stack.ses.count(), 0);
}

#[tokio::test]
async fn an_entry_has_one_valid_address_and_no_copies() {
    let stack = Stack::start().await;
    stack.plain().await;
    let to = |to: &[&str]| Destination::builder().set_to_addresses(Some(to.iter().map(|a| (*a).to_owned()).collect()));
    let entries = [
        to(&["a@example.com"]),
        to(&["Sample Person <b@example.com>"]),
        to(&[]),
        to(&["a@example.com", "b@example.com"]),
        to(&["a@example.com"]).cc_addresses("c@example.com"),
        to(&["not an address"]),
        to(&["a@exämple.com"]),
    ];

    let entries = entries.into_iter().map(|to| BulkEmailEntry::builder().destination(to.build()).build()).collect();
    let call = stack.bulk("plain", "{}").set_bulk_email_entries(Some(entries));

    let statuses = statuses(call).await;
    assert_eq!(statuses[..2], ["SUCCESS", "SUCCESS"]);
    assert!(statuses[2..].iter().all(|status| status == "INVALID_PARAMETER"), "{statuses:?}");
    assert_eq!(stack.ses.mails()[1].to, "b@example.com", "the address without the name");
}

#[tokio::test]
async fn a_template_that_is_not_there_fails_each_entry() {
    let stack = Stack::start().await;

    let call = stack.bulk("none", "{}").set_bulk_email_entries(Some(people(2)));

    assert_eq!(statuses(call).await, ["TEMPLATE_NOT_FOUND", "TEMPLATE_NOT_FOUND"]);
}

#[tokio::test]
async fn an_entrys_data_replaces_the_default_by_top_level_key() {
    let stack = Stack::start().await;
    stack
        .template("t", "{{greeting}} {{person.name}}", "{{#if person.city}}in {{person.city}}{{/if}}", "{{greeting}}")
        .await;
    let default = r#"{"greeting":"Hello","person":{"name":"you","city":"Berlin"}}"#;

    let call = stack.bulk("t", default).bulk_email_entries(entry("a@example.com").build()).bulk_email_entries(
        entry("b@example.com").replacement_email_content(data(r#"{"person":{"name":"Sample"}}"#)).build(),
    );
    assert_eq!(statuses(call).await, ["SUCCESS", "SUCCESS"]);

    let mails = stack.ses.mails();
    assert_eq!((mails[0].subject.as_str(), mails[0].text().unwrap().as_str()), ("Hello you", "in Berlin"));
    assert_eq!((mails[1].subject.as_str(), mails[1].text().unwrap().as_str()), ("Hello Sample", ""));
}

#[tokio::test]
async fn stored_templates_have_conditions_loops_and_inline_partials_and_nothing_is_escaped() {
    let stack = Stack::start().await;
    let html = r#"{{#*inline "item"}}<li>{{name}}</li>{{/inline}}<ul>{{#each items}}{{> item}}{{/each}}</ul>{{{raw_html}}}{{raw_html}}"#;
    stack.template("t", "{{#if items}}Some{{else}}None{{/if}}", "{{#unless items}}none{{/unless}}", html).await;

    let own = data(r#"{"items":[{"name":"A & B"},{"name":"<i>C</i>"}],"raw_html":"<hr>"}"#);
    let call = stack.bulk("t", "{}").bulk_email_entries(entry("a@example.com").replacement_email_content(own).build());
    assert_eq!(statuses(call).await, ["SUCCESS"]);

    let mail = &stack.ses.mails()[0];
    assert_eq!(mail.subject, "Some");
    assert_eq!(mail.html().unwrap(), "<ul><li>A & B</li><li><i>C</i></li></ul><hr><hr>");
}

#[tokio::test]
async fn a_template_in_the_call_has_simple_variables_only() {
    let stack = Stack::start().await;
    let call = |content| {
        let template = Template::builder().template_content(content).template_data(r#"{"name":"Sample"}"#).build();
        stack.bulk_of(template).bulk_email_entries(entry("a@example.com").build())
    };

    assert_eq!(statuses(call(content("Hello {{name}}", "{{ name }}", "<b>{{name}}</b>"))).await, ["SUCCESS"]);
    assert_eq!(stack.ses.mails()[0].html().unwrap(), "<b>Sample</b>");

    let blocks = call(content("Hello", "{{#if name}}{{name}}{{/if}}", "HTML")).send().await;
    assert!(blocks.unwrap_err().into_service_error().is_bad_request_exception());
}

#[tokio::test]
async fn template_data_is_an_object() {
    let stack = Stack::start().await;
    stack.plain().await;
    let entries = ["[]", "{", "{}"].map(|own| entry("a@example.com").replacement_email_content(data(own)).build());

    let call = stack.bulk("plain", "{}").set_bulk_email_entries(Some(entries.to_vec()));
    assert_eq!(statuses(call).await, ["INVALID_PARAMETER", "INVALID_PARAMETER", "SUCCESS"]);

    let call = stack.bulk("plain", "[]").bulk_email_entries(entry("a@example.com").build());
    assert!(call.send().await.unwrap_err().into_service_error().is_bad_request_exception());
}

#[tokio::test]
async fn template_data_of_more_than_262_144_characters_refuses_the_call() {
    let stack = Stack::start().await;
    stack.plain().await;
    let json = |chars: usize| format!(r#"{{"x":"{}"}}"#, "ü".repeat(chars - 8));
    let call = |own: &str| {
        let own = entry("b@example.com").replacement_email_content(data(own)).build();
        stack.bulk("plain", "{}").bulk_email_entries(entry("a@example.com").build()).bulk_email_entries(own)
    };

    let refused = call(&json(262_145)).send().await.unwrap_err().into_service_error();
    assert!(refused.is_bad_request_exception());
    assert_eq!(stack.ses.count(), 0, "nothing of the call was sent");

    assert_eq!(statuses(call(&json(262_144))).await, ["SUCCESS", "SUCCESS"]);
}

#[tokio::test]
async fn an_entrys_headers_replace_the_templates_by_name() {
    let stack = Stack::start().await;
    stack.plain().await;
    let template =
        Template::builder().template_name("plain").headers(header("X-A", "1")).headers(header("X-B", "1")).build();

    let own = entry("a@example.com").replacement_headers(header("x-b", "2")).build();
    assert_eq!(statuses(stack.bulk_of(template).bulk_email_entries(own)).await, ["SUCCESS"]);

    let headers = stack.ses.mails()[0].headers();
    assert_eq!(
        (headers.get("X-A").map(String::as_str), headers.get("x-b").map(String::as_str)),
        (Some("1"), Some("2"))
    );
    assert!(!headers.contains_key("X-B"));
}

#[tokio::test]
async fn headers_are_few_short_printable_and_not_those_that_ses_writes() {
    let stack = Stack::start().await;
    stack.plain().await;
    let many = |count| (0..count).map(|n| header(&format!("X-{n}"), "v")).collect::<Vec<_>>();
    let long_name = "n".repeat(127);
    let cases = [
        (many(15), "SUCCESS"),
        (many(16), "INVALID_PARAMETER"),
        (vec![header("X", &"v".repeat(995))], "SUCCESS"),
        (vec![header("XX", &"v".repeat(995))], "INVALID_PARAMETER"),
        (vec![header("X", &"v".repeat(996))], "INVALID_PARAMETER"),
        (vec![header(&long_name[1..], "v")], "SUCCESS"),
        (vec![header(&long_name, "v")], "INVALID_PARAMETER"),
        (vec![header("", "v")], "INVALID_PARAMETER"),
        (vec![header("X", "")], "INVALID_PARAMETER"),
        (vec![header("X:Y", "v")], "INVALID_PARAMETER"),
        (vec![header("X", "ü")], "INVALID_PARAMETER"),
        (vec![header("X", "a\r\nBcc: b@example.com")], "INVALID_PARAMETER"),
        (vec![header("subject", "v")], "INVALID_PARAMETER"),
    ];
    let entries =
        cases.iter().map(|(headers, _)| entry("a@example.com").set_replacement_headers(Some(headers.clone())).build());

    let call = stack.bulk("plain", "{}").set_bulk_email_entries(Some(entries.collect()));

    assert_eq!(statuses(call).await, cases.map(|(_, status)| status));
}

#[tokio::test]
async fn tags_are_of_256_letters_digits_dashes_and_underscores() {
    let stack = Stack::start().await;
    stack.plain().await;
    let longest = "t".repeat(256);
    let cases = [
        (tag("campaign", "cnVzdA"), "SUCCESS"),
        (tag(&longest, &longest), "SUCCESS"),
        (tag("campaign", &format!("{longest}t")), "INVALID_PARAMETER"),
        (tag("campaign", "a@b"), "INVALID_PARAMETER"),
        (tag("campaign", "a.b"), "INVALID_PARAMETER"),
        (tag("", "a"), "INVALID_PARAMETER"),
    ];
    let entries = cases.iter().map(|(tag, _)| entry("a@example.com").replacement_tags(tag.clone()).build());

    let call = stack.bulk("plain", "{}").set_bulk_email_entries(Some(entries.collect()));

    assert_eq!(statuses(call).await, cases.map(|(_, status)| status));
}

#[tokio::test]
async fn an_entrys_tags_join_the_calls() {
    let stack = Stack::start().await;
    stack.plain().await;

    let own = entry("a@example.com").replacement_tags(tag("recipient", "r")).replacement_tags(tag("kind", "b")).build();
    let call = stack
        .bulk("plain", "{}")
        .default_email_tags(tag("campaign", "c"))
        .default_email_tags(tag("kind", "a"))
        .configuration_set_name("germane")
        .bulk_email_entries(own);
    assert_eq!(statuses(call).await, ["SUCCESS"]);

    let wanted = [("campaign", "c"), ("kind", "b"), ("recipient", "r")].map(|(n, v)| (n.to_owned(), v.to_owned()));
    assert_eq!(stack.ses.mails()[0].tags, wanted.into());
}

#[tokio::test]
async fn a_call_without_a_sender_is_refused() {
    let stack = Stack::start().await;
    stack.plain().await;

    for from in ["", "nobody"] {
        let call = stack.bulk("plain", "{}").from_email_address(from).set_bulk_email_entries(Some(people(1)));
        assert!(call.send().await.unwrap_err().into_service_error().is_bad_request_exception());
    }
}
