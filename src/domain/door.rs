//! Reading JSON from outside: every fault is collected with where it is, what was found and what is wanted, so that
//! a sender of bad input is told everything at once.

use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    fmt::{self, Display},
    ops::RangeInclusive,
    str::FromStr,
};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::time::kept;

/// How deeply JSON from outside may be nested.
pub const MAX_DEPTH: usize = 32;
/// Of one document, so many faults are told: a body of nothing but unknown fields would be answered by one many times
/// its size.
const MAX_FAULTS: usize = 100;
/// Of a name that stands in a pointer.
const MAX_NAME_CHARS: usize = 128;

/// What a `FromStr` of ours wanted instead of what it got; reads on after "wanted: ".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Wanted(pub &'static str);

/// One thing that is wrong with what came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// A JSON Pointer (RFC 6901); empty for the whole document.
    pub field: String,
    pub found: String,
    pub wanted: String,
}

impl Fault {
    /// Whatever came in, no fault repeats an address, and none does harm where it is shown: control characters are
    /// written out.
    pub fn new(field: &str, found: &str, wanted: &str) -> Self {
        Self { field: written_out(field), found: written_out(&without_addresses(found)), wanted: written_out(wanted) }
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = if self.field.is_empty() { "the document" } else { &self.field };
        write!(f, "{field}: found {}, wanted {}", self.found, self.wanted)
    }
}

/// The faults of one document, gathered while it is read.
#[derive(Debug, Default)]
pub struct Faults {
    told: RefCell<Vec<Fault>>,
    /// Beyond [`MAX_FAULTS`].
    more: Cell<usize>,
}

impl Faults {
    pub fn push(&self, field: impl AsRef<str>, found: impl AsRef<str>, wanted: impl AsRef<str>) {
        let mut told = self.told.borrow_mut();
        if told.len() < MAX_FAULTS {
            told.push(Fault::new(field.as_ref(), found.as_ref(), wanted.as_ref()));
        } else {
            self.more.set(self.more.get() + 1);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.told.borrow().is_empty()
    }

    /// The value if nothing was wrong; `None` without a fault cannot happen, since whoever returns it says why.
    pub fn settle<T>(self, value: Option<T>) -> Result<T, Vec<Fault>> {
        match value {
            Some(value) if self.is_empty() => Ok(value),
            Some(_) | None => Err(self.all()),
        }
    }

    fn all(self) -> Vec<Fault> {
        let mut all = self.told.into_inner();
        if self.more.get() > 0 {
            let found = format!("{} more things that are wrong", self.more.get());
            all.push(Fault::new("", &found, &format!("fewer than these: the first {MAX_FAULTS} are told")));
        }
        all
    }
}

/// Reads a whole document with `read`.
pub fn read<T>(value: &Value, read: impl FnOnce(&Node<'_>) -> Option<T>) -> Result<T, Vec<Fault>> {
    let faults = Faults::default();
    if depth(value) > MAX_DEPTH {
        faults.push("", "deeper nesting", format!("at most {MAX_DEPTH} levels of nesting"));
        return faults.settle(None);
    }
    let read = read(&Node { value, pointer: String::new(), faults: &faults });
    faults.settle(read)
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// A value and where it stands.
#[derive(Clone)]
pub struct Node<'a> {
    pub value: &'a Value,
    pointer: String,
    faults: &'a Faults,
}

impl<'a> Node<'a> {
    /// Records that this value is not what is wanted.
    pub fn refuse<T>(&self, wanted: impl Display) -> Option<T> {
        self.faults.push(&self.pointer, brief(self.value), wanted.to_string());
        None
    }

    /// Like [`Node::refuse`], for what may be a person's address or name: says only how long it was.
    pub fn refuse_unseen<T>(&self, wanted: impl Display) -> Option<T> {
        let found = match self.value {
            Value::String(text) => format!("a text of {} characters", text.chars().count()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                kind(self.value).to_owned()
            }
        };
        self.faults.push(&self.pointer, found, wanted.to_string());
        None
    }

    pub fn text(&self) -> Option<&'a str> {
        match self.value {
            Value::String(text) => Some(text),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                self.refuse("a text")
            }
        }
    }

    /// A text of 1 to `max` characters, none of which is a control character.
    pub fn line(&self, max: usize) -> Option<String> {
        let text = self.text()?;
        let length = text.chars().count();
        if length == 0 || length > max {
            return self.refuse_unseen(format!("a text of 1 to {max} characters"));
        }
        if text.chars().any(char::is_control) {
            return self.refuse_unseen("a text without control characters such as line breaks");
        }
        Some(text.to_owned())
    }

    pub fn parse<T: FromStr<Err = Wanted>>(&self) -> Option<T> {
        self.text()?.parse().map_or_else(|wanted| self.refuse(wanted), Some)
    }

    /// Like [`Node::parse`], for what may be a person's address or name.
    pub fn parse_unseen<T: FromStr<Err = Wanted>>(&self) -> Option<T> {
        let Value::String(text) = self.value else { return self.refuse_unseen("a text") };
        text.parse().map_or_else(|wanted| self.refuse_unseen(wanted), Some)
    }

    pub fn time(&self) -> Option<Timestamp> {
        let wanted = "a time with its zone (RFC 3339), such as 2026-11-30T09:00:00Z";
        self.text()?.parse().map_or_else(|_| self.refuse(wanted), |time| Some(kept(time)))
    }

    pub fn integer(&self, range: RangeInclusive<u64>) -> Option<u64> {
        match self.value.as_u64() {
            Some(number) if range.contains(&number) => Some(number),
            Some(_) | None => self.refuse(format!("a whole number from {} to {}", range.start(), range.end())),
        }
    }

    pub fn number(&self, range: RangeInclusive<f64>) -> Option<f64> {
        match self.value.as_f64() {
            Some(number) if range.contains(&number) => Some(number),
            Some(_) | None => self.refuse(format!("a number from {} to {}", range.start(), range.end())),
        }
    }

    pub fn boolean(&self) -> Option<bool> {
        self.value.as_bool().map_or_else(|| self.refuse("true or false"), Some)
    }

    pub fn list<T>(&self, max: usize, read: impl Fn(&Node<'a>) -> Option<T>) -> Option<Vec<T>> {
        let Value::Array(items) = self.value else { return self.refuse("a list") };
        if items.len() > max {
            self.faults.push(&self.pointer, format!("{} items", items.len()), format!("at most {max} items"));
            return None;
        }
        let read: Vec<Option<T>> =
            items.iter().enumerate().map(|(index, value)| read(&self.child(&index.to_string(), value))).collect();
        read.into_iter().collect()
    }

    /// An object whose keys are data; `read` gets each key and value.
    pub fn entries<T>(&self, max: usize, read: impl Fn(&str, &Node<'a>) -> Option<T>) -> Option<Vec<T>> {
        let Value::Object(map) = self.value else { return self.refuse("an object") };
        if map.len() > max {
            self.faults.push(&self.pointer, format!("{} entries", map.len()), format!("at most {max} entries"));
            return None;
        }
        let read: Vec<Option<T>> = map.iter().map(|(key, value)| read(key, &self.child(key, value))).collect();
        read.into_iter().collect()
    }

    /// An object with known fields. Call [`Fields::close`] when all are read: it refuses the unknown ones.
    pub fn fields(&self) -> Option<Fields<'a>> {
        match self.value {
            Value::Object(map) => Some(Fields { node: self.clone(), map, known: RefCell::default() }),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                self.refuse("an object")
            }
        }
    }

    fn child(&self, name: &str, value: &'a Value) -> Node<'a> {
        let name = shown(name).replace('~', "~0").replace('/', "~1");
        Node { value, pointer: format!("{}/{name}", self.pointer), faults: self.faults }
    }
}

/// The known fields of one object.
pub struct Fields<'a> {
    node: Node<'a>,
    map: &'a Map<String, Value>,
    known: RefCell<Vec<&'static str>>,
}

/// A field of a change: absent means unchanged, `null` means removed.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Change<T> {
    #[default]
    Keep,
    Remove,
    Set(T),
}

impl<'a> Fields<'a> {
    pub fn required<T>(&self, name: &'static str, read: impl FnOnce(&Node<'a>) -> Option<T>) -> Option<T> {
        let Some(node) = self.get(name) else {
            self.node.faults.push(format!("{}/{name}", self.node.pointer), "nothing", "this field");
            return None;
        };
        read(&node)
    }

    /// `None` where the field is absent or null, and where it is at fault (which is then recorded).
    pub fn optional<T>(&self, name: &'static str, read: impl FnOnce(&Node<'a>) -> Option<T>) -> Option<T> {
        self.get(name).filter(|node| !node.value.is_null()).and_then(|node| read(&node))
    }

    pub fn change<T>(&self, name: &'static str, read: impl FnOnce(&Node<'a>) -> Option<T>) -> Change<T> {
        match self.get(name) {
            None => Change::Keep,
            Some(node) if node.value.is_null() => Change::Remove,
            Some(node) => read(&node).map_or(Change::Keep, Change::Set),
        }
    }

    /// Refuses, by name, each field that was not asked for.
    pub fn close(&self) {
        let known = self.known.borrow();
        for (name, value) in self.map.iter().filter(|(name, _)| !known.contains(&name.as_str())) {
            let wanted = format!("no such field; known are: {}", known.join(", "));
            self.node.child(name, value).refuse::<()>(wanted);
        }
    }

    fn get(&self, name: &'static str) -> Option<Node<'a>> {
        self.known.borrow_mut().push(name);
        self.map.get(name).map(|value| self.node.child(name, value))
    }
}

/// What JSON type a value has, with its article.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// What was found, short enough for one line.
fn brief(value: &Value) -> String {
    match value {
        Value::Array(_) | Value::Object(_) => kind(value).to_owned(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            // JSON escapes only some control characters; none may reach a terminal.
            let text = written_out(&value.to_string());
            if text.contains('@') {
                // It may be an address in the wrong place.
                format!("a text of {} characters with an @", text.chars().count() - 2)
            } else if text.chars().count() > 60 {
                text.chars().take(60).chain("…".chars()).collect()
            } else {
                text
            }
        }
    }
}

/// A name from outside, as it may be told: it may be an address in the wrong place, or as long as a body.
fn shown(name: &str) -> String {
    let length = name.chars().count();
    if name.contains('@') {
        format!("(a name of {length} characters with an @)")
    } else if length > MAX_NAME_CHARS {
        name.chars().take(MAX_NAME_CHARS).chain("…".chars()).collect()
    } else {
        name.to_owned()
    }
}

fn written_out(text: &str) -> String {
    if !text.contains(char::is_control) {
        return text.to_owned();
    }
    let shown = |c: char| if c.is_control() { c.escape_unicode().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}

/// A piece of what somebody wrote, with every address in it left out.
pub(crate) fn without_addresses(text: &str) -> Cow<'_, str> {
    let apart = |c: char| c.is_whitespace() || "<>()[]{},;:\"'=|".contains(c);
    // Not the `@` of `@media` or `{{@index}}`, nor one that stands alone.
    let is_address = |word: &str| word.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    if !text.split(apart).any(is_address) {
        return Cow::Borrowed(text);
    }
    let words = text.split_inclusive(apart).map(|word| {
        let bare = word.trim_end_matches(apart);
        if is_address(bare) { word.replacen(bare, "…@…", 1) } else { word.to_owned() }
    });
    Cow::Owned(words.collect())
}
