//! Which role of a deployment may ask for what (infra/README.md, "Who may call the API").

use reqwest::Method;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Reader,
    Marketer,
    Admin,
}

impl Role {
    /// The least one that may; `path` without its `v1`.
    pub fn needed(method: &Method, path: &[&str]) -> Self {
        match (method.as_str(), path) {
            ("GET", ["recipients" | "suppressions", ..])
            | ("PUT", ["policy"])
            | ("DELETE", ["recipients" | "suppressions" | "attributes" | "interests", ..]) => Self::Admin,
            ("GET", _) => Self::Reader,
            _ => Self::Marketer,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Marketer => "marketer",
            Self::Admin => "admin",
        }
    }

    /// In a bearer token.
    pub fn scope(self) -> &'static str {
        match self {
            Self::Reader => "germane/read",
            Self::Marketer => "germane/send",
            Self::Admin => "germane/admin",
        }
    }

    /// The output of the stack that holds the policy's ARN.
    pub fn output(self) -> &'static str {
        match self {
            Self::Reader => "ReaderPolicy",
            Self::Marketer => "MarketerPolicy",
            Self::Admin => "AdminPolicy",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lambda::http::API_ROUTES;

    /// The scopes that the template lets a route be asked for with.
    fn scopes(route: &str) -> &'static str {
        let template = include_str!("../../../infra/template.yaml");
        let mut lines = template.lines().map(str::trim);
        let key = |line: &str| line.strip_prefix("RouteKey: ").map(|key| key.trim_matches('\'').to_owned());
        lines.find(|line| key(line).as_deref() == Some(route)).unwrap_or_else(|| panic!("{route}"));
        lines.find_map(|line| line.strip_prefix("AuthorizationScopes: !If [UseJwt, [")).unwrap()
    }

    #[test]
    fn the_role_that_is_named_is_the_least_that_the_template_lets_in() {
        for (method, path) in API_ROUTES {
            let method: Method = method.to_uppercase().parse().unwrap();
            let segments: Vec<&str> = path.split('/').skip(2).collect();
            let role = Role::needed(&method, &segments);
            let scopes = scopes(&format!("{method} {path}"));
            assert!(scopes.starts_with(role.scope()), "{method} {path}: {scopes} lets in others than {}", role.name());
        }
    }
}
