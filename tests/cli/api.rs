//! An API that answers what a test says, and remembers what it was asked.

use std::{
    net::TcpListener,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

#[derive(Debug, Clone)]
pub struct Asked {
    pub method: Method,
    /// The path, and the query if there is one.
    pub target: String,
    pub content_type: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl Asked {
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }
}

type Answer = (StatusCode, &'static str, String);
type Answering = dyn Fn(&Asked, usize) -> Response + Send + Sync;

pub struct Api {
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

#[derive(Clone)]
struct Script {
    answer: Arc<Answering>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Api {
    /// `answer` gets each request and how many like it came before.
    pub fn new(answer: impl Fn(&Asked, usize) -> Answer + Send + Sync + 'static) -> Self {
        Self::saying(move |asked, before| {
            let (status, kind, body) = answer(asked, before);
            (status, [(CONTENT_TYPE, kind)], body).into_response()
        })
    }

    /// With headers of its own.
    pub fn saying(answer: impl Fn(&Asked, usize) -> Response + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let script = Script { answer: Arc::new(answer), asked: asked.clone() };
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                axum::serve(listener, Router::new().fallback(handle).with_state(script)).await.unwrap();
            });
        });
        Self { url, asked }
    }

    /// What was asked so far, in the order in which it came.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub fn lines(&self) -> Vec<String> {
        self.asked().iter().map(Asked::line).collect()
    }
}

async fn handle(State(script): State<Script>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let asked = Asked {
        method,
        target: uri.to_string(),
        content_type: headers.get(CONTENT_TYPE).map(|kind| kind.to_str().unwrap().to_owned()).unwrap_or_default(),
        headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    let before = {
        let mut all = script.asked.lock().unwrap();
        let before = all.iter().filter(|other| other.line() == asked.line()).count();
        all.push(asked.clone());
        before
    };
    (script.answer)(&asked, before)
}

pub fn ok(body: &Value) -> Answer {
    (StatusCode::OK, "application/json", body.to_string())
}

pub fn accepted(body: &Value) -> Answer {
    (StatusCode::ACCEPTED, "application/json", body.to_string())
}

pub fn problem(status: u16, code: &str, title: &str, errors: &Value) -> Answer {
    let body = json!({
        "type": "about:blank", "title": title, "status": status, "detail": null, "code": code, "errors": errors,
    });
    (StatusCode::from_u16(status).unwrap(), "application/problem+json", body.to_string())
}
