//! From what an author writes to what SES stores.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    mjml, plain,
    render::Renderer,
    shape::Shape,
    source::{DEFAULT_LANGUAGE, Manifest, Source},
    walk::{Complaint, Part, Walked, walk},
};
use crate::domain::{
    door::{Fault, Faults},
    id::{TemplateName, stable_hash},
};

/// What SES stores at most of a template, all parts together.
const MAX_STORED_BYTES: usize = 500_000;
/// The engine that rehearses a template counts lines anew for each of its tags: the time it takes grows with the square.
const MAX_TAGS: usize = 2_000;
/// Of the complaints about one part, so many are told with their line.
const PLACED: usize = 100;
/// Leaves the longest name that SES's own console still shows whole.
const MAX_SES_NAME: usize = 64;

/// A template that can be sent: checked, and named by its content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Compiled {
    pub name: TemplateName,
    /// 16 hexadecimal digits of SHA-256 over all that SES gets.
    pub hash: String,
    pub manifest: Manifest,
    pub subject: String,
    pub html: String,
    pub text: String,
    /// The languages with a body of their own, besides the default.
    pub languages: Vec<String>,
    pub(super) html_reads: Shape,
    /// Of text and subject.
    pub(super) text_reads: Shape,
}

/// Compiles a template in all its languages, or says everything that is wrong with it.
pub fn compile(name: &TemplateName, source: &Source) -> Result<Compiled, Vec<Fault>> {
    let faults = Faults::default();
    let compiled = Compiler { source, faults: &faults }.compile(name);
    faults.settle(compiled)
}

struct Compiler<'s> {
    source: &'s Source,
    faults: &'s Faults,
}

impl Compiler<'_> {
    fn compile(&self, name: &TemplateName) -> Option<Compiled> {
        let manifest = &self.source.manifest;
        let mut subject = Bodies::default();
        subject.push(DEFAULT_LANGUAGE, self.walk("/manifest/subject", &manifest.subject, Part::Subject));
        for (language, own) in &manifest.subjects {
            subject.push(language, self.walk(&format!("/manifest/subjects/{language}"), own, Part::Subject));
        }
        let mut html = Bodies::default();
        let mut text = Bodies::default();
        for (language, mjml) in &self.source.mjml {
            let field = format!("/mjml/{language}");
            let Some(rendered) = self.mjml(&field, mjml) else {
                if let Some(text) = self.source.text.get(language) {
                    self.walk(&format!("/text/{language}"), text, Part::Text);
                }
                continue;
            };
            let part = self.html(&field, mjml, &rendered);
            self.require(&field, "HTML without it", &part);
            html.push(language, part);
            let part = if let Some(written) = self.source.text.get(language) {
                let field = format!("/text/{language}");
                let part = self.walk(&field, written, Part::Text);
                self.require(&field, "a text without it", &part);
                part
            } else {
                let part = self.walk(&field, &plain::derive(&rendered), Part::Text);
                self.require(&field, "a derived text without it", &part);
                part
            };
            text.push(language, part);
        }
        self.samples(&[&subject.reads, &html.reads, &text.reads]);
        if !self.faults.is_empty() {
            return None;
        }
        let languages = self.source.mjml.keys().filter(|language| *language != DEFAULT_LANGUAGE).cloned().collect();
        let mut text_reads = subject.reads.clone();
        text_reads.merge(text.reads.clone());
        let html_reads = html.reads.clone();
        let (subject, html, text) = (subject.joined(), html.joined(), text.joined());
        let stored = subject.len() + html.len() + text.len();
        if stored > MAX_STORED_BYTES {
            self.faults.push(
                "/mjml",
                format!("{stored} bytes once compiled"),
                format!("at most {MAX_STORED_BYTES} bytes"),
            );
        }
        let tags = [&subject, &html, &text].map(|part| part.matches("{{").count()).into_iter().max().unwrap_or(0);
        if tags > MAX_TAGS {
            let wanted = format!("at most {MAX_TAGS} placeholders and blocks in all languages together");
            self.faults.push("/mjml", format!("{tags} of them once compiled"), wanted);
        }
        let hash = stable_hash(&[subject.as_bytes(), html.as_bytes(), text.as_bytes()]);
        let compiled = Compiled {
            name: name.clone(),
            hash: format!("{hash:016x}"),
            manifest: manifest.clone(),
            subject,
            html,
            text,
            languages,
            html_reads,
            text_reads,
        };
        if self.faults.is_empty() {
            self.rehearse(&compiled);
        }
        Some(compiled)
    }

    fn walk(&self, field: &str, source: &str, part: Part) -> Walked {
        let (walked, complaints) = walk(source, part, &self.source.manifest);
        self.complain(field, source, complaints);
        walked
    }

    fn complain(&self, field: &str, source: &str, complaints: Vec<Complaint>) {
        for (index, Complaint { at, found, wanted }) in complaints.into_iter().enumerate() {
            let found = if index < PLACED { at_line(source, at, &found) } else { found };
            self.faults.push(field, found, wanted);
        }
    }

    /// The HTML of a body, with its placeholders as they are written.
    fn mjml(&self, field: &str, mjml: &str) -> Option<String> {
        let (_, mut complaints) = walk(mjml, Part::Mjml, &self.source.manifest);
        let html = mjml::render(mjml).map_err(|more| complaints.extend(more)).ok();
        let is_clean = complaints.is_empty();
        self.complain(field, mjml, complaints);
        html.filter(|_| is_clean)
    }

    /// Checks what only the HTML shows: where its placeholders stand. Lines are those of the MJML, where what was
    /// found stands once in it.
    fn html(&self, field: &str, mjml: &str, html: &str) -> Walked {
        let (walked, complaints) = walk(html, Part::Html, &self.source.manifest);
        let mut told: BTreeSet<(String, String)> = BTreeSet::new();
        for Complaint { found, wanted, .. } in complaints {
            let found = match mjml.match_indices(&found).collect::<Vec<_>>().as_slice() {
                [(at, _)] => at_line(mjml, *at, &found),
                [] | [_, ..] => found,
            };
            // MJML repeats attributes, also for Outlook alone.
            if told.insert((found.clone(), wanted.clone())) {
                self.faults.push(field, found, wanted);
            }
        }
        walked
    }

    /// What every mail must say, whatever its data.
    fn require(&self, field: &str, found: &str, part: &Walked) {
        let link = (!self.source.manifest.notice).then_some("unsubscribe_url");
        for name in link.into_iter().chain(["why", "postal_address"]) {
            if !part.always.contains(name) {
                self.faults.push(field, found, format!("{{{{{name}}}}} outside of every block"));
            }
        }
    }

    fn samples(&self, reads: &[&Shape]) {
        let told = Faults::default();
        for (name, variable) in &self.source.manifest.variables {
            for shape in reads.iter().filter_map(|reads| reads.fields().get(name)) {
                shape.check(&variable.sample, &format!("/manifest/variables/{name}/sample"), &told);
            }
        }
        let told = told.settle::<()>(None).err().unwrap_or_default();
        for (index, fault) in told.iter().enumerate() {
            if !told.iter().take(index).any(|earlier| earlier == fault) {
                self.faults.push(&fault.field, &fault.found, &fault.wanted);
            }
        }
    }

    /// Renders it as SES will, with everything and with what is required alone.
    fn rehearse(&self, compiled: &Compiled) {
        let rehearsed = Renderer::new(&compiled.subject, &compiled.html, &compiled.text)
            .and_then(|renderer| compiled.rehearsals().iter().try_for_each(|data| renderer.render(data).map(|_| ())));
        if let Err(error) = rehearsed {
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            self.faults.push("", format!("{error}: {cause}"), "a template that can be rendered");
        }
    }
}

impl Compiled {
    /// Data with everything and with as little as there may be, in every language.
    fn rehearsals(&self) -> Vec<Value> {
        let languages = std::iter::once(None).chain(self.languages.iter().map(|language| Some(language.as_str())));
        let data = languages.flat_map(|language| [true, false].map(|full| self.rehearsal(language, full)));
        data.map(|data| serde_json::from_str(&data).unwrap_or_default()).collect()
    }

    /// The name that SES knows it by, which says what is in it: a template that changed is another one.
    pub fn ses_name(&self) -> String {
        let kept = MAX_SES_NAME - "germane-".len() - 1 - self.hash.len();
        let name: String = self.name.as_str().replace('.', "_").chars().take(kept).collect();
        format!("germane-{name}-{}", self.hash)
    }
}

/// One part in every language.
#[derive(Default)]
struct Bodies {
    default: String,
    others: Vec<(String, String)>,
    reads: Shape,
}

impl Bodies {
    fn push(&mut self, language: &str, part: Walked) {
        self.reads.merge(part.reads);
        if language == DEFAULT_LANGUAGE {
            self.default = part.output;
        } else {
            self.others.push((language.to_owned(), part.output));
        }
    }

    /// All languages in one: a bulk call has one template, and each mail's data says which language to show.
    fn joined(self) -> String {
        self.others.into_iter().rev().fold(self.default, |others, (language, body)| {
            format!("{{{{#if l.{}}}}}{body}{{{{else}}}}{others}{{{{/if}}}}", language_key(&language))
        })
    }
}

/// The field below `l` that is true for a mail in this language.
pub(super) fn language_key(language: &str) -> String {
    language.replace('-', "_")
}

fn at_line(source: &str, at: usize, found: &str) -> String {
    let line = source.get(..at).unwrap_or(source).matches('\n').count() + 1;
    let found = if found.chars().count() > 80 {
        found.chars().take(80).chain("…".chars()).collect()
    } else {
        found.to_owned()
    };
    if found.is_empty() { format!("line {line}") } else { format!("line {line}: {found}") }
}
