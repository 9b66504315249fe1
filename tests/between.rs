//! Stands between a client and a service, on loopback, and says of each call what becomes of it.

use std::{error::Error, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes, to_bytes},
    http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header},
};
use futures_util::stream;
use germane::{aws::system::SystemClock, flow::clock::Clock};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, task::JoinSet};

const MAX_BYTES: usize = 16 * 1024 * 1024;

/// A call as it came.
pub struct Call<'a> {
    pub method: &'a Method,
    pub path: &'a str,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
}

/// What becomes of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    Passed,
    /// It reaches the service after so long, whether or not somebody still waits for the answer.
    Late(Duration),
    /// The connection breaks before the service has heard of it.
    Dropped,
    /// The service did it, and the connection breaks in place of an answer.
    Unanswered,
    /// The service did it, and of its answer comes half.
    Cut,
    /// The service did it, and its answer cannot be read.
    Garbled,
    /// The service has not heard of it; somebody before it answers this.
    Answered(Refusal),
}

/// An error as a service, or what stands before it, answers one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    /// The header that names it, and the name.
    pub named: Option<(&'static str, &'static str)>,
    pub body: &'static str,
}

/// Decides, at the moment at which a call comes.
pub type Rule = Arc<dyn Fn(&Call<'_>) -> Fate + Send + Sync>;

/// It ends when this is dropped, and with it every connection.
#[derive(Default)]
pub struct Between {
    served: JoinSet<()>,
    under_way: Arc<()>,
    lines: usize,
}

struct Line {
    http: reqwest::Client,
    service: String,
    rule: Rule,
    under_way: Arc<()>,
}

type Broken = Box<dyn Error + Send + Sync>;

impl Between {
    /// Where a service is to be asked instead of at `service`.
    pub async fn before(&mut self, service: &str, rule: Rule) -> String {
        self.at("127.0.0.1:0".parse().unwrap(), service, rule).await
    }

    /// The same at a given address.
    pub async fn at(&mut self, address: SocketAddr, service: &str, rule: Rule) -> String {
        let listener = TcpListener::bind(address).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let line = Arc::new(Line { http, service: service.to_owned(), rule, under_way: Arc::clone(&self.under_way) });
        self.served.spawn(serve(listener, line));
        self.lines += 1;
        url
    }

    /// How many calls are on their way to a service, or late.
    pub fn under_way(&self) -> usize {
        // Each line holds one, and so does this.
        Arc::strong_count(&self.under_way) - self.lines - 1
    }
}

async fn serve(listener: TcpListener, line: Arc<Line>) {
    let mut connections = JoinSet::new();
    let mut resets = false;
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        // A connection that breaks is closed or reset; clients tell the two apart.
        if resets {
            stream.set_zero_linger().unwrap();
        }
        resets = !resets;
        let line = Arc::clone(&line);
        let service = service_fn(move |request| answer(Arc::clone(&line), request));
        connections.spawn(async move {
            // That it broke is what was wanted.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

/// An error breaks the connection without an answer.
async fn answer(line: Arc<Line>, request: Request<Incoming>) -> Result<Response<Body>, Broken> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(Body::new(body), MAX_BYTES).await?;
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let fate = (line.rule)(&Call { method: &parts.method, path: &path, headers: &parts.headers, body: &body });
    let wait = match fate {
        Fate::Late(wait) => wait,
        Fate::Dropped => return Err("dropped".into()),
        Fate::Answered(refusal) => return refused(refusal),
        Fate::Passed | Fate::Unanswered | Fate::Cut | Fate::Garbled => Duration::ZERO,
    };
    // Beside the connection: it reaches the service also if whoever asked has gone.
    let under_way = Arc::clone(&line.under_way);
    let passed = tokio::spawn(async move {
        if !wait.is_zero() {
            SystemClock::default().sleep(wait).await;
        }
        let answer = pass(&line, parts.method, &path, parts.headers, body).await;
        drop(under_way);
        answer
    });
    let (status, headers, bytes) = passed.await??;
    let body = match fate {
        Fate::Passed | Fate::Late(_) => Body::from(bytes),
        Fate::Garbled => return whole(status, HeaderMap::new(), Body::from("<html>no answer of ours</html>")),
        Fate::Cut => {
            let half = bytes.slice(..bytes.len() / 2);
            Body::from_stream(stream::iter([Ok(half), Err::<Bytes, Broken>("cut".into())]))
        }
        Fate::Unanswered | Fate::Dropped | Fate::Answered(_) => return Err("unanswered".into()),
    };
    whole(status, headers, body)
}

async fn pass(
    line: &Line,
    method: Method,
    path: &str,
    mut headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, HeaderMap, Bytes), reqwest::Error> {
    headers.remove(header::HOST);
    let asked = line.http.request(method, format!("{}{path}", line.service)).headers(headers).body(body);
    let answer = asked.send().await?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    Ok((status, headers, answer.bytes().await?))
}

fn refused(refusal: Refusal) -> Result<Response<Body>, Broken> {
    let mut headers = HeaderMap::new();
    if let Some((header, name)) = refusal.named {
        headers.insert(header, HeaderValue::from_static(name));
    }
    whole(StatusCode::from_u16(refusal.status)?, headers, Body::from(refusal.body))
}

fn whole(status: StatusCode, headers: HeaderMap, body: Body) -> Result<Response<Body>, Broken> {
    let mut response = Response::builder().status(status).body(body)?;
    *response.headers_mut() = headers;
    Ok(response)
}
