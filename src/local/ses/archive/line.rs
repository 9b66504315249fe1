//! The lines of the log, as JSON.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::local::ses::{
    accept::Accepted,
    letter::{Content, Header, Letter, Sender},
    mail::{Kept, Mail},
    template::{Data, NotRendered, SharedData, Template},
    wire::TemplateContent,
};

/// Of all files of the folder.
pub(super) const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line<'a> {
    /// The first line.
    Format(u32),
    /// A template as it was when messages after this line were made from it.
    #[serde(borrow)]
    Template(TemplateLine<'a>),
    #[serde(borrow)]
    Message(MessageLine<'a>),
}

#[derive(Serialize, Deserialize)]
pub(super) struct TemplateLine<'a> {
    #[serde(borrow)]
    pub digest: Cow<'a, str>,
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    pub content: Cow<'a, TemplateContent>,
}

/// An accepted message.
#[derive(Serialize, Deserialize)]
pub(super) struct MessageLine<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    at: Timestamp,
    #[serde(borrow)]
    from: Cow<'a, str>,
    reply_to: Cow<'a, [String]>,
    #[serde(borrow)]
    to: Cow<'a, str>,
    #[serde(borrow)]
    subject: Cow<'a, str>,
    tags: Cow<'a, BTreeMap<String, String>>,
    headers: Cow<'a, [Header]>,
    #[serde(borrow)]
    content: ContentLine<'a>,
    /// Why it was not delivered, if it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<Cow<'a, NotRendered>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ContentLine<'a> {
    Template {
        #[serde(borrow)]
        digest: Cow<'a, str>,
        #[serde(borrow)]
        defaults: Cow<'a, str>,
        #[serde(borrow)]
        data: Cow<'a, str>,
    },
    Simple {
        html: Cow<'a, Option<String>>,
        text: Cow<'a, Option<String>>,
    },
}

impl<'a> TemplateLine<'a> {
    pub(super) fn of(template: &'a Template) -> Self {
        Self {
            digest: Cow::Borrowed(template.digest()),
            name: Cow::Borrowed(&template.name),
            content: Cow::Borrowed(&template.content),
        }
    }
}

impl<'a> MessageLine<'a> {
    pub(super) fn of(Accepted { mail, failure }: &'a Accepted, letter: &'a Letter) -> Self {
        Self {
            id: Cow::Borrowed(&mail.id),
            at: mail.at,
            from: Cow::Borrowed(&mail.from),
            reply_to: Cow::Borrowed(&letter.sender.reply_to),
            to: Cow::Borrowed(&mail.to),
            subject: Cow::Borrowed(&mail.subject),
            tags: Cow::Borrowed(&mail.tags),
            headers: Cow::Borrowed(&letter.headers),
            content: match &letter.content {
                Content::Template { template, data } => ContentLine::Template {
                    digest: Cow::Borrowed(template.digest()),
                    defaults: Cow::Borrowed(&data.defaults.raw),
                    data: Cow::Borrowed(&data.own),
                },
                Content::Simple { html, text } => {
                    ContentLine::Simple { html: Cow::Borrowed(html), text: Cow::Borrowed(text) }
                }
            },
            failure: failure.as_ref().map(Cow::Borrowed),
        }
    }

    /// What lists and searches need; the rest stays where it is. The sender's text is shared with the message before.
    pub(super) fn accepted(self, before: Option<&Accepted>, kept: Kept) -> Accepted {
        let from = match before {
            Some(before) if *before.mail.from == *self.from => Arc::clone(&before.mail.from),
            Some(_) | None => Arc::from(self.from),
        };
        let mail = Mail {
            id: self.id.into_owned(),
            at: self.at,
            from,
            to: self.to.into_owned(),
            subject: self.subject.into_owned(),
            tags: self.tags.into_owned(),
            kept,
        };
        Accepted { mail, failure: self.failure.map(Cow::into_owned) }
    }

    /// The rest, if its template is among those that `version` finds by their digest.
    pub(super) fn letter(self, version: impl FnOnce(&str) -> Option<Arc<Template>>) -> Option<Letter> {
        let content = match self.content {
            ContentLine::Template { digest, defaults, data } => Content::Template {
                template: version(&digest)?,
                data: Data {
                    defaults: Arc::new(SharedData::read(defaults.into_owned()).ok()?),
                    own: data.into_owned(),
                },
            },
            ContentLine::Simple { html, text } => Content::Simple { html: html.into_owned(), text: text.into_owned() },
        };
        let sender = Sender { from: Arc::from(self.from), reply_to: self.reply_to.into_owned() };
        Some(Letter { sender: Arc::new(sender), headers: self.headers.into_owned(), content })
    }
}
