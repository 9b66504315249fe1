//! The HTTP API as the verbs see it: JSON in, JSON or a [`Failure`] out.

pub mod access;
mod network;
mod refusal;
mod role;
mod signer;
mod token;

use std::{fmt::Write as _, time::Duration};

use reqwest::{Method, Url, header::CONTENT_TYPE, redirect};
use serde::Deserialize;
use serde_json::Value;

use self::{
    access::{Access, Identity, on_loopback},
    refusal::{Asked, busy},
};
use super::{EVERYWHERE, clock::Backoff, failure::Failure};

/// How often a request is made before "busy" is believed.
#[derive(Clone, Copy)]
enum Attempts {
    One,
    /// Nearly every request of ours may be repeated: campaigns are stored once by their id, records merge, and a campaign
    /// that is paused or cancelled stays so.
    Several,
}

impl Attempts {
    fn at_most(self) -> u32 {
        match self {
            Self::One => 1,
            Self::Several => 5,
        }
    }
}

pub struct Client {
    http: reqwest::Client,
    base: Url,
    identity: Identity,
}

enum Body<'a> {
    Empty,
    Json(&'a Value),
    Lines(String),
}

impl Client {
    pub async fn open(access: &Access) -> Result<Self, Failure> {
        let base = access.base()?;
        let identity = access.identity(&base).await?;
        // Nothing of ours is redirected; where something is, who asks would be told to somebody else.
        let mut http = reqwest::Client::builder()
            .timeout(network::TIMEOUT)
            .connect_timeout(network::CONNECT)
            .redirect(redirect::Policy::none());
        if on_loopback(&base) {
            http = http.no_proxy();
        }
        let http =
            http.build().map_err(|error| Failure::failed("client", "no HTTP client").detail(error.to_string()))?;
        Ok(Self { http, base, identity })
    }

    pub async fn get(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Value, Failure> {
        self.json(Attempts::Several, Method::GET, path, query, Body::Empty).await
    }

    pub async fn post(&self, path: &[&str], query: &[(&str, &str)], body: &Value) -> Result<Value, Failure> {
        self.json(Attempts::Several, Method::POST, path, query, Body::Json(body)).await
    }

    /// For what must not happen twice: a busy API is not asked again.
    pub async fn post_once(&self, path: &[&str], body: &Value) -> Result<Value, Failure> {
        self.json(Attempts::One, Method::POST, path, &[], Body::Json(body)).await
    }

    pub async fn post_nothing(&self, path: &[&str]) -> Result<Value, Failure> {
        self.json(Attempts::Several, Method::POST, path, &[], Body::Empty).await
    }

    pub async fn put(&self, path: &[&str], body: &Value) -> Result<Value, Failure> {
        self.json(Attempts::Several, Method::PUT, path, &[], Body::Json(body)).await
    }

    pub async fn delete(&self, path: &[&str]) -> Result<Value, Failure> {
        self.json(Attempts::Several, Method::DELETE, path, &[], Body::Empty).await
    }

    /// Deletes of a part of all people.
    pub async fn delete_part(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Value, Failure> {
        self.json(Attempts::Several, Method::DELETE, path, query, Body::Empty).await
    }

    /// JSON Lines there and back.
    pub async fn post_lines<T: for<'de> Deserialize<'de>>(
        &self,
        path: &[&str],
        lines: String,
    ) -> Result<Vec<T>, Failure> {
        let answer = self.text(Attempts::Several, Method::POST, path, &[], Body::Lines(lines)).await?;
        let results = answer.lines().filter(|line| !line.trim().is_empty()).map(serde_json::from_str);
        results.collect::<Result<_, _>>().map_err(|_| self.strange("lines that are not results"))
    }

    /// An answer that a working API does not give.
    pub fn strange(&self, what: &str) -> Failure {
        Failure::failed("strange_answer", format!("{} does not answer as Germane's API does", self.base))
            .detail(format!("it gave {what}"))
            .next("look whether --endpoint names the right place, and whether both are of one version")
    }

    /// Of `v1` and `path`. Every character that a URL gives a meaning is escaped: so a signature is the same whether
    /// the path is decoded before it is checked or not.
    fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Url, Failure> {
        let mut whole = format!("{}/v1", self.base.path().trim_end_matches('/'));
        for segment in path {
            // In a URL these name another place, however they are written.
            if matches!(*segment, "." | "..") {
                return Err(Failure::bad_input("usage", format!("nothing can be asked about {segment:?}")));
            }
            whole.push('/');
            whole.push_str(&escaped(segment));
        }
        let mut url = self.base.clone();
        url.set_path(&whole);
        let query: Vec<String> =
            query.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
        url.set_query((!query.is_empty()).then(|| query.join("&")).as_deref());
        Ok(url)
    }

    async fn json(
        &self,
        attempts: Attempts,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Body<'_>,
    ) -> Result<Value, Failure> {
        let answer = self.text(attempts, method, path, query, body).await?;
        if answer.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&answer).map_err(|_| self.strange("something that is not JSON"))
    }

    async fn text(
        &self,
        attempts: Attempts,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Body<'_>,
    ) -> Result<String, Failure> {
        let url = self.url(path, query)?;
        let (kind, body) = match body {
            Body::Empty => (None, String::new()),
            Body::Json(value) => (Some("application/json"), value.to_string()),
            Body::Lines(lines) => (Some("application/x-ndjson"), lines),
        };
        let unreachable = |error: reqwest::Error| network::unreachable(&self.base, &error);
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(2));
        for attempt in 1.. {
            let mut request = self.http.request(method.clone(), url.clone());
            if let Some(kind) = kind {
                request = request.header(CONTENT_TYPE, kind).body(body.clone());
            }
            let mut request = request.build().map_err(unreachable)?;
            // Anew each time: a signature holds its own.
            self.identity.introduce(&mut request).await?;
            let response = self.http.execute(request).await.map_err(unreachable)?;
            let (status, headers) = (response.status(), response.headers().clone());
            let text = response.text().await.map_err(unreachable)?;
            if status.is_success() {
                return Ok(text);
            }
            if attempt >= attempts.at_most() || !busy(status) {
                let asked = Asked { base: &self.base, method: &method, path, identity: &self.identity };
                return Err(asked.refused(status, &headers, &text));
            }
            backoff.wait().await;
        }
        Err(self.strange("no answer"))
    }
}

/// All but what RFC 3986 calls unreserved (section 2.3).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}
