//! The templates that come with the product.

use std::{fmt::Write, path::Path};

use serde_json::json;

use super::{Compiled, Rendered, Source, compile, content, mail, policy, render};

fn shipped(name: &str) -> Compiled {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates").join(name);
    let (name, body) = germane::local::templates::read_one(&folder).unwrap();
    compile(&name, &Source::parse(&body).unwrap()).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

fn in_full(template: &Compiled) -> Rendered {
    let data = serde_json::from_str(&template.sample_data(&policy())).unwrap();
    render(&template.subject, &template.html, &template.text, &data).unwrap()
}

fn bare(template: &Compiled) -> Rendered {
    let content = content(json!({ "headline": "Async closures" }));
    assert!(template.check_content(&content).is_empty());
    mail(template, &content, &[])
}

fn holds_its_promises(html: &str) {
    assert!(html.starts_with("<!doctype html><html lang=\"en\""));
    assert!(html.contains("name=\"color-scheme\" content=\"light dark\""));
    assert!(html.contains("prefers-color-scheme: dark"));
    for once in ["Why you get this", "Change what you get", "Unsubscribe", "Example &amp; Sons"] {
        assert_eq!(html.matches(once).count(), 1, "{once}");
    }
    // Nothing is fetched from anywhere.
    for fetching in ["<img", "<link", "@import", "url(", "src=", "fonts.googleapis", "background="] {
        assert!(!html.contains(fetching), "{fetching}");
    }
    assert!(!html.contains("{{") && !html.contains("}}"));
}

#[test]
fn the_newsletter_shows_everything_that_it_is_given() {
    let template = shipped("newsletter");
    let mail = in_full(&template);
    assert_eq!(mail.subject, "Async closures are here, and what they change");
    holds_its_promises(&mail.html);
    assert_eq!(mail.html.matches(">Read more</a>").count(), 2);
    assert_eq!(mail.html.matches("<h2").count(), 3);
    insta::assert_snapshot!(mail.text);
}

#[test]
fn the_newsletter_needs_only_a_headline() {
    let mail = bare(&shipped("newsletter"));
    holds_its_promises(&mail.html);
    assert!(!mail.html.contains("<h2") && !mail.html.contains("Hello"));
    insta::assert_snapshot!(mail.text);
}

#[test]
fn the_product_update_shows_everything_that_it_is_given() {
    let template = shipped("product-update");
    let mail = in_full(&template);
    holds_its_promises(&mail.html);
    assert_eq!(mail.html.matches("<li").count(), 3);
    assert!(mail.html.contains("href=\"https://example.com/reports/schedule\""));
    insta::assert_snapshot!(mail.text);
}

#[test]
fn the_product_update_needs_only_a_headline() {
    let mail = bare(&shipped("product-update"));
    holds_its_promises(&mail.html);
    assert!(!mail.html.contains("<h2") && !mail.html.contains("<ol"));
    insta::assert_snapshot!(mail.text);
}

fn holds_the_promises_of_a_notice(html: &str, language: &str) {
    assert!(html.starts_with(&format!("<!doctype html><html lang=\"{language}\"")), "{html}");
    assert!(html.contains("prefers-color-scheme: dark") && html.contains("Example &amp; Sons"));
    for fetching in ["<img", "<link", "@import", "url(", "src=", "background=", "{{", "}}"] {
        assert!(!html.contains(fetching), "{fetching}");
    }
}

/// A notice with every sample, in each language.
fn spoken(template: &Compiled) -> String {
    let mut told = String::new();
    for language in ["en", "de"] {
        let mut data: serde_json::Value = serde_json::from_str(&template.sample_data(&policy())).unwrap();
        data["l"]["de"] = json!(language == "de");
        let mail = render(&template.subject, &template.html, &template.text, &data).unwrap();
        holds_the_promises_of_a_notice(&mail.html, language);
        let _ = writeln!(told, "# {}\n\n{}\n", mail.subject, mail.text.trim_end());
    }
    told
}

#[test]
fn the_confirmation_asks_what_it_is_for_and_leads_to_a_page() {
    let template = shipped("confirm-consent");
    assert!(template.manifest.notice && !template.manifest.held && template.manifest.attributes.is_empty());
    insta::assert_snapshot!(spoken(&template));
}

#[test]
fn the_data_notice_shows_what_is_held_and_where_it_is_changed() {
    let template = shipped("data-notice");
    assert!(template.manifest.notice && template.manifest.held && template.manifest.attributes.is_empty());
    insta::assert_snapshot!(spoken(&template));
}

#[test]
fn a_stack_away_from_the_templates_has_the_same_ones() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    assert_eq!(germane::local::shipped::templates(), germane::local::templates::read_folder(&folder).unwrap());
}

#[test]
fn only_the_headline_is_required_of_a_campaign() {
    for name in ["newsletter", "product-update"] {
        let template = shipped(name);
        let required = template.manifest.variables.iter().filter(|(_, variable)| !variable.optional);
        assert_eq!(required.map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["headline"]);
        assert_eq!(template.manifest.attributes, ["first_name"]);
        assert!(template.check_attributes(&policy()).is_empty());
    }
}

#[test]
fn the_link_to_what_is_held_is_mailed_in_both_languages_and_needs_no_unsubscribe() {
    let template = shipped("access-link");
    assert_eq!(template.languages, ["de"]);
    let mail = in_full(&template);
    assert_eq!(mail.subject, "Your link to what Rust Weekly holds about you");
    assert_eq!(mail.html.matches("Show me everything").count(), 1);
    for fetching in ["<img", "<link", "@import", "url(", "src=", "fonts.googleapis", "background=", "{{", "}}"] {
        assert!(!mail.html.contains(fetching), "{fetching}");
    }
    insta::assert_snapshot!(mail.text);
}
