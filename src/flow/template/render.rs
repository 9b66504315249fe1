//! Rendering as SES does it: Handlebars without escaping, and nothing at all if a variable is missing.

use handlebars::Handlebars;
use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    pub subject: String,
    pub html: String,
    pub text: String,
}

/// What SES reports as a Rendering Failure, after it took the mail.
#[derive(Debug, thiserror::Error)]
#[error("the {part} cannot be rendered")]
pub struct RenderError {
    part: &'static str,
    #[source]
    source: handlebars::RenderError,
}

const SUBJECT: &str = "subject";
const HTML: &str = "html";
const TEXT: &str = "text";

/// A stored template, parsed once for many mails.
#[derive(Debug)]
pub struct Renderer(Handlebars<'static>);

impl Renderer {
    pub fn new(subject: &str, html: &str, text: &str) -> Result<Self, RenderError> {
        let mut engine = Handlebars::new();
        engine.set_strict_mode(true);
        engine.register_escape_fn(handlebars::no_escape);
        for (part, source) in [(SUBJECT, subject), (HTML, html), (TEXT, text)] {
            let parsed = engine.register_template_string(part, source);
            parsed.map_err(|error| RenderError { part, source: error.into() })?;
        }
        Ok(Self(engine))
    }

    pub fn render(&self, data: &Value) -> Result<Rendered, RenderError> {
        let part = |part| self.0.render(part, data).map_err(|source| RenderError { part, source });
        Ok(Rendered { subject: part(SUBJECT)?, html: part(HTML)?, text: part(TEXT)? })
    }
}

pub fn render(subject: &str, html: &str, text: &str, data: &Value) -> Result<Rendered, RenderError> {
    Renderer::new(subject, html, text)?.render(data)
}
