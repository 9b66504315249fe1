//! `SendEmail`: one message to one person, from a template or written out.

use super::{
    Ses,
    accept::Message,
    bulk,
    letter::{Content, Letter},
    mail::Draft,
    refusal::Refusal,
    rules,
    template::Data,
    wire::{EmailContent, SendEmail},
};

/// The message id.
pub(super) fn send(ses: &Ses, call: SendEmail) -> Result<String, Refusal> {
    let sender = rules::sender(call.from_email_address, call.reply_to_addresses, &ses.0.config)?;
    let to = rules::recipient(&call.destination, &sender, &ses.0.config)?;
    let tags = rules::tags(&[], call.email_tags)?;
    let (letter, rendered) = match call.content {
        EmailContent { simple: Some(simple), template: None } => {
            let headers = rules::headers(&[], simple.headers)?;
            let html = simple.body.html.map(|part| part.data);
            let text = simple.body.text.map(|part| part.data);
            if html.is_none() && text.is_none() {
                return Err(Refusal::bad_request("The body has neither Text nor Html"));
            }
            (Letter { sender, headers, content: Content::Simple { html, text } }, Ok(simple.subject.data))
        }
        EmailContent { simple: None, template: Some(used) } => {
            let defaults = bulk::defaults(ses, sender, used, Vec::new())?;
            let headers = rules::headers(&defaults.headers, Vec::new())?;
            let data = Data { defaults: defaults.data, own: String::new() };
            let rendered = defaults.template.check(&data.context()?);
            let content = Content::Template { template: defaults.template, data };
            (Letter { sender: defaults.sender, headers, content }, rendered)
        }
        EmailContent { simple: None, template: None } | EmailContent { simple: Some(_), template: Some(_) } => {
            return Err(Refusal::bad_request("Content is either Simple or Template; Raw is not taken here"));
        }
    };
    ses.accept_one(Message { draft: Draft { to, tags, letter }, rendered })
}
