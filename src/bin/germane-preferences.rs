//! What recipients' browsers and mail programs call.

mod start;

use std::{process::ExitCode, sync::Arc};

use germane::lambda::{gateway, http};
use lambda_http::Error;

#[tokio::main]
async fn main() -> ExitCode {
    start::end(run().await)
}

async fn run() -> Result<(), Error> {
    let preferences = start::deployment().await?.preferences();
    lambda_http::run(gateway::behind(http::preferences(Arc::new(preferences)))).await
}
