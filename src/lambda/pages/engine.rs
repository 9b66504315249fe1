//! The templates, the style and the headers that all pages share.

use std::sync::LazyLock;

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use handlebars::{Context, Handlebars, Helper, HelperResult, Output, RenderContext, RenderErrorReason, html_escape};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::merge;
use crate::{flow::words::Words, lambda::problem::chain};

const STYLE: &str = include_str!("page.css");

const TEMPLATES: [(&str, &str); 10] = [
    ("layout", include_str!("layout.hbs")),
    ("message", include_str!("message.hbs")),
    ("confirm", include_str!("confirm.hbs")),
    ("unsubscribe", include_str!("unsubscribe.hbs")),
    ("expired", include_str!("expired.hbs")),
    ("erase", include_str!("erase.hbs")),
    ("pace", include_str!("pace.hbs")),
    ("everything", include_str!("everything.hbs")),
    ("mail", include_str!("mail.hbs")),
    ("all", include_str!("all.hbs")),
];

static ENGINE: LazyLock<Result<Handlebars<'static>, Box<handlebars::TemplateError>>> = LazyLock::new(|| {
    let mut engine = Handlebars::new();
    engine.register_helper("form", Box::new(form));
    for (name, template) in TEMPLATES {
        engine.register_template_string(name, template).map_err(Box::new)?;
    }
    Ok(engine)
});

/// The style is allowed by its hash and nothing else is, so that nothing that slipped in could run or be fetched.
static POLICY: LazyLock<Option<HeaderValue>> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).ok()
});

/// A page, complete with its headers.
pub(super) fn page(status: StatusCode, template: &'static str, words: &'static Words, data: Value) -> Response {
    let mut whole = json!({ "lang": words.language, "w": words.all(), "css": STYLE, "status": null, "fault": null });
    merge(&mut whole, data);
    let rendered = match &*ENGINE {
        Ok(engine) => engine.render(template, &whole).map_err(|error| chain(&error)),
        Err(error) => Err(chain(error.as_ref())),
    };
    match rendered {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(template, error, "a page cannot be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// On every answer to a recipient, whatever it is.
pub fn protect(headers: &mut HeaderMap) {
    let fixed: [(HeaderName, &'static str); 5] = [
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Some(policy) = POLICY.clone() {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
}

/// `{{form "leave"}}` begins the form of an action: where it goes, and the token without which it does nothing.
fn form(
    helper: &Helper<'_>,
    _engine: &Handlebars<'_>,
    context: &Context,
    _render: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    let text = |value: Option<&Value>| html_escape(value.and_then(Value::as_str).unwrap_or_default());
    let action = helper.param(0).map(handlebars::PathAndJson::value);
    let name = action.and_then(Value::as_str).unwrap_or_default();
    let data = context.data();
    let form = data.get("forms").and_then(|forms| forms.get(name));
    if form.is_none() {
        return Err(RenderErrorReason::Other(format!("there is no form {name}")).into());
    }
    let (link, form, action) = (text(data.get("link")), text(form), text(action));
    out.write(&format!(
        "<form method=\"post\" action=\"/p/{link}\"><input type=\"hidden\" name=\"action\" value=\"{action}\">\
         <input type=\"hidden\" name=\"form\" value=\"{form}\">"
    ))?;
    Ok(())
}
