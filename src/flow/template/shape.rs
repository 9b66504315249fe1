//! What a template reads of its data, and whether data has it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::door::{Faults, kind};

/// What a template reads of one value, and of what lies in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    uses: BTreeSet<Use>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    fields: BTreeMap<String, Shape>,
    /// What it reads of each item, where it goes through a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    items: Option<Box<Shape>>,
}

/// How a value is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Use {
    /// By a condition.
    Tested,
    /// Into HTML.
    Html,
    /// Into HTML, as the beginning of a link.
    Link,
    /// Into the plain text.
    Text,
    Subject,
}

/// One step from a value into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Field(String),
    Item,
}

/// Schemes that a link in a mail may have. `javascript:` and its kind are not among them.
const SCHEMES: [&str; 3] = ["https://", "http://", "mailto:"];

impl Shape {
    pub fn fields(&self) -> &BTreeMap<String, Shape> {
        &self.fields
    }

    /// The value's own shape at the end of `steps`, made on the way.
    pub fn at(&mut self, steps: &[Step]) -> &mut Shape {
        steps.iter().fold(self, |shape, step| match step {
            Step::Field(name) => shape.fields.entry(name.clone()).or_default(),
            Step::Item => shape.items.get_or_insert_default(),
        })
    }

    pub fn add(&mut self, one: Use) {
        self.uses.insert(one);
    }

    pub fn add_items(&mut self) {
        self.items.get_or_insert_default();
    }

    pub fn merge(&mut self, other: Shape) {
        self.uses.extend(other.uses);
        for (name, shape) in other.fields {
            self.fields.entry(name).or_default().merge(shape);
        }
        if let Some(items) = other.items {
            self.items.get_or_insert_default().merge(*items);
        }
    }

    /// Says what of a value cannot be shown as the template wants to. What is missing is shown as nothing.
    pub fn check(&self, value: &Value, pointer: &str, faults: &Faults) {
        if value.is_null() {
            return;
        }
        if let Some(items) = &self.items {
            match value {
                Value::Array(list) => {
                    for (index, item) in list.iter().enumerate() {
                        items.check(item, &format!("{pointer}/{index}"), faults);
                    }
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                    faults.push(pointer, kind(value), "a list");
                }
            }
        }
        if !self.fields.is_empty() {
            if let Value::Object(object) = value {
                for (name, shape) in &self.fields {
                    let field = object.get(name).unwrap_or(&Value::Null);
                    shape.check(field, &format!("{pointer}/{name}"), faults);
                }
            } else {
                let names: Vec<&str> = self.fields.keys().map(String::as_str).collect();
                faults.push(pointer, kind(value), format!("an object with {}", names.join(", ")));
            }
        }
        if self.uses.iter().any(|one| *one != Use::Tested) {
            self.check_shown(value, pointer, faults);
        }
    }

    fn check_shown(&self, value: &Value, pointer: &str, faults: &Faults) {
        let text = match value {
            Value::Array(_) | Value::Object(_) => return faults.push(pointer, kind(value), "a text or a number"),
            Value::String(text) => text.as_str(),
            Value::Null | Value::Bool(_) | Value::Number(_) => "",
        };
        let control = "a text with a control character";
        if self.uses.contains(&Use::Subject) && text.chars().any(char::is_control) {
            faults.push(pointer, control, "one line, since it stands in the subject");
        } else if self.uses.contains(&Use::Text) && text.chars().any(|c| c.is_control() && c != '\n') {
            faults.push(pointer, control, "a text without control characters other than line breaks");
        }
        let is_link = text.is_empty() || SCHEMES.iter().any(|scheme| text.starts_with(scheme));
        if self.uses.contains(&Use::Link) && (!is_link || !value.is_string()) {
            let wanted = format!("a link that begins with one of {}", SCHEMES.join(", "));
            faults.push(pointer, "another text", wanted);
        }
    }

    /// Whether what is read is a list.
    pub fn is_list(&self) -> bool {
        self.items.is_some()
    }

    pub fn items(&self) -> Option<&Shape> {
        self.items.as_deref()
    }
}
