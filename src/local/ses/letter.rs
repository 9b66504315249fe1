//! What a mail says: its headers and bodies, beside the facts by which it is listed and found.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    rules,
    template::{Data, Part, Template},
};

#[derive(Clone)]
pub(super) struct Letter {
    pub sender: Arc<Sender>,
    pub headers: Vec<Header>,
    pub content: Content,
}

/// What the mails of one call have in common.
pub(super) struct Sender {
    pub from: Arc<str>,
    pub reply_to: Vec<String>,
}

impl Sender {
    pub(super) fn address(&self) -> &str {
        rules::address(&self.from)
    }
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Header {
    pub name: String,
    pub value: String,
}

#[derive(Clone)]
pub(super) enum Content {
    /// Rendered when somebody looks.
    Template {
        template: Arc<Template>,
        data: Data,
    },
    Simple {
        html: Option<String>,
        text: Option<String>,
    },
}

impl Content {
    pub(super) fn html(&self) -> Option<String> {
        match self {
            Self::Simple { html, .. } => html.clone(),
            Self::Template { template, data } => template.render(Part::Html, &data.context().ok()?),
        }
    }

    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::Simple { text, .. } => text.clone(),
            Self::Template { template, data } => template.render(Part::Text, &data.context().ok()?),
        }
    }
}
