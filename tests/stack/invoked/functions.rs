//! An invoke endpoint that a test answers for.

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderName, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
    task::JoinSet,
};

use super::super::DEADLINE;

pub struct Functions {
    pub url: String,
    calls: mpsc::UnboundedReceiver<Call>,
    _server: JoinSet<()>,
}

/// An invocation that waits for its answer.
pub struct Call {
    pub function: String,
    pub event: Value,
    answer: oneshot::Sender<Response>,
}

impl Functions {
    pub async fn start() -> Self {
        Self::listen(0).await
    }

    pub async fn listen(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (called, calls) = mpsc::unbounded_channel();
        let router = Router::new().route("/2015-03-31/functions/{function}/invocations", post(take)).with_state(called);
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, calls, _server: server }
    }

    pub async fn called(&mut self) -> Call {
        tokio::time::timeout(DEADLINE, self.calls.recv()).await.expect("no invocation came").unwrap()
    }

    pub fn called_by_now(&mut self) -> Option<Call> {
        self.calls.try_recv().ok()
    }
}

impl Call {
    pub fn answer(self, status: u16, body: &str) {
        self.respond((StatusCode::from_u16(status).unwrap(), body.to_owned()).into_response());
    }

    pub fn fail_as_lambda(self) {
        let header = (HeaderName::from_static("x-amz-function-error"), "Unhandled");
        self.respond(([header], r#"{"errorType":"Runtime.ExitError"}"#).into_response());
    }

    fn respond(self, response: Response) {
        self.answer.send(response).expect("nobody waits for the answer");
    }
}

/// A port at which nobody listens.
pub async fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

async fn take(
    State(called): State<mpsc::UnboundedSender<Call>>,
    Path(function): Path<String>,
    Json(event): Json<Value>,
) -> Response {
    let (answer, answered) = oneshot::channel();
    called.send(Call { function, event, answer }).unwrap();
    answered.await.unwrap_or_else(|_| StatusCode::GONE.into_response())
}
