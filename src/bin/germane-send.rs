//! Walks the shards of campaigns: decides, claims, mails, commits.

mod start;

use std::process::ExitCode;

use germane::lambda::batch;
use lambda_runtime::Error;

#[tokio::main]
async fn main() -> ExitCode {
    start::end(run().await)
}

async fn run() -> Result<(), Error> {
    let deployment = start::deployment().await?;
    batch::run(&deployment.sender(), &deployment.clock).await
}
