//! The document at `/v1/openapi.json`, held against the router, the doors and the words that it describes.

mod doors;
mod journey;
mod schema;
mod words;

use std::collections::BTreeSet;

use germane::lambda::{
    http::{API_ROUTES, PREFERENCES_ROUTES},
    openapi,
};
use serde_json::Value;

use self::schema::Document;

fn document() -> Document {
    Document(serde_json::from_str(openapi::document().unwrap()).unwrap())
}

#[test]
fn every_route_is_described_and_nothing_else() {
    let routes: BTreeSet<(String, String)> = API_ROUTES
        .iter()
        .chain(PREFERENCES_ROUTES)
        .map(|(method, path)| ((*method).to_owned(), (*path).to_owned()))
        .collect();
    let described: BTreeSet<(String, String)> =
        document().operations().into_iter().map(|(method, path, _)| (method, path)).collect();
    assert_eq!(described, routes);
}

#[test]
fn it_says_which_openapi_it_is() {
    let Document(document) = document();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_used() {
    let document = document();
    let mut used = BTreeSet::new();
    references(&document.0, &mut used);
    for reference in &used {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.0.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    let components = document.0["components"]["schemas"].as_object().unwrap().keys();
    let components: BTreeSet<String> = components.map(|name| format!("#/components/schemas/{name}")).collect();
    assert_eq!(components, used);
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get("$ref").and_then(Value::as_str).map(ToOwned::to_owned));
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_operation_has_a_name_of_its_own_a_summary_a_known_tag_and_the_parameters_of_its_path() {
    let document = document();
    let tags: BTreeSet<&str> =
        document.0["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    let mut names = BTreeSet::new();
    for (method, path, operation) in document.operations() {
        assert!(names.insert(operation["operationId"].as_str().unwrap()), "{method} {path}: its name is taken");
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{method} {path}");
        assert!(tags.contains(operation["tags"][0].as_str().unwrap()), "{method} {path}");
        let told: BTreeSet<&str> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "path")
            .inspect(|parameter| assert_eq!(parameter["required"], true, "{method} {path}"))
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        let braced: BTreeSet<&str> =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        assert_eq!(told, braced, "{method} {path}");
    }
}

#[test]
fn every_example_fits_its_schema() {
    let document = document();
    let mut seen = 0;
    for (method, path, operation) in document.operations() {
        let bodies = operation["responses"].as_object().unwrap().values().chain([&operation["requestBody"]]);
        for (kind, content) in bodies.filter_map(|body| body["content"].as_object()).flatten() {
            let examples: Vec<Value> = match (&content["example"], kind.as_str()) {
                (Value::Null, _) => continue,
                (Value::String(lines), "application/x-ndjson") => {
                    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
                }
                (example, _) => vec![example.clone()],
            };
            for example in examples {
                // A line that is refused is part of the bulk example.
                let faults = document.faults(&content["schema"], &example);
                let refused = example["id"] == "r-1044" && method == "post" && faults.len() == 1;
                assert!(faults.is_empty() || refused, "{method} {path}: {faults:?} in {example}");
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "only {seen} examples");
}
