//! Launches campaigns, and works on the shards of previews.

mod start;

use std::{process::ExitCode, sync::Arc};

use germane::lambda::{batch, queue::Launching};
use lambda_runtime::Error;

#[tokio::main]
async fn main() -> ExitCode {
    start::end(run().await)
}

async fn run() -> Result<(), Error> {
    let deployment = start::deployment().await?;
    let launching = Launching {
        launcher: Arc::new(deployment.launcher()),
        api: Arc::new(deployment.api()),
        previewer: Arc::new(deployment.previewer()),
    };
    batch::run(&launching, &deployment.clock).await
}
