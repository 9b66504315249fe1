//! The services that Germane runs on, each standing in for itself on a loopback port: DynamoDB by the embedded
//! engine, SES and SQS by stand-ins. The SDK clients talk to them as they would to AWS.

use std::{future::Future, net::SocketAddr, sync::Arc};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use axum::Router;
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

use super::{
    ses::{Ses, SesConfig},
    sqs::Queues,
};
use crate::{
    aws::{
        clients::{Clients, Endpoints},
        dynamo::Dynamo,
        queue::QueueUrls,
        tables::{self, TableNames, TablesError},
    },
    domain::secret::Secret,
    flow::clock::{Clock, Entropy},
};

pub const LAUNCH: &str = "germane-launch";
pub const SHARD: &str = "germane-shard";
pub const PREVIEW: &str = "germane-preview";
const PREFIX: &str = "germane";

/// Running stand-ins, and clients that talk to them. They end when this is dropped.
pub struct Services {
    pub clients: Clients,
    pub dynamo: Dynamo,
    pub ses: Ses,
    pub queues: Queues,
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
    Tables(#[from] TablesError),
}

impl Services {
    /// Starts them with empty tables of `shards` shards.
    pub async fn start(
        clock: &Arc<dyn Clock>,
        entropy: &dyn Entropy,
        ses: SesConfig,
        shards: u16,
    ) -> Result<Self, ServicesError> {
        let mut servers = Servers::default();
        let database = dynoxide::Database::memory().map_err(|error| ServicesError::Database(error.to_string()))?;
        let (listener, dynamodb) = listen(0).await?;
        servers.spawn(|stop| async move {
            if let Err(error) = dynoxide::server::serve_with_shutdown(listener, database, stop).await {
                tracing::error!(error, "the embedded database stopped");
            }
        });

        let now = {
            let clock = Arc::clone(clock);
            Arc::new(move || clock.now())
        };
        let ses = Ses::new(ses, now.clone());
        let queues = Queues::new(&[LAUNCH, SHARD, PREVIEW], now);
        let (listener, stand_ins) = listen(0).await?;
        servers.serve(listener, ses.router().merge(queues.router()));

        let url = |address: SocketAddr| format!("http://{address}");
        let endpoints = Endpoints {
            dynamodb: Some(url(dynamodb)),
            sqs: Some(url(stand_ins)),
            ses: Some(url(stand_ins)),
            ..Endpoints::default()
        };
        let clients = clients(&endpoints);
        let names = TableNames::new(PREFIX);
        tables::create(&clients.dynamodb, &names, shards).await?;
        let dynamo = tables::open(&clients, names, secret(entropy)).await?;
        let queue = |name: &str| format!("{}/000000000000/{name}", url(stand_ins));
        let queue_urls = QueueUrls { launch: queue(LAUNCH), shard: queue(SHARD), preview: queue(PREVIEW) };
        Ok(Self { clients, dynamo, ses, queues, queue_urls, endpoints, servers })
    }
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

/// A fresh secret: what the local stack signs and hashes ends with it.
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
