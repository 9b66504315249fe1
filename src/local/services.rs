//! The services that Germane runs on, each standing in for itself on a loopback port: DynamoDB by the embedded
//! engine, SES and SQS by stand-ins. The SDK clients talk to them as they would to AWS.

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use axum::Router;
use dynoxide::Database;
use jiff::Timestamp;
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

use super::{
    data::{DataError, DataFolder},
    schedules::Schedules,
    ses::{Ses, SesConfig},
    sqs::{self, Queues},
};
use crate::{
    aws::{
        clients::{Clients, Endpoints},
        dynamo::Dynamo,
        queue::{QueueUrls, SqsQueue},
        scheduler::{EventBridgeScheduler, ScheduleTargets},
        tables::{self, TableNames, TablesError},
    },
    domain::secret::Secret,
    flow::{
        clock::{Clock, Entropy},
        schedule::Scheduler,
    },
    lambda::problem::chain,
};

/// Of the tables' names, and the schedules' group.
pub const PREFIX: &str = "germane";
pub const LAUNCH: &str = "germane-launch";
pub const SHARD: &str = "germane-shard";
pub const PREVIEW: &str = "germane-preview";
pub const FEEDBACK: &str = "germane-feedback";
/// The queues, each beside that of its dead letters.
pub const DEAD_LETTERS: [(&str, &str); 4] = [
    (LAUNCH, "germane-launch-dead"),
    (SHARD, "germane-shard-dead"),
    (PREVIEW, "germane-preview-dead"),
    (FEEDBACK, "germane-feedback-dead"),
];
/// The role that schedules send by; the stand-in asks for none.
pub const SCHEDULE_ROLE_ARN: &str = "arn:aws:iam::000000000000:role/germane-scheduler";
/// How soon a schedule that could not send its message tries again.
const RETRY: Duration = Duration::from_secs(2);

/// Running stand-ins, and clients that talk to them. They end when this is dropped.
pub struct Services {
    pub clients: Clients,
    /// The embedded engine itself, for whoever must see everything that is stored.
    pub database: Database,
    pub dynamo: Dynamo,
    pub ses: Ses,
    pub queues: Queues,
    pub schedules: Schedules,
    pub queue_urls: QueueUrls,
    pub endpoints: Endpoints,
    pub servers: Servers,
}

#[derive(Debug, thiserror::Error)]
pub enum ServicesError {
    #[error("127.0.0.1:{port} cannot be listened on: choose another --port, or 0 for any that is free")]
    Port {
        port: u16,
        #[source]
        source: std::io::Error,
    },
    #[error("the embedded database could not be opened: {0}")]
    Database(String),
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Tables(#[from] TablesError),
}

impl Services {
    /// Starts them in memory, with empty tables of `shards` shards under an address key that ends with them.
    pub async fn start(
        clock: &Arc<dyn Clock>,
        entropy: &dyn Entropy,
        ses: SesConfig,
        shards: u16,
    ) -> Result<Self, ServicesError> {
        Self::open(clock, secret(entropy), ses, shards, None).await
    }

    /// Starts them with all that a data folder holds, if there is one. Its tables are made only if they are not there.
    pub async fn open(
        clock: &Arc<dyn Clock>,
        address_key: Secret,
        ses: SesConfig,
        shards: u16,
        data: Option<&DataFolder>,
    ) -> Result<Self, ServicesError> {
        let mut servers = Servers::default();
        let database = match data {
            None => Database::memory().map_err(|error| ServicesError::Database(error.to_string()))?,
            Some(data) => data.database()?,
        };
        let (served, (listener, dynamodb)) = (database.clone(), listen(0).await?);
        servers.spawn(|stop| async move {
            if let Err(error) = dynoxide::server::serve_with_shutdown(listener, served, stop).await {
                tracing::error!(error, "the embedded database stopped");
            }
        });

        let now = {
            let clock = Arc::clone(clock);
            Arc::new(move || clock.now())
        };
        let ses = match data {
            None => Ses::new(ses, now.clone()),
            Some(data) => data.ses(ses, now.clone())?,
        };
        let names = DEAD_LETTERS.map(|(queue, dead)| [queue, dead]);
        let names = names.as_flattened();
        let queues = match data {
            None => Queues::new(names, now),
            Some(data) => Queues::open(names, now, data.store.clone()).map_err(DataError::from)?,
        };
        ses.publish({
            let queues = queues.clone();
            move |events| {
                if let Err(error) = queues.send_many(FEEDBACK, events) {
                    tracing::error!(error = chain(&error), "events could not be queued");
                }
            }
        });
        let schedules = Schedules::open(&[PREFIX], &queues).map_err(DataError::from)?;
        let (listener, stand_ins) = listen(0).await?;
        servers.serve(listener, ses.router().merge(queues.router()).merge(schedules.router()));

        let url = |address: SocketAddr| format!("http://{address}");
        let endpoints = Endpoints {
            dynamodb: Some(url(dynamodb)),
            sqs: Some(url(stand_ins)),
            ses: Some(url(stand_ins)),
            scheduler: Some(url(stand_ins)),
        };
        let clients = clients(&endpoints);
        tables::create(&clients.dynamodb, &table_names(), shards).await?;
        let dynamo = tables::open(&clients, table_names(), address_key, None).await?;
        let queue = |name: &str| format!("{}/000000000000/{name}", url(stand_ins));
        let queue_urls = QueueUrls {
            launch: queue(LAUNCH),
            shard: queue(SHARD),
            preview: queue(PREVIEW),
            feedback: queue(FEEDBACK),
        };
        Ok(Self { clients, database, dynamo, ses, queues, schedules, queue_urls, endpoints, servers })
    }

    /// From now on schedules send their messages by themselves when they are due.
    pub(super) fn drive_schedules(&mut self, clock: Arc<dyn Clock>) {
        let schedules = self.schedules.clone();
        self.servers.spawn(|mut stop| async move {
            let mut changed = schedules.changed();
            loop {
                changed.borrow_and_update();
                let wait = match schedules.fire_due() {
                    Ok(_) => until(schedules.next_due(), clock.as_ref()),
                    Err(error) => {
                        tracing::error!(error = chain(&error), "a schedule that is due could not send its message");
                        RETRY
                    }
                };
                tokio::select! {
                    () = &mut stop => return,
                    // An error cannot be: `schedules` has the sender.
                    _ = changed.changed() => {}
                    () = clock.sleep(wait) => {}
                }
            }
        });
    }
}

fn until(due: Option<Timestamp>, clock: &dyn Clock) -> Duration {
    due.map_or(Duration::MAX, |due| Duration::try_from(due.duration_since(clock.now())).unwrap_or_default())
}

/// EventBridge Scheduler as a deployment has it: schedules of one group, with the queues as their targets.
pub fn scheduler(clients: &Clients, queues: QueueUrls, clock: Arc<dyn Clock>) -> Arc<dyn Scheduler> {
    let targets = ScheduleTargets {
        launch_arn: sqs::arn(LAUNCH),
        shard_arn: sqs::arn(SHARD),
        preview_arn: sqs::arn(PREVIEW),
        role_arn: SCHEDULE_ROLE_ARN.to_owned(),
        group: PREFIX.to_owned(),
        dead_letter_arn: None,
    };
    Arc::new(EventBridgeScheduler::new(clients, targets, Arc::new(SqsQueue::new(clients, queues)), clock))
}

pub fn table_names() -> TableNames {
    TableNames::new(PREFIX)
}

/// Clients of services on loopback, with credentials that open nothing: the stand-ins do not check a signature.
pub fn clients(endpoints: &Endpoints) -> Clients {
    let credentials = Credentials::new("local", "local", None, None, "germane local");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build();
    Clients::new(&config, endpoints)
}

/// A fresh secret.
pub fn secret(entropy: &dyn Entropy) -> Secret {
    let mut bytes = [0; 32];
    for part in bytes.chunks_exact_mut(8) {
        part.copy_from_slice(&entropy.eight_bytes());
    }
    Secret::new(bytes)
}

pub(super) async fn listen(port: u16) -> Result<(TcpListener, SocketAddr), ServicesError> {
    let failed = |source| ServicesError::Port { port, source };
    let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// Servers that end together.
pub struct Servers {
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
}

impl Default for Servers {
    fn default() -> Self {
        Self { tasks: JoinSet::new(), stop: watch::Sender::new(false) }
    }
}

impl Servers {
    pub(super) fn serve(&mut self, listener: TcpListener, router: Router) {
        // With whoever is connected: where a recipient's act came from is evidence.
        let router = router.into_make_service_with_connect_info::<SocketAddr>();
        self.spawn(|stop| async move {
            if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stop).await {
                tracing::error!(%error, "a server stopped");
            }
        });
    }

    /// Runs a task that is told when to stop.
    pub(super) fn spawn<F: Future<Output = ()> + Send + 'static>(
        &mut self,
        task: impl FnOnce(std::pin::Pin<Box<dyn Future<Output = ()> + Send>>) -> F,
    ) {
        let mut stop = self.stop.subscribe();
        self.tasks.spawn(task(Box::pin(async move {
            // An error means that the sender is gone, which is a reason to stop as well.
            let _ = stop.wait_for(|stop| *stop).await;
        })));
    }

    /// Tells every task to stop. Connections that clients keep open are not waited for.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        self.tasks.shutdown().await;
    }
}
