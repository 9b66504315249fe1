//! Launches campaigns, and works on the shards of previews.

mod start;

use std::{process::ExitCode, sync::Arc};

use germane::lambda::{batch, queue::Workers, turn::Invocation};
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main]
async fn main() -> ExitCode {
    start::end(run().await)
}

async fn run() -> Result<(), Error> {
    let deployment = start::deployment().await?;
    let workers = &Workers {
        launcher: Arc::new(deployment.launcher()),
        api: Arc::new(deployment.api()),
        sender: Arc::new(deployment.sender()),
        previewer: Arc::new(deployment.previewer()),
        feedback: Arc::new(deployment.feedback()),
    };
    let clock = &deployment.clock;
    let handle = |LambdaEvent { payload, context }: LambdaEvent<_>| async move {
        let turn = Invocation::until(Arc::clone(clock), context.deadline);
        Ok::<_, Error>(batch::each(workers, &payload, &turn).await)
    };
    lambda_runtime::run(service_fn(handle)).await
}
