//! The doors: what goes in at each, and what must hold.

mod bulk;
mod campaign;
mod configuration;
mod event;
mod form;
mod item;
mod message;
mod newsletter;
mod packed;
mod policy;
mod recipient;
mod request;
mod rows;
mod stack;
mod suppression;
mod template;
mod token;
mod worked;

#[path = "../given.rs"]
#[expect(dead_code, reason = "the tests ask more of it")]
mod given;

use germane::domain::door::Fault;
use jiff::Timestamp;
use serde_json::Value;

use crate::{mutate::Format, run::Answer};

pub struct Door {
    pub name: &'static str,
    pub format: Format,
    /// What has a meaning at this door, besides what is in its documents.
    pub words: &'static [&'static str],
    /// It takes one in so many of the inputs, where each is dear.
    pub one_in: u64,
    /// What is taken as it is; every input is one of them that was changed.
    pub documents: fn() -> Vec<Vec<u8>>,
    pub open: fn() -> Box<dyn Knock>,
}

pub trait Knock {
    /// Panics if what must hold does not.
    fn knock(&mut self, input: &[u8]) -> Answer;

    /// What it counted besides.
    fn more(&self) -> Vec<(String, u64)> {
        Vec::new()
    }
}

impl<F: FnMut(&[u8]) -> Answer> Knock for F {
    fn knock(&mut self, input: &[u8]) -> Answer {
        self(input)
    }
}

pub const ALL: &[&Door] = &[
    &request::REQUEST,
    &worked::WORKED,
    &template::TEMPLATE,
    &template::FOLDER,
    &campaign::CAMPAIGN,
    &recipient::RECIPIENT,
    &bulk::BULK,
    &rows::ROWS,
    &suppression::SUPPRESSION,
    &suppression::LIST,
    &policy::POLICY,
    &newsletter::NEWSLETTER,
    &event::EVENT,
    &message::MESSAGE,
    &token::TOKEN,
    &form::FORM,
    &item::ITEM,
    &packed::PROFILE,
    &packed::SENDS,
    &packed::CHUNK,
    &configuration::CONFIGURATION,
];

/// The faults of a refused input: there are some, each says something, and none can do harm to a terminal.
fn faults(faults: &[Fault]) -> Answer {
    assert!(!faults.is_empty(), "it was refused without a fault");
    for fault in faults {
        let Fault { field, found, wanted } = fault;
        assert!(!found.is_empty() && !wanted.is_empty(), "a fault says nothing: {fault:?}");
        let control = [field, found, wanted].into_iter().any(|text| text.chars().any(char::is_control));
        assert!(!control, "a fault holds a control character: {fault:?}");
    }
    Answer::Refused(faults.iter().map(|fault| fault.to_string() + "\n").collect())
}

/// Documents as bytes, with the private address in them.
fn documents(of: &[Value]) -> Vec<Vec<u8>> {
    of.iter().map(|document| document.to_string().replace("r-1042@", "zq7-private@").into_bytes()).collect()
}

/// Moments at which something may be decided: an ordinary one, and the ends of what there is.
fn moments() -> [Timestamp; 5] {
    [given::now(), Timestamp::MIN, Timestamp::MAX, Timestamp::UNIX_EPOCH, given::time("2026-10-25T00:59:59.999Z")]
}

/// What JSON a body is; refused as every body is that is none.
fn json(input: &[u8]) -> Result<Value, Answer> {
    serde_json::from_slice(input).map_err(|error| Answer::Refused(format!("no JSON from line {} on", error.line())))
}

/// An error's own words and those of what caused it.
fn refused(error: &(dyn std::error::Error + 'static)) -> Answer {
    Answer::Refused(germane::lambda::problem::chain(error))
}
