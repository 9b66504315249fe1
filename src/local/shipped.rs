//! The templates that ship, for a stack that is started away from a `templates` folder.

use serde_json::{Map, Value, json};

use crate::domain::id::TemplateName;

/// A name, the manifest, and the body in each language.
type Shipped = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

macro_rules! shipped {
    ($($name:literal $(in $language:literal)*),*) => {
        [$((
            $name,
            include_str!(concat!("../../templates/", $name, "/template.toml")),
            &[
                ("default", include_str!(concat!("../../templates/", $name, "/body.mjml"))),
                $(($language, include_str!(concat!("../../templates/", $name, "/body.", $language, ".mjml"))),)*
            ],
        )),*]
    };
}

const SHIPPED: [Shipped; 5] =
    shipped!["access-link" in "de", "confirm-consent" in "de", "data-notice" in "de", "newsletter", "product-update"];

/// Each with the body of its `PUT /v1/templates/{name}`.
pub fn templates() -> Vec<(TemplateName, Value)> {
    let template = |(name, manifest, bodies): Shipped| {
        let manifest: Value = toml::from_str(manifest).ok()?;
        let mjml: Map<String, Value> =
            bodies.iter().map(|(language, body)| ((*language).to_owned(), json!(body))).collect();
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
