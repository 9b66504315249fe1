//! Handlebars as SES has it: nothing is escaped, and a variable that is missing fails the message.

use std::{
    io,
    sync::{Arc, OnceLock},
};

use handlebars::{Context, Handlebars, RenderError, RenderErrorReason, no_escape};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{digest::digest, refusal::Unfit, wire::TemplateContent};

/// Of one stored template, over all its parts.
const MAX_BYTES: usize = 500 * 1024;

/// What this engine offers beyond Handlebars' own built-in helpers, and SES does not.
const NOT_IN_SES: [&str; 11] = ["and", "eq", "gt", "gte", "len", "lt", "lte", "ne", "not", "or", "raw"];

/// The parts of a message, parsed once.
pub(super) struct Template {
    pub name: String,
    pub content: TemplateContent,
    engine: Handlebars<'static>,
    digest: OnceLock<String>,
}

#[derive(Clone, Copy)]
pub(super) enum Part {
    Subject,
    Text,
    Html,
}

impl Part {
    const ALL: [Self; 3] = [Self::Subject, Self::Text, Self::Html];

    fn name(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Text => "text",
            Self::Html => "html",
        }
    }

    fn of(self, content: &TemplateContent) -> Option<&str> {
        match self {
            Self::Subject => content.subject.as_deref(),
            Self::Text => content.text.as_deref(),
            Self::Html => content.html.as_deref(),
        }
    }
}

/// Why an accepted message was not delivered, as the Rendering Failure event words it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct NotRendered {
    pub template: String,
    pub message: String,
}

impl Template {
    /// Parses a template to be stored.
    pub(super) fn stored(name: String, content: TemplateContent) -> Result<Self, Unfit> {
        let size: usize = Part::ALL.iter().filter_map(|part| part.of(&content)).map(str::len).sum();
        if size > MAX_BYTES {
            return Err(Unfit::invalid(format!("A template has at most {MAX_BYTES} bytes")));
        }
        if content.subject.is_none() || (content.text.is_none() && content.html.is_none()) {
            return Err(Unfit::invalid("A template has a subject, and a text or an HTML part"));
        }
        let mut engine = Handlebars::new();
        engine.register_escape_fn(no_escape);
        engine.set_strict_mode(true);
        for helper in NOT_IN_SES {
            engine.unregister_helper(helper);
        }
        for part in Part::ALL {
            if let Some(source) = part.of(&content) {
                engine
                    .register_template_string(part.name(), source)
                    .map_err(|error| Unfit::invalid(format!("The {} part does not parse: {error}", part.name())))?;
            }
        }
        Ok(Self { name, content, engine, digest: OnceLock::new() })
    }

    /// Parses a template that came with the call, in which SES substitutes simple variables only.
    pub(super) fn inline(content: TemplateContent) -> Result<Self, Unfit> {
        let simple = |source: &str| {
            source
                .split("{{")
                .skip(1)
                .all(|tag| !tag.trim_start_matches(['{', '~', ' ']).starts_with(['#', '/', '>', '^', '*']))
        };
        if Part::ALL.iter().filter_map(|part| part.of(&content)).all(simple) {
            Self::stored(String::new(), content)
        } else {
            Err(Unfit::invalid("Only simple variables are substituted in TemplateContent; store the template instead"))
        }
    }

    /// Renders every part and keeps the subject alone: the others are rendered again when somebody looks.
    pub(super) fn check(&self, data: &Context) -> Result<String, NotRendered> {
        for part in [Part::Text, Part::Html] {
            if part.of(&self.content).is_some() {
                self.engine
                    .render_with_context_to_write(part.name(), data, io::sink())
                    .map_err(|error| self.not_rendered(&error))?;
            }
        }
        self.engine.render_with_context(Part::Subject.name(), data).map_err(|error| self.not_rendered(&error))
    }

    /// A part of a message that passed [`Template::check`] with the same data.
    pub(super) fn render(&self, part: Part, data: &Context) -> Option<String> {
        part.of(&self.content)?;
        self.engine.render_with_context(part.name(), data).ok()
    }

    /// The same for the same name and content, and for no others.
    pub(super) fn digest(&self) -> &str {
        self.digest.get_or_init(|| {
            let parts = Part::ALL.iter().map(|part| part.of(&self.content));
            digest(std::iter::once(Some(self.name.as_str())).chain(parts))
        })
    }

    fn not_rendered(&self, error: &RenderError) -> NotRendered {
        let message = if let RenderErrorReason::MissingVariable(Some(path)) = error.reason() {
            format!("Attribute '{path}' is not present in the rendering data.")
        } else {
            error.reason().to_string()
        };
        NotRendered { template: self.name.clone(), message }
    }
}

/// What one message is rendered with. The defaults are shared by the whole call; the message's own values stay the
/// text that they came as, which is a fraction of its size once parsed.
#[derive(Clone)]
pub(super) struct Data {
    pub defaults: Arc<SharedData>,
    pub own: String,
}

/// The defaults of a call: parsed once, and as the text that they came as.
pub(super) struct SharedData {
    pub raw: String,
    values: Map<String, Value>,
}

impl SharedData {
    pub(super) fn read(raw: String) -> Result<Self, Unfit> {
        let values = object(&raw)?;
        Ok(Self { raw, values })
    }
}

impl Data {
    /// The message's own values in place of the defaults, by top-level key.
    pub(super) fn context(&self) -> Result<Context, Unfit> {
        let mut data = self.defaults.values.clone();
        data.extend(object(&self.own)?);
        Ok(Context::from(Value::Object(data)))
    }
}

/// Template data: a JSON object, or nothing at all.
fn object(raw: &str) -> Result<Map<String, Value>, Unfit> {
    if raw.is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_str(raw).map_err(|_| Unfit::invalid("Template data is not a JSON object"))
}
