//! What an author writes: the manifest, and a body per language.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::domain::door::{self, Fault, Node};

/// The language of those for whom there is no body in their own.
pub const DEFAULT_LANGUAGE: &str = "default";
/// Of one body; SES stores 500 KB for all parts together.
const MAX_BODY_BYTES: usize = 500_000;
const MAX_SUBJECT_CHARS: usize = 500;

/// A template as it is written: the body of `PUT /v1/templates/{name}`.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    pub(super) manifest: Manifest,
    pub(super) mjml: BTreeMap<String, String>,
    /// For languages of `mjml`; where there is none the text is derived from the HTML.
    pub(super) text: BTreeMap<String, String>,
}

/// `template.toml`: what the template says about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub subject: String,
    /// The subject in other languages, where a body has one of its own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub subjects: BTreeMap<String, String>,
    /// What a campaign's content may bring.
    pub variables: BTreeMap<String, Variable>,
    /// The attributes of a person that the template receives; no others reach it.
    pub attributes: Vec<String>,
    /// Whether it is for notices, which need no unsubscribe link.
    pub notice: bool,
    /// Whether it shows all that is held about the person, as the list `held`.
    pub held: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Variable {
    pub description: String,
    /// An example, which also shows the fields that a list's items or an object have.
    pub sample: Value,
    /// Whether a campaign may leave it out; it is then the empty text or list.
    pub optional: bool,
}

/// Who fills a name in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Name<'m> {
    Variable(&'m Variable),
    Attribute,
    Held,
    UnsubscribeUrl,
    PreferencesUrl,
    /// Of a notice alone: where a consent that waits is confirmed.
    ConfirmUrl,
    PostalAddress,
    Why,
}

const BUILT_IN: [(&str, Name<'static>); 4] = [
    ("unsubscribe_url", Name::UnsubscribeUrl),
    ("preferences_url", Name::PreferencesUrl),
    ("postal_address", Name::PostalAddress),
    ("why", Name::Why),
];
const HELD: &str = "held";
const CONFIRM_URL: &str = "confirm_url";
/// Words that Handlebars takes for itself.
const RESERVED: [&str; 9] = ["this", "if", "unless", "each", "else", "true", "false", "null", "undefined"];

impl Source {
    /// Reads the body of a PUT, naming every fault of its form; [`super::compile`] looks inside.
    pub fn parse(value: &Value) -> Result<Self, Vec<Fault>> {
        door::read(value, Self::read)
    }

    fn read(node: &Node<'_>) -> Option<Self> {
        let f = node.fields()?;
        let manifest = f.required("manifest", Manifest::read);
        let mjml = f.required("mjml", |n| {
            let bodies = bodies(n)?;
            let whole = bodies.contains_key(DEFAULT_LANGUAGE);
            if whole { Some(bodies) } else { n.refuse("an object with the body of the language \"default\"") }
        });
        let languages: Vec<String> = mjml.iter().flat_map(BTreeMap::keys).cloned().collect();
        let text = f.optional("text", |n| {
            let bodies = bodies(n)?;
            let known = mjml.is_none() || bodies.keys().all(|language| languages.contains(language));
            if known { Some(bodies) } else { n.refuse("texts only in languages that mjml has too") }
        });
        if let (Some(manifest), Some(_)) = (&manifest, &mjml) {
            let known = |tag: &str| tag != DEFAULT_LANGUAGE && languages.iter().any(|language| language == tag);
            if !manifest.subjects.keys().all(|tag| known(tag)) {
                return node.refuse("subjects only in languages that mjml has too, besides the default");
            }
        }
        f.close();
        Some(Self { manifest: manifest?, mjml: mjml?, text: text.unwrap_or_default() })
    }

    /// The body of a PUT that is this source.
    pub fn to_json(&self) -> Value {
        json!({ "manifest": self.manifest, "mjml": self.mjml, "text": self.text })
    }

    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }
}

impl Manifest {
    fn read(node: &Node<'_>) -> Option<Self> {
        let f = node.fields()?;
        let subject = f.required("subject", |n| n.line(MAX_SUBJECT_CHARS));
        let subjects =
            f.optional("subjects", |n| n.entries(50, |tag, n| Some((tag.to_owned(), n.line(MAX_SUBJECT_CHARS)?))));
        let variables = f.optional("variables", |n| n.entries(100, variable)).unwrap_or_default();
        let variables: BTreeMap<String, Variable> = variables.into_iter().collect();
        let attributes = f.optional("attributes", |n| n.list(50, |n| attribute(n, &variables)));
        let notice = f.optional("notice", Node::boolean).unwrap_or(false);
        let held = f.optional("held", |n| match n.boolean()? {
            true if !notice => n.refuse("false: only a notice may show what is held"),
            held => Some(held),
        });
        f.close();
        let mut attributes = attributes.unwrap_or_default();
        attributes.sort_unstable();
        attributes.dedup();
        Some(Self {
            subject: subject?,
            subjects: subjects.unwrap_or_default().into_iter().collect(),
            variables,
            attributes,
            notice,
            held: held.unwrap_or(false),
        })
    }

    /// What a name at the root of the template stands for.
    pub(super) fn name(&self, name: &str) -> Option<Name<'_>> {
        let built_in = BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, built_in)| *built_in);
        built_in
            .or_else(|| (self.held && name == HELD).then_some(Name::Held))
            .or_else(|| (self.notice && name == CONFIRM_URL).then_some(Name::ConfirmUrl))
            .or_else(|| self.variables.get(name).map(Name::Variable))
            .or_else(|| self.attributes.iter().any(|known| known == name).then_some(Name::Attribute))
    }

    /// Every name that the template may read.
    pub(super) fn names(&self) -> Vec<&str> {
        let own = self.variables.keys().map(String::as_str).chain(self.attributes.iter().map(String::as_str));
        let held = self.held.then_some(HELD);
        let confirm_url = self.notice.then_some(CONFIRM_URL);
        own.chain(held).chain(confirm_url).chain(BUILT_IN.iter().map(|(name, _)| *name)).collect()
    }
}

/// An example of `held`, which also shows the fields that its sections and their rows have.
pub(in crate::flow) fn held_sample() -> Value {
    json!([
        { "title": "What you are interested in", "rows": [
            { "label": "Rust", "value": "90 %", "from": "what you told us", "since": "12 March 2026",
              "used_for": "To choose what we send you" },
        ] },
        { "title": "Mail to you", "rows": [
            { "label": "In the last 30 days", "value": "3", "from": "", "since": "", "used_for": "" },
        ] },
    ])
}

fn bodies(node: &Node<'_>) -> Option<BTreeMap<String, String>> {
    let bodies = node.entries(50, |language, n| {
        let body = n.text()?;
        if body.len() > MAX_BODY_BYTES {
            return n.refuse(format!("a body of at most {MAX_BODY_BYTES} bytes"));
        }
        if !is_language(language) {
            return n.refuse("as its key \"default\" or a language tag such as de or pt-BR");
        }
        Some((language.to_owned(), body.to_owned()))
    })?;
    Some(bodies.into_iter().collect())
}

pub(super) fn is_language(tag: &str) -> bool {
    let mut subtags = tag.split('-');
    let primary = subtags.next().unwrap_or_default();
    let known = (2..=3).contains(&primary.len()) && primary.bytes().all(|b| b.is_ascii_lowercase());
    let rest = |s: &str| (2..=8).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_alphanumeric());
    tag == DEFAULT_LANGUAGE || (known && subtags.all(rest))
}

fn variable(name: &str, node: &Node<'_>) -> Option<(String, Variable)> {
    let f = node.fields()?;
    let description = f.required("description", |n| n.line(500));
    let sample = f.required("sample", |n| Some(n.value.clone()));
    let optional = f.optional("optional", Node::boolean);
    f.close();
    if !is_name(name) {
        return node.refuse("as its key a name of a-z 0-9 _ that neither the product nor Handlebars uses");
    }
    let variable = Variable { description: description?, sample: sample?, optional: optional.unwrap_or(false) };
    Some((name.to_owned(), variable))
}

fn attribute(node: &Node<'_>, variables: &BTreeMap<String, Variable>) -> Option<String> {
    let name = node.text()?;
    if !is_name(name) {
        return node.refuse("a name of a-z 0-9 _ that neither the product nor Handlebars uses");
    }
    if variables.contains_key(name) {
        return node.refuse("a name that no variable has");
    }
    Some(name.to_owned())
}

fn is_name(name: &str) -> bool {
    let fits = name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    fits && name != HELD
        && name != CONFIRM_URL
        && !RESERVED.contains(&name)
        && BUILT_IN.iter().all(|(known, _)| *known != name)
}
