//! Templates.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::id::TemplateName;

/// A template as its author writes it; it is compiled, and refused with every fault, when it is put.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Template {
    pub manifest: Manifest,
    /// The MJML in at most 50 languages, by tag, each of at most 500,000 bytes; `default` is needed, for those whose language is not
    /// there.
    pub mjml: BTreeMap<String, String>,
    /// The plain text by language tag, for languages of `mjml`; where there is none it is derived from the HTML.
    pub text: Option<BTreeMap<String, String>>,
}

/// What a template says about itself: `template.toml` as JSON.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// May name variables, as in `{{headline}}`.
    #[schema(min_length = 1, max_length = 500)]
    pub subject: String,
    /// The subject in other languages of `mjml`, by tag.
    pub subjects: Option<BTreeMap<String, String>>,
    /// What a campaign's `content` may bring, by name (a-z 0-9 _), at most 100.
    pub variables: Option<BTreeMap<String, Variable>>,
    /// The attributes of a person that the template receives; no others reach it.
    #[schema(max_items = 50)]
    pub attributes: Option<Vec<String>>,
    /// Whether it is for notices, which need no unsubscribe link, and may lead to `confirm_url`, where a pending consent
    /// is confirmed.
    #[schema(default = false)]
    pub notice: Option<bool>,
    /// Whether it shows all that is held about the person, which only a notice may: as `held`, a list of sections with
    /// a `title` and `rows` of `label`, `value`, `from`, `since` and `used_for`.
    #[schema(default = false)]
    pub held: Option<bool>,
}

/// What one variable of a template is.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    #[schema(min_length = 1, max_length = 500)]
    pub description: String,
    /// An example, which also shows the fields that a list's items or an object have.
    pub sample: Value,
    /// Whether a campaign may leave it out.
    #[schema(default = false)]
    pub optional: Option<bool>,
}

/// A template that was put; the same source has the same hash.
#[derive(ToSchema)]
pub struct TemplatePut {
    pub name: TemplateName,
    pub hash: String,
}
