//! The changes: in a JSON document's values, or in any bytes.

mod hostile;

use serde_json::{Map, Value};

use crate::generate::Step;

/// What a door's documents are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Json,
    /// A JSON array whose items are sent as a line each.
    Lines,
    Text,
    Bytes,
}

/// What stands for a number that JSON can write and `serde_json` cannot hold.
const RAW: &str = "\"@@raw:";

/// The document with its values changed, printed again; one that is no JSON has its bytes changed instead.
pub fn meaning(format: Format, document: &[u8], steps: &[Step], all: &[Vec<u8>]) -> Vec<u8> {
    let parsed = match format {
        Format::Json | Format::Lines => serde_json::from_slice::<Value>(document).ok(),
        Format::Text | Format::Bytes => None,
    };
    let Some(mut value) = parsed else { return bytes(document.to_vec(), steps, &[]) };
    for step in steps {
        change(&mut value, *step, all);
    }
    match (format, value) {
        (Format::Lines, Value::Array(rows)) => {
            rows.iter().map(|row| printed(row) + "\n").collect::<String>().into_bytes()
        }
        (Format::Json | Format::Lines | Format::Text | Format::Bytes, value) => printed(&value).into_bytes(),
    }
}

fn printed(value: &Value) -> String {
    let text = value.to_string();
    if !text.contains(RAW) {
        return text;
    }
    let mut parts = text.split(RAW);
    let mut raw = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        // A key that was given such a name stays a text.
        match part.split_once('"') {
            Some((number, rest)) if !rest.starts_with(':') => raw.extend([number, rest]),
            Some(_) | None => raw.extend(["\"", part]),
        }
    }
    raw
}

fn change(value: &mut Value, step: Step, all: &[Vec<u8>]) {
    let count = count(value);
    let at = step.at as usize % count;
    let with = step.with;
    match step.what % 16 {
        // Something is missing, or there is one thing more.
        0 | 1 => within_parent(value, at, |parent, place| match parent {
            Value::Object(map) => drop(map.remove(place)),
            Value::Array(items) => drop(place.parse().map(|at: usize| items.remove(at))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }),
        2 | 3 => node(value, at, |node| match node {
            Value::Object(map) => drop(map.insert(hostile::name(with), hostile::value(with.rotate_left(7)))),
            Value::Array(items) => items.push(hostile::value(with)),
            other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
                *other = hostile::value(with);
            }
        }),
        // It is of another kind.
        4..=8 => node(value, at, |node| *node = hostile::value(with)),
        9 => node(value, at, |node| *node = Value::Array(vec![node.take()])),
        // There is very much of it.
        10 => node(value, at, |node| match node {
            Value::Array(items) if !items.is_empty() => {
                let item = items[with as usize % items.len()].clone();
                // A long list of long lists would be as large as the memory.
                let times = if count < 200 { with % 1_200 } else { 2 };
                items.extend((0..times).map(|_| item.clone()));
            }
            Value::String(text) => *text = text.repeat(1 + with as usize % (70_000 / text.len().max(1) + 1)),
            Value::Object(map) => {
                let more = with % if count < 200 { 1_200 } else { 4 };
                map.extend((0..more).map(|n| (format!("f{n}"), Value::from(n))));
            }
            other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_)) => {
                *other = hostile::number(with);
            }
        }),
        11 => node(value, at, |node| *node = nested(node.take(), with % 200)),
        // A text that is nearly right.
        12 | 13 => node(value, at, |node| match node {
            Value::String(text) => *text = hostile::nearly(text, with),
            other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                *other = hostile::text(with).into();
            }
        }),
        // It has another name.
        14 => within_parent(value, at, |parent, place| {
            if let Value::Object(map) = parent
                && let Some(held) = map.remove(place)
            {
                map.insert(hostile::nearly(place, with), held);
            }
        }),
        // It comes from another place, or another document.
        _ => {
            let other = &all[with as usize % all.len()];
            let mut other = serde_json::from_slice(other).unwrap_or_else(|_| Value::Object(Map::new()));
            let from = with as usize / 7 % self::count(&other);
            let mut taken = Value::Null;
            node(&mut other, from, |node| taken = node.take());
            if count + self::count(&taken) < 20_000 {
                node(value, at, |node| *node = taken);
            }
        }
    }
}

fn nested(inner: Value, levels: u32) -> Value {
    (0..levels).fold(inner, |inner, level| {
        if level % 2 == 0 {
            Value::Array(vec![inner])
        } else {
            Value::Object(Map::from_iter([("a".to_owned(), inner)]))
        }
    })
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(map) => map.values().map(count).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// The value that a walk through all of them comes to as the `at`th.
fn node(value: &mut Value, at: usize, work: impl FnOnce(&mut Value)) {
    let mut left = at;
    if let Some(found) = find(value, &mut left) {
        work(found);
    }
}

fn find<'v>(value: &'v mut Value, left: &mut usize) -> Option<&'v mut Value> {
    if *left == 0 {
        return Some(value);
    }
    *left -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| find(item, left)),
        Value::Object(map) => map.values_mut().find_map(|item| find(item, left)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// What holds a child, and the child's name in it; the `at`th of all that hold some.
fn within_parent(value: &mut Value, at: usize, work: impl FnOnce(&mut Value, &str)) {
    let mut tried = at;
    for _ in 0..64 {
        let mut done = None;
        node(value, tried, |node| {
            let place = match node {
                Value::Array(items) if !items.is_empty() => Some((at % items.len()).to_string()),
                Value::Object(map) if !map.is_empty() => map.keys().nth(at % map.len()).cloned(),
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Array(_)
                | Value::Object(_) => None,
            };
            done = place;
        });
        match done {
            Some(place) => return node(value, tried, |node| work(node, &place)),
            None if tried == 0 => return,
            None => tried -= 1,
        }
    }
}

/// The bytes with some changed; `words` are what the format has a meaning for.
pub fn bytes(mut input: Vec<u8>, steps: &[Step], words: &[&str]) -> Vec<u8> {
    for Step { what, at, with } in steps.iter().copied() {
        let length = input.len();
        let at = at as usize % (length + 1);
        let span = 1 + with as usize % 24;
        let end = (at + span).min(length);
        match what % 12 {
            0 | 1 if at < length => input[at] ^= 1 << (with % 8),
            2 if at < length => input[at] = with.to_be_bytes()[0],
            3 => drop(input.drain(at..end)),
            4 => input.truncate(at),
            5 => {
                let piece = input[at..end].to_vec();
                let times = if with % 5 == 0 { with as usize / 64 % 2_000 } else { 1 };
                drop(input.splice(at..at, piece.repeat(times)));
            }
            6 => drop(input.splice(at..at, hostile::INVALID[with as usize % hostile::INVALID.len()].iter().copied())),
            7 | 8 if !words.is_empty() => {
                let word = words[with as usize % words.len()].as_bytes();
                let times = if with.is_multiple_of(11) { with as usize / 64 % 3_000 } else { 1 };
                drop(input.splice(at..at, word.repeat(times)));
            }
            9 => twice(&mut input, at),
            10 => input.extend(with.to_be_bytes()),
            _ => drop(input.splice(at..end, hostile::text(with).into_bytes())),
        }
    }
    input
}

/// A JSON object with one key in it twice.
fn twice(input: &mut Vec<u8>, at: usize) {
    let Some(open) = input[at..].iter().position(|byte| *byte == b'{').map(|open| at + open) else { return };
    let Some(colon) = input[open..].iter().position(|byte| *byte == b':').map(|colon| open + colon) else { return };
    let mut again = input[open + 1..=colon].to_vec();
    again.extend(b"null,");
    let after = open + 1;
    drop(input.splice(after..after, again));
}
