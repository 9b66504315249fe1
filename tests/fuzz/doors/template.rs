//! Templates: the body of a PUT, and the folder that the command line reads.

use std::{fs, path::PathBuf};

use germane::{
    flow::template::{Compiled, Source, compile},
    local::templates::{file_of, read_one},
};
use serde_json::{Value, json};

use super::{Door, documents, faults, json as read};
use crate::{mutate::Format, run::Answer};

const WORDS: &[&str] = &[
    "{{#if headline}}",
    "{{/if}}",
    "{{else}}",
    "{{#each items}}",
    "{{/each}}",
    "{{headline}}",
    "{{",
    "}}",
    "{{!--",
    "<mj-text>",
    "</mj-text>",
    "<mj-section>",
    "<mj-raw>",
    "<b>",
    "<!--",
    "-->",
    "<",
    "\\\"",
    "&",
    "<mj-include path='x'/>",
    "]]>",
];

/// Small ones, since most of what is taken is compiled.
fn small() -> Vec<Value> {
    let body = "<mjml><mj-body><mj-section><mj-column><mj-text>{{headline}} {{#each items}}<a href=\"{{url}}\">{{title}}</a>\
                {{/each}} {{why}} {{postal_address}} <a href=\"{{unsubscribe_url}}\">leave</a></mj-text></mj-column>\
                </mj-section></mj-body></mjml>";
    let variables = json!({
        "headline": { "description": "What it is about", "sample": "Async closures" },
        "items": { "description": "What there is", "optional": true,
                   "sample": [{ "title": "One", "url": "https://example.com/1" }] },
    });
    let manifest = json!({ "subject": "{{headline}}", "variables": variables, "attributes": ["first_name"] });
    let with_text = json!({
        "manifest": manifest, "mjml": { "default": body, "de": body },
        "text": { "default": "{{headline}}\n{{why}}\n{{postal_address}}\n{{unsubscribe_url}}" },
    });
    vec![json!({ "manifest": manifest, "mjml": { "default": body } }), with_text]
}

pub static TEMPLATE: Door = Door {
    name: "template",
    format: Format::Json,
    words: WORDS,
    one_in: 1,
    documents: || documents(&small()),
    open: || {
        Box::new(|input: &[u8]| match read(input) {
            Ok(value) => compiled(&value),
            Err(refused) => refused,
        })
    },
};

fn compiled(value: &Value) -> Answer {
    let source = match Source::parse(value) {
        Ok(source) => source,
        Err(wrong) => return faults(&wrong),
    };
    assert_eq!(Source::parse(&source.to_json()).as_ref(), Ok(&source), "it is read back as it was printed");
    let name = "fuzzed".parse().expect("a name");
    let form = match compile(&name, &source) {
        Ok(form) => form,
        Err(wrong) => return faults(&wrong),
    };
    let stored = serde_json::to_string(&form).expect("a template can be stored");
    let again: Compiled = serde_json::from_str(&stored).expect("and read");
    assert_eq!(again, form);
    Answer::Taken
}

pub static FOLDER: Door = Door {
    name: "template-folder",
    format: Format::Text,
    words: &[
        "\n= template.toml\n",
        "\n= body.mjml\n",
        "\n= body.de.mjml\n",
        "\n= body.txt\n",
        "[[",
        "]]",
        "\"\"\"",
        "= ",
        "[variables.x]",
        "1e400",
        "\\u0000",
    ],
    one_in: 1,
    documents: || {
        let manifest = "subject = \"{{headline}}\"\nattributes = [\"first_name\"]\n\n[variables.headline]\ndescription = \"x\"\nsample = \"y\"\n\n[[variables.items.sample]]\ntitle = \"One\"\nurl = \"https://example.com/1\"\n\n[variables.items]\ndescription = \"x\"\n";
        let body = small()[0]["mjml"]["default"].as_str().unwrap().to_owned();
        let one = format!(
            "= template.toml\n{manifest}\n= body.mjml\n{body}\n= body.txt\n{{{{headline}}}} {{{{why}}}} {{{{postal_address}}}} {{{{unsubscribe_url}}}}\n"
        );
        vec![one.into_bytes()]
    },
    open: || Box::new(folder),
};

/// The input as the files of a folder: each begins with a line that names it.
fn folder(input: &[u8]) -> Answer {
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz/folder-{}/fuzzed", std::process::id()));
    // It is not there the first time.
    let _ = fs::remove_dir_all(&root);
    fs::create_dir_all(&root).expect("the target folder can be written");
    let mut files: Vec<(&str, Vec<u8>)> = Vec::new();
    for line in input.split_inclusive(|byte| *byte == b'\n') {
        let names = ["template.toml", "body.mjml", "body.de.mjml", "body.txt"];
        match line.trim_ascii().strip_prefix(b"= ").and_then(|name| names.iter().find(|known| known.as_bytes() == name))
        {
            Some(name) => files.push((name, Vec::new())),
            None => files.last_mut().into_iter().for_each(|(_, body)| body.extend(line)),
        }
    }
    for (name, body) in files {
        fs::write(root.join(name), body).expect("the target folder can be written");
    }
    match read_one(&root) {
        Ok((_, value)) => {
            let answer = compiled(&value);
            if let Answer::Refused(_) = &answer {
                let wrong = Source::parse(&value).err().unwrap_or_default();
                assert!(wrong.iter().all(|fault| !file_of(fault).is_empty()), "a fault is in no file");
            }
            answer
        }
        Err(wrong) => {
            assert!(!wrong.is_empty() && wrong.iter().all(|fault| !fault.message.is_empty()));
            Answer::Refused(wrong.iter().map(|fault| fault.message.clone() + "\n").collect())
        }
    }
}
