//! `GET /v1/openapi.json`: all that the API takes and answers, in a document that tools read.
//!
//! The types below describe what the doors of `domain` and `flow` read and write; they are never built. Words that the
//! code knows (reasons, statuses, problem codes) are taken from it, and `tests/openapi.rs` holds the rest against the
//! real doors and the real router.

#![expect(dead_code, reason = "a type that describes a shape is never built")]

mod attributes;
mod campaign;
mod decision;
mod doctor;
mod examples;
mod newsletter;
mod operation;
mod paths;
mod policy;
mod privacy;
mod problem;
mod recipient;
mod report;
mod template;
mod words;

use std::sync::LazyLock;

use utoipa::openapi::{
    Components, Info, OpenApi, OpenApiBuilder, Paths,
    info::{InfoBuilder, LicenseBuilder},
    tag::TagBuilder,
};

use self::operation::Described;

/// Written once per process; `None` cannot happen, since every key in it is a text.
static DOCUMENT: LazyLock<Option<String>> = LazyLock::new(|| describe().to_json().ok());

/// The document as JSON.
pub fn document() -> Option<&'static str> {
    DOCUMENT.as_deref()
}

const ABOUT: &str = "Germane sends a campaign only to the people for whom it is germane, and can say for every single \
    person why they got it or why they did not.\n\n\
    Times are RFC 3339 with a zone. Unknown fields are refused by name, and a refusal names every fault at once. Errors \
    are problem details (RFC 9457) with a stable `code`; beyond those of each operation, a path that is not here answers \
    404 `not_found`, and a method that its path does not take 405 `method_not_allowed`.";

const TAGS: [(&str, &str); 10] = [
    ("campaigns", "Trigger a campaign, steer it, and read how it went."),
    ("newsletters", "Campaigns that recur."),
    ("decisions", "Why each person got it, or did not."),
    ("previews", "What a campaign would do, without claims and without mail."),
    ("recipients", "People, and the facts that the gate decides by."),
    ("suppressions", "Addresses that are not to be mailed, whatever consent says."),
    ("rules", "The policy and the templates, both versioned."),
    ("readiness", "What is ready for the first send, and what is not."),
    ("preferences", "What the links in a mail lead to."),
    ("about", "This document."),
];

fn describe() -> OpenApi {
    let mut paths = Paths::new();
    let mut components = Components::new();
    for Described { path, method, operation, schemas } in paths::operations() {
        paths.add_path_operation(path, vec![method], operation);
        components.schemas.extend(schemas);
    }
    OpenApiBuilder::new()
        .info(info())
        .paths(paths)
        .components(Some(components))
        .tags(Some(TAGS.map(|(name, what)| TagBuilder::new().name(name).description(Some(what)).build())))
        .build()
}

fn info() -> Info {
    InfoBuilder::new()
        .title("Germane")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()))
        .build()
}
