//! `germane local`: the services, the functions' own handlers fed by their queues, and the API beside the inbox.

use std::{future::ready, path::PathBuf, pin::Pin, sync::Arc};

use axum::{Extension, Router};
use futures_util::FutureExt;
use jiff::Timestamp;
use serde_json::Value;
use tracing::error;

use super::{
    clock::LocalClock,
    control::{self, Control},
    data::{DataError, DataFolder, KEEP_TIME_EVERY},
    handover::{Handover, Secrets, Time},
    inbox,
    pollers::{
        Hands, MAX_RECEIVES, Pollers, SHARDS_AT_ONCE, VISIBILITY,
        invoke::{self, InvokeUrl},
        workers,
    },
    services::{DEAD_LETTERS, FEEDBACK, Services, ServicesError, listen},
    ses::{Ses, SesConfig},
    shipped, templates,
};
use crate::{
    aws::{
        deployment::Deployment,
        system::{SystemClock, SystemEntropy},
        tables::DEFAULT_SHARDS,
    },
    domain::{actor::Actor, door::Fault, id::TemplateName},
    flow::{
        api::{Api, ApiError},
        clock::{Clock, Entropy},
        port::PortError,
    },
    lambda::{http, problem::chain},
};

const DEFAULT_POLICY: &str = include_str!("policy.json");

#[derive(Debug, Clone)]
pub struct StackConfig {
    /// Of the API and the inbox; 0 picks a free one.
    pub port: u16,
    /// The folder that templates are pushed from at start; where it holds none, the shipped ones are.
    pub templates: PathBuf,
    pub shards: u16,
    /// Where everything is kept; `None` keeps it in memory.
    pub data: Option<PathBuf>,
    pub ses: SesConfig,
    /// Where a driven clock starts; `None` is the machine's time.
    pub clock: Option<Timestamp>,
    pub work: Work,
}

/// Who works on the queues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// This process.
    Here,
    /// `germane worker`, in as many processes as there are.
    Elsewhere,
    /// The functions themselves, which are invoked there.
    Invoked(InvokeUrl),
}

impl Default for StackConfig {
    fn default() -> Self {
        Self {
            port: 8787,
            templates: PathBuf::from("templates"),
            shards: DEFAULT_SHARDS,
            data: None,
            ses: SesConfig::default(),
            clock: None,
            work: Work::Here,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum StackError {
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Services(#[from] ServicesError),
    #[error(transparent)]
    Port(#[from] PortError),
    #[error("functions cannot be invoked")]
    Invoke(#[source] reqwest::Error),
    #[error("{}", .0.join("\n"))]
    Templates(Vec<String>),
}

/// The running stack; it ends when it is stopped or dropped.
pub struct Stack {
    url: String,
    pub ses: Ses,
    pub deployment: Deployment,
    handover: Arc<Handover>,
    pollers: Option<Pollers>,
    services: Services,
}

impl Stack {
    pub async fn start(config: StackConfig) -> Result<Self, StackError> {
        let data = config.data.as_deref().map(DataFolder::open).transpose()?;
        let (clock, secrets) = match &data {
            None => (config.clock.map_or_else(LocalClock::machine, LocalClock::driven), Secrets::draw(&SystemEntropy)),
            Some(data) => (data.clock(config.clock)?, data.secrets(&SystemEntropy)?),
        };
        let clock = Arc::new(clock);
        let port: Arc<dyn Clock> = clock.clone();
        let (listener, address) = listen(config.port).await?;
        let url = format!("http://{address}");
        let address_key = secrets.address_key.clone();
        let mut services = Services::open(&port, address_key, config.ses, config.shards, data.as_ref()).await?;
        let handover = Arc::new(Handover {
            id: format!("{:016x}", u64::from_le_bytes(SystemEntropy.eight_bytes())),
            public_url: match &config.work {
                Work::Invoked(functions) => functions.to_string(),
                Work::Here | Work::Elsewhere => url.clone(),
            },
            endpoints: services.endpoints.clone(),
            queues: services.queue_urls.clone(),
            secrets,
            time: Time::of(&clock),
        });
        let deployment = handover.deployment(&services.clients, services.dynamo.clone(), port);
        let api = Arc::new(deployment.api());
        put_rules(&api, &config).await?;

        set_queues(&services, &config.work);
        let pollers = match &config.work {
            Work::Elsewhere => None,
            Work::Invoked(functions) => {
                let pollers = invoke::start(&services.clients.sqs, &services.queue_urls, functions);
                Some(pollers.map_err(StackError::Invoke)?)
            }
            Work::Here => {
                let hands = Hands {
                    workers: workers(&deployment, SHARDS_AT_ONCE),
                    clock: clock.clone(),
                    catch_up: Arc::new(|| ready(()).boxed()),
                };
                Some(Pollers::start(&services.clients.sqs, &services.queue_urls, &hands, SHARDS_AT_ONCE))
            }
        };
        services.drive_schedules(clock.clone());
        let control = Control {
            clock: clock.clone(),
            queues: services.queues.clone(),
            schedules: services.schedules.clone(),
            data: data.clone(),
            handover: Arc::clone(&handover),
        };
        if let Some(data) = data.filter(|_| clock.is_driven()) {
            services.servers.spawn(|stop| keep_time(data, clock, stop));
        }
        let router = Router::new()
            .merge(http::preferences(Arc::new(deployment.preferences())))
            .merge(inbox::router(services.ses.clone()))
            .merge(control::router(control))
            .merge(http::api(api))
            .layer(Extension(Actor::local()));
        services.servers.serve(listener, router);
        Ok(Self { url, ses: services.ses.clone(), deployment, handover, pollers, services })
    }

    /// Where the API and the inbox are, such as `http://127.0.0.1:8787`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What functions in processes of their own must be told: lines of `NAME=value`, with both secrets.
    pub fn environment_file(&self) -> String {
        self.handover.environment_file()
    }

    /// How many mails SES has taken.
    pub fn mails(&self) -> usize {
        self.ses.count()
    }

    /// Finishes what is under way, then ends.
    pub async fn stop(self) {
        if let Some(pollers) = self.pollers {
            pollers.drain().await;
        }
        self.services.servers.stop().await;
    }
}

/// Messages are hidden for as long as the work on one may take. An event that nobody can read, and whatever functions
/// fail at, ends with the dead letters; the steps here try theirs until it works, as their shard waits for it.
fn set_queues(services: &Services, work: &Work) {
    let invoked = matches!(work, Work::Invoked(_));
    for (queue, dead_letters) in DEAD_LETTERS {
        services.queues.set_visibility(queue, if invoked { invoke::VISIBILITY } else { VISIBILITY });
        if invoked || queue == FEEDBACK {
            services.queues.set_dead_letters(queue, dead_letters, MAX_RECEIVES);
        }
    }
}

/// Writes down how far the time has come as it goes on.
async fn keep_time(data: DataFolder, clock: Arc<LocalClock>, mut stop: Pin<Box<dyn Future<Output = ()> + Send>>) {
    // Real time: it goes on without being moved, too.
    let machine = SystemClock::default();
    loop {
        tokio::select! {
            () = &mut stop => return,
            () = machine.sleep(KEEP_TIME_EVERY) => {}
        }
        if let Err(error) = data.keep_time(&clock) {
            error!(error = chain(&error), "the time cannot be written down");
        }
    }
}

/// The default policy unless there is one, and the templates of the folder.
async fn put_rules(api: &Api, config: &StackConfig) -> Result<(), StackError> {
    if api.policies.current().await?.is_none() {
        let wrong = |error: serde_json::Error| PortError::corrupt("the default policy", error);
        let policy: Value = serde_json::from_str(DEFAULT_POLICY).map_err(wrong)?;
        api.put_policy(&policy, &Actor::local()).await.map_err(|error| refused("the default policy", error))?;
    }
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
