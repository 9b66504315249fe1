//! Lambda's runtime API, as far as a function asks it
//! (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>), and a function binary that runs by it.

use std::{collections::BTreeMap, process::Stdio, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use germane::{aws::system::SystemClock, flow::clock::Clock};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines},
    net::TcpListener,
    process::{Child, ChildStdout, Command},
    sync::{Mutex, mpsc},
    task::JoinSet,
};

/// A function that does not answer by then has failed.
const PATIENCE: Duration = Duration::from_mins(1);

struct Desk {
    events: Mutex<mpsc::Receiver<Event>>,
    answers: mpsc::Sender<Answered>,
}

struct Event {
    id: String,
    deadline: u64,
    payload: Value,
}

/// Which invocation, and how it ended: `response` or `error`.
type Answered = (String, String, Value);

/// A binary at work, and whoever invokes it.
pub struct Function {
    events: mpsc::Sender<Event>,
    answers: mpsc::Receiver<Answered>,
    log: Lines<BufReader<ChildStdout>>,
    process: Child,
    _desk: JoinSet<()>,
    invocations: usize,
}

impl Function {
    pub async fn start(binary: &str, environment: &BTreeMap<&'static str, String>) -> Self {
        let (events, open) = mpsc::channel(1);
        let (answered, answers) = mpsc::channel(1);
        let desk = Arc::new(Desk { events: Mutex::new(open), answers: answered });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/{how}", post(take))
            .with_state(desk);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut served = JoinSet::new();
        served.spawn(async move { axum::serve(listener, router).await.unwrap() });
        let mut process = command(binary, environment);
        let mut process = process.env("AWS_LAMBDA_RUNTIME_API", address.to_string()).spawn().unwrap();
        let log = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { events, answers, log, process, _desk: served, invocations: 0 }
    }

    /// What it answers to an event.
    pub async fn invoke(&mut self, payload: &Value) -> Value {
        self.invocations += 1;
        let id = format!("00000000-0000-4000-8000-{:012}", self.invocations);
        let deadline = (SystemClock::default().now() + Duration::from_mins(5)).as_millisecond().try_into().unwrap();
        self.events.send(Event { id: id.clone(), deadline, payload: payload.clone() }).await.unwrap();
        let answered = tokio::select! {
            answered = tokio::time::timeout(PATIENCE, self.answers.recv()) => answered.unwrap().unwrap(),
            ended = self.process.wait() => panic!("it ended: {ended:?}: {:?}", rest(&mut self.log).await),
        };
        assert_eq!((answered.0, answered.1.as_str()), (id, "response"), "{}", answered.2);
        answered.2
    }

    /// Ends it, as Lambda does; answers with all that it logged.
    pub async fn log(mut self) -> Vec<Value> {
        self.process.kill().await.unwrap();
        let lines = rest(&mut self.log).await;
        lines.iter().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
    }
}

async fn rest(log: &mut Lines<BufReader<ChildStdout>>) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some(line) = log.next_line().await.unwrap() {
        lines.push(line);
    }
    lines
}

/// Runs a binary that cannot start; answers with its exit code and what it logged.
pub async fn failing(binary: &str, environment: &BTreeMap<&'static str, String>) -> (Option<i32>, Value) {
    let mut process = command(binary, environment).env("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9").spawn().unwrap();
    let mut log = String::new();
    process.stdout.take().unwrap().read_to_string(&mut log).await.unwrap();
    let ended = tokio::time::timeout(PATIENCE, process.wait()).await.unwrap().unwrap();
    (ended.code(), serde_json::from_str(log.trim()).unwrap_or_else(|error| panic!("{error}: {log}")))
}

/// With nothing of this process's own environment.
fn command(binary: &str, environment: &BTreeMap<&'static str, String>) -> Command {
    let mut command = Command::new(binary);
    command.env_clear().envs(environment).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    command
        .env("AWS_LAMBDA_FUNCTION_NAME", "germane")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST");
    command
}

async fn next(State(desk): State<Arc<Desk>>) -> Response {
    match desk.events.lock().await.recv().await {
        Some(Event { id, deadline, payload }) => {
            let headers = [
                ("lambda-runtime-aws-request-id", id),
                ("lambda-runtime-deadline-ms", deadline.to_string()),
                (
                    "lambda-runtime-invoked-function-arn",
                    "arn:aws:lambda:eu-west-1:000000000000:function:germane".to_owned(),
                ),
            ];
            (headers, payload.to_string()).into_response()
        }
        None => StatusCode::GONE.into_response(),
    }
}

async fn take(State(desk): State<Arc<Desk>>, Path((id, how)): Path<(String, String)>, body: String) -> StatusCode {
    let body = serde_json::from_str(&body).unwrap_or(Value::String(body));
    desk.answers.send((id, how, body)).await.unwrap();
    StatusCode::ACCEPTED
}
