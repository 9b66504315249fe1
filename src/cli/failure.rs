//! How a verb ends when it does not end well: what happened, where, and what to do next.

use std::{fmt::Write as _, io, process::ExitCode};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::domain::door;

/// How many faults are told before the rest is only counted.
const TOLD: usize = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Nobody reads on (`germane decisions ... | head`): no fault of ours.
    Unheard,
    Failed,
    BadInput,
}

/// What is told on stderr, as text or as a problem document (RFC 9457).
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    pub exit: Exit,
    /// Stable, for machines.
    pub code: String,
    pub title: String,
    pub detail: Option<Box<str>>,
    pub faults: Vec<Fault>,
    /// Faults that are not listed.
    pub more: u64,
    /// What to do now; reads on after "next: ".
    pub next: Option<Box<str>>,
}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    #[serde(default)]
    pub field: String,
    /// What is there; where `wanted` is empty, all that is to be said.
    #[serde(default)]
    pub found: String,
    #[serde(default)]
    pub wanted: String,
}

impl From<door::Fault> for Fault {
    fn from(fault: door::Fault) -> Self {
        Self { file: None, line: None, field: fault.field, found: fault.found, wanted: fault.wanted }
    }
}

impl Fault {
    /// Of an option of the command line.
    pub fn option(name: &str, found: &str, wanted: &str) -> Self {
        Self { file: None, line: None, field: name.to_owned(), found: format!("{found:?}"), wanted: wanted.to_owned() }
    }

    pub fn within(self, file: &str, line: Option<u64>) -> Self {
        Self { file: self.file.or_else(|| Some(file.to_owned())), line: self.line.or(line), ..self }
    }

    pub fn text(&self) -> String {
        let mut text = String::new();
        if let Some(file) = &self.file {
            text.push_str(file);
        }
        if let Some(line) = self.line {
            let _ = write!(text, ":{line}");
        }
        if !text.is_empty() && !self.field.is_empty() {
            text.push(' ');
        }
        text.push_str(if text.is_empty() && self.field.is_empty() { "the document" } else { &self.field });
        if self.wanted.is_empty() {
            let _ = write!(text, ": {}", self.found);
        } else {
            let _ = write!(text, ": found {}, wanted {}", self.found, self.wanted);
        }
        text
    }
}

impl Failure {
    pub fn failed(code: impl Into<String>, title: impl Into<String>) -> Self {
        Self::of(Exit::Failed, code, title)
    }

    pub fn bad_input(code: impl Into<String>, title: impl Into<String>) -> Self {
        Self::of(Exit::BadInput, code, title)
    }

    pub fn of(exit: Exit, code: impl Into<String>, title: impl Into<String>) -> Self {
        Self { exit, code: code.into(), title: title.into(), detail: None, faults: Vec::new(), more: 0, next: None }
    }

    pub fn detail(self, detail: impl Into<Box<str>>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    pub fn next(self, next: impl Into<Box<str>>) -> Self {
        Self { next: Some(next.into()), ..self }
    }

    pub fn faults<F: Into<Fault>>(self, faults: impl IntoIterator<Item = F>) -> Self {
        Self { faults: faults.into_iter().map(Into::into).collect(), ..self }
    }

    /// Says which file the faults are in.
    pub fn within(mut self, file: &str) -> Self {
        self.faults = self.faults.into_iter().map(|fault| fault.within(file, None)).collect();
        self
    }

    /// A file that cannot be read or written: bad input if it is the name that is wrong.
    pub fn file(name: &str, error: &io::Error) -> Self {
        let kind = error.kind();
        let what = if kind == io::ErrorKind::NotFound {
            Self::bad_input("no_file", format!("there is no file {name}"))
        } else if kind == io::ErrorKind::IsADirectory {
            Self::bad_input("not_a_file", format!("{name} is a folder, not a file"))
        } else if kind == io::ErrorKind::PermissionDenied {
            Self::bad_input("not_permitted", format!("{name} may not be opened"))
        } else {
            Self::failed("file", format!("{name} cannot be read or written"))
        };
        what.detail(error.to_string())
    }

    pub fn exit_code(&self) -> ExitCode {
        match self.exit {
            Exit::Unheard => ExitCode::SUCCESS,
            Exit::Failed => ExitCode::from(1),
            Exit::BadInput => ExitCode::from(2),
        }
    }

    pub fn text(&self) -> String {
        let mut text = format!("error: {}", self.title);
        // A problem of one fault says it twice.
        let said = |detail: &str| detail == self.title || self.faults.iter().any(|one| one.text().ends_with(detail));
        if let Some(detail) = self.detail.as_deref().filter(|detail| !said(detail)) {
            let _ = write!(text, "\n  {detail}");
        }
        for fault in self.faults.iter().take(TOLD) {
            let _ = write!(text, "\n  {}", fault.text());
        }
        let more = self.more + self.faults.len().saturating_sub(TOLD) as u64;
        if more > 0 {
            let _ = write!(text, "\n  and {more} more");
        }
        if let Some(next) = &self.next {
            let _ = write!(text, "\nnext: {next}");
        }
        text
    }

    pub fn problem(&self) -> Value {
        json!({
            "type": "about:blank", "title": self.title, "detail": self.detail, "code": self.code,
            "errors": self.faults, "more": self.more, "next": self.next,
        })
    }
}
