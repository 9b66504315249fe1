//! The templates that ship, for a stack that is started away from a `templates` folder.

use serde_json::{Value, json};

use crate::domain::id::TemplateName;

macro_rules! shipped {
    ($($name:literal),*) => {
        [$((
            $name,
            include_str!(concat!("../../templates/", $name, "/template.toml")),
            include_str!(concat!("../../templates/", $name, "/body.mjml")),
        )),*]
    };
}

const SHIPPED: [(&str, &str, &str); 2] = shipped!["newsletter", "product-update"];

/// Each with the body of its `PUT /v1/templates/{name}`.
pub fn templates() -> Vec<(TemplateName, Value)> {
    let template = |(name, manifest, mjml): (&str, &str, &str)| {
        let manifest: Value = toml::from_str(manifest).ok()?;
        let source = json!({ "manifest": manifest, "mjml": { "default": mjml } });
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
