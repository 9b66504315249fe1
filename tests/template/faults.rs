//! What is refused, everything at once and by name.

use serde_json::{Value, json};

use super::{FOOT, TEXT_FOOT, fields, lines, manifest, mjml, source, tried};

fn refused(source: &Value) -> String {
    lines(&tried(source).unwrap_err())
}

/// The one fault of a body without the field that it is in.
fn fault(inner: &str) -> String {
    let faults = tried(&source(&mjml(inner), Some(TEXT_FOOT))).unwrap_err();
    assert_eq!(fields(&faults), ["/mjml/default"], "{inner}: {faults:?}");
    faults[0].found.clone()
}

#[test]
fn what_the_dialect_does_not_have_is_refused() {
    let table = [
        "{{{headline}}}",
        "{{&headline}}",
        "{{> footer}}",
        "{{upper headline}}",
        "{{headline.title.}}",
        "{{@key}}",
        "{{~headline}}",
        "{{\"text\"}}",
        "{{}}",
    ];
    for inner in table {
        assert_eq!(fault(inner), format!("line 1: {inner}"));
    }
    for (inner, found) in [
        ("{{#with product}}x", "line 1: {{#with product}}"),
        ("{{#if headline}}x", "line 1: {{#if headline}}"),
        ("x{{/if}}", "line 1: {{/if}}"),
        ("{{else}}", "line 1: {{else}}"),
        ("{{#if intro}}a{{else}}b{{else}}c{{/if}}", "line 1: {{else}}"),
        ("{{#if intro}}a{{else if url}}b{{/if}}", "line 1: {{else if url}}"),
        ("{{#if intro}}a{{/each}}", "line 1: {{/each}}"),
        ("\\{{headline}}", "line 1: {{headline}}"),
    ] {
        assert_eq!(fault(inner), found, "{inner}");
    }
}

#[test]
fn names_that_lead_nowhere_are_refused() {
    for (inner, found) in [
        ("{{titel}}", "{{titel}}"),
        ("{{this}}", "{{this}}"),
        ("{{../headline}}", "{{../headline}}"),
        ("{{@index}}", "{{@index}}"),
        ("{{why.text}}", "{{why.text}}"),
        ("{{items}}", "{{items}}"),
        ("{{product}}", "{{product}}"),
        ("{{product.nome}}", "{{product.nome}}"),
        ("{{#if product}}x{{/if}}", "{{#if product}}"),
        ("{{#each headline}}x{{/each}}", "{{#each headline}}"),
        ("{{#each first_name}}x{{/each}}", "{{#each first_name}}"),
        ("{{#each items}}{{titel}}{{/each}}", "{{titel}}"),
        ("{{#each items}}{{headline}}{{/each}}", "{{headline}}"),
        ("{{#each items}}{{../../headline}}{{/each}}", "{{../../headline}}"),
        ("{{#each tags}}{{title}}{{/each}}", "{{title}}"),
    ] {
        assert_eq!(fault(inner), format!("line 1: {found}"), "{inner}");
    }
}

#[test]
fn a_value_stands_only_where_escaping_protects() {
    for (inner, found) in [
        ("<b style=\"color:{{intro}}\">x</b>", "{{intro}}"),
        ("<b onclick=\"{{intro}}\">x</b>", "{{intro}}"),
        ("<a href=\"{{first_name}}\">x</a>", "{{first_name}}"),
        ("<b title='\"{{intro}}'>x</b>", "{{intro}}"),
        ("{{#if intro}}<b title=\"{{/if}}\">x</b>", "{{/if}}"),
    ] {
        assert_eq!(fault(inner), format!("line 1: {found}"), "{inner}");
    }
    let styled =
        mjml("x").replace("<mj-body>", "<mj-head><mj-style>a { color: {{intro}} }</mj-style></mj-head><mj-body>");
    insta::assert_snapshot!(refused(&source(&styled, None)),
        @"/mjml/default: found line 1: {{intro}}, wanted a value only in text and in quoted attributes, not in the element style");
}

#[test]
fn every_fault_is_told_at_once_with_its_line() {
    let body = "<mjml>\n<mj-body>\n{{!-- two\nlines --}}<mj-text>{{titel}}</mj-text>\n{{{raw}}}\n<mj-nonsense></mj-nonsense>\n</mj-body></mjml>";
    let mut source = source(body, Some("{{#if intro}}\n{{nobody}}"));
    source["manifest"]["subject"] = json!("{{#each items}}{{title}}{{/each}} {{subjekt}}");
    insta::assert_snapshot!(refused(&source));
}

#[test]
fn a_mail_must_say_why_it_comes_from_whom_and_how_to_leave() {
    let bare = "<mjml><mj-body><mj-section><mj-column><mj-text>{{#if intro}}{{why}}{{/if}}</mj-text></mj-column></mj-section></mj-body></mjml>";
    let mut source = source(bare, Some("{{why}}"));
    insta::assert_snapshot!(refused(&source));
    source["manifest"]["notice"] = json!(true);
    let of_notice = refused(&source);
    assert!(!of_notice.contains("unsubscribe_url"), "{of_notice}");
    assert!(of_notice.contains("postal_address"), "{of_notice}");
}

#[test]
fn a_manifest_is_read_whole_before_it_is_refused() {
    let source = json!({
        "manifest": {
            "subject": "two\nlines",
            "subjekt": "x",
            "attributes": ["headline", "why", "First"],
            "held": true,
            "variables": {
                "headline": { "description": "d", "sample": "s", "default": "x" },
                "unsubscribe_url": { "description": "d", "sample": "s" },
                "Name": { "description": "d", "sample": "s" },
                "bare": {},
            },
        },
        "mjml": { "german": "<mjml/>" },
        "text": 7,
        "html": "x",
    });
    insta::assert_snapshot!(refused(&source));
}

#[test]
fn a_text_has_the_languages_of_its_mjml_and_a_default_is_needed() {
    let mut no_default = source("x", None);
    no_default["mjml"] = json!({ "de": "x" });
    assert_eq!(fields(&tried(&no_default).unwrap_err()), ["/mjml"]);
    let mut lone_text = source("x", Some("x"));
    lone_text["text"] = json!({ "default": "x", "de": "x" });
    assert_eq!(fields(&tried(&lone_text).unwrap_err()), ["/text"]);
}

#[test]
fn a_sample_must_be_what_a_campaign_could_bring() {
    let mut source = source(&mjml("<a href=\"{{url}}\">x</a>"), None);
    source["manifest"]["variables"]["url"]["sample"] = json!("javascript:x");
    source["manifest"]["variables"]["headline"]["sample"] = json!("two\nlines");
    assert_eq!(
        fields(&tried(&source).unwrap_err()),
        ["/manifest/variables/headline/sample", "/manifest/variables/url/sample"]
    );
}

#[test]
fn a_template_larger_than_ses_stores_is_refused() {
    let mut source = source(&mjml(&"a".repeat(300_000)), None);
    source["mjml"]["de"] = json!(mjml(&"b".repeat(300_000)));
    let faults = tried(&source).unwrap_err();
    assert_eq!(fields(&faults), ["/mjml"]);
}

#[test]
fn what_is_held_is_shown_by_notices_only() {
    let rows = "{{#each held}}{{title}}:{{#each rows}}{{label}}={{value}};{{/each}}{{/each}}";
    let mut source = source(&mjml(&format!("<p>{rows}</p>")), Some(&format!("{rows} {TEXT_FOOT}")));
    assert_eq!(fields(&tried(&source).unwrap_err()), ["/mjml/default", "/text/default"]);
    source["manifest"]["notice"] = json!(true);
    source["manifest"]["held"] = json!(true);
    let template = super::compiled(&source);
    let held = json!([{ "title": "A", "rows": [{ "label": "x", "value": "one<two>" }] }]);
    let person = super::Personal {
        attributes: &std::collections::BTreeMap::new(),
        held: &held,
        unsubscribe_url: "u",
        preferences_url: "p",
        confirm_url: "c",
        why: "Because.",
    };
    let shared = template.shared(&super::content(json!({ "headline": "H" })), &super::policy());
    let data = serde_json::from_str(&template.data(&shared, &person)).unwrap();
    let mail = super::render(&template.subject, &template.html, &template.text, &data).unwrap();
    assert!(mail.text.starts_with("A:x=one<two>; "), "{}", mail.text);
    assert!(mail.html.contains("A:x=one&lt;two&gt;;"), "{}", mail.html);
}

#[test]
fn what_is_held_is_no_text_no_link_and_no_subject_and_has_the_fields_that_it_has() {
    for (html, text) in [
        ("{{held}}", "x"),
        ("{{#each held}}{{#each rows}}<a href=\"{{value}}\">x</a>{{/each}}{{/each}}", "x"),
        ("{{#each held}}{{#each rows}}{{address}}{{/each}}{{/each}}", "x"),
    ] {
        let mut source = source(&mjml(html), Some(&format!("{text} {TEXT_FOOT}")));
        source["manifest"]["notice"] = json!(true);
        source["manifest"]["held"] = json!(true);
        assert_eq!(fields(&tried(&source).unwrap_err()), ["/mjml/default"], "{html}");
    }
    let mut subject = source(&mjml("x"), None);
    subject["manifest"] = super::manifest();
    subject["manifest"]["notice"] = json!(true);
    subject["manifest"]["held"] = json!(true);
    subject["manifest"]["subject"] = json!("{{#if held}}x{{/if}}");
    assert_eq!(fields(&tried(&subject).unwrap_err()), ["/manifest/subject"]);
}

#[test]
fn only_a_notice_leads_to_a_confirmation() {
    let mut source = source(&mjml("<a href=\"{{confirm_url}}\">x</a>"), Some(TEXT_FOOT));
    assert_eq!(fields(&tried(&source).unwrap_err()), ["/mjml/default"]);
    source["manifest"]["notice"] = json!(true);
    let mail = super::mail(&super::compiled(&source), &super::content(json!({ "headline": "H" })), &[]);
    assert!(mail.html.contains("href=\"https://example.com/c/1\""));
}

#[test]
fn subjects_have_the_languages_of_the_mjml() {
    let mut source = source(&mjml("x"), None);
    source["manifest"]["subjects"] = json!({ "de": "{{headline}} auf Deutsch" });
    assert_eq!(fields(&tried(&source).unwrap_err()), [""]);
    source["mjml"]["de"] = json!(mjml("x"));
    let template = super::compiled(&source);
    let subject = |locale| {
        let person = super::Personal {
            attributes: &std::collections::BTreeMap::new(),
            held: &json!(null),
            unsubscribe_url: "u",
            preferences_url: "p",
            confirm_url: "",
            why: "Because.",
        };
        let shared = template.shared(&super::content(json!({ "headline": "H" })), &super::policy());
        let data = serde_json::from_str(&template.data_in(locale, &shared, &person)).unwrap();
        super::render(&template.subject, &template.html, &template.text, &data).unwrap().subject
    };
    assert_eq!((subject(None), subject(Some("de-AT"))), ("H".to_owned(), "H auf Deutsch".to_owned()));
    source["manifest"]["subjects"]["default"] = json!("x");
    assert_eq!(fields(&tried(&source).unwrap_err()), [""]);
}

#[test]
fn mjml_that_cannot_be_read_is_refused_with_its_line() {
    for (body, found) in [
        ("<mjml>\n<mj-body><mj-text>1 < 2</mj-text></mj-body></mjml>", "line 2: "),
        ("<mjml>\n<mj-body>\n<mj-include path=\"x.mjml\" /></mj-body></mjml>", "line 3: "),
        ("<mjml><mj-body>\n", "line 2: "),
        ("", "line 1: "),
    ] {
        let faults = tried(&source(body, Some(TEXT_FOOT))).unwrap_err();
        assert_eq!(fields(&faults), ["/mjml/default"], "{body}");
        assert!(faults[0].found.starts_with(found), "{body}: {}", faults[0].found);
    }
    assert!(tried(&json!({ "manifest": manifest(), "mjml": { "default": mjml(FOOT) } })).is_ok());
}
