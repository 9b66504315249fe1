//! Schedules through the real SDK: a message comes once, at its time or as soon after it as it was asked for, or at each
//! run, whatever happens to the calls.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig};
use aws_sdk_sqs::config::{Credentials, SharedCredentialsProvider};
use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{Method, StatusCode},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use germane::{
    aws::{
        clients::{Clients, Endpoints},
        queue::{QueueUrls, SqsQueue},
        scheduler::{EventBridgeScheduler, ScheduleTargets},
    },
    domain::{id::Shard, newsletter::Recurrence},
    flow::{
        port::PortError,
        queue::{Message, Work},
        schedule::{ScheduleName, Scheduler},
    },
    local::{
        schedules::Schedules,
        sqs::{self, Queues},
    },
};
use jiff::Timestamp;
use tokio::{net::TcpListener, task::JoinSet};

use super::{Clock, GROUP, QUEUES};

/// What becomes of a call of the schedules' API.
#[derive(Clone, Copy)]
enum Fate {
    Served,
    /// It takes effect, and nobody is told.
    Unheard,
    /// The clock passes every time, and all that is due fires, just before it.
    TooLate,
    Said(StatusCode, &'static str),
}

/// Decides by the call's method and by how many came before.
type Rule = fn(&Method, usize) -> Fate;

#[derive(Clone)]
struct Meddler {
    rule: Rule,
    calls: Arc<AtomicUsize>,
    bodies: Arc<Mutex<Vec<String>>>,
    clock: Clock,
    schedules: Schedules,
}

struct Deployed {
    scheduler: EventBridgeScheduler,
    queues: Queues,
    schedules: Schedules,
    clock: Clock,
    calls: Arc<AtomicUsize>,
    /// Of the calls of the schedules' API.
    bodies: Arc<Mutex<Vec<String>>>,
    _server: JoinSet<()>,
}

impl Deployed {
    async fn start() -> Self {
        Self::meddled_with(|_, _| Fate::Served).await
    }

    async fn meddled_with(rule: Rule) -> Self {
        Self::with(rule, None).await
    }

    async fn with(rule: Rule, dead_letter_arn: Option<String>) -> Self {
        let clock = Clock::default();
        let queues = Queues::new(&QUEUES, clock.port());
        let schedules = Schedules::open(&[GROUP], &queues).unwrap();
        let calls = Arc::new(AtomicUsize::new(0));
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let meddler = Meddler {
            rule,
            calls: Arc::clone(&calls),
            bodies: Arc::clone(&bodies),
            clock: clock.clone(),
            schedules: schedules.clone(),
        };
        let router = schedules.router().layer(middleware::from_fn_with_state(meddler, meddle)).merge(queues.router());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });

        let clients =
            clients(&Endpoints { sqs: Some(url.clone()), scheduler: Some(url.clone()), ..Endpoints::default() });
        let at = |queue: &str| format!("{url}/000000000000/{queue}");
        let urls =
            QueueUrls { launch: at("launch"), shard: at("shard"), preview: at("preview"), feedback: at("feedback") };
        let targets = ScheduleTargets {
            launch_arn: sqs::arn("launch"),
            shard_arn: sqs::arn("shard"),
            preview_arn: sqs::arn("preview"),
            role_arn: "arn:aws:iam::000000000000:role/germane-schedules".to_owned(),
            group: GROUP.to_owned(),
            dead_letter_arn,
        };
        let queue = Arc::new(SqsQueue::new(&clients, urls));
        Self {
            scheduler: EventBridgeScheduler::new(&clients, targets, queue, Arc::new(clock.clone())),
            queues,
            schedules,
            clock,
            calls,
            bodies,
            _server: server,
        }
    }

    async fn once(&self, at: &str) -> Result<(), PortError> {
        self.scheduler.once(&name(), at.parse().unwrap(), &launch()).await
    }

    async fn recur(&self, cron: &str) -> Result<(), PortError> {
        let recurrence = Recurrence { cron: cron.parse().unwrap(), zone: "Europe/Berlin".parse().unwrap() };
        let id = "weekly".parse().unwrap();
        self.scheduler.recur(&ScheduleName::newsletter(&id), &recurrence, &id).await
    }

    /// What has come to a queue by this time.
    fn come(&self, queue: &str, at: &str) -> Vec<Message> {
        *self.clock.0.lock().unwrap() = at.parse().unwrap();
        self.schedules.fire_due().unwrap();
        let messages = self.queues.receive(queue, 10).unwrap();
        messages.iter().map(|message| Message::from_body(&message.body).unwrap()).collect()
    }
}

/// The SDK as it is, but for the time between its attempts.
fn clients(endpoints: &Endpoints) -> Clients {
    let credentials = Credentials::new("local", "local", None, None, "tests");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(1)))
        .build();
    Clients::new(&config, endpoints)
}

async fn meddle(State(meddler): State<Meddler>, request: Request, next: Next) -> Response {
    let before = meddler.calls.fetch_add(1, Ordering::Relaxed);
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    meddler.bodies.lock().unwrap().push(String::from_utf8_lossy(&body).into_owned());
    let request = Request::from_parts(parts, Body::from(body));
    match (meddler.rule)(request.method(), before) {
        Fate::Served => next.run(request).await,
        Fate::Unheard => {
            assert!(next.run(request).await.status().is_success());
            (StatusCode::INTERNAL_SERVER_ERROR, [("x-amzn-errortype", "InternalServerException")], "{}").into_response()
        }
        Fate::TooLate => {
            meddler.clock.advance(3600);
            meddler.schedules.fire_due().unwrap();
            next.run(request).await
        }
        Fate::Said(status, kind) => (status, [("x-amzn-errortype", kind)], "{}").into_response(),
    }
}

fn name() -> ScheduleName {
    ScheduleName::start(&"weekly".parse().unwrap())
}

fn launch() -> Message {
    Message::Launch { campaign: "weekly".parse().unwrap() }
}

#[tokio::test]
async fn a_message_comes_once_at_its_time_to_the_queue_of_its_kind() {
    let deployed = Deployed::start().await;
    let at: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
    let work = Work { campaign: "weekly".parse().unwrap(), shard: Shard(3), pass: 2 };
    let shard = Message::Shard(work.clone());
    let preview = Message::Preview { preview: "p-1".parse().unwrap(), shard: Shard(3) };
    deployed.scheduler.once(&name(), at, &launch()).await.unwrap();
    deployed.scheduler.once(&ScheduleName::pass(&work), at, &shard).await.unwrap();
    deployed.scheduler.once(&ScheduleName::quota(&work.campaign), at, &preview).await.unwrap();

    assert_eq!(deployed.come("launch", "2026-11-23T09:59:59Z"), []);
    assert_eq!(deployed.come("launch", "2026-11-23T10:00:00Z"), [launch()]);
    assert_eq!(deployed.come("shard", "2026-11-23T10:00:00Z"), [shard]);
    assert_eq!(deployed.come("preview", "2026-11-23T10:00:00Z"), [preview]);
    assert_eq!((deployed.schedules.next_due(), deployed.queues.depth("launch")), (None, 1));
}

#[tokio::test]
async fn a_fraction_of_a_second_is_waited_for() {
    let deployed = Deployed::start().await;
    deployed.once("2026-11-23T10:00:00.001Z").await.unwrap();

    assert_eq!(deployed.come("launch", "2026-11-23T10:00:00.999Z"), []);
    assert_eq!(deployed.come("launch", "2026-11-23T10:00:01Z"), [launch()]);
}

#[tokio::test]
async fn a_schedule_that_is_ahead_is_moved_either_way() {
    let deployed = Deployed::start().await;
    for at in ["2026-11-23T10:00:00Z", "2026-11-23T11:00:00Z", "2026-11-23T10:00:00Z"] {
        deployed.once(at).await.unwrap();
        assert_eq!(deployed.schedules.next_due(), Some(at.parse().unwrap()));
    }

    assert_eq!(deployed.come("launch", "2026-11-23T12:00:00Z"), [launch()]);
}

#[tokio::test]
async fn the_same_twice_is_one_message() {
    let deployed = Deployed::start().await;
    deployed.once("2026-11-23T10:00:00Z").await.unwrap();
    deployed.once("2026-11-23T10:00:00Z").await.unwrap();

    assert_eq!(deployed.come("launch", "2026-11-23T12:00:00Z"), [launch()]);
}

#[tokio::test]
async fn a_name_whose_schedule_has_fired_is_free_again() {
    let deployed = Deployed::start().await;
    deployed.once("2026-11-23T10:00:00Z").await.unwrap();
    assert_eq!(deployed.come("launch", "2026-11-23T10:00:00Z").len(), 1);

    deployed.once("2026-11-23T11:00:00Z").await.unwrap();

    assert_eq!(deployed.come("launch", "2026-11-23T10:00:59Z").len(), 0);
    assert_eq!(deployed.schedules.next_due(), Some("2026-11-23T11:00:00Z".parse().unwrap()));
}

#[tokio::test]
async fn a_time_that_has_passed_comes_at_once_and_instead_of_the_one_ahead() {
    let deployed = Deployed::start().await;
    deployed.once("2026-11-23T10:00:00Z").await.unwrap();
    deployed.once("2026-11-23T08:00:00Z").await.unwrap();

    assert_eq!(deployed.come("launch", "2026-11-23T09:00:00Z"), [launch()]);
    assert_eq!(deployed.schedules.next_due(), None, "it was moved to now");
}

#[tokio::test]
async fn a_time_that_is_near_comes_by_the_queue_and_not_before() {
    let deployed = Deployed::start().await;
    *deployed.clock.0.lock().unwrap() = "2026-11-23T09:00:00.400Z".parse().unwrap();
    deployed.once("2026-11-23T09:00:10Z").await.unwrap();

    assert_eq!(deployed.schedules.next_due(), None);
    assert_eq!(deployed.come("launch", "2026-11-23T09:00:09.999Z"), []);
    assert_eq!(deployed.come("launch", "2026-11-23T09:00:10.400Z"), [launch()]);
}

#[tokio::test]
async fn an_answer_that_is_lost_is_asked_for_again_and_nothing_is_doubled() {
    let deployed = Deployed::meddled_with(|_, before| if before < 2 { Fate::Unheard } else { Fate::Served }).await;

    deployed.once("2026-11-23T10:00:00Z").await.unwrap();

    assert_eq!(deployed.calls.load(Ordering::Relaxed), 3, "one call in three attempts");
    assert_eq!(deployed.come("launch", "2026-11-23T12:00:00Z"), [launch()]);
}

#[tokio::test]
async fn a_call_whose_every_answer_was_lost_may_be_repeated() {
    let deployed = Deployed::meddled_with(|_, before| if before < 3 { Fate::Unheard } else { Fate::Served }).await;

    assert!(matches!(deployed.once("2026-11-23T10:00:00Z").await, Err(PortError::Unavailable { .. })));
    deployed.once("2026-11-23T10:00:00Z").await.unwrap();

    assert_eq!(deployed.come("launch", "2026-11-23T12:00:00Z"), [launch()]);
}

#[tokio::test]
async fn a_schedule_that_fires_while_it_is_to_be_moved_is_made_again() {
    let deployed =
        Deployed::meddled_with(|method, _| if method == Method::PUT { Fate::TooLate } else { Fate::Served }).await;
    deployed.once("2026-11-23T09:30:00Z").await.unwrap();

    deployed.once("2026-11-23T12:00:00Z").await.unwrap();

    assert_eq!(deployed.schedules.next_due(), Some("2026-11-23T12:00:00Z".parse().unwrap()));
    assert_eq!(deployed.come("launch", "2026-11-23T10:00:00Z").len(), 1, "it had fired");
    assert_eq!(
        deployed.come("launch", "2026-11-23T12:00:00Z").len(),
        2,
        "and comes at the new time, beside the old one"
    );
}

#[tokio::test]
async fn a_schedule_that_comes_and_goes_is_not_chased_for_ever() {
    let deployed = Deployed::meddled_with(|method, _| match *method {
        Method::POST => Fate::Said(StatusCode::CONFLICT, "ConflictException"),
        _ => Fate::Said(StatusCode::NOT_FOUND, "ResourceNotFoundException"),
    })
    .await;

    let error = deployed.once("2026-11-23T10:00:00Z").await.unwrap_err();

    assert!(matches!(error, PortError::Unavailable { .. }));
    assert_eq!(deployed.calls.load(Ordering::Relaxed), 6);
}

#[tokio::test]
async fn a_refusal_is_an_error() {
    let deployed = Deployed::meddled_with(|_, _| Fate::Said(StatusCode::BAD_REQUEST, "ValidationException")).await;

    assert!(matches!(deployed.once("2026-11-23T10:00:00Z").await, Err(PortError::Unavailable { .. })));
    assert_eq!(deployed.queues.depth("launch"), 0);
}

fn run(scheduled: &str) -> Message {
    Message::Newsletter { newsletter: "weekly".parse().unwrap(), scheduled: scheduled.parse().unwrap() }
}

#[tokio::test]
async fn each_run_of_a_newsletter_comes_with_its_time() {
    let deployed = Deployed::start().await;
    deployed.recur("0 10 * * mon").await.unwrap();

    assert_eq!(deployed.come("launch", "2026-11-30T08:59:59Z"), []);
    assert_eq!(deployed.come("launch", "2026-11-30T09:00:00Z"), [run("2026-11-30T09:00:00Z")]);
    // Beside the first one, which nobody has deleted.
    assert_eq!(
        deployed.come("launch", "2026-12-07T09:00:30Z"),
        [run("2026-11-30T09:00:00Z"), run("2026-12-07T09:00:00Z")]
    );
}

#[tokio::test]
async fn a_recurring_schedule_takes_the_place_of_the_one_before_and_the_same_twice_is_one() {
    let deployed = Deployed::start().await;
    for cron in ["0 10 * * mon", "0 10 * * mon", "0 12 25 * *"] {
        deployed.recur(cron).await.unwrap();
    }
    assert_eq!(deployed.come("launch", "2026-12-01T00:00:00Z"), [run("2026-11-25T11:00:00Z")]);
}

#[tokio::test]
async fn a_recurring_schedule_that_is_forgotten_comes_no_more_and_is_forgotten_twice_without_harm() {
    let deployed = Deployed::start().await;
    deployed.recur("0 10 * * mon").await.unwrap();
    let name = ScheduleName::newsletter(&"weekly".parse().unwrap());
    deployed.scheduler.forget(&name).await.unwrap();
    deployed.scheduler.forget(&name).await.unwrap();
    assert_eq!(deployed.come("launch", "2026-12-01T00:00:00Z"), []);
    assert_eq!(deployed.schedules.next_due(), None);
}

#[tokio::test]
async fn a_recurring_schedule_whose_answers_were_lost_is_asked_for_again_and_is_one() {
    let deployed = Deployed::meddled_with(|_, before| if before < 3 { Fate::Unheard } else { Fate::Served }).await;
    assert!(matches!(deployed.recur("0 10 * * mon").await, Err(PortError::Unavailable { .. })));
    deployed.recur("0 10 * * mon").await.unwrap();
    assert_eq!(deployed.come("launch", "2026-12-01T00:00:00Z"), [run("2026-11-30T09:00:00Z")]);
}

#[tokio::test]
async fn a_refusal_of_a_recurring_schedule_or_of_its_end_is_an_error() {
    let deployed = Deployed::meddled_with(|_, _| Fate::Said(StatusCode::BAD_REQUEST, "ValidationException")).await;
    assert!(matches!(deployed.recur("0 10 * * mon").await, Err(PortError::Unavailable { .. })));
    let name = ScheduleName::newsletter(&"weekly".parse().unwrap());
    assert!(matches!(deployed.scheduler.forget(&name).await, Err(PortError::Unavailable { .. })));
}

#[tokio::test]
async fn what_cannot_be_sent_goes_to_the_dead_letters_that_are_configured() {
    let arn = "arn:aws:sqs:eu-west-1:000000000000:dead-letters";
    let deployed = Deployed::with(|_, _| Fate::Said(StatusCode::OK, ""), Some(arn.to_owned())).await;
    deployed.recur("0 10 * * mon").await.unwrap();
    deployed.once("2026-11-23T10:00:00Z").await.unwrap();
    let bodies = deployed.bodies.lock().unwrap().clone();
    assert_eq!(bodies.len(), 2);
    for body in bodies {
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["Target"]["DeadLetterConfig"]["Arn"], arn);
        assert_eq!(body["FlexibleTimeWindow"]["Mode"], "OFF");
    }
}
