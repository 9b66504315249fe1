//! What the document says of the bodies that are sent in, held against the doors that read them.

use std::collections::BTreeSet;

use germane::{
    domain::{campaign::Campaign, door::Fault, newsletter::Newsletter, policy::Policy, recipient::RecipientChange},
    flow::{
        api::{
            suppressions::{Wish, read_note},
            trial::Trial,
        },
        template::Source,
    },
};
use serde_json::{Map, Value, json};

use super::{document, schema::Document};
use crate::{given::now, world::with};

type Read = fn(&Value) -> Result<String, Vec<Fault>>;

/// A body that a door reads, with every field that its schema has.
struct Body {
    schema: Value,
    value: Value,
    read: Read,
}

fn policy() -> Policy {
    Policy::parse(&example(&document(), "/v1/policy", "put")).unwrap()
}

fn read_campaign(value: &Value) -> Result<String, Vec<Fault>> {
    Campaign::parse(value, &policy(), now()).map(|read| format!("{read:?}"))
}

fn read_recipient(value: &Value) -> Result<String, Vec<Fault>> {
    let id = "r-1042".parse().unwrap();
    RecipientChange::parse(value, Some(&id), &policy(), now()).map(|read| format!("{read:?}"))
}

fn read_policy(value: &Value) -> Result<String, Vec<Fault>> {
    Policy::parse(value).map(|read| format!("{read:?}"))
}

fn read_template(value: &Value) -> Result<String, Vec<Fault>> {
    Source::parse(value).map(|read| format!("{read:?}"))
}

fn read_newsletter(value: &Value) -> Result<String, Vec<Fault>> {
    Newsletter::parse(value).map(|read| format!("{read:?}"))
}

fn read_suppression(value: &Value) -> Result<String, Vec<Fault>> {
    Wish::parse(value).map(|read| format!("{read:?}"))
}

fn read_suppression_note(value: &Value) -> Result<String, Vec<Fault>> {
    read_note(value).map(|read| format!("{read:?}"))
}

/// As the API reads it: the campaign in it by the campaign's own door.
fn read_trial(value: &Value) -> Result<String, Vec<Fault>> {
    let trial = Trial::parse(value)?;
    let Some(campaign) = &trial.campaign else { return Ok(format!("{trial:?}")) };
    let within = |fault: Fault| Fault { field: format!("/campaign{}", fault.field), ..fault };
    let read = read_campaign(campaign).map_err(|faults| faults.into_iter().map(within).collect::<Vec<_>>())?;
    Ok(format!("{:?} {read}", Trial { campaign: None, ..trial.clone() }))
}

fn content<'a>(document: &'a Document, path: &str, method: &str) -> &'a Value {
    let contents = document.0["paths"][path][method]["requestBody"]["content"].as_object().unwrap();
    contents.values().next().unwrap()
}

fn example(document: &Document, path: &str, method: &str) -> Value {
    content(document, path, method)["example"].clone()
}

/// The examples, and variants of them where an example leaves a shape out.
fn bodies(document: &Document) -> Vec<Body> {
    let body = |path, method, read, change| {
        let content = content(document, path, method);
        Body { schema: content["schema"].clone(), value: with(content["example"].clone(), change), read }
    };
    let suppression = Body {
        schema: content(document, "/v1/suppressions", "post")["schema"].clone(),
        value: json!({ "address": "r-2001@example.com", "note": "opted out" }),
        read: read_suppression,
    };
    let window = json!({ "opens": "09:00", "closes": "18:00", "days": ["mon"] });
    vec![
        body("/v1/campaigns", "post", read_campaign, json!({})),
        body("/v1/campaigns", "post", read_campaign, json!({ "audience": { "recipients": ["r-1042"] } })),
        body("/v1/previews", "post", read_campaign, json!({})),
        body("/v1/recipients/{id}", "put", read_recipient, json!({})),
        body("/v1/policy", "put", read_policy, json!({})),
        body("/v1/policy", "put", read_policy, json!({ "send_window": window })),
        body("/v1/templates/{name}", "put", read_template, json!({})),
        body("/v1/newsletters/{id}", "put", read_newsletter, json!({})),
        body(
            "/v1/campaigns/{id}/test",
            "post",
            read_trial,
            json!({ "campaign": example(document, "/v1/campaigns", "post") }),
        ),
        body("/v1/suppressions/{address}", "put", read_suppression_note, json!({})),
        suppression,
    ]
}

#[test]
fn every_example_passes_its_door() {
    for Body { value, read, .. } in bodies(&document()) {
        assert!(read(&value).is_ok(), "{:?} in {value}", read(&value));
    }
}

#[test]
fn the_example_in_bulk_is_read_as_its_answer_says() {
    let document = document();
    let operation = &document.0["paths"]["/v1/recipients"]["post"];
    let answers = operation["responses"]["200"]["content"]["application/x-ndjson"]["example"].as_str().unwrap();
    let lines = example(&document, "/v1/recipients", "post");
    for (line, answer) in lines.as_str().unwrap().lines().zip(answers.lines()) {
        let (line, answer): (Value, Value) =
            (serde_json::from_str(line).unwrap(), serde_json::from_str(answer).unwrap());
        let faults = RecipientChange::parse(&line, None, &policy(), now()).err().unwrap_or_default();
        assert_eq!(answer["errors"], json!(faults));
        assert_eq!(answer["id"], line["id"]);
    }
    assert_eq!(lines.as_str().unwrap().lines().count(), answers.lines().count());
}

#[test]
fn a_schema_has_the_fields_that_its_door_knows() {
    let document = document();
    let mut seen: BTreeSet<BTreeSet<String>> = BTreeSet::new();
    for body in bodies(&document) {
        for place in places(&document, &body) {
            let pointer = format!("{}/no-such-field", place.pointer);
            let faults = (body.read)(&put(&body.value, &pointer, json!(1))).unwrap_err();
            let fault = faults.iter().find(|fault| fault.field == pointer).unwrap();
            let known = fault.wanted.strip_prefix("no such field; known are: ").unwrap();
            let known: BTreeSet<&str> = known.split(", ").collect();
            let described: BTreeSet<&str> = place.fields.keys().map(String::as_str).collect();
            assert_eq!(described, known, "at {:?}", place.pointer);
            seen.insert(place.fields.keys().cloned().collect());
        }
    }
    let mut described = BTreeSet::new();
    for body in bodies(&document) {
        reachable(&document, &body.schema, &mut described);
    }
    assert_eq!(seen, described, "the objects of the bodies above, and those of the document");
}

/// The fields of every object that a schema leads to.
fn reachable(document: &Document, schema: &Value, found: &mut BTreeSet<BTreeSet<String>>) {
    let flat = document.flat(schema);
    let fields = flat["properties"].as_object();
    found.extend(fields.map(|fields| fields.keys().cloned().collect()));
    let fields = fields.into_iter().flat_map(serde_json::Map::values);
    let shapes = flat["oneOf"].as_array().into_iter().flatten();
    let inner = [&flat["items"], &flat["additionalProperties"]].into_iter().filter(|schema| schema.is_object());
    fields.chain(shapes).chain(inner).for_each(|schema| reachable(document, schema, found));
}

#[test]
fn a_field_may_be_left_out_or_null_where_the_document_says_so() {
    let document = document();
    for body in bodies(&document) {
        for place in places(&document, &body) {
            for (name, schema) in &place.fields {
                let pointer = format!("{}/{name}", place.pointer);
                let required = place.required.contains(name);
                assert_eq!((body.read)(&without(&body.value, &pointer)).is_err(), required, "without {pointer}");
                let nullable = document.faults(schema, &Value::Null).is_empty();
                assert_eq!(
                    (body.read)(&put(&body.value, &pointer, Value::Null)).is_ok(),
                    nullable,
                    "null at {pointer}"
                );
            }
        }
    }
}

#[test]
fn a_default_is_what_a_field_that_is_left_out_stands_for() {
    let document = document();
    let mut defaults = 0;
    for body in bodies(&document) {
        for place in places(&document, &body) {
            for (name, schema) in &place.fields {
                let Some(default) = document.flat(schema).get("default").cloned() else { continue };
                let pointer = format!("{}/{name}", place.pointer);
                let (left_out, set) = (without(&body.value, &pointer), put(&body.value, &pointer, default));
                assert_eq!((body.read)(&left_out).unwrap(), (body.read)(&set).unwrap(), "{pointer}");
                defaults += 1;
            }
        }
    }
    assert!(defaults > 12, "only {defaults} defaults");
}

#[test]
fn the_limits_of_the_document_are_those_of_the_doors() {
    let document = document();
    let mut limits = 0;
    for body in bodies(&document) {
        for place in places(&document, &body) {
            for (name, schema) in &place.fields {
                let pointer = format!("{}/{name}", place.pointer);
                for (value, fits) in around(&shape(&document, schema), &place.value[name]) {
                    let read = (body.read)(&put(&body.value, &pointer, value.clone()));
                    let refused = match (fits, read) {
                        // What stands together with other fields may be refused for what they say together.
                        (true, Err(faults)) => faults.iter().any(|fault| fault.field.starts_with(&pointer)),
                        (_, read) => read.is_err(),
                    };
                    assert_eq!(refused, !fits, "{value} at {pointer}");
                    limits += 1;
                }
            }
        }
    }
    assert!(limits > 60, "only {limits} limits");
}

/// Values at the limits of a schema and just beyond, and whether they fit.
fn around(schema: &Value, example: &Value) -> Vec<(Value, bool)> {
    let mut values = Vec::new();
    let step = if schema["type"].to_string().contains("integer") { 1.0 } else { 0.001 };
    let number = |number: f64| {
        let whole = json!(number).to_string().trim_end_matches(".0").to_owned();
        serde_json::from_str::<Value>(&whole).unwrap()
    };
    if let Some(least) = schema["minimum"].as_f64() {
        values.extend([(number(least), true), (number(least - step), false)]);
    }
    if let Some(most) = schema["maximum"].as_f64() {
        values.extend([(number(most), true), (number(most + step), false)]);
    }
    let size = |key: &str| schema[key].as_u64().map(|size| usize::try_from(size).unwrap());
    if let Some(most) = size("maxLength") {
        let start = if schema["pattern"] == "^https://" { "https://" } else { "" };
        values.push((json!(format!("{start}{}", "a".repeat(most + 1))), false));
    }
    if size("minLength").is_some() {
        values.push((json!(""), false));
    }
    if let Some(most) = size("maxItems") {
        let item = example.get(0).cloned().unwrap_or(json!("rust"));
        values.extend([(json!(vec![item.clone(); most]), true), (json!(vec![item; most + 1]), false)]);
    }
    if size("minItems").is_some() {
        values.push((json!([]), false));
    }
    values
}

/// An object of a body, and what its schema says of its fields.
struct Place {
    pointer: String,
    fields: Map<String, Value>,
    required: Vec<String>,
    value: Value,
}

fn places(document: &Document, body: &Body) -> Vec<Place> {
    let mut places = Vec::new();
    find(document, &body.schema, &body.value, String::new(), &mut places);
    places
}

fn find(document: &Document, schema: &Value, value: &Value, pointer: String, places: &mut Vec<Place>) {
    let schema = shape_of(document, schema, value);
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                let schema = schema["properties"].get(name).unwrap_or(&schema["additionalProperties"]);
                find(document, schema, value, format!("{pointer}/{name}"), places);
            }
            let Some(fields) = schema["properties"].as_object() else { return };
            let (fields, value) = (fields.clone(), value.clone());
            let required = serde_json::from_value(schema["required"].clone()).unwrap_or_default();
            places.push(Place { pointer, fields, required, value });
        }
        Value::Array(items) => {
            // The first stands for all.
            items
                .iter()
                .take(1)
                .for_each(|item| find(document, &schema["items"], item, format!("{pointer}/0"), places));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The one of several shapes that is not null.
fn shape(document: &Document, schema: &Value) -> Value {
    shape_of(document, schema, &Value::Bool(true))
}

/// The one of several shapes that is of the value's type.
fn shape_of(document: &Document, schema: &Value, value: &Value) -> Value {
    let flat = document.flat(schema);
    let Some(shapes) = flat["oneOf"].as_array() else { return flat };
    let shapes = shapes.iter().map(|shape| shape_of(document, shape, value)).filter(|shape| shape["type"] != "null");
    let mut fitting: Vec<Value> = shapes.collect();
    if fitting.len() > 1 {
        fitting.retain(|shape| (shape["type"] == "object") == value.is_object());
    }
    fitting.into_iter().next().unwrap_or(Value::Null)
}

fn put(value: &Value, pointer: &str, new: Value) -> Value {
    let (mut value, (parent, name)) = (value.clone(), pointer.rsplit_once('/').unwrap());
    value.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(name.to_owned(), new);
    value
}

fn without(value: &Value, pointer: &str) -> Value {
    let (mut value, (parent, name)) = (value.clone(), pointer.rsplit_once('/').unwrap());
    value.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
    value
}
