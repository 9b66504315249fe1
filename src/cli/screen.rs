//! Where a verb's words go: results to stdout, everything else to stderr, and a closed pipe is no panic.

use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
};

use serde_json::Value;

use super::failure::{Exit, Failure};

/// What the two streams can show.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    /// One document on stdout, problems as JSON on stderr, no progress.
    pub json: bool,
    /// Whether stderr is a terminal on which progress may be redrawn.
    pub live: bool,
    pub paint: Paint,
}

/// Colours where they are wanted and understood.
#[derive(Debug, Clone, Copy)]
pub struct Paint {
    pub colour: bool,
}

impl Paint {
    pub const PLAIN: Paint = Paint { colour: false };

    pub fn bold(self, text: impl Display) -> String {
        self.wrap("1", text)
    }

    pub fn dim(self, text: impl Display) -> String {
        self.wrap("2", text)
    }

    fn wrap(self, code: &str, text: impl Display) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }
}

impl Screen {
    pub fn new(json: bool, no_color: bool) -> Self {
        let colour = !json && !no_color && io::stdout().is_terminal();
        Self { json, live: !json && io::stderr().is_terminal(), paint: Paint { colour } }
    }

    /// A line of the result.
    pub fn line(self, text: impl Display) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        heard(writeln!(out, "{text}").and_then(|()| out.flush()))
    }

    /// The one document of a verb.
    pub fn document(self, value: &Value) -> Result<(), Failure> {
        self.line(format_args!("{value:#}"))
    }

    /// A remark beside the result, which `--json` leaves out.
    pub fn note(self, text: impl Display) {
        if !self.json {
            // There is nobody to tell that stderr is closed.
            let _ = writeln!(io::stderr().lock(), "{text}");
        }
    }

    pub fn tell(self, failure: &Failure) {
        let text = match failure.exit {
            Exit::Unheard => return,
            Exit::Failed | Exit::BadInput if self.json => failure.problem().to_string(),
            Exit::Failed | Exit::BadInput => failure.text(),
        };
        let _ = writeln!(io::stderr().lock(), "{text}");
    }
}

fn heard(written: io::Result<()>) -> Result<(), Failure> {
    written.map_err(|error| {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Failure::of(Exit::Unheard, "unheard", "nobody reads the output")
        } else {
            Failure::failed("output", "the output cannot be written").detail(error.to_string())
        }
    })
}
