//! Goes through a part of a template, checks every name in it, and moves its root below a twin.

use std::{borrow::Cow, collections::BTreeSet};

use serde_json::Value;

use super::{
    dialect::{self, Block, Kind, Path, Start, Token},
    html::{Place, Role},
    json::Twin,
    shape::{Shape, Step, Use},
    source::{Manifest, Name, held_sample},
};
use crate::domain::door::{kind, without_addresses};

/// Blocks within each other: what renders them does so by recursion.
const MAX_BLOCKS: usize = 16;
/// Fields of a sample that are named to whom names another.
const NAMED: usize = 50;

/// What is gone through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// MJML as its author wrote it: for its faults only, since there the lines are known.
    Mjml,
    Html,
    Text,
    Subject,
}

impl Part {
    fn twin(self) -> Twin {
        match self {
            Part::Mjml | Part::Html => Twin::Escaped,
            Part::Text | Part::Subject => Twin::Raw,
        }
    }
}

/// A part that has been gone through.
#[derive(Debug, Default)]
pub struct Walked {
    /// The part as SES gets it.
    pub output: String,
    pub reads: Shape,
    /// The names at the root whose value stands outside every block.
    pub always: BTreeSet<String>,
}

/// Something that is wrong, at a byte of the part.
#[derive(Debug, PartialEq)]
pub struct Complaint {
    pub at: usize,
    pub found: String,
    pub wanted: String,
}

pub fn walk(source: &str, part: Part, manifest: &Manifest) -> (Walked, Vec<Complaint>) {
    let (tokens, mistakes) = dialect::scan(source);
    let complain = |mistake: dialect::Mistake<'_>| Complaint {
        at: mistake.at,
        found: mistake.raw.to_owned(),
        wanted: mistake.wanted,
    };
    let mut walk = Walk {
        part,
        manifest,
        walked: Walked::default(),
        complaints: mistakes.into_iter().map(complain).collect(),
        scopes: Vec::new(),
        blocks: Vec::new(),
        place: Place::default(),
        too_deep: None,
    };
    for token in &tokens {
        if let Err(wanted) = walk.token(token) {
            walk.complaints.push(Complaint { at: token.at, found: token.raw.to_owned(), wanted });
        }
    }
    if let Some(at) = walk.too_deep {
        let wanted = format!("at most {MAX_BLOCKS} blocks within each other");
        walk.complaints.push(Complaint { at, found: "another block".to_owned(), wanted });
    }
    walk.complaints.sort_by_key(|complaint| complaint.at);
    (walk.walked, walk.complaints)
}

struct Walk<'m> {
    part: Part,
    manifest: &'m Manifest,
    walked: Walked,
    complaints: Vec<Complaint>,
    /// Where the items of each open `each` lie; `None` for what could not be found.
    scopes: Vec<Option<Vec<Step>>>,
    blocks: Vec<Open>,
    place: Place,
    /// The first block that lies too deep.
    too_deep: Option<usize>,
}

struct Open {
    /// Whether a scope is to be left at its `else` or end.
    scoped: bool,
    place: Place,
}

/// Where a path leads.
struct Found {
    /// From the root; `None` for a counter, and below what could not be found.
    steps: Option<Vec<Step>>,
    from_root: bool,
}

/// What a path is read for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Show(Role),
    Test,
    Iterate,
}

impl Walk<'_> {
    fn token(&mut self, token: &Token<'_>) -> Result<(), String> {
        match &token.kind {
            Kind::Comment => Ok(()),
            Kind::Literal => {
                self.walked.output.push_str(token.raw);
                self.advance(token.raw);
                Ok(())
            }
            Kind::Value(path) => self.value(path),
            Kind::Open(block, path) => {
                if self.blocks.len() >= MAX_BLOCKS {
                    self.too_deep.get_or_insert(token.at);
                }
                self.open(*block, path)
            }
            Kind::Else => {
                self.walked.output.push_str("{{else}}");
                let Some(open) = self.blocks.last_mut() else { return Ok(()) };
                if std::mem::take(&mut open.scoped) {
                    self.scopes.pop();
                }
                let place = std::mem::replace(&mut self.place, open.place.clone());
                same_place(&open.place, &place)
            }
            Kind::Close(block) => {
                self.emit(&format!("/{}", block.as_str()));
                let Some(open) = self.blocks.pop() else { return Ok(()) };
                if open.scoped {
                    self.scopes.pop();
                }
                let place = std::mem::replace(&mut self.place, open.place.clone());
                same_place(&open.place, &place)
            }
        }
    }

    fn advance(&mut self, literal: &str) {
        if self.part == Part::Html {
            self.place.advance(literal);
        }
    }

    fn emit(&mut self, inner: &str) {
        self.walked.output.push_str("{{");
        self.walked.output.push_str(inner);
        self.walked.output.push_str("}}");
    }

    fn value(&mut self, path: &Path<'_>) -> Result<(), String> {
        let role =
            self.place.role().map_err(|place| format!("a value only in text and in quoted attributes, not in {place}"));
        let found = self.find(path, Purpose::Show(*role.as_ref().unwrap_or(&Role::Content)))?;
        let role = role?;
        self.emit(&self.rewritten(path, &found));
        if let Some(steps) = &found.steps {
            let one = match (self.part, role) {
                (Part::Mjml | Part::Html, Role::Content) => Use::Html,
                (Part::Mjml | Part::Html, Role::Link) => Use::Link,
                (Part::Text, _) => Use::Text,
                (Part::Subject, _) => Use::Subject,
            };
            self.walked.reads.at(steps).add(one);
            if let (true, [Step::Field(name)]) = (self.blocks.is_empty(), steps.as_slice()) {
                self.walked.always.insert(name.clone());
            }
        }
        Ok(())
    }

    fn open(&mut self, block: Block, path: &Path<'_>) -> Result<(), String> {
        let purpose = match block {
            Block::If | Block::Unless => Purpose::Test,
            Block::Each => Purpose::Iterate,
        };
        self.blocks.push(Open { scoped: block == Block::Each, place: self.place.clone() });
        let found = self.find(path, purpose);
        if block == Block::Each {
            let scope = found.as_ref().ok().and_then(|found| found.steps.clone());
            self.scopes.push(scope.map(|steps| steps.into_iter().chain([Step::Item]).collect()));
        }
        let found = found?;
        self.emit(&format!("#{} {}", block.as_str(), self.rewritten(path, &found)));
        if let Some(steps) = &found.steps {
            let shape = self.walked.reads.at(steps);
            match purpose {
                Purpose::Test | Purpose::Show(_) => shape.add(Use::Tested),
                Purpose::Iterate => shape.add_items(),
            }
        }
        if self.part == Part::Subject && block != Block::If {
            return Err("in a subject only values and {{#if}}".to_owned());
        }
        match self.place.role() {
            Ok(_) => Ok(()),
            Err(place) => Err(format!("a block only around text and in quoted attributes, not in {place}")),
        }
    }

    fn rewritten(&self, path: &Path<'_>, found: &Found) -> String {
        path.rewritten(found.from_root.then_some(self.part.twin().key()))
    }

    fn find(&self, path: &Path<'_>, purpose: Purpose) -> Result<Found, String> {
        let depth = self.scopes.len();
        let scope = match path.start {
            Start::Counter(_) | Start::This if depth == 0 => return Err("an {{#each}} around it".to_owned()),
            Start::Counter(_) if purpose == Purpose::Iterate => return Err("a list".to_owned()),
            Start::Counter(_) if purpose == Purpose::Show(Role::Link) => return Err("a link".to_owned()),
            Start::Counter(_) => return Ok(Found { steps: None, from_root: false }),
            Start::Relative | Start::This => depth,
            Start::Up(scopes) if scopes > depth => {
                return Err("no more ../ than there are {{#each}} around it".to_owned());
            }
            Start::Up(scopes) => depth - scopes,
            Start::Root => 0,
        };
        let names = path.names.iter().map(|name| Step::Field((*name).to_owned()));
        let Some(index) = scope.checked_sub(1) else {
            self.check_name(path.names.first().copied().unwrap_or_default(), purpose, path.names.len() == 1)?;
            let steps: Vec<Step> = names.collect();
            self.check_sample(&steps, purpose)?;
            return Ok(Found { steps: Some(steps), from_root: true });
        };
        let Some(Some(base)) = self.scopes.get(index) else { return Ok(Found { steps: None, from_root: false }) };
        let steps: Vec<Step> = base.iter().cloned().chain(names).collect();
        self.check_sample(&steps, purpose)?;
        Ok(Found { steps: Some(steps), from_root: false })
    }

    fn check_name(&self, name: &str, purpose: Purpose, whole: bool) -> Result<(), String> {
        let Some(known) = self.manifest.name(name) else {
            return Err(format!("a declared name: {}", self.manifest.names().join(", ")));
        };
        match known {
            Name::Held if self.part == Part::Subject => return Err("a subject without what is held".to_owned()),
            Name::Variable(_) | Name::Held => return Ok(()),
            Name::Attribute
            | Name::UnsubscribeUrl
            | Name::PreferencesUrl
            | Name::ConfirmUrl
            | Name::PostalAddress
            | Name::Why => {}
        }
        if !whole || purpose == Purpose::Iterate {
            return Err(format!("a text: {name} has no fields or items"));
        }
        let is_url = matches!(known, Name::UnsubscribeUrl | Name::PreferencesUrl | Name::ConfirmUrl);
        if purpose == Purpose::Show(Role::Link) && !is_url {
            return Err("a link that does not begin with a fact about the person or the sender".to_owned());
        }
        Ok(())
    }

    /// Compares what a path wants with what the variable's sample shows.
    fn check_sample(&self, steps: &[Step], purpose: Purpose) -> Result<(), String> {
        let Some((Step::Field(name), inner)) = steps.split_first() else { return Ok(()) };
        let held;
        let sample = match self.manifest.name(name) {
            Some(Name::Variable(variable)) => &variable.sample,
            Some(Name::Held) if purpose == Purpose::Show(Role::Link) => {
                return Err("a link that does not begin with a fact about the person or the sender".to_owned());
            }
            Some(Name::Held) => {
                held = held_sample();
                &held
            }
            Some(
                Name::Attribute
                | Name::UnsubscribeUrl
                | Name::PreferencesUrl
                | Name::ConfirmUrl
                | Name::PostalAddress
                | Name::Why,
            )
            | None => return Ok(()),
        };
        let mut values = vec![sample];
        for step in inner {
            let next: Vec<&Value> = match step {
                Step::Item => values.iter().filter_map(|value| value.as_array()).flatten().collect(),
                Step::Field(field) => values.iter().filter_map(|value| value.get(field)).collect(),
            };
            if next.is_empty() {
                let known: BTreeSet<&str> = values
                    .iter()
                    .filter_map(|value| value.as_object())
                    .flat_map(|object| object.keys().map(String::as_str))
                    .collect();
                let known: Vec<Cow<'_, str>> = known.into_iter().take(NAMED).map(without_addresses).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(format!("what the sample of {name} shows: {known}"));
            }
            values = next;
        }
        let Some(value) = values.first() else { return Ok(()) };
        match purpose {
            Purpose::Iterate if !value.is_array() => Err(format!("a list; the sample shows {}", kind(value))),
            Purpose::Test if value.is_object() => Err("one of its fields: an object always counts as there".to_owned()),
            Purpose::Show(_) if value.is_array() || value.is_object() => {
                Err(format!("a text or a number; the sample shows {}", kind(value)))
            }
            Purpose::Iterate | Purpose::Test | Purpose::Show(_) => Ok(()),
        }
    }
}

fn same_place(opened: &Place, here: &Place) -> Result<(), String> {
    if opened.is_beside(here) {
        Ok(())
    } else {
        Err("a block that begins and ends in the same place of the HTML".to_owned())
    }
}
