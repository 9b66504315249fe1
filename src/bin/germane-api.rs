//! What marketers and engineers call.

mod start;

use std::{process::ExitCode, sync::Arc};

use germane::lambda::{gateway, http};
use lambda_http::Error;

#[tokio::main]
async fn main() -> ExitCode {
    start::end(run().await)
}

async fn run() -> Result<(), Error> {
    let api = start::deployment().await?.api();
    lambda_http::run(gateway::behind(http::api(Arc::new(api)))).await
}
