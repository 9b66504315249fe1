//! The captured mails, to look at: pages for people, one JSON list for tests. Rendered here and without a script; what
//! a mail says is escaped everywhere, except in a frame that may do nothing but open links.

mod page;

use std::{convert::Infallible, iter::once};

use axum::{
    Router,
    body::Body,
    extract::{Path, Query, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ses::{Mail, Ses};
use page::{View, Width};

/// For our own pages: our style, our frames, our form, nothing else.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'";

/// For a mail's HTML: its inline style and pictures, no script, no form, nothing from elsewhere, an origin of its own.
const MAIL_POLICY: &str = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; \
     style-src 'unsafe-inline'; img-src data:; font-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'";

const STYLE: &str = include_str!("inbox/inbox.css");

pub fn router(ses: Ses) -> Router {
    Router::new()
        .route("/inbox", get(list))
        .route("/inbox/inbox.css", get(style))
        .route("/inbox/messages", get(messages))
        .route("/inbox/{id}", get(one))
        .route("/inbox/{id}/html", get(html))
        .route("/inbox/{id}/source", get(source))
        .with_state(ses)
}

#[derive(Deserialize)]
struct Search {
    #[serde(default)]
    q: String,
    #[serde(default = "first_page")]
    page: usize,
}

fn first_page() -> usize {
    1
}

async fn list(State(ses): State<Ses>, Query(search): Query<Search>) -> Response {
    document(StatusCode::OK, page::list(&ses.mails(), search.q.trim(), search.page))
}

#[derive(Deserialize)]
struct Look {
    #[serde(default)]
    view: View,
    #[serde(default)]
    width: Width,
}

async fn one(State(ses): State<Ses>, Path(id): Path<String>, Query(look): Query<Look>) -> Response {
    match ses.mail(&id) {
        Some(mail) => document(StatusCode::OK, page::mail(&mail, look.view, look.width)),
        None => missing(),
    }
}

async fn html(State(ses): State<Ses>, Path(id): Path<String>) -> Response {
    match ses.mail(&id).and_then(|mail| mail.html()) {
        Some(html) => answer("text/html; charset=utf-8", MAIL_POLICY, page::with_links_outside(html)),
        None => missing(),
    }
}

async fn source(State(ses): State<Ses>, Path(id): Path<String>) -> Response {
    let Some(mail) = ses.mail(&id) else { return missing() };
    let mut response = answer("text/plain; charset=utf-8", PAGE_POLICY, mail.source());
    if let Ok(name) = HeaderValue::try_from(format!("attachment; filename=\"{}.eml\"", mail.id)) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    response
}

async fn style() -> Response {
    answer("text/css; charset=utf-8", PAGE_POLICY, STYLE)
}

#[derive(Deserialize)]
struct Filter {
    to: Option<String>,
}

/// Every mail, oldest first; written mail by mail, because the bodies of a whole campaign do not fit in memory well.
async fn messages(State(ses): State<Ses>, Query(filter): Query<Filter>) -> Response {
    let wanted = move |mail: &Mail| filter.to.as_ref().is_none_or(|to| mail.to.eq_ignore_ascii_case(to));
    let mails = ses.mails().into_iter().filter(move |mail| wanted(mail));
    let items = mails.enumerate().map(|(n, mail)| format!("{}{}", if n == 0 { "" } else { "," }, message(&mail)));
    let chunks = once("[".to_owned()).chain(items).chain(once("]".to_owned())).map(Ok::<_, Infallible>);
    answer("application/json", PAGE_POLICY, Body::from_stream(stream::iter(chunks)))
}

fn message(mail: &Mail) -> Value {
    json!({
        "to": mail.to,
        "from": &*mail.from,
        "subject": mail.subject,
        "headers": mail.headers(),
        "tags": mail.tags,
        "html": mail.html(),
        "text": mail.text(),
        "at": mail.at,
    })
}

fn missing() -> Response {
    document(StatusCode::NOT_FOUND, page::missing())
}

fn document(status: StatusCode, page: Result<String, handlebars::RenderError>) -> Response {
    match page {
        Ok(page) => (status, answer("text/html; charset=utf-8", PAGE_POLICY, page)).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

fn answer(kind: &'static str, policy: &'static str, body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
