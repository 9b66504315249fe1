//! The text that is derived from the HTML.

use serde_json::json;

use super::{compiled, content, mail, mjml, source};

fn derived(inner: &str) -> super::Compiled {
    compiled(&source(&mjml(inner), None))
}

#[test]
fn the_derived_text_reads_like_a_text() {
    let template = derived(
        "<h1>{{headline}}</h1>\n<p>Caf&eacute; &amp;&nbsp;bar,\n   one <b>line</b>.<br/>Another &ndash; &#123;&#123;why}}</p>\
         <h2>A list</h2><ul><li>first</li><li>second</li></ul><p>After <img alt=\"a picture\" src=\"https://example.com/a.png\" />.</p>\
         <p style=\"display:none\">unseen <p>too</p></p><p><a href=\"mailto:qa@example.com\">qa@example.com</a> \
         <a href=\"https://example.com/?a=1&amp;b=2\">A link</a> <a href=\"https://example.com\">https://example.com</a></p><hr/>",
    );
    insta::assert_snapshot!(template.text);
}

#[test]
fn no_condition_leaves_a_gap() {
    let template = derived(
        "{{#if intro}}<p>{{intro}}</p>{{/if}}<p>Hello{{#if first_name}} {{first_name}}{{/if}}, {{#if url}}see {{url}} {{/if}}now.</p>\
         {{#each items}}<h2>{{title}}</h2><p>{{#if url}}<a href=\"{{url}}\">More</a>{{else}}No more{{/if}}</p>{{/each}}\
         {{#if tags}}<ul>{{#each tags}}<li>{{this}}</li>{{/each}}</ul>{{else}}<p>No tags</p>{{/if}}<p>End</p>",
    );
    let full = content(json!({
        "headline": "H", "intro": "Intro", "url": "https://example.com",
        "items": [{ "title": "One", "url": "https://example.com/1" }, { "title": "Two" }], "tags": ["a", "b"],
    }));
    let texts = [
        template.text.clone(),
        mail(&template, &full, &[("first_name", "Sample")]).text,
        mail(&template, &content(json!({ "headline": "H" })), &[]).text,
    ];
    insta::assert_snapshot!(texts.join("\n\n=====\n\n"));
}

#[test]
fn blocks_that_span_rows_stay_where_they_are() {
    let body = mjml("First")
        .replace("</mj-text><mj-text>", "</mj-text>{{#if intro}}<mj-text>{{intro}}</mj-text>{{/if}}<mj-text>");
    let template = compiled(&source(&body, None));
    assert!(template.text.starts_with("First{{#if t.intro}}\n\n{{t.intro}}{{/if}}\n\n"), "{}", template.text);
}
