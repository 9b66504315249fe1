//! One captured mail. What many mails share is held once, the bodies are rendered when somebody looks, and what an
//! archive holds is read from there.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use mail_builder::{
    MessageBuilder,
    headers::{address::Address, content_type::ContentType, date::Date, raw::Raw},
    mime::MimePart,
};

use super::{
    archive::Place,
    letter::{Content, Letter, Sender},
    rules,
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
    pub(super) kept: Kept,
}

/// Where the rest of a mail is.
pub(super) enum Kept {
    Memory(Letter),
    Archive(Place),
}

/// A message on its way to being accepted.
pub(super) struct Draft {
    pub to: String,
    pub tags: BTreeMap<String, String>,
    pub letter: Letter,
}

impl Draft {
    pub(super) fn sealed(self, id: String, at: Timestamp, subject: String) -> Mail {
        let Self { to, tags, letter } = self;
        let from = Arc::clone(&letter.sender.from);
        Mail { id, at, from, to, subject, tags, kept: Kept::Memory(letter) }
    }
}

impl Mail {
    pub fn html(&self) -> Option<String> {
        self.letter().content.html()
    }

    pub fn text(&self) -> Option<String> {
        self.letter().content.text()
    }

    /// The sender's own headers and those that SES writes, except the ones that only describe the MIME structure.
    pub fn headers(&self) -> BTreeMap<String, String> {
        let letter = self.letter();
        let own = letter.headers.iter().map(|header| (header.name.clone(), header.value.clone()));
        own.chain(self.standard_headers(&letter).map(|(name, value)| (name.to_owned(), value))).collect()
    }

    /// The whole message in the form of RFC 5322; the same bytes each time.
    pub fn source(&self) -> String {
        match &self.kept {
            Kept::Memory(letter) => self.compose(letter),
            // Somebody may have taken the file away; the log alone says all that was in it.
            Kept::Archive(place) => place.source(&self.id).unwrap_or_else(|_| self.compose(&self.letter())),
        }
    }

    /// A mail that can no longer be read looks empty, and the log says why.
    pub(super) fn letter(&self) -> Cow<'_, Letter> {
        match &self.kept {
            Kept::Memory(letter) => Cow::Borrowed(letter),
            Kept::Archive(place) => Cow::Owned(place.letter().unwrap_or_else(|error| {
                tracing::warn!(%error, mail = self.id, "a captured mail cannot be read back");
                let sender = Arc::new(Sender { from: Arc::clone(&self.from), reply_to: Vec::new() });
                Letter { sender, headers: Vec::new(), content: Content::Simple { html: None, text: None } }
            })),
        }
    }

    pub(super) fn standard_headers(&self, letter: &Letter) -> impl Iterator<Item = (&'static str, String)> {
        let date = Date::new(self.at.as_second()).to_rfc822();
        let reply_to = &letter.sender.reply_to;
        let reply_to = (!reply_to.is_empty()).then(|| ("Reply-To", reply_to.join(", ")));
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

    /// The address that the mail comes from, without a name.
    pub(super) fn source_address(&self) -> &str {
        rules::address(&self.from)
    }

    fn compose(&self, letter: &Letter) -> String {
        let mut message = MessageBuilder::new()
            .message_id(self.message_id())
            .date(Date::new(self.at.as_second()))
            .from(mailbox(&self.from))
            .to(Address::from(self.to.as_str()))
            .subject(self.subject.as_str());
        let reply_to = &letter.sender.reply_to;
        if !reply_to.is_empty() {
            message = message.reply_to(Address::new_list(reply_to.iter().map(|raw| mailbox(raw)).collect()));
        }
        for header in &letter.headers {
            message = message.header(header.name.as_str(), Raw::new(header.value.as_str()));
        }
        message = match (letter.content.text(), letter.content.html()) {
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

    fn message_id(&self) -> String {
        format!("{}@email.amazonses.com", self.id)
    }
}

/// `Name <name@example.com>` in its two halves.
fn mailbox(raw: &str) -> Address<'_> {
    let name = raw.split_once('<').map(|(name, _)| name.trim().trim_matches('"')).filter(|name| !name.is_empty());
    Address::new_address(name, rules::address(raw))
}
