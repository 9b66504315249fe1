//! `SendEmail`: one message to one person, from a template or written out.

use std::sync::Arc;

use super::{
    Ses, bulk,
    mail::{Content, Draft},
    refusal::Refusal,
    rules,
    template::Data,
    wire::{EmailContent, SendEmail},
};

/// The message id.
pub(super) fn send(ses: &Ses, call: SendEmail) -> Result<String, Refusal> {
    let sender = rules::sender(call.from_email_address, call.reply_to_addresses)?;
    let to = rules::recipient(&call.destination, &sender, &ses.0.config)?;
    let tags = rules::tags(&[], call.email_tags)?;
    match call.content {
        EmailContent { simple: Some(simple), template: None } => {
            let headers = rules::headers(&[], simple.headers)?;
            let html = simple.body.html.map(|part| part.data);
            let text = simple.body.text.map(|part| part.data);
            if html.is_none() && text.is_none() {
                return Err(Refusal::bad_request("The body has neither Text nor Html"));
            }
            let draft = Draft { sender, to, headers, tags, content: Content::Simple { html, text } };
            Ok(ses.accept(draft, Ok(simple.subject.data)))
        }
        EmailContent { simple: None, template: Some(used) } => {
            let defaults = bulk::defaults(ses, sender, used, Vec::new())?;
            let headers = rules::headers(&defaults.headers, Vec::new())?;
            let data = Data { defaults: defaults.data, own: String::new() };
            let rendered = defaults.template.check(&data.context()?);
            let content = Content::Template { template: Arc::clone(&defaults.template), data };
            Ok(ses.accept(Draft { sender: defaults.sender, to, headers, tags, content }, rendered))
        }
        EmailContent { simple: None, template: None } | EmailContent { simple: Some(_), template: Some(_) } => {
            Err(Refusal::bad_request("Content is either Simple or Template; Raw is not taken here"))
        }
    }
}
