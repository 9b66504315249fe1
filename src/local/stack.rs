//! `germane local`: the services, the functions' own handlers fed by their queues, and the API beside the inbox.

use std::{path::PathBuf, pin::Pin, sync::Arc, time::Duration};

use axum::{Extension, Router};
use serde_json::Value;
use tracing::warn;

use super::{
    inbox,
    services::{LAUNCH, PREVIEW, SHARD, Services, ServicesError, listen, secret},
    ses::{Ses, SesConfig},
    shipped,
    sqs::Queues,
    templates,
};
use crate::{
    aws::{
        deployment::{Deployment, Settings},
        system::{SystemClock, SystemEntropy},
        tables::DEFAULT_SHARDS,
    },
    domain::{door::Fault, id::TemplateName},
    flow::{
        api::{Api, ApiError},
        clock::Clock,
        port::PortError,
        queue::Unhurried,
        token::{TokenKey, TokenKeys},
    },
    lambda::{
        http::{self, Actor},
        problem::chain,
        queue::Workers,
    },
};

const DEFAULT_POLICY: &str = include_str!("policy.json");
/// How many messages of each queue are worked on at once.
const POLLERS: [(&str, usize); 3] = [(LAUNCH, 1), (SHARD, 8), (PREVIEW, 4)];
const IN_FLIGHT: usize = 16;
/// A walk through a shard renews its lease, and its message must not come back before it ends.
const VISIBILITY: Duration = Duration::from_mins(15);
/// How soon a message whose work failed is tried again.
const RETRY: Duration = Duration::from_secs(2);

#[derive(Debug, Clone)]
pub struct StackConfig {
    /// Of the API and the inbox; 0 picks a free one.
    pub port: u16,
    /// The folder that templates are pushed from at start; where it holds none, the shipped ones are.
    pub templates: PathBuf,
    pub shards: u16,
}

impl Default for StackConfig {
    fn default() -> Self {
        Self { port: 8787, templates: PathBuf::from("templates"), shards: DEFAULT_SHARDS }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum StackError {
    #[error(transparent)]
    Services(#[from] ServicesError),
    #[error(transparent)]
    Port(#[from] PortError),
    #[error("{}", .0.join("\n"))]
    Templates(Vec<String>),
}

/// The running stack; it ends when it is stopped or dropped.
pub struct Stack {
    url: String,
    pub ses: Ses,
    pub deployment: Deployment,
    services: Services,
}

impl Stack {
    pub async fn start(config: StackConfig) -> Result<Self, StackError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let entropy = SystemEntropy;
        let (listener, address) = listen(config.port).await?;
        let url = format!("http://{address}");
        let mut services = Services::start(&clock, &entropy, SesConfig::default(), config.shards).await?;
        let settings = Settings {
            queues: services.queue_urls.clone(),
            configuration_set: None,
            tokens: TokenKeys::new(TokenKey { id: 1, secret: secret(&entropy) }, Vec::new()),
            public_url: url.clone(),
            in_flight: IN_FLIGHT,
        };
        let deployment = Deployment::new(&services.clients, services.dynamo.clone(), clock, settings);
        let api = Arc::new(deployment.api());
        put_rules(&api, &config).await?;

        let workers = Workers {
            launcher: Arc::new(deployment.launcher()),
            sender: Arc::new(deployment.sender()),
            previewer: Arc::new(deployment.previewer()),
        };
        for (queue, pollers) in POLLERS {
            services.queues.set_visibility(queue, VISIBILITY);
            for _ in 0..pollers {
                let poller = Poller {
                    queue,
                    queues: services.queues.clone(),
                    workers: workers.clone(),
                    clock: Arc::clone(&deployment.clock),
                };
                services.servers.spawn(|stop| poller.run(stop));
            }
        }
        let router = Router::new()
            .merge(http::preferences(Arc::new(deployment.preferences())))
            .merge(inbox::router(services.ses.clone()))
            .merge(http::api(api))
            .layer(Extension(Actor("local".to_owned())));
        services.servers.serve(listener, router);
        Ok(Self { url, ses: services.ses.clone(), deployment, services })
    }

    /// Where the API and the inbox are, such as `http://127.0.0.1:8787`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How many mails SES has taken.
    pub fn mails(&self) -> usize {
        self.ses.count()
    }

    pub async fn stop(self) {
        self.services.servers.stop().await;
    }
}

/// The default policy, and the templates of the folder.
async fn put_rules(api: &Api, config: &StackConfig) -> Result<(), StackError> {
    let wrong = |error: serde_json::Error| PortError::corrupt("the default policy", error);
    let policy: Value = serde_json::from_str(DEFAULT_POLICY).map_err(wrong)?;
    api.put_policy(&policy).await.map_err(|error| refused("the default policy", error))?;
    let lines =
        |faults: Vec<templates::FileFault>| StackError::Templates(faults.iter().map(ToString::to_string).collect());
    let mut sources: Vec<(TemplateName, Value)> = Vec::new();
    if config.templates.is_dir() {
        sources = templates::read_folder(&config.templates).map_err(lines)?;
    }
    if sources.is_empty() {
        sources = shipped::templates();
    }
    for (name, source) in sources {
        api.put_template(&name, &source).await.map_err(|error| refused(&format!("the template {name}"), error))?;
    }
    Ok(())
}

fn refused(what: &str, error: ApiError) -> StackError {
    match error {
        ApiError::Invalid(faults) | ApiError::Conflict { faults, .. } => {
            StackError::Templates(faults.iter().map(|fault: &Fault| format!("{what}: {fault}")).collect())
        }
        ApiError::NotFound { detail, .. } => StackError::Templates(vec![format!("{what}: {detail}")]),
        ApiError::Port(error) => StackError::Port(error),
    }
}

/// Stands for the event source mapping of one queue: hands its messages to the function, one at a time.
struct Poller {
    queue: &'static str,
    queues: Queues,
    workers: Workers,
    clock: Arc<dyn Clock>,
}

impl Poller {
    async fn run(self, mut stop: Pin<Box<dyn Future<Output = ()> + Send>>) {
        let mut changed = self.queues.changed();
        loop {
            changed.borrow_and_update();
            let (message, wait) = match self.queues.receive(self.queue, 1) {
                Ok(mut messages) => (messages.pop(), self.until_due()),
                Err(error) => {
                    warn!(queue = self.queue, error = chain(&error), "the queue is asked again");
                    (None, RETRY)
                }
            };
            let Some(message) = message else {
                tokio::select! {
                    () = &mut stop => return,
                    // An error means that the queues are gone.
                    open = changed.changed() => if open.is_err() { return },
                    () = self.clock.sleep(wait) => {}
                }
                continue;
            };
            let ended = match self.workers.handle(&message.body, &Unhurried).await {
                Ok(()) => self.queues.delete(self.queue, &message.receipt),
                Err(error) => {
                    warn!(queue = self.queue, error = chain(&error), "a message is tried again");
                    self.queues.release(self.queue, &message.receipt, RETRY)
                }
            };
            if let Err(error) = ended {
                warn!(queue = self.queue, error = chain(&error), "a message comes back by itself");
            }
        }
    }

    /// At least a little, so that a clock that lags behind the queue's does not spin.
    fn until_due(&self) -> Duration {
        let due = self
            .queues
            .next_due()
            .map_or(Duration::MAX, |due| Duration::try_from(due.duration_since(self.clock.now())).unwrap_or_default());
        due.clamp(Duration::from_millis(5), Duration::from_hours(1))
    }
}
