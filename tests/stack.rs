//! The local stack as its users meet it: over HTTP, with its clock, its workers and what it keeps.

mod clock;
mod invoked;
mod newsletters;
mod workers;

use std::{collections::BTreeMap, time::Duration};

use germane::local::{Stack, StackConfig};
use serde_json::{Value, json};

use crate::world::person;

/// So long nothing here takes, on the slowest machine.
const DEADLINE: Duration = Duration::from_mins(2);

/// A stack in this process, on a port of its own.
async fn start(config: StackConfig) -> (Stack, Site) {
    let stack = Stack::start(StackConfig { port: 0, ..config }).await.unwrap();
    let site = Site::at(stack.url());
    (stack, site)
}

fn driven() -> StackConfig {
    StackConfig { clock: Some(crate::world::NOW.parse().unwrap()), ..StackConfig::default() }
}

/// A stack, asked over HTTP.
pub struct Site {
    pub url: String,
    pub http: reqwest::Client,
}

impl Site {
    pub fn at(url: &str) -> Self {
        Self { url: url.to_owned(), http: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        answer(self.http.get(format!("{}{path}", self.url))).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        answer(self.http.post(format!("{}{path}", self.url)).body(body.to_string())).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> (u16, Value) {
        answer(self.http.put(format!("{}{path}", self.url)).body(body.to_string())).await
    }

    /// As a mail program does with a link in a mail.
    pub async fn post_text(&self, link: &str, body: &'static str) -> u16 {
        self.http.post(link).body(body).send().await.unwrap().status().as_u16()
    }

    /// Puts `count` people for whom a campaign is germane, named r-00000 and on.
    pub async fn put_many(&self, count: usize) {
        let lines: Vec<String> = (0..count).map(|n| person(&format!("r-{n:05}")).to_string()).collect();
        for lines in lines.chunks(500) {
            let put = self.http.post(format!("{}/v1/recipients", self.url)).body(lines.join("\n"));
            let answers = put.send().await.unwrap().text().await.unwrap();
            assert_eq!(answers.matches("\"created\"").count(), lines.len(), "{answers}");
        }
    }

    pub async fn send(&self, campaign: &Value) {
        assert_eq!(self.post("/v1/campaigns", campaign).await.0, 202);
    }

    pub async fn advance(&self, seconds: u32) {
        let advanced = self.post("/local/clock", &json!({ "advance_seconds": seconds })).await;
        assert_eq!(advanced.0, 200, "{}", advanced.1);
    }

    /// Lets time pass until the campaign has begun, in steps that no lease is shorter than; answers once it is complete.
    pub async fn drive_until_complete(&self, campaign: &str) -> Value {
        let path = format!("/v1/campaigns/{campaign}");
        until("the start", async || {
            self.advance(20).await;
            (self.get(&path).await.1["status"] != "scheduled").then_some(())
        })
        .await;
        self.complete(campaign).await
    }

    /// The campaign's report, once it is as wanted.
    pub async fn report(&self, campaign: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let path = format!("/v1/campaigns/{campaign}");
        until(&path, async || Some(self.get(&path).await.1).filter(&wanted)).await
    }

    pub async fn complete(&self, campaign: &str) -> Value {
        self.report(campaign, |report| report["status"] == "complete").await
    }

    /// How many mails each address got.
    pub async fn mails(&self) -> BTreeMap<String, usize> {
        let mut mails = BTreeMap::new();
        for mail in self.get("/inbox/messages").await.1.as_array().unwrap() {
            *mails.entry(mail["to"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        mails
    }
}

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
}

/// Looks until there is something to see.
pub async fn until<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let found = async {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        loop {
            tick.tick().await;
            if let Some(found) = look().await {
                return found;
            }
        }
    };
    tokio::time::timeout(DEADLINE, found).await.unwrap_or_else(|_| panic!("{what} never came"))
}
