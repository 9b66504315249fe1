//! The other process: starting it, clients that lead to it, and what it counted.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use germane::{
    aws::clients::{Clients, Endpoints},
    local::services,
};

use super::{Failure, canned::SLOW};

/// Calls by their operation.
pub type Calls = BTreeMap<String, u64>;

/// Bytes of a stored item as they are billed, on average, by table.
pub type Stored = BTreeMap<String, f64>;

pub struct StandIn {
    process: Child,
    url: String,
    http: reqwest::Client,
}

impl StandIn {
    pub fn start() -> Result<Self, Failure> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("--answer")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut url = String::new();
        let output = process.stdout.take().ok_or("the stand-in has no output")?;
        BufReader::new(output).read_line(&mut url)?;
        Ok(Self { process, url: url.trim().to_owned(), http: reqwest::Client::new() })
    }

    pub fn clients(&self) -> Clients {
        self.clients_at(&self.url)
    }

    /// With an SES that takes its time.
    pub fn slow_clients(&self) -> Clients {
        self.clients_at(&format!("{}{SLOW}", self.url))
    }

    fn clients_at(&self, ses: &str) -> Clients {
        let (dynamodb, sqs) = (Some(self.url.clone()), Some(self.url.clone()));
        services::clients(&Endpoints { dynamodb, sqs, ses: Some(ses.to_owned()), ..Endpoints::default() })
    }

    /// Ends the storing of people: from now on they are only read.
    pub async fn seal(&self) -> Result<Stored, Failure> {
        self.control("seal").await
    }

    /// The calls since this was last asked.
    pub async fn calls(&self) -> Result<Calls, Failure> {
        self.control("calls").await
    }

    async fn control<T: serde::de::DeserializeOwned>(&self, what: &str) -> Result<T, Failure> {
        let answer = self.http.post(format!("{}/bench/{what}", self.url)).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
