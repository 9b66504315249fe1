//! A bearer token (RFC 6750): from the environment or a file, since every process on a machine sees a command line.

use std::{fmt, fs, path::Path};

use reqwest::{
    Request,
    header::{AUTHORIZATION, HeaderValue},
};

use crate::cli::failure::{Failure, Fault};

const VARIABLE: &str = "GERMANE_TOKEN";

/// Never shown.
pub struct Token(HeaderValue);

impl Token {
    /// As RFC 6750 spells one (section 2.1, `b64token`).
    fn parse(raw: &str) -> Option<Self> {
        let raw = raw.trim();
        let body = raw.trim_end_matches('=');
        let fits =
            !body.is_empty() && body.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte));
        let mut value = HeaderValue::from_str(&format!("Bearer {raw}")).ok().filter(|_| fits)?;
        value.set_sensitive(true);
        Some(Self(value))
    }

    pub fn carry(&self, request: &mut Request) {
        request.headers_mut().insert(AUTHORIZATION, self.0.clone());
    }

    /// Whether somebody says it back.
    pub fn is_in(&self, text: &str) -> bool {
        let header = self.0.to_str().unwrap_or_default();
        text.contains(header.trim_start_matches("Bearer "))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

/// The token of the file, else of the environment, if there is one.
pub fn read(file: Option<&Path>) -> Result<Option<Token>, Failure> {
    let Some(file) = file else {
        return match variable() {
            Some(raw) => Token::parse(&raw).map(Some).ok_or_else(|| no_token(VARIABLE, &raw)),
            None => Ok(None),
        };
    };
    let name = file.display().to_string();
    let raw = fs::read_to_string(file).map_err(|error| Failure::file(&name, &error))?;
    Token::parse(&raw).map(Some).ok_or_else(|| no_token("--token-file", &raw))
}

fn no_token(from: &str, raw: &str) -> Failure {
    let found = format!("a text of {} characters", raw.trim().chars().count());
    let wanted = "one bearer token and nothing else".to_owned();
    let fault = Fault { file: None, line: None, field: from.to_owned(), found, wanted };
    Failure::bad_input("usage", "that is no bearer token").faults([fault])
}

#[expect(clippy::disallowed_methods, reason = "an option for it would show it to every process")]
fn variable() -> Option<String> {
    std::env::var(VARIABLE).ok().filter(|raw| !raw.trim().is_empty())
}
