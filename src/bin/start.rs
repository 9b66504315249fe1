//! How every function starts: configuration, log, clients, the deployment.

use std::{process::ExitCode, sync::Arc};

use germane::{
    aws::{
        clients::Clients,
        deployment::{Deployment, Settings},
        queue::{QueueUrls, SqsQueue},
        scheduler::{EventBridgeScheduler, ScheduleTargets},
        system::SystemClock,
        tables::{self, TableNames},
    },
    flow::clock::Clock,
    lambda::{
        config::{Config, LogLevel},
        log,
        metrics::EmbeddedMetrics,
        problem::chain,
    },
};
use lambda_runtime::Error;

/// Logs in what it ended, if that is an error.
pub fn end(run: Result<(), Error>) -> ExitCode {
    let Err(error) = run else { return ExitCode::SUCCESS };
    tracing::error!(error = chain(error.as_ref()), "the function ended");
    ExitCode::FAILURE
}

/// While Lambda initialises the function. Opening the tables makes the first connection, so that no request waits for it.
pub async fn deployment() -> Result<Deployment, Error> {
    let config = Config::from_env();
    log::to_stdout(config.as_ref().map_or(LogLevel::Info, |config| config.log));
    let config = config?;
    let clients = Clients::from_env().await;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let mut names = TableNames::new(&config.table_prefix);
    names.rate = config.rate_table.unwrap_or(names.rate);
    let mut dynamo = tables::open(&clients, names, config.address_key, config.shards).await?;
    dynamo.page_people = config.page_people;
    let queues = QueueUrls {
        launch: config.launch.url,
        shard: config.shard.url,
        preview: config.preview.url,
        feedback: config.feedback_url,
    };
    let targets = ScheduleTargets {
        launch_arn: config.launch.arn,
        shard_arn: config.shard.arn,
        preview_arn: config.preview.arn,
        role_arn: config.schedule_role_arn,
        dead_letter_arn: config.schedule_dead_letter_arn,
        group: config.schedule_group,
    };
    let queue = Arc::new(SqsQueue::new(&clients, queues.clone()));
    let settings = Settings {
        queues,
        scheduler: Arc::new(EventBridgeScheduler::new(&clients, targets, queue, Arc::clone(&clock))),
        configuration_set: config.configuration_set,
        tokens: config.token_keys,
        public_url: config.public_url,
        max_in_flight: config.max_in_flight,
    };
    let metrics = EmbeddedMetrics::new(Arc::clone(&clock), config.table_prefix, std::io::stdout());
    let mut deployment = Deployment::new(&clients, dynamo, clock, settings);
    deployment.monitor = Arc::new(metrics);
    Ok(deployment)
}
