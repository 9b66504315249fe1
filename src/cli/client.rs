//! The HTTP API as the verbs see it: JSON in, JSON or a [`Failure`] out.

use std::time::Duration;

use reqwest::{Method, StatusCode, Url, header::CONTENT_TYPE};
use serde::Deserialize;
use serde_json::Value;

use super::{
    clock::Backoff,
    failure::{Exit, Failure, Fault},
};

const TIMEOUT: Duration = Duration::from_mins(1);
/// How often a request is made before "busy" is believed. Every request of ours may be repeated: campaigns are stored
/// once by their id, records merge, and a campaign that is paused or cancelled stays so.
const ATTEMPTS: u32 = 5;

pub struct Client {
    http: reqwest::Client,
    base: Url,
}

/// The URL that `--endpoint` is.
pub fn base(endpoint: &str) -> Result<Url, Failure> {
    let base = Url::parse(endpoint).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    base.ok_or_else(|| {
        let fault = Fault::option("--endpoint", endpoint, "a URL such as http://127.0.0.1:8787");
        Failure::bad_input("usage", "the endpoint is no URL").faults([fault])
    })
}

enum Body<'a> {
    Empty,
    Json(&'a Value),
    Lines(String),
}

impl Client {
    pub fn new(endpoint: &str) -> Result<Self, Failure> {
        let base = base(endpoint)?;
        let mut http = reqwest::Client::builder().timeout(TIMEOUT).connect_timeout(Duration::from_secs(5));
        if matches!(base.host_str(), Some("127.0.0.1" | "localhost" | "[::1]")) {
            http = http.no_proxy();
        }
        let http =
            http.build().map_err(|error| Failure::failed("client", "no HTTP client").detail(error.to_string()))?;
        Ok(Self { http, base })
    }

    pub async fn get(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Value, Failure> {
        self.json(Method::GET, self.url(path, query), Body::Empty).await
    }

    pub async fn post(&self, path: &[&str], query: &[(&str, &str)], body: &Value) -> Result<Value, Failure> {
        self.json(Method::POST, self.url(path, query), Body::Json(body)).await
    }

    pub async fn post_nothing(&self, path: &[&str]) -> Result<Value, Failure> {
        self.json(Method::POST, self.url(path, &[]), Body::Empty).await
    }

    pub async fn put(&self, path: &[&str], body: &Value) -> Result<Value, Failure> {
        self.json(Method::PUT, self.url(path, &[]), Body::Json(body)).await
    }

    pub async fn delete(&self, path: &[&str]) -> Result<Value, Failure> {
        self.json(Method::DELETE, self.url(path, &[]), Body::Empty).await
    }

    /// Deletes of a part of all people.
    pub async fn delete_part(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Value, Failure> {
        self.json(Method::DELETE, self.url(path, query), Body::Empty).await
    }

    /// JSON Lines there and back.
    pub async fn post_lines<T: for<'de> Deserialize<'de>>(
        &self,
        path: &[&str],
        lines: String,
    ) -> Result<Vec<T>, Failure> {
        let answer = self.text(Method::POST, self.url(path, &[]), Body::Lines(lines)).await?;
        let results = answer.lines().filter(|line| !line.trim().is_empty()).map(serde_json::from_str);
        results.collect::<Result<_, _>>().map_err(|_| self.strange("lines that are not results"))
    }

    /// An answer that a working API does not give.
    pub fn strange(&self, what: &str) -> Failure {
        Failure::failed("strange_answer", format!("{} does not answer as Germane's API does", self.base))
            .detail(format!("it gave {what}"))
            .next("look whether --endpoint names the right place, and whether both are of one version")
    }

    fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("v1").extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    async fn json(&self, method: Method, url: Url, body: Body<'_>) -> Result<Value, Failure> {
        let answer = self.text(method, url, body).await?;
        if answer.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&answer).map_err(|_| self.strange("something that is not JSON"))
    }

    async fn text(&self, method: Method, url: Url, body: Body<'_>) -> Result<String, Failure> {
        let (kind, body) = match body {
            Body::Empty => (None, String::new()),
            Body::Json(value) => (Some("application/json"), value.to_string()),
            Body::Lines(lines) => (Some("application/x-ndjson"), lines),
        };
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(2));
        for attempt in 1.. {
            let mut request = self.http.request(method.clone(), url.clone());
            if let Some(kind) = kind {
                request = request.header(CONTENT_TYPE, kind).body(body.clone());
            }
            let response = request.send().await.map_err(|error| self.unreachable(&error))?;
            let status = response.status();
            let text = response.text().await.map_err(|error| self.unreachable(&error))?;
            if status.is_success() {
                return Ok(text);
            }
            if attempt >= ATTEMPTS || !busy(status) {
                return Err(refusal(status, &text));
            }
            backoff.wait().await;
        }
        Err(self.strange("no answer"))
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        let base = self.base.as_str().trim_end_matches('/');
        if error.is_connect() {
            Failure::failed("no_answer", format!("nothing answers at {base}"))
                .next("start it with `germane local`, or name another with --endpoint")
        } else if error.is_timeout() {
            Failure::failed("timeout", format!("{base} did not answer within {} seconds", TIMEOUT.as_secs()))
                .next("try again: every verb may be repeated")
        } else {
            Failure::failed("connection", format!("the connection to {base} broke"))
                .next("try again: every verb may be repeated")
        }
    }
}

fn busy(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

/// Problem details (RFC 9457), as far as they are there.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    title: Option<String>,
    detail: Option<String>,
    code: Option<String>,
    errors: Vec<Fault>,
}

fn refusal(status: StatusCode, text: &str) -> Failure {
    let problem: Problem = serde_json::from_str(text).unwrap_or_default();
    let title = problem.title.or_else(|| status.canonical_reason().map(str::to_owned));
    let title = title.unwrap_or_else(|| format!("the API answered {}", status.as_u16()));
    let exit = if status.is_client_error() && !busy(status) { Exit::BadInput } else { Exit::Failed };
    let code = problem.code.unwrap_or_else(|| format!("http_{}", status.as_u16()));
    let next = next_step(&code, exit).map(Into::into);
    Failure { detail: problem.detail.map(Into::into), next, ..Failure::of(exit, code, title).faults(problem.errors) }
}

fn next_step(code: &str, exit: Exit) -> Option<&'static str> {
    match (code, exit) {
        ("not_evaluated", _) => Some("see how far the campaign is: germane status ID"),
        ("id_taken", _) => Some("give the campaign another id: one is used once, for ever"),
        ("illegal_move", _) => Some("see how it stands: germane status ID"),
        ("changed_since_preview", _) => Some("preview it again: germane preview FILE"),
        (_, Exit::Failed) => Some("try again: every verb may be repeated"),
        (_, Exit::BadInput | Exit::Unheard) => None,
    }
}
