//! The stand-ins, asked by the real SDK clients over HTTP: each rule that they keep.

#![expect(clippy::unwrap_used, reason = "the fixture fails the test in which it is used")]

mod account;
mod archive;
mod bulk;
mod events;
mod inbox;
mod mail;
mod queues;
mod rate;
mod recurring;
mod scheduler;
mod schedules;
mod store;
mod templates;
mod wire;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig};
use aws_sdk_sesv2::{
    config::{Credentials, SharedCredentialsProvider},
    operation::send_bulk_email::builders::SendBulkEmailFluentBuilder,
    types::{
        BulkEmailContent, BulkEmailEntry, BulkEmailEntryResult, Destination, EmailTemplateContent, MessageHeader,
        MessageTag, ReplacementEmailContent, ReplacementTemplate, Template, builders::BulkEmailEntryBuilder,
    },
};
use germane::{
    flow::clock,
    local::{
        self, Now,
        schedules::Schedules,
        ses::{Ses, SesConfig},
        sqs::Queues,
    },
};
use jiff::{SignedDuration, Timestamp};
use tokio::net::TcpListener;

const QUEUES: [&str; 3] = ["launch", "shard", "preview"];
const GROUP: &str = "germane";

/// A clock that stands still until it is moved.
#[derive(Clone)]
struct Clock(Arc<Mutex<Timestamp>>);

impl Default for Clock {
    fn default() -> Self {
        Self(Arc::new(Mutex::new("2026-11-23T09:00:00Z".parse().unwrap())))
    }
}

impl Clock {
    fn port(&self) -> Now {
        let clock = self.clone();
        Arc::new(move || clock.now())
    }

    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn advance(&self, seconds: i64) {
        *self.0.lock().unwrap() += SignedDuration::from_secs(seconds);
    }
}

#[async_trait]
impl clock::Clock for Clock {
    fn now(&self) -> Timestamp {
        self.now()
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    async fn sleep(&self, _duration: Duration) {
        std::future::pending::<()>().await;
    }
}

/// All stand-ins behind one address, and the SDK's clients for them.
struct Stack {
    ses: Ses,
    queues: Queues,
    schedules: Schedules,
    clock: Clock,
    address: SocketAddr,
    mailer: aws_sdk_sesv2::Client,
    sqs: aws_sdk_sqs::Client,
    scheduler: aws_sdk_scheduler::Client,
}

impl Stack {
    async fn start() -> Self {
        Self::start_with(SesConfig::default()).await
    }

    async fn start_with(config: SesConfig) -> Self {
        let clock = Clock::default();
        Self::serve(Ses::new(config, clock.port()), clock).await
    }

    async fn serve(ses: Ses, clock: Clock) -> Self {
        let queues = Queues::new(&QUEUES, clock.port());
        Self::with(ses, clock, queues).await
    }

    async fn with(ses: Ses, clock: Clock, queues: Queues) -> Self {
        let schedules = Schedules::open(&[GROUP], &queues).unwrap();
        let router = ses.router().merge(queues.router()).merge(schedules.router());
        let router = router.merge(local::inbox::router(ses.clone()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        // Without retries, which would hide a refusal.
        let keys = Credentials::new("local", "local", None, None, "tests");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(SharedCredentialsProvider::new(keys))
            .region(Region::new("eu-west-1"))
            .retry_config(RetryConfig::disabled())
            .endpoint_url(format!("http://{address}"))
            .build();
        Self {
            ses,
            queues,
            schedules,
            clock,
            address,
            mailer: aws_sdk_sesv2::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            scheduler: aws_sdk_scheduler::Client::new(&config),
        }
    }

    async fn template(&self, name: &str, subject: &str, text: &str, html: &str) {
        let content = content(subject, text, html);
        self.mailer.create_email_template().template_name(name).template_content(content).send().await.unwrap();
    }

    /// A template that needs no data at all.
    async fn plain(&self) {
        self.template("plain", "Hello", "Text", "<p>HTML</p>").await;
    }

    fn bulk(&self, template: &str, data: &str) -> SendBulkEmailFluentBuilder {
        let template = Template::builder().template_name(template).template_data(data).build();
        self.bulk_of(template)
    }

    fn bulk_of(&self, template: Template) -> SendBulkEmailFluentBuilder {
        self.mailer
            .send_bulk_email()
            .from_email_address("Rust Weekly <news@example.com>")
            .default_content(BulkEmailContent::builder().template(template).build())
    }

    async fn get(&self, path: &str) -> reqwest::Response {
        reqwest::get(format!("http://{}{path}", self.address)).await.unwrap()
    }

    async fn page(&self, path: &str) -> String {
        self.get(path).await.text().await.unwrap()
    }
}

fn content(subject: &str, text: &str, html: &str) -> EmailTemplateContent {
    EmailTemplateContent::builder().subject(subject).text(text).html(html).build()
}

fn entry(to: &str) -> BulkEmailEntryBuilder {
    BulkEmailEntry::builder().destination(Destination::builder().to_addresses(to).build())
}

fn data(json: &str) -> ReplacementEmailContent {
    let template = ReplacementTemplate::builder().replacement_template_data(json).build();
    ReplacementEmailContent::builder().replacement_template(template).build()
}

fn header(name: &str, value: &str) -> MessageHeader {
    MessageHeader::builder().name(name).value(value).build().unwrap()
}

fn tag(name: &str, value: &str) -> MessageTag {
    MessageTag::builder().name(name).value(value).build().unwrap()
}

async fn results(call: SendBulkEmailFluentBuilder) -> Vec<BulkEmailEntryResult> {
    call.send().await.unwrap().bulk_email_entry_results().to_vec()
}

/// The statuses of a bulk call's entries, by name.
async fn statuses(call: SendBulkEmailFluentBuilder) -> Vec<String> {
    let status = |result: &BulkEmailEntryResult| result.status().unwrap().as_str().to_owned();
    results(call).await.iter().map(status).collect()
}
