//! What a campaign and a person bring to a compiled template.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    compile::{Compiled, language_key},
    json::{self, Twin},
    shape::Shape,
    source::{Name, held_sample},
};
use crate::domain::{
    door::{Fault, Faults},
    policy::Policy,
};

/// Of the template data of one mail, in characters; SES takes no more.
const MAX_DATA_CHARS: usize = 262_144;
/// Of that, kept for what a single person brings.
const PERSONAL_CHARS: usize = 32_768;

/// What one person brings to a mail.
#[derive(Debug, Clone, Copy)]
pub struct Personal<'a> {
    /// All that are held; the template receives those that it declares.
    pub attributes: &'a BTreeMap<String, String>,
    /// What is held, in sections of rows; for a template that shows it.
    pub held: &'a Value,
    pub unsubscribe_url: &'a str,
    pub preferences_url: &'a str,
    /// Empty in a mail that asks nothing.
    pub confirm_url: &'a str,
    /// One plain sentence.
    pub why: &'a str,
}

/// The template data of a campaign with gaps for the person, written once for all of its mails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    parts: Vec<Piece>,
    fixed_bytes: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// JSON as it is.
    Fixed(String),
    /// The inside of a JSON string.
    Person(Field, Twin),
    /// What the template reads of what is held.
    Held(Shape, Twin),
    /// `true` if the mail is in this language.
    Language(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Field {
    Attribute(String),
    UnsubscribeUrl,
    PreferencesUrl,
    ConfirmUrl,
    Why,
}

impl Compiled {
    /// Names the declared attributes that the policy does not.
    pub fn check_attributes(&self, policy: &Policy) -> Vec<Fault> {
        let known: Vec<&str> = policy.attributes.keys().map(String::as_str).collect();
        let wanted = format!("an attribute that the policy names: {}", known.join(", "));
        let declared = self.manifest.attributes.iter().enumerate();
        declared
            .filter(|(_, name)| !policy.attributes.contains_key(*name))
            .map(|(index, name)| Fault {
                field: format!("/manifest/attributes/{index}"),
                found: name.clone(),
                wanted: wanted.clone(),
            })
            .collect()
    }

    /// Says what of a campaign's content is missing or cannot be shown. Names that the template does not declare are
    /// not looked at and not passed on.
    pub fn check_content(&self, content: &Map<String, Value>) -> Vec<Fault> {
        let faults = Faults::default();
        for (name, variable) in &self.manifest.variables {
            let pointer = format!("/content/{name}");
            let value = content.get(name).unwrap_or(&Value::Null);
            let found = match value {
                Value::Null => Some("nothing"),
                Value::String(text) if text.trim().is_empty() => Some("an empty text"),
                Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
            };
            if let (Some(found), false) = (found, variable.optional) {
                faults.push(&pointer, found, format!("this variable: {}", variable.description));
            }
            for reads in [&self.html_reads, &self.text_reads] {
                if let Some(shape) = reads.fields().get(name) {
                    shape.check(value, &pointer, &faults);
                }
            }
        }
        let size = self.assemble(content, "").fixed_bytes;
        if size > MAX_DATA_CHARS - PERSONAL_CHARS {
            let wanted = format!("at most {}, which a mail carries twice", MAX_DATA_CHARS - PERSONAL_CHARS);
            faults.push("/content", format!("{size} bytes once escaped"), wanted);
        }
        let mut told: Vec<Fault> = Vec::new();
        for fault in faults.settle::<()>(None).err().unwrap_or_default() {
            if !told.contains(&fault) {
                told.push(fault);
            }
        }
        told
    }

    /// What all mails of a campaign have in common.
    pub fn shared(&self, content: &Map<String, Value>, policy: &Policy) -> Shared {
        self.assemble(content, &policy.postal_address)
    }

    /// The template data of one mail in the default language.
    pub fn data(&self, shared: &Shared, person: &Personal<'_>) -> String {
        shared.fill(person, None)
    }

    /// The template data of one mail in the language that fits a person's locale best.
    pub fn data_in(&self, locale: Option<&str>, shared: &Shared, person: &Personal<'_>) -> String {
        shared.fill(person, locale.and_then(|locale| self.language(locale)))
    }

    /// The template data of a mail that shows every sample.
    pub fn sample_data(&self, policy: &Policy) -> String {
        let content: Map<String, Value> =
            self.manifest.variables.iter().map(|(name, variable)| (name.clone(), variable.sample.clone())).collect();
        self.sample(&content, &policy.postal_address, None, true)
    }

    /// Data to try the template with: everything, or only what is required.
    pub(super) fn rehearsal(&self, language: Option<&str>, full: bool) -> String {
        let variables = self.manifest.variables.iter().filter(|(_, variable)| full || !variable.optional);
        let content = variables.map(|(name, variable)| (name.clone(), variable.sample.clone())).collect();
        self.sample(&content, "Example Ltd, 1 Example Street", language, full)
    }

    fn sample(&self, content: &Map<String, Value>, postal_address: &str, language: Option<&str>, full: bool) -> String {
        let declared = self.manifest.attributes.iter().filter(|_| full);
        let attributes: BTreeMap<String, String> = declared.map(|name| (name.clone(), "Sample".to_owned())).collect();
        let person = Personal {
            attributes: &attributes,
            held: &if full { held_sample() } else { Value::Null },
            unsubscribe_url: "https://example.com/u/sample",
            preferences_url: "https://example.com/p/sample",
            confirm_url: "https://example.com/c/sample",
            why: "You asked for news about this topic on 12 March 2026.",
        };
        self.assemble(content, postal_address).fill(&person, language)
    }

    /// The language with a body of its own that fits: the whole tag, or else its first part.
    pub fn language(&self, locale: &str) -> Option<&str> {
        let own = |tag: &str| self.languages.iter().find(|known| known.eq_ignore_ascii_case(tag)).map(String::as_str);
        own(locale).or_else(|| own(locale.split('-').next().unwrap_or_default()))
    }

    fn assemble(&self, content: &Map<String, Value>, postal_address: &str) -> Shared {
        let mut writer = Writer::default();
        writer.fixed.push('{');
        self.twin(&mut writer, Twin::Escaped, &self.html_reads, content, postal_address);
        writer.fixed.push(',');
        self.twin(&mut writer, Twin::Raw, &self.text_reads, content, postal_address);
        if !self.languages.is_empty() {
            writer.fixed.push_str(",\"l\":{");
            for (index, language) in self.languages.iter().enumerate() {
                if index > 0 {
                    writer.fixed.push(',');
                }
                json::key(&language_key(language), &mut writer.fixed);
                writer.gap(Piece::Language(language.clone()));
            }
            writer.fixed.push('}');
        }
        writer.fixed.push('}');
        writer.finish()
    }

    fn twin(&self, writer: &mut Writer, twin: Twin, reads: &Shape, content: &Map<String, Value>, postal_address: &str) {
        json::key(twin.key(), &mut writer.fixed);
        writer.fixed.push('{');
        for (index, (name, shape)) in reads.fields().iter().enumerate() {
            if index > 0 {
                writer.fixed.push(',');
            }
            json::key(name, &mut writer.fixed);
            let field = match self.manifest.name(name) {
                Some(Name::Variable(_)) | None => {
                    json::write(content.get(name).unwrap_or(&Value::Null), shape, twin, &mut writer.fixed);
                    continue;
                }
                Some(Name::PostalAddress) => {
                    json::string(postal_address, twin, &mut writer.fixed);
                    continue;
                }
                Some(Name::Attribute) => Field::Attribute(name.clone()),
                Some(Name::Held) => {
                    writer.gap(Piece::Held(shape.clone(), twin));
                    continue;
                }
                Some(Name::UnsubscribeUrl) => Field::UnsubscribeUrl,
                Some(Name::PreferencesUrl) => Field::PreferencesUrl,
                Some(Name::ConfirmUrl) => Field::ConfirmUrl,
                Some(Name::Why) => Field::Why,
            };
            writer.fixed.push('"');
            writer.gap(Piece::Person(field, twin));
            writer.fixed.push('"');
        }
        writer.fixed.push('}');
    }
}

#[derive(Default)]
struct Writer {
    fixed: String,
    parts: Vec<Piece>,
}

impl Writer {
    fn gap(&mut self, piece: Piece) {
        self.parts.extend([Piece::Fixed(std::mem::take(&mut self.fixed)), piece]);
    }

    fn finish(mut self) -> Shared {
        self.parts.push(Piece::Fixed(self.fixed));
        let fixed = self.parts.iter().map(|piece| match piece {
            Piece::Fixed(json) => json.len(),
            Piece::Person(..) | Piece::Held(..) | Piece::Language(_) => 0,
        });
        Shared { fixed_bytes: fixed.sum(), parts: self.parts }
    }
}

impl Shared {
    fn fill(&self, person: &Personal<'_>, language: Option<&str>) -> String {
        let gaps = 2 * (person.unsubscribe_url.len() + person.preferences_url.len() + person.why.len()) + 256;
        let mut data = String::with_capacity(self.fixed_bytes + gaps);
        for part in &self.parts {
            match part {
                Piece::Fixed(json) => data.push_str(json),
                Piece::Language(own) => data.push_str(if language == Some(own) { "true" } else { "false" }),
                Piece::Person(field, twin) => field.write(person, *twin, &mut data),
                Piece::Held(shape, twin) => json::write(person.held, shape, *twin, &mut data),
            }
        }
        data
    }
}

impl Field {
    fn write(&self, person: &Personal<'_>, twin: Twin, data: &mut String) {
        let attribute = |name: &str| person.attributes.get(name).map_or("", String::as_str);
        let value = match self {
            Field::Attribute(name) => attribute(name),
            Field::UnsubscribeUrl => person.unsubscribe_url,
            Field::PreferencesUrl => person.preferences_url,
            Field::ConfirmUrl => person.confirm_url,
            Field::Why => person.why,
        };
        if value.chars().any(char::is_control) {
            // These are one line by their own rules; a subject depends on it.
            json::characters(&value.replace(char::is_control, " "), twin, data);
        } else {
            json::characters(value, twin, data);
        }
    }
}
