//! Template data as text: written once per campaign and mail, so without values in between.

use serde_json::Value;

use super::shape::Shape;

/// Which of a value's twins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Twin {
    /// For HTML.
    Escaped,
    /// For subject and plain text.
    Raw,
}

impl Twin {
    /// The field of the template data that holds it; short, because each mail carries it.
    pub fn key(self) -> &'static str {
        match self {
            Twin::Escaped => "h",
            Twin::Raw => "t",
        }
    }
}

/// Writes what `shape` reads of `value`, and nothing else. What is missing becomes an empty text or list: SES
/// answers "accepted" to a mail that lacks a variable, and then does not deliver it.
pub fn write(value: &Value, shape: &Shape, twin: Twin, out: &mut String) {
    if let Some(items) = shape.items() {
        out.push('[');
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            if index > 0 {
                out.push(',');
            }
            write(item, items, twin, out);
        }
        out.push(']');
    } else if !shape.fields().is_empty() {
        out.push('{');
        for (index, (name, shape)) in shape.fields().iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            key(name, out);
            write(value.get(name).unwrap_or(&Value::Null), shape, twin, out);
        }
        out.push('}');
    } else {
        match value {
            Value::Null => out.push_str("\"\""),
            Value::Bool(_) | Value::Number(_) => out.push_str(&value.to_string()),
            Value::String(text) => string(text, twin, out),
            // Only a condition reads these.
            Value::Array(list) => out.push_str(if list.is_empty() { "false" } else { "true" }),
            Value::Object(object) => out.push_str(if object.is_empty() { "false" } else { "true" }),
        }
    }
}

/// Writes `"name":`; names are identifiers, so without anything to escape.
pub fn key(name: &str, out: &mut String) {
    out.push('"');
    out.push_str(name);
    out.push_str("\":");
}

pub fn string(text: &str, twin: Twin, out: &mut String) {
    out.push('"');
    characters(text, twin, out);
    out.push('"');
}

/// The inside of a JSON string.
pub fn characters(text: &str, twin: Twin, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| is_special(c, twin)) {
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        let mut chars = special.chars();
        if let Some(c) = chars.next() {
            character(c, twin, out);
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
}

fn is_special(c: char, twin: Twin) -> bool {
    matches!(c, '"' | '\\') || c.is_ascii_control() || (twin == Twin::Escaped && matches!(c, '&' | '<' | '>' | '\''))
}

fn character(c: char, twin: Twin, out: &mut String) {
    use std::fmt::Write;

    let escaped = match (twin, c) {
        (Twin::Escaped, '&') => "&amp;",
        (Twin::Escaped, '<') => "&lt;",
        (Twin::Escaped, '>') => "&gt;",
        (Twin::Escaped, '"') => "&quot;",
        (Twin::Escaped, '\'') => "&#39;",
        (Twin::Raw, '"') => "\\\"",
        (_, '\\') => "\\\\",
        (_, '\n') => "\\n",
        (_, other) => {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{:04x}", u32::from(other));
            return;
        }
    };
    out.push_str(escaped);
}
