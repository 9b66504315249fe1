//! A stack as it is seen from outside: over HTTP, and now and then not at all.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use germane::{aws::system::SystemClock, flow::clock::Clock};
use jiff::Timestamp;
use reqwest::Client;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Failure;

const LINES_PER_REQUEST: usize = 1_000;
const REQUESTS_AT_ONCE: usize = 4;
const AGAIN: Duration = Duration::from_millis(200);
/// A stack that was started is there by then.
const TRIES: u32 = 300;

pub struct Site {
    pub url: String,
    http: Client,
    pub machine: SystemClock,
}

impl Site {
    pub fn at(url: String) -> Result<Self, Failure> {
        Ok(Self { url, http: Client::builder().no_proxy().build()?, machine: SystemClock::default() })
    }

    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        let answer = self.http.get(format!("{}{path}", self.url)).send().await?.error_for_status()?;
        Ok(serde_json::from_slice(&answer.bytes().await?)?)
    }

    pub async fn post(&self, path: &str, body: &Value) -> Result<(), Failure> {
        let post = self.http.post(format!("{}{path}", self.url)).body(body.to_string());
        post.send().await?.error_for_status()?;
        Ok(())
    }

    /// Until it is answered: what is put again is the same.
    pub async fn put(&self, path: &str, body: &Value) -> Result<(), Failure> {
        let mut tries = 0;
        loop {
            let answer = self.http.put(format!("{}{path}", self.url)).body(body.to_string()).send().await;
            match answer {
                Ok(answer) if answer.status().is_success() => return Ok(()),
                Ok(answer) if answer.status().is_client_error() => return Err(answer.text().await?.into()),
                Err(error) if tries == TRIES => return Err(error.into()),
                Ok(_) | Err(_) => {}
            }
            tries += 1;
            self.machine.sleep(AGAIN).await;
        }
    }

    pub async fn now(&self) -> Result<Timestamp, Failure> {
        let clock: Value = self.get("/local/clock").await?;
        let now = clock.get("now").and_then(Value::as_str).ok_or("the clock shows nothing")?;
        Ok(now.parse()?)
    }

    pub async fn advance(&self, seconds: u32) -> Result<(), Failure> {
        self.post("/local/clock", &json!({ "advance_seconds": seconds })).await
    }

    /// Puts people, as JSON Lines.
    pub async fn fill(&self, people: impl Iterator<Item = Value>) -> Result<(), Failure> {
        let mut lines = people.map(|person| person.to_string());
        let bodies = std::iter::from_fn(|| {
            let lines: Vec<String> = lines.by_ref().take(LINES_PER_REQUEST).collect();
            (!lines.is_empty()).then_some(lines)
        });
        let put = async |lines: Vec<String>| {
            let put = self.http.post(format!("{}/v1/recipients", self.url)).body(lines.join("\n"));
            let answers = put.send().await?.error_for_status()?.text().await?;
            if answers.matches("\"created\"").count() == lines.len() { Ok(()) } else { Err(Failure::from(answers)) }
        };
        stream::iter(bodies).map(put).buffer_unordered(REQUESTS_AT_ONCE).try_collect().await
    }
}
