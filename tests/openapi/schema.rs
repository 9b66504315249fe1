//! As much of JSON Schema as the document uses, and stricter: a field that no schema knows is a fault.

use serde_json::{Map, Value, json};

pub struct Document(pub Value);

impl Document {
    /// Method, path and operation.
    pub fn operations(&self) -> Vec<(String, String, &Value)> {
        let paths = self.0["paths"].as_object().unwrap();
        let operations = paths.iter().flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(|(method, operation)| (method.clone(), path.clone(), operation))
        });
        operations.collect()
    }

    pub fn component(&self, name: &str) -> &Value {
        let schema = &self.0["components"]["schemas"][name];
        assert!(schema.is_object(), "there is no component {name}");
        schema
    }

    /// What of `value` does not fit, each with its place.
    pub fn faults(&self, schema: &Value, value: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        self.check(schema, value, "", &mut faults);
        faults
    }

    fn check(&self, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
        let schema = &self.flat(schema);
        let mut fault = |what: String| faults.push(format!("{at}: {what}"));
        if let Some(branches) = schema["oneOf"].as_array() {
            let tried: Vec<Vec<String>> = branches.iter().map(|branch| self.faults(branch, value)).collect();
            let fitting = tried.iter().filter(|faults| faults.is_empty()).count();
            if fitting != 1 {
                fault(format!("{fitting} of {} shapes fit {value}", tried.len()));
            }
        }
        let several = schema["type"].as_array().into_iter().flatten();
        let types: Vec<&str> = several.chain([&schema["type"]]).filter_map(Value::as_str).collect();
        if !types.is_empty() && !types.iter().any(|kind| is(kind, value)) {
            return fault(format!("{value} is not {types:?}"));
        }
        if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
            fault(format!("{value} is not one of {}", schema["enum"]));
        }
        if let Some(number) = value.as_f64() {
            let fits = schema["minimum"].as_f64().is_none_or(|least| number >= least)
                && schema["maximum"].as_f64().is_none_or(|most| number <= most);
            if !fits {
                fault(format!("{number} is out of range"));
            }
        }
        let size = value.as_str().map(|text| text.chars().count()).or(value.as_array().map(Vec::len));
        if let Some(size) = size.map(|size| u64::try_from(size).unwrap()) {
            let (least, most) = (["minLength", "minItems"], ["maxLength", "maxItems"]);
            let fits = least.iter().all(|key| schema[*key].as_u64().is_none_or(|least| size >= least))
                && most.iter().all(|key| schema[*key].as_u64().is_none_or(|most| size <= most));
            if !fits {
                fault(format!("{size} is not a size that fits"));
            }
        }
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            self.check(&schema["items"], item, &format!("{at}/{index}"), faults);
        }
        if let Some(map) = value.as_object() {
            self.check_fields(schema, map, at, faults);
        }
    }

    fn check_fields(&self, schema: &Value, map: &Map<String, Value>, at: &str, faults: &mut Vec<String>) {
        for name in schema["required"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap()) {
            if !map.contains_key(name) {
                faults.push(format!("{at}: {name} is missing"));
            }
        }
        for (name, value) in map {
            let at = format!("{at}/{name}");
            match (schema["properties"].get(name), &schema["additionalProperties"]) {
                (Some(schema), _) | (None, schema @ Value::Object(_)) => self.check(schema, value, &at, faults),
                (None, _) if schema.get("properties").is_none() && schema["additionalProperties"] != json!(false) => {}
                (None, _) => faults.push(format!("{at}: no schema knows this field")),
            }
        }
    }

    /// A schema with what it refers to and all of its `allOf` in one.
    pub fn flat(&self, schema: &Value) -> Value {
        let Value::Object(schema) = schema else { return Value::Null };
        let mut flat = match schema.get("$ref") {
            Some(Value::String(reference)) => self.flat(self.0.pointer(reference.strip_prefix('#').unwrap()).unwrap()),
            Some(_) | None => json!({}),
        };
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            join(&mut flat, self.flat(part));
        }
        let own = schema.iter().filter(|(key, _)| *key != "$ref" && *key != "allOf");
        join(&mut flat, own.map(|(key, value)| (key.clone(), value.clone())).collect());
        flat
    }
}

fn join(into: &mut Value, part: Value) {
    match (into, part) {
        (Value::Object(into), Value::Object(part)) => {
            for (key, value) in part {
                // Words narrow those that were there; lists of fields add up.
                if key == "enum" {
                    into.insert(key, value);
                } else {
                    join(into.entry(key).or_insert(Value::Null), value);
                }
            }
        }
        (Value::Array(into), Value::Array(part)) => into.extend(part),
        (into, part) => *into = part,
    }
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no type is called {other}"),
    }
}
