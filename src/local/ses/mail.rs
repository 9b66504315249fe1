//! One captured mail. What many mails share is held once, and the bodies are rendered when somebody looks.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use mail_builder::{
    MessageBuilder,
    headers::{address::Address, content_type::ContentType, date::Date, raw::Raw},
    mime::MimePart,
};

use super::{
    rules,
    template::{Data, Part, Template},
};

/// A mail as its recipient would have got it.
pub struct Mail {
    /// SES's message id.
    pub id: String,
    pub at: Timestamp,
    /// As sent, often with a name: `News <news@example.com>`.
    pub from: Arc<str>,
    /// The bare address.
    pub to: String,
    pub subject: String,
    pub tags: BTreeMap<String, String>,
    sender: Arc<Sender>,
    own_headers: Vec<Header>,
    content: Content,
}

/// What the mails of one call have in common.
pub(super) struct Sender {
    pub from: Arc<str>,
    pub reply_to: Vec<String>,
}

impl Sender {
    pub(super) fn address(&self) -> &str {
        rules::bare(&self.from).unwrap_or(&self.from)
    }
}

pub(super) struct Header {
    pub name: String,
    pub value: String,
}

pub(super) enum Content {
    Template { template: Arc<Template>, data: Data },
    Simple { html: Option<String>, text: Option<String> },
}

/// A message on its way to being accepted.
pub(super) struct Draft {
    pub sender: Arc<Sender>,
    pub to: String,
    pub headers: Vec<Header>,
    pub tags: BTreeMap<String, String>,
    pub content: Content,
}

impl Draft {
    pub(super) fn sealed(self, id: String, at: Timestamp, subject: String) -> Mail {
        Mail {
            id,
            at,
            from: Arc::clone(&self.sender.from),
            to: self.to,
            subject,
            tags: self.tags,
            sender: self.sender,
            own_headers: self.headers,
            content: self.content,
        }
    }
}

impl Mail {
    pub fn html(&self) -> Option<String> {
        match &self.content {
            Content::Simple { html, .. } => html.clone(),
            Content::Template { template, data } => template.render(Part::Html, &data.context().ok()?),
        }
    }

    pub fn text(&self) -> Option<String> {
        match &self.content {
            Content::Simple { text, .. } => text.clone(),
            Content::Template { template, data } => template.render(Part::Text, &data.context().ok()?),
        }
    }

    /// The sender's own headers and those that SES writes, except the ones that only describe the MIME structure.
    pub fn headers(&self) -> BTreeMap<String, String> {
        let own = self.own_headers.iter().map(|header| (header.name.clone(), header.value.clone()));
        own.chain(self.standard_headers().map(|(name, value)| (name.to_owned(), value))).collect()
    }

    /// The whole message in the form of RFC 5322; the same bytes each time.
    pub fn source(&self) -> String {
        let mut message = MessageBuilder::new()
            .message_id(self.message_id())
            .date(Date::new(self.at.as_second()))
            .from(mailbox(&self.from))
            .to(Address::from(self.to.as_str()))
            .subject(self.subject.as_str());
        if !self.sender.reply_to.is_empty() {
            message =
                message.reply_to(Address::new_list(self.sender.reply_to.iter().map(|raw| mailbox(raw)).collect()));
        }
        for header in &self.own_headers {
            message = message.header(header.name.as_str(), Raw::new(header.value.as_str()));
        }
        message = match (self.text(), self.html()) {
            (Some(text), Some(html)) => {
                let kind = ContentType::new("multipart/alternative").attribute("boundary", format!("part_{}", self.id));
                let parts = vec![MimePart::new("text/plain", text), MimePart::new("text/html", html)];
                message.body(MimePart::new(kind, parts))
            }
            (Some(text), None) => message.text_body(text),
            (None, Some(html)) => message.html_body(html),
            (None, None) => message.text_body(""),
        };
        message.write_to_string().unwrap_or_default()
    }

    /// The address that the mail comes from, without a name.
    pub(super) fn source_address(&self) -> &str {
        self.sender.address()
    }

    pub(super) fn reply_to(&self) -> &[String] {
        &self.sender.reply_to
    }

    pub(super) fn own_headers(&self) -> &[Header] {
        &self.own_headers
    }

    pub(super) fn standard_headers(&self) -> impl Iterator<Item = (&'static str, String)> {
        let date = Date::new(self.at.as_second()).to_rfc822();
        let reply_to = (!self.reply_to().is_empty()).then(|| ("Reply-To", self.reply_to().join(", ")));
        [
            ("From", self.from.to_string()),
            ("To", self.to.clone()),
            ("Subject", self.subject.clone()),
            ("Date", date),
            ("Message-ID", format!("<{}>", self.message_id())),
            ("MIME-Version", "1.0".to_owned()),
        ]
        .into_iter()
        .chain(reply_to)
    }

    fn message_id(&self) -> String {
        format!("{}@email.amazonses.com", self.id)
    }
}

/// `Name <name@example.com>` in its two halves.
fn mailbox(raw: &str) -> Address<'_> {
    let name = raw.split_once('<').map(|(name, _)| name.trim().trim_matches('"')).filter(|name| !name.is_empty());
    Address::new_address(name, rules::bare(raw).unwrap_or(raw))
}
