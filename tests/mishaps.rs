//! What befalls calls on their way: between the SDK's clients and the services stands somebody who delays, loses, cuts
//! off and refuses them, so that the clients' time-outs and retries are tried and not believed.

pub mod campaign;
pub mod chance;
pub mod refusals;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use aws_sdk_dynamodb::config::retry::RetryPartition;
use germane::{
    aws::clients::{Clients, Endpoints},
    local::services::{self, Services},
};

use super::between::{Between, Call, Fate};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    DynamoDb,
    Ses,
    Sqs,
    Scheduler,
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Service::DynamoDb => "DynamoDB",
            Service::Ses => "SES",
            Service::Sqs => "SQS",
            Service::Scheduler => "Scheduler",
        })
    }
}

/// A call as a rule sees it.
pub struct Asked {
    pub service: Service,
    /// As the service names it, or the path where it has no other name.
    pub operation: String,
    pub body: String,
    /// How many calls of the service came before it.
    pub nth: usize,
}

impl Asked {
    pub fn is(&self, operation: &str) -> bool {
        self.operation == operation
    }
}

/// The services with somebody before each of them.
pub struct Mishaps {
    seen: Arc<Seen>,
    between: Between,
}

#[derive(Default)]
struct Seen {
    operations: Mutex<BTreeMap<(Service, String), usize>>,
    fates: Mutex<BTreeMap<(Service, &'static str), usize>>,
}

/// What `SendBulkEmail` is to HTTP.
pub const BULK: &str = "POST /v2/email/outbound-bulk-emails";

impl Mishaps {
    /// Clients that reach the services through a rule. It is asked while nothing else is, in the order of the calls.
    pub async fn before(services: &Services, rule: impl FnMut(&Asked) -> Fate + Send + 'static) -> (Self, Clients) {
        let rule = Arc::new(Mutex::new(rule));
        let seen = Arc::new(Seen::default());
        let mut between = Between::default();
        let mut endpoints = Endpoints::default();
        let places = [
            (Service::DynamoDb, &services.endpoints.dynamodb, &mut endpoints.dynamodb),
            (Service::Ses, &services.endpoints.ses, &mut endpoints.ses),
            (Service::Sqs, &services.endpoints.sqs, &mut endpoints.sqs),
            (Service::Scheduler, &services.endpoints.scheduler, &mut endpoints.scheduler),
        ];
        for (service, there, here) in places {
            let (rule, seen, calls) = (Arc::clone(&rule), Arc::clone(&seen), AtomicUsize::new(0));
            let decide = move |call: &Call<'_>| {
                let nth = calls.fetch_add(1, Ordering::Relaxed);
                let asked = Asked { service, operation: operation(call), body: text(call.body), nth };
                *seen.operations.lock().unwrap().entry((service, asked.operation.clone())).or_default() += 1;
                let fate = (rule.lock().unwrap())(&asked);
                *seen.fates.lock().unwrap().entry((service, word(&fate))).or_default() += 1;
                fate
            };
            *here = Some(between.before(there.as_ref().unwrap(), Arc::new(decide)).await);
        }
        (Self { seen, between }, with_retries_of_their_own(&services::clients(&endpoints)))
    }

    /// How often an operation came.
    pub fn calls(&self, operation: &str) -> usize {
        let operations = self.seen.operations.lock().unwrap();
        operations.iter().filter(|((_, name), _)| name == operation).map(|(_, calls)| calls).sum()
    }

    /// How many calls came to a service.
    pub fn calls_of(&self, service: Service) -> usize {
        let operations = self.seen.operations.lock().unwrap();
        operations.iter().filter(|((of, _), _)| *of == service).map(|(_, calls)| calls).sum()
    }

    /// How many calls have not come to their end.
    pub fn under_way(&self) -> usize {
        self.between.under_way()
    }

    /// How many calls came to each fate.
    pub fn fates(&self) -> BTreeMap<(Service, &'static str), usize> {
        self.seen.fates.lock().unwrap().clone()
    }
}

/// The SDK lets all clients of a process share what they may spend on retries of one service; what befalls one test is
/// not to cost another its retries.
fn with_retries_of_their_own(clients: &Clients) -> Clients {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let share = RetryPartition::new(format!("mishaps {}", NEXT.fetch_add(1, Ordering::Relaxed)));
    macro_rules! of_its_own {
        ($sdk:ident, $client:expr) => {
            $sdk::Client::from_conf($client.config().to_builder().retry_partition(share.clone()).build())
        };
    }
    Clients {
        dynamodb: of_its_own!(aws_sdk_dynamodb, clients.dynamodb),
        sqs: of_its_own!(aws_sdk_sqs, clients.sqs),
        ses: of_its_own!(aws_sdk_sesv2, clients.ses),
        ses_sending: of_its_own!(aws_sdk_sesv2, clients.ses_sending),
        scheduler: of_its_own!(aws_sdk_scheduler, clients.scheduler),
    }
}

fn operation(call: &Call<'_>) -> String {
    let target = call.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    match target.and_then(|target| target.split_once('.')) {
        Some((_, operation)) => operation.to_owned(),
        None => format!("{} {}", call.method, call.path),
    }
}

fn text(body: &[u8]) -> String {
    String::from_utf8_lossy(body).into_owned()
}

/// As figures name it.
pub fn word(fate: &Fate) -> &'static str {
    match fate {
        Fate::Passed => "passed",
        Fate::Late(_) => "late",
        Fate::Dropped => "dropped",
        Fate::Unanswered => "unanswered",
        Fate::Cut => "cut",
        Fate::Garbled => "garbled",
        Fate::Answered(refusal) if refusal.status >= 500 => "failed",
        Fate::Answered(_) => "throttled",
    }
}
