//! The pages: what each one shows, put into its template, which escapes every value.

use std::{collections::BTreeMap, sync::Arc};

use handlebars::{Handlebars, RenderError};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::local::ses::Mail;

const PAGE_SIZE: usize = 50;

/// The tabs of a mail.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum View {
    #[default]
    Html,
    Text,
    Headers,
    Source,
}

impl View {
    const ALL: [(Self, &'static str); 4] =
        [(Self::Html, "HTML"), (Self::Text, "Text"), (Self::Headers, "Headers"), (Self::Source, "Source")];
}

/// How wide the HTML is shown.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Width {
    #[default]
    Desktop,
    Phone,
}

impl Width {
    const ALL: [(Self, &'static str); 2] = [(Self::Desktop, "Desktop"), (Self::Phone, "Phone")];
}

/// A link that says whether it leads to where one is.
#[derive(Serialize)]
struct Choice<T> {
    value: T,
    label: &'static str,
    current: bool,
}

fn choices<T: Copy + PartialEq>(all: &[(T, &'static str)], current: T) -> Vec<Choice<T>> {
    all.iter().map(|&(value, label)| Choice { value, label, current: value == current }).collect()
}

/// The mails whose recipient or subject holds `query`, newest first, one page of them.
pub(super) fn list(mails: &[Arc<Mail>], query: &str, page: usize) -> Result<String, RenderError> {
    let needle = query.to_lowercase();
    let hit =
        |mail: &&Arc<Mail>| mail.to.to_lowercase().contains(&needle) || mail.subject.to_lowercase().contains(&needle);
    let found: Vec<&Arc<Mail>> = mails.iter().rev().filter(hit).collect();
    let pages = found.len().div_ceil(PAGE_SIZE).max(1);
    let page = page.clamp(1, pages);
    let rows: Vec<_> = found
        .iter()
        .skip((page - 1) * PAGE_SIZE)
        .take(PAGE_SIZE)
        .map(|mail| {
            json!({
                "id": mail.id, "to": mail.to, "subject": subject(mail), "at": mail.at, "when": when(mail.at),
            })
        })
        .collect();
    let data = json!({
        "query": query,
        "summary": summary(found.len(), mails.len(), query),
        "rows": rows,
        "pages": (pages > 1).then(|| format!("Page {page} of {pages}")),
        "newer": (page > 1).then(|| page - 1),
        "older": (page < pages).then(|| page + 1),
    });
    Handlebars::new().render_template(include_str!("list.html"), &data)
}

fn summary(found: usize, all: usize, query: &str) -> String {
    let mails = |n: usize| format!("{} {}", grouped(n), if n == 1 { "mail" } else { "mails" });
    if query.is_empty() { format!("{} captured", mails(all)) } else { format!("{} of {}", grouped(found), mails(all)) }
}

/// 1,234,567 is easier to read than 1234567.
fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let lead = digits.len() % 3;
    digits.chars().enumerate().fold(String::new(), |mut text, (i, digit)| {
        if i > 0 && i % 3 == lead {
            text.push(',');
        }
        text.push(digit);
        text
    })
}

pub(super) fn mail(mail: &Mail, view: View, width: Width) -> Result<String, RenderError> {
    let is = |wanted: View| view == wanted;
    let facts = |facts: BTreeMap<String, String>| -> Vec<_> {
        facts.into_iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
    };
    let data = json!({
        "id": mail.id,
        "subject": subject(mail),
        "from": &*mail.from,
        "to": mail.to,
        "at": mail.at,
        "when": when(mail.at),
        "tabs": choices(&View::ALL, view),
        "widths": choices(&Width::ALL, width),
        "width": width,
        "is_html": is(View::Html),
        "is_text": is(View::Text),
        "is_headers": is(View::Headers),
        "is_source": is(View::Source),
        "has_html": is(View::Html) && mail.html().is_some(),
        "text": is(View::Text).then(|| mail.text()),
        "headers": is(View::Headers).then(|| facts(mail.headers())),
        "tags": is(View::Headers).then(|| facts(mail.tags.clone())),
        "source": is(View::Source).then(|| mail.source()),
    });
    Handlebars::new().render_template(include_str!("mail.html"), &data)
}

pub(super) fn missing() -> Result<String, RenderError> {
    Handlebars::new().render_template(include_str!("missing.html"), &json!({}))
}

/// Lets a mail's links open beside the inbox instead of in its small frame.
pub(super) fn with_links_outside(mut html: String) -> String {
    let head = html.to_ascii_lowercase().find("<head");
    if let Some(end) = head.and_then(|start| html.get(start..)?.find('>').map(|end| start + end + 1)) {
        html.insert_str(end, "<base target=\"_blank\">");
    }
    html
}

fn subject(mail: &Mail) -> &str {
    if mail.subject.trim().is_empty() { "(no subject)" } else { &mail.subject }
}

fn when(at: Timestamp) -> String {
    at.strftime("%-d %b %Y, %H:%M:%S UTC").to_string()
}
