//! What a campaign's content and the policy must bring.

use serde_json::json;

use super::{content, fields, lines, policy, template};

#[test]
fn a_required_variable_must_be_there() {
    let template = template("{{headline}}", "{{headline}}");
    for missing in [json!({}), json!({ "headline": null })] {
        insta::allow_duplicates! {
            insta::assert_snapshot!(lines(&template.check_content(&content(missing))),
                @"/content/headline: found nothing, wanted this variable: What it is about");
        }
    }
    let empty = template.check_content(&content(json!({ "headline": " " })));
    assert_eq!(empty[0].found, "an empty text");
    assert!(template.check_content(&content(json!({ "headline": "H", "undeclared": [1] }))).is_empty());
}

#[test]
fn content_that_cannot_be_shown_is_named_in_full() {
    let template = template(
        "{{#each items}}{{title}}{{#each tags}}{{this}}{{/each}}{{/each}}{{product.name}}{{#each tags}}{{this}}{{/each}}",
        "{{intro}}",
    );
    let faults = template.check_content(&content(json!({
        "headline": "two\nlines",
        "intro": "a line\nbreak is fine, \u{1b}[31m is not",
        "items": [{ "title": "fine", "tags": "none" }, "no object", { "title": { "en": "nested" } }],
        "product": "Reports",
        "tags": { "a": 1 },
    })));
    insta::assert_snapshot!(lines(&faults), @"
    /content/headline: found a text with a control character, wanted one line, since it stands in the subject
    /content/intro: found a text with a control character, wanted a text without control characters other than line breaks
    /content/items/0/tags: found a text, wanted a list
    /content/items/1: found a text, wanted an object with tags, title
    /content/items/2/title: found an object, wanted a text or a number
    /content/product: found a text, wanted an object with name
    /content/tags: found an object, wanted a list
    ");
}

#[test]
fn a_link_leads_to_the_web_or_to_a_mailbox() {
    let template = template(
        "<a href=\" {{url}}\">x</a><a href='https://example.com/?q={{intro}}'>y</a>{{#each items}}<a href=\"{{#if url}}{{url}}{{/if}}\">z</a>{{/each}}",
        "{{headline}}",
    );
    let found = |url: &str| {
        let content = json!({ "headline": "H", "intro": "javascript:", "url": url, "items": [{ "url": url }] });
        fields(&template.check_content(&content_of(content))).join(" ")
    };
    for fine in ["https://example.com", "http://example.com", "mailto:qa@example.com", ""] {
        assert_eq!(found(fine), "", "{fine}");
    }
    for foul in
        ["javascript:alert(1)", " https://example.com", "JAVASCRIPT:x", "data:text/html,x", "//example.com", "x"]
    {
        assert_eq!(found(foul), "/content/items/0/url /content/url", "{foul}");
    }
    let number = template.check_content(&content_of(json!({ "headline": "H", "url": 7 })));
    assert_eq!(fields(&number), ["/content/url"]);
}

fn content_of(value: serde_json::Value) -> serde_json::Map<String, serde_json::Value> {
    content(value)
}

#[test]
fn content_that_grows_past_what_ses_takes_is_refused() {
    let template = template("{{intro}}", "{{headline}}");
    let quotes = "\"".repeat(60_000);
    let faults = template.check_content(&content(json!({ "headline": "H", "intro": quotes })));
    assert_eq!(fields(&faults), ["/content"]);
    let plain = "a".repeat(60_000);
    assert!(template.check_content(&content(json!({ "headline": "H", "intro": plain }))).is_empty());
}

#[test]
fn attributes_are_those_that_the_policy_names() {
    let template = template("{{first_name}}", "{{headline}}");
    assert!(template.check_attributes(&policy()).is_empty());
    let mut bare = policy();
    bare.attributes.remove("first_name");
    insta::assert_snapshot!(lines(&template.check_attributes(&bare)),
        @"/manifest/attributes/0: found first_name, wanted an attribute that the policy names: city");
}

#[test]
fn a_declared_attribute_that_a_person_lacks_is_empty() {
    let template = template("[{{#if first_name}}Hello {{first_name}}{{else}}Hello{{/if}}]", "{{first_name}}|");
    let content = content(json!({ "headline": "H" }));
    assert!(super::mail(&template, &content, &[]).html.contains("[Hello]"));
    assert!(super::mail(&template, &content, &[("first_name", "Sample")]).html.contains("[Hello Sample]"));
}
