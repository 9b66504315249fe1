//! `SendBulkEmail`: one template, up to 50 people, and an answer for each.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    Ses,
    accept::Message,
    letter::{Content, Letter, Sender},
    mail::Draft,
    refusal::{Refusal, Unfit},
    rules,
    template::{Data, SharedData, Template},
    wire::{BulkEntry, Pair, SendBulkEmail, TemplateUse},
};

const MAX_ENTRIES: usize = 50;
const MAX_DATA_CHARS: usize = 262_144;

/// What every entry of a call starts from.
pub(super) struct Defaults {
    pub sender: Arc<Sender>,
    pub template: Arc<Template>,
    pub data: Arc<SharedData>,
    pub headers: Vec<Pair>,
    pub tags: Vec<Pair>,
}

/// The results in the order of the entries; a message that broke a rule does not stop the others.
pub(super) fn send(ses: &Ses, call: SendBulkEmail) -> Result<Vec<Value>, Refusal> {
    let entries = call.bulk_email_entries;
    if !(1..=MAX_ENTRIES).contains(&entries.len()) {
        return Err(Refusal::bad_request(format!("1 to {MAX_ENTRIES} BulkEmailEntries are wanted")));
    }
    for entry in &entries {
        short_enough(own_data(entry))?;
    }
    let used = call.default_content.template.ok_or_else(|| Refusal::bad_request("DefaultContent has no Template"))?;
    let sender = rules::sender(call.from_email_address, call.reply_to_addresses, &ses.0.config)?;
    let defaults = match defaults(ses, sender, used, call.default_email_tags) {
        Ok(defaults) => defaults,
        Err(Unfit::TemplateNotFound(message)) => {
            let unfit = Unfit::TemplateNotFound(message);
            return Ok(entries.iter().map(|_| failed(&unfit)).collect());
        }
        Err(unfit) => return Err(unfit.into()),
    };
    let (mut messages, mut unfit) = (Vec::new(), Vec::new());
    for entry in entries {
        match one(ses, &defaults, entry) {
            Ok(message) => {
                messages.push(message);
                unfit.push(None);
            }
            Err(why) => unfit.push(Some(why)),
        }
    }
    let mut accepted = ses.accept(messages)?.into_iter();
    let results = unfit.into_iter().filter_map(|unfit| unfit.map_or_else(|| accepted.next(), |unfit| Some(Err(unfit))));
    Ok(results
        .map(|result| match result {
            Ok(id) => json!({ "Status": "SUCCESS", "MessageId": id }),
            Err(unfit) => failed(&unfit),
        })
        .collect())
}

/// Finds the template and reads what it is used with.
pub(super) fn defaults(ses: &Ses, sender: Arc<Sender>, used: TemplateUse, tags: Vec<Pair>) -> Result<Defaults, Unfit> {
    let template = match (used.template_name, used.template_content) {
        (Some(name), None) => {
            ses.template(&name).ok_or_else(|| Unfit::TemplateNotFound(format!("Template {name} does not exist.")))?
        }
        (None, Some(content)) => Arc::new(Template::inline(content)?),
        (Some(_), Some(_)) | (None, None) => {
            return Err(Unfit::invalid("Either TemplateName or TemplateContent is wanted"));
        }
    };
    let data = used.template_data.unwrap_or_default();
    short_enough(&data)?;
    let data = Arc::new(SharedData::read(data)?);
    rules::headers(&used.headers, Vec::new())?;
    Ok(Defaults { sender, template, data, headers: used.headers, tags })
}

fn one(ses: &Ses, defaults: &Defaults, entry: BulkEntry) -> Result<Message, Unfit> {
    let own = entry.replacement_email_content.replacement_template.replacement_template_data.unwrap_or_default();
    let to = rules::recipient(&entry.destination, &defaults.sender, &ses.0.config)?;
    let headers = rules::headers(&defaults.headers, entry.replacement_headers)?;
    let tags = rules::tags(&defaults.tags, entry.replacement_tags)?;
    let data = Data { defaults: Arc::clone(&defaults.data), own };
    let rendered = defaults.template.check(&data.context()?);
    let content = Content::Template { template: Arc::clone(&defaults.template), data };
    let letter = Letter { sender: Arc::clone(&defaults.sender), headers, content };
    Ok(Message { draft: Draft { to, tags, letter }, rendered })
}

fn own_data(entry: &BulkEntry) -> &str {
    entry.replacement_email_content.replacement_template.replacement_template_data.as_deref().unwrap_or_default()
}

/// The service model bounds it, so that one entry that is too long refuses the whole call.
fn short_enough(data: &str) -> Result<(), Unfit> {
    if data.chars().count() > MAX_DATA_CHARS {
        return Err(Unfit::invalid(format!("Template data has at most {MAX_DATA_CHARS} characters")));
    }
    Ok(())
}

fn failed(unfit: &Unfit) -> Value {
    let (status, error) = unfit.status();
    json!({ "Status": status, "Error": error })
}
