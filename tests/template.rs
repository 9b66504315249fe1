//! Templates: what they compile to, what is refused, and what a mail made from them shows.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod content;
mod faults;
mod folder;
mod plain;
mod shipped;
mod twins;

use std::collections::BTreeMap;

use germane::{
    domain::{door::Fault, policy::Policy},
    flow::template::{Compiled, Personal, Rendered, Source, compile, render},
};
use serde_json::{Map, Value, json};

const FOOT: &str = "<p>{{why}}</p><p><a href=\"{{unsubscribe_url}}\">Leave</a></p><p>{{postal_address}}</p>";
const TEXT_FOOT: &str = "{{why}} {{unsubscribe_url}} {{postal_address}}";

fn policy() -> Policy {
    Policy::parse(&json!({
        "from": "news@example.com", "postal_address": "Example & Sons, 1 Example Street",
        "privacy_url": "https://example.com/privacy", "topics": {},
        "attributes": { "first_name": {}, "city": {} },
    }))
    .unwrap()
}

/// A whole body around what a test is about.
fn mjml(inner: &str) -> String {
    format!(
        "<mjml lang=\"en\"><mj-body><mj-section><mj-column><mj-text>{inner}</mj-text><mj-text>{FOOT}</mj-text>\
         </mj-column></mj-section></mj-body></mjml>"
    )
}

fn manifest() -> Value {
    json!({
        "subject": "{{headline}}",
        "attributes": ["first_name"],
        "variables": {
            "headline": { "description": "What it is about", "sample": "News" },
            "intro": { "description": "A first word", "sample": "Welcome", "optional": true },
            "url": { "description": "More of it", "sample": "https://example.com/more", "optional": true },
            "product": { "description": "A product", "sample": { "name": "Reports" }, "optional": true },
            "tags": { "description": "Words", "sample": ["one", "two"], "optional": true },
            "items": {
                "description": "What to read", "optional": true,
                "sample": [{ "title": "A", "url": "https://example.com/a", "tags": ["x"] }],
            },
        },
    })
}

fn source(mjml: &str, text: Option<&str>) -> Value {
    let mut source = json!({ "manifest": manifest(), "mjml": { "default": mjml } });
    if let Some(text) = text {
        source["text"] = json!({ "default": text });
    }
    source
}

fn compiled(source: &Value) -> Compiled {
    tried(source).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

fn tried(source: &Value) -> Result<Compiled, Vec<Fault>> {
    compile(&"sample".parse().unwrap(), &Source::parse(source)?)
}

/// A template with `html` in its body and `text` in its plain text.
fn template(html: &str, text: &str) -> Compiled {
    compiled(&source(&mjml(html), Some(&format!("{text} {TEXT_FOOT}"))))
}

fn content(content: Value) -> Map<String, Value> {
    serde_json::from_value(content).unwrap()
}

fn data(template: &Compiled, content: &Map<String, Value>, attributes: &[(&str, &str)]) -> Value {
    let attributes: BTreeMap<String, String> =
        attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let person = Personal {
        attributes: &attributes,
        unsubscribe_url: "https://example.com/u/1",
        preferences_url: "https://example.com/p/1",
        confirm_url: "https://example.com/c/1",
        held: &Value::Null,
        why: "You asked for it.",
    };
    serde_json::from_str(&template.data(&template.shared(content, &policy()), &person)).unwrap()
}

fn mail(template: &Compiled, content: &Map<String, Value>, attributes: &[(&str, &str)]) -> Rendered {
    render(&template.subject, &template.html, &template.text, &data(template, content, attributes)).unwrap()
}

fn fields(faults: &[Fault]) -> Vec<&str> {
    faults.iter().map(|fault| fault.field.as_str()).collect()
}

fn lines(faults: &[Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
