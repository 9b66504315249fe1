//! The pages behind a mail's links: plain HTML without scripts, cookies or anything from elsewhere.

pub mod confirm;

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};

const CSP: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; \
                   frame-ancestors 'none'";

const STYLE: &str = "
  :root { color-scheme: light dark; }
  body { font: 1.0625rem/1.6 system-ui, sans-serif; max-width: 34rem; margin: 12vh auto; padding: 0 1.25rem; }
  h1 { font-size: 1.5rem; line-height: 1.25; }
  button { font: inherit; padding: .7rem 1.4rem; border: 0; border-radius: .5rem; background: #1d4ed8;
           color: #fff; cursor: pointer; }
  button:focus-visible { outline: .2rem solid #93c5fd; outline-offset: .15rem; }
";

/// Asks before anything happens: scanners follow links, so that a GET may never act (RFC 8058, section 3.1).
pub fn confirm(token: &str) -> Response {
    // A token is base64url, which needs no escaping.
    page(
        StatusCode::OK,
        "en",
        "Unsubscribe",
        &format!(
            "<p>You will get no more mail about this topic at this address. It takes effect at once.</p>\
             <form method=\"post\" action=\"/u/{token}\"><button>Unsubscribe</button></form>"
        ),
    )
}

pub fn unsubscribed() -> Response {
    page(
        StatusCode::OK,
        "en",
        "You are unsubscribed",
        "<p>You get no more mail about this topic at this address. There is nothing more to do.</p>",
    )
}

pub fn unknown() -> Response {
    page(
        StatusCode::NOT_FOUND,
        "en",
        "This link does not work",
        "<p>It is not one of ours, or a part of it is missing. Please open it from the mail again.</p>",
    )
}

pub fn try_again() -> Response {
    page(
        StatusCode::SERVICE_UNAVAILABLE,
        "en",
        "Please try again",
        "<p>We could not save this just now. Nothing has changed yet; please try again in a minute.</p>",
    )
}

fn page(status: StatusCode, language: &str, title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"{language}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title}</title><style>{STYLE}</style></head><body><main><h1>{title}</h1>{body}</main></body></html>"
    );
    let mut response = (status, Html(html)).into_response();
    let headers: [(HeaderName, &'static str); 4] = [
        (header::CONTENT_SECURITY_POLICY, CSP),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
