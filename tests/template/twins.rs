//! Every part reads its own twin of a value.

use serde_json::json;

use super::{TEXT_FOOT, compiled, content, data, mail, mjml, policy, source, template};

#[test]
fn html_reads_the_escaped_twin_and_text_the_raw_one() {
    let table = [
        ("{{headline}}", "{{h.headline}}", "{{t.headline}}"),
        ("{{ headline }}", "{{h.headline}}", "{{t.headline}}"),
        ("{{product.name}}", "{{h.product.name}}", "{{t.product.name}}"),
        ("{{@root.headline}}", "{{@root.h.headline}}", "{{@root.t.headline}}"),
        ("a{{!-- {{b}} --}}c{{! d }}e", "ace", "ace"),
        ("{{#if intro}}a{{else}}b{{/if}}", "{{#if h.intro}}a{{else}}b{{/if}}", "{{#if t.intro}}a{{else}}b{{/if}}"),
        (
            "{{#unless first_name}}a{{/unless}}",
            "{{#unless h.first_name}}a{{/unless}}",
            "{{#unless t.first_name}}a{{/unless}}",
        ),
        ("{{#each tags}}{{this}}{{/each}}", "{{#each h.tags}}{{this}}{{/each}}", "{{#each t.tags}}{{this}}{{/each}}"),
        (
            "{{#each items}}{{title}}{{this.title}}{{@index}}{{#if @last}}.{{/if}}{{/each}}",
            "{{#each h.items}}{{title}}{{this.title}}{{@index}}{{#if @last}}.{{/if}}{{/each}}",
            "{{#each t.items}}{{title}}{{this.title}}{{@index}}{{#if @last}}.{{/if}}{{/each}}",
        ),
        (
            "{{#each items}}{{../headline}}{{@root.headline}}{{/each}}",
            "{{#each h.items}}{{../h.headline}}{{@root.h.headline}}{{/each}}",
            "{{#each t.items}}{{../t.headline}}{{@root.t.headline}}{{/each}}",
        ),
        (
            "{{#each items}}{{#each tags}}{{../title}}{{../../headline}}{{/each}}{{/each}}",
            "{{#each h.items}}{{#each tags}}{{../title}}{{../../h.headline}}{{/each}}{{/each}}",
            "{{#each t.items}}{{#each tags}}{{../title}}{{../../t.headline}}{{/each}}{{/each}}",
        ),
        (
            "{{#each items}}{{title}}{{else}}{{headline}}{{/each}}",
            "{{#each h.items}}{{title}}{{else}}{{h.headline}}{{/each}}",
            "{{#each t.items}}{{title}}{{else}}{{t.headline}}{{/each}}",
        ),
    ];
    for (written, html, text) in table {
        let template = template(&format!("[[{written}]]"), written);
        assert!(template.html.contains(&format!("[[{html}]]")), "{written}: {}", template.html);
        assert!(template.text.starts_with(&format!("{text} ")), "{written}: {}", template.text);
    }
}

#[test]
fn hostile_values_are_shown_as_they_are_and_never_run() {
    let template = template(
        r#"<b title="{{intro}}">{{headline}}</b>{{#each tags}}[{{this}}]{{/each}}"#,
        "{{headline}}|{{intro}}|",
    );
    let hostile = content(json!({
        "headline": "<script>alert('x')</script> & {{evil}} {{{why}}} \\ \"",
        "intro": "\" onmouseover=\"alert(1)",
        "tags": ["</td>", "{{#each items}}"],
    }));
    assert!(template.check_content(&hostile).is_empty());
    let mail = mail(&template, &hostile, &[("first_name", "<i>")]);
    let escaped = "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; {{evil}} {{{why}}} \\ &quot;";
    assert!(
        mail.html.contains(&format!("<b title=\"&quot; onmouseover=&quot;alert(1)\">{escaped}</b>")),
        "{}",
        mail.html
    );
    assert!(mail.html.contains("[&lt;/td&gt;][{{#each items}}]"));
    assert!(mail.html.contains("Example &amp; Sons"));
    assert!(!mail.html.contains("<script"));
    assert_eq!(mail.subject, "<script>alert('x')</script> & {{evil}} {{{why}}} \\ \"");
    assert!(mail.text.starts_with(&format!("{}|\" onmouseover=\"alert(1)|", mail.subject)));
    assert!(mail.text.ends_with("Example & Sons, 1 Example Street"));
}

#[test]
fn a_person_cannot_break_out_of_the_data_or_of_a_line() {
    let mut source = source(&mjml("{{first_name}}"), Some(&format!("{{{{first_name}}}}| {TEXT_FOOT}")));
    source["manifest"]["subject"] = json!("For {{first_name}}");
    let template = compiled(&source);
    let mail = mail(&template, &content(json!({ "headline": "x" })), &[("first_name", "A\",\"why\":\"\\\r\nBcc: <b>")]);
    assert_eq!(mail.subject, "For A\",\"why\":\"\\  Bcc: <b>");
    assert!(mail.html.contains("A&quot;,&quot;why&quot;:&quot;\\  Bcc: &lt;b&gt;"));
}

#[test]
fn data_holds_what_the_template_reads_and_nothing_else() {
    let template =
        template("{{headline}}{{#each items}}{{title}}{{/each}}{{#if product.name}}y{{/if}}", "{{first_name}}");
    let content = content(json!({
        "headline": "H", "undeclared": 1, "intro": "unread",
        "items": [{ "title": "T", "url": "https://example.com" }, { "other": true }],
    }));
    let data = data(&template, &content, &[("first_name", "Sample"), ("city", "kept back")]);
    assert_eq!(
        data,
        json!({
            "h": {
                "headline": "H",
                "items": [{ "title": "T" }, { "title": "" }],
                "postal_address": "Example &amp; Sons, 1 Example Street",
                "product": { "name": "" },
                "unsubscribe_url": "https://example.com/u/1",
                "why": "You asked for it.",
            },
            "t": {
                "first_name": "Sample",
                "headline": "H",
                "postal_address": "Example & Sons, 1 Example Street",
                "unsubscribe_url": "https://example.com/u/1",
                "why": "You asked for it.",
            },
        })
    );
}

#[test]
fn the_mail_is_in_the_language_that_fits_and_else_in_the_default() {
    let mut source = source(&mjml("Hello"), None);
    source["mjml"]["de"] = json!(mjml("Hallo"));
    source["mjml"]["pt-BR"] = json!(mjml("Oi"));
    let template = compiled(&source);
    let shared = template.shared(&content(json!({ "headline": "x" })), &policy());
    let attributes = std::collections::BTreeMap::new();
    let person = super::Personal {
        attributes: &attributes,
        held: &serde_json::Value::Null,
        unsubscribe_url: "u",
        preferences_url: "p",
        confirm_url: "",
        why: "You asked.",
    };
    let greeting = |locale| {
        let data = serde_json::from_str(&template.data_in(locale, &shared, &person)).unwrap();
        let mail = super::render(&template.subject, &template.html, &template.text, &data).unwrap();
        let word = mail.text.split_whitespace().next().unwrap().to_owned();
        assert_eq!(mail.html.matches("<html").count(), 1);
        assert!(mail.html.contains(&word));
        word
    };
    assert_eq!(greeting(None), "Hello");
    assert_eq!(greeting(Some("de")), "Hallo");
    assert_eq!(greeting(Some("de-AT")), "Hallo");
    assert_eq!(greeting(Some("pt-br")), "Oi");
    assert_eq!(greeting(Some("pt")), "Hello");
    assert_eq!(greeting(Some("fr")), "Hello");
}

#[test]
fn a_template_is_named_by_what_is_in_it() {
    let of = |body: &str| compiled(&source(&mjml(body), None));
    assert_eq!(of("Hello"), of("Hello"));
    assert_eq!(of("Hello").hash, of("Hello{{!-- a comment is not sent --}}").hash);
    assert_ne!(of("Hello").hash, of("Hallo").hash);
    let mut other_subject = source(&mjml("Hello"), None);
    other_subject["manifest"]["subject"] = json!("{{headline}}!");
    assert_ne!(of("Hello").hash, compiled(&other_subject).hash);
    assert_eq!(of("Hello").hash.len(), 16);
}

#[test]
fn the_name_in_ses_keeps_to_its_alphabet_and_length() {
    let source = super::Source::parse(&source(&mjml("Hello"), None)).unwrap();
    let named = |name: &str| super::compile(&name.parse().unwrap(), &source).unwrap();
    let template = named("product.update_v2-b");
    assert_eq!(template.ses_name(), format!("germane-product_update_v2-b-{}", template.hash));
    let long = named(&"n.".repeat(60)).ses_name();
    assert_eq!(long.len(), 64);
    assert!(long.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)));
}

#[test]
fn what_is_stored_is_read_back_the_same() {
    let template = template("{{#each items}}<a href=\"{{url}}\">{{title}}</a>{{/each}}", "{{headline}}");
    let stored = serde_json::to_string(&template).unwrap();
    assert_eq!(serde_json::from_str::<super::Compiled>(&stored).unwrap(), template);
    let source = source(&mjml("Hello"), Some(TEXT_FOOT));
    let parsed = super::Source::parse(&source).unwrap();
    assert_eq!(super::Source::parse(&parsed.to_json()).unwrap(), parsed);
}

#[test]
fn a_missing_variable_is_an_error_as_in_ses() {
    let error = super::render("{{t.headline}}", "", "", &json!({ "t": {} })).unwrap_err();
    assert_eq!(error.to_string(), "the subject cannot be rendered");
    assert!(super::render("{{#if a}}", "", "", &json!({})).is_err());
    assert_eq!(super::render("", "{{a}}", "", &json!({ "a": "<b>" })).unwrap().html, "<b>");
}
