//! The invoke endpoint: Lambda's own API, as far as `cargo lambda watch` has it
//! (<https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>).

use std::{
    fmt,
    pin::pin,
    str::FromStr,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use reqwest::{Client, StatusCode, Url, redirect};
use tokio::time::timeout;
use tracing::warn;

use super::answer::Failed;
use crate::lambda::problem::chain;

/// Nothing on Lambda runs for longer, so what has not answered by then is not going to.
const LONGEST: Duration = Duration::from_mins(15);
const CONNECT: Duration = Duration::from_secs(2);
/// A function that ended is not started again by `cargo lambda watch`, and its invocations are never answered.
const SUSPICIOUS: Duration = Duration::from_mins(1);

/// Where functions are invoked on this machine, without a slash at the end. Their routes are there as well, so that
/// links in mails lead there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvokeUrl {
    origin: String,
    port: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("wanted http:// and 127.0.0.1 or localhost with a port, such as http://127.0.0.1:9000")]
pub struct NotAnInvokeUrl;

impl FromStr for InvokeUrl {
    type Err = NotAnInvokeUrl;

    fn from_str(raw: &str) -> Result<Self, NotAnInvokeUrl> {
        let url = Url::parse(raw).map_err(|_| NotAnInvokeUrl)?;
        let here = url.scheme() == "http" && matches!(url.host_str(), Some("127.0.0.1" | "localhost"));
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let nobody = url.username().is_empty() && url.password().is_none();
        let port = url.port().filter(|port| *port != 0).ok_or(NotAnInvokeUrl)?;
        let fits = here && bare && nobody;
        fits.then(|| Self { origin: url.origin().ascii_serialization(), port }).ok_or(NotAnInvokeUrl)
    }
}

impl fmt::Display for InvokeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}

impl InvokeUrl {
    pub fn port(&self) -> u16 {
        self.port
    }
}

pub(super) struct Endpoint {
    http: Client,
    url: InvokeUrl,
    /// That nobody is there has been told, and not yet that somebody is.
    missing: AtomicBool,
    slow: AtomicBool,
}

pub(super) enum Unanswered {
    /// Surely nobody has seen the event.
    NobodyThere,
    Failed(Failed),
}

impl Endpoint {
    pub(super) fn new(url: &InvokeUrl) -> Result<Self, reqwest::Error> {
        let http = Client::builder().no_proxy().redirect(redirect::Policy::none());
        // A connection for each: one that was kept would break when the functions are started anew.
        let http = http.connect_timeout(CONNECT).timeout(LONGEST).pool_max_idle_per_host(0);
        let (missing, slow) = (AtomicBool::new(false), AtomicBool::new(false));
        Ok(Self { http: http.build()?, url: url.clone(), missing, slow })
    }

    /// What the function answers.
    pub(super) async fn invoke(&self, function: &str, event: &str) -> Result<Vec<u8>, Unanswered> {
        let failed = |why: String| Unanswered::Failed(Failed(why));
        let url = format!("{}/2015-03-31/functions/{function}/invocations", self.url);
        let mut sent =
            pin!(self.http.post(url).header("content-type", "application/json").body(event.to_owned()).send());
        let sent = if let Ok(sent) = timeout(SUSPICIOUS, &mut sent).await {
            sent
        } else {
            self.tell_slow(function);
            sent.await
        };
        let response = match sent {
            Ok(response) if response.status() == StatusCode::NOT_FOUND => {
                self.tell_missing(format_args!("no function {function} is at {}", self.url));
                return Err(Unanswered::NobodyThere);
            }
            Ok(response) => response,
            Err(error) if error.is_connect() => {
                self.tell_missing(format_args!("nothing answers at {}", self.url));
                return Err(Unanswered::NobodyThere);
            }
            Err(error) => return Err(failed(format!("it did not answer: {}", chain(&error.without_url())))),
        };
        if self.missing.swap(false, Ordering::Relaxed) {
            warn!("functions answer at {}", self.url);
        }
        // Lambda tells an error of the function in a header, `cargo lambda watch` by the status.
        let status = response.status();
        if !status.is_success() || response.headers().contains_key("x-amz-function-error") {
            return Err(failed(format!("it ended with an error ({})", status.as_u16())));
        }
        let body = response.bytes().await;
        body.map(Vec::from).map_err(|error| failed(format!("its answer broke off: {}", chain(&error.without_url()))))
    }

    fn tell_missing(&self, what: fmt::Arguments<'_>) {
        if !self.missing.swap(true, Ordering::Relaxed) {
            warn!("{what}: messages wait until `cargo lambda watch` runs there");
        }
    }

    fn tell_slow(&self, function: &str) {
        if !self.slow.swap(true, Ordering::Relaxed) {
            warn!(function, "no answer for a minute: if `cargo lambda watch` says that it exited, start that again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_invoked_on_this_machine_alone() {
        for (raw, url) in [
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
            ("http://127.0.0.1:9000/", "http://127.0.0.1:9000"),
            ("http://LOCALHOST:9010", "http://localhost:9010"),
        ] {
            assert_eq!(raw.parse::<InvokeUrl>().unwrap().to_string(), url);
        }
        for raw in [
            "",
            "127.0.0.1:9000",
            "http://127.0.0.1",
            "http://127.0.0.1:0",
            "https://127.0.0.1:9000",
            "http://[::1]:9000",
            "http://10.0.0.1:9000",
            "http://127.0.0.1.example.com:9000",
            "http://127.0.0.1:9000/lambda-url",
            "http://127.0.0.1:9000/?a=b",
            "http://somebody@127.0.0.1:9000",
        ] {
            assert_eq!(raw.parse::<InvokeUrl>(), Err(NotAnInvokeUrl), "{raw}");
        }
    }

    #[test]
    fn an_invoke_url_knows_its_port() {
        assert_eq!("http://127.0.0.1:9000".parse::<InvokeUrl>().unwrap().port(), 9000);
    }
}
