//! The templates that ship, for a stack that is started away from a `templates` folder.

use serde_json::{Map, Value, json};

use crate::domain::id::TemplateName;

/// Each with its body in every language that it has; `default` first.
macro_rules! shipped {
    ($($name:literal { $($language:literal: $body:literal),* })*) => {
        [$((
            $name,
            include_str!(concat!("../../templates/", $name, "/template.toml")),
            &[$(($language, include_str!(concat!("../../templates/", $name, "/", $body)))),*],
        )),*]
    };
}

/// A template's name, manifest and bodies by language.
type Shipped = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const SHIPPED: [Shipped; 3] = shipped! {
    "newsletter" { "default": "body.mjml" }
    "product-update" { "default": "body.mjml" }
    "access-link" { "default": "body.mjml", "de": "body.de.mjml" }
};

/// Each with the body of its `PUT /v1/templates/{name}`.
pub fn templates() -> Vec<(TemplateName, Value)> {
    let template = |(name, manifest, bodies): Shipped| {
        let manifest: Value = toml::from_str(manifest).ok()?;
        let mjml: Map<String, Value> =
            bodies.iter().map(|(language, mjml)| ((*language).to_owned(), json!(mjml))).collect();
        let source = json!({ "manifest": manifest, "mjml": mjml });
        Some((name.parse().ok()?, source))
    };
    SHIPPED.into_iter().filter_map(template).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_template_can_be_read() {
        assert_eq!(templates().len(), SHIPPED.len());
    }
}
