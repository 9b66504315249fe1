//! Takes what SES tells of mails afterwards.

mod start;

use std::process::ExitCode;

use germane::lambda::batch;
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main]
async fn main() -> ExitCode {
    start::end(run().await)
}

async fn run() -> Result<(), Error> {
    let feedback = &start::deployment().await?.feedback();
    let handle = |event: LambdaEvent<_>| async move { Ok::<_, Error>(batch::whole(feedback, &event.payload).await) };
    lambda_runtime::run(service_fn(handle)).await
}
