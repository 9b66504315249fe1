//! The HTTP contract, through the real router on loopback.

use std::{net::SocketAddr, sync::Arc};

use germane::lambda::http;
use reqwest::{Client, Method, Response, StatusCode, Url};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};

use crate::world::{World, campaign, person, policy, with};

/// A served world, and a client that asks it.
pub(super) struct Site {
    pub world: World,
    client: Client,
    base: String,
    _server: JoinSet<()>,
}

impl Site {
    pub async fn open() -> Self {
        let world = World::start().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = http::preferences(Arc::new(world.deployment.preferences()));
        let router = router.merge(http::api(Arc::new(world.deployment.api())));
        let mut server = JoinSet::new();
        let router = router.into_make_service_with_connect_info::<SocketAddr>();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { world, client: Client::new(), base, _server: server }
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub async fn ask(&self, method: Method, path: &str, body: impl Into<reqwest::Body>) -> Response {
        self.request(method, path).body(body).send().await.unwrap()
    }

    /// Presses the button of a page's form; answers with the status and the page that follows.
    pub async fn press(&self, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
        let mut form = Url::parse("http://example.com").unwrap();
        form.query_pairs_mut().extend_pairs(fields);
        let request = self.client.post(format!("{}{path}", self.base)).body(form.query().unwrap_or("").to_owned());
        let answer = request.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    pub async fn json(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.ask(method, path, body).await;
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or(Value::Null))
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        self.json(Method::GET, path, &Value::Null).await
    }

    /// A refusal in the shape of RFC 9457; answers with its code and the fields at fault.
    pub async fn problem(
        &self,
        method: Method,
        path: &str,
        body: impl Into<reqwest::Body>,
    ) -> (u16, String, Vec<String>) {
        let answer = self.ask(method, path, body).await;
        let status = answer.status().as_u16();
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["status"], status);
        for field in ["type", "title", "detail", "code"] {
            assert!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "{field} in {problem}");
        }
        let errors = problem["errors"].as_array().unwrap();
        assert!(errors.iter().all(|e| e["found"].is_string() && e["wanted"].is_string()), "{problem}");
        let fields = errors.iter().map(|error| error["field"].as_str().unwrap().to_owned());
        (status, problem["code"].as_str().unwrap().to_owned(), fields.collect())
    }
}

fn found(status: u16, code: &str, fields: &[&str]) -> (u16, String, Vec<String>) {
    (status, code.to_owned(), fields.iter().map(|field| (*field).to_owned()).collect())
}

#[tokio::test]
async fn campaigns_and_previews_are_taken_reported_and_told() {
    let site = Site::open().await;
    site.world.put_many(3).await;
    let weekly = campaign("weekly");
    let accepted = (202, json!({ "id": "weekly", "status": "scheduled" }));
    assert_eq!(site.json(Method::POST, "/v1/campaigns", &weekly).await, accepted);
    assert_eq!(site.json(Method::POST, "/v1/campaigns", &weekly).await, accepted);
    let (status, preview) = site.json(Method::POST, "/v1/previews?at=2026-12-01T09:00:00Z", &campaign("next")).await;
    assert_eq!((status, &preview["status"]), (202, &json!("launching")));
    site.world.drain().await;

    let (status, report) = site.get("/v1/campaigns/weekly").await;
    assert_eq!((status, &report), (200, &site.world.check("weekly").await));
    let mut keys: Vec<&String> = report.as_object().unwrap().keys().collect();
    keys.sort();
    let wanted = ["audience", "campaign", "decided", "feedback", "outcomes", "reasons", "status", "status_detail"];
    assert_eq!(keys, wanted);
    let (_, done) = site.get(&format!("/v1/previews/{}", preview["id"].as_str().unwrap())).await;
    assert_eq!((&done["status"], &done["outcomes"]["sent"]), (&json!("complete"), &json!(3)));
    let (_, list) = site.get("/v1/campaigns").await;
    assert_eq!((&list["items"][0]["id"], &list["cursor"]), (&json!("weekly"), &Value::Null));
    let (_, why) = site.get("/v1/campaigns/weekly/decisions/r-00001?all=true").await;
    assert_eq!((&why["decision"]["outcome"], &why["verdicts"][0]["gate"]), (&json!("sent"), &json!("suppression")));

    let other = with(weekly, json!({ "min_interest": 0.1 }));
    let post = |body: Value| site.problem(Method::POST, "/v1/campaigns", body.to_string());
    assert_eq!(post(other).await, found(409, "id_taken", &[]));
    assert_eq!(post(with(campaign("x"), json!({ "topic": "garden" }))).await, found(422, "unknown_topic", &["/topic"]));
    let faults = json!({ "template": "none", "holdout_percent": 101, "colour": 1, "channel": "fax", "content": {} });
    let every = ["/channel", "/colour", "/holdout_percent", "/template"];
    let (status, code, mut fields) = post(with(campaign("x"), faults)).await;
    fields.sort();
    assert_eq!((status, code.as_str(), fields), (422, "invalid", every.map(str::to_owned).to_vec()));
    let (status, code, fields) = post(json!({ "id": "x" })).await;
    assert_eq!((status, code.as_str(), fields.len()), (422, "invalid", 3));
    let at = site.problem(Method::POST, "/v1/previews?at=noon", campaign("x").to_string()).await;
    assert_eq!(at, found(422, "invalid", &["?at"]));
}

#[tokio::test]
async fn decisions_come_in_parts_under_a_cursor_and_by_filter() {
    let site = Site::open().await;
    site.world.put_many(1_300).await;
    site.world.put(&[with(person("none"), json!({ "consents": [] }))]).await;
    site.world.send(&campaign("weekly")).await;
    let (mut ids, mut parts, mut cursor) = (std::collections::BTreeSet::new(), 0, String::new());
    loop {
        let (status, part) = site.get(&format!("/v1/campaigns/weekly/decisions?outcome=sent{cursor}")).await;
        assert_eq!(status, 200);
        for item in part["items"].as_array().unwrap() {
            assert!(ids.insert(item["recipient"].as_str().unwrap().to_owned()), "{item} came twice");
        }
        parts += 1;
        let Some(next) = part["cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(ids.len(), 1_300);
    assert!(parts > 1);
    let (_, none) = site.get("/v1/campaigns/weekly/decisions?reason=no_consent").await;
    assert_eq!(none["items"].as_array().unwrap().len(), 1);
    let wrong = [("reason=nice", "?reason"), ("outcome=good", "?outcome"), ("cursor=x", "?cursor"), ("reasons=x", "?")];
    for (query, field) in wrong {
        let problem = site.problem(Method::GET, &format!("/v1/campaigns/weekly/decisions?{query}"), "").await;
        assert_eq!(problem, found(422, "invalid", &[field]));
    }
    let all = site.problem(Method::GET, "/v1/campaigns/weekly/decisions/none?all=perhaps", "").await;
    assert_eq!(all, found(422, "invalid", &["?all"]));
    let twice = site.problem(Method::GET, "/v1/campaigns/weekly/decisions?outcome=sent&outcome=failed", "").await;
    assert_eq!((twice.0, twice.1.as_str()), (422, "invalid"));
}

#[tokio::test]
async fn recipients_are_put_read_and_erased_and_bulk_lines_are_answered_one_by_one() {
    let site = Site::open().await;
    let path = "/v1/recipients/r-1";
    let put = async |id: &str, body: Value| site.json(Method::PUT, &format!("/v1/recipients/{id}"), &body).await;
    assert_eq!(put("r-1", person("r-1")).await, (200, json!({ "id": "r-1", "result": "created" })));
    assert_eq!(put("r-1", json!({ "locale": "de" })).await, (200, json!({ "id": "r-1", "result": "updated" })));
    let (status, read) = site.get(path).await;
    assert_eq!((status, &read["locale"], &read["addresses"]["work"]), (200, &json!("de"), &json!("r-1@example.com")));

    let future =
        json!({ "consents": [with(person("x")["consents"][0].clone(), json!({ "at": "2027-01-01T00:00:00Z" }))] });
    let wrong = site.problem(Method::PUT, path, with(future, json!({ "shoe_size": 43 })).to_string()).await;
    assert_eq!(wrong, found(422, "invalid", &["/consents/0/at", "/shoe_size"]));
    let taken = with(person("r-2"), json!({ "addresses": { "work": "R-1@example.com" } })).to_string();
    let taken = site.problem(Method::PUT, "/v1/recipients/r-2", taken).await;
    assert_eq!(taken, found(409, "address_taken", &["/addresses/work"]));
    let id = site.problem(Method::PUT, "/v1/recipients/a@example.com", person("x").to_string()).await;
    assert_eq!(id, found(422, "invalid", &["/id"]));

    let lines = [
        person("b-1").to_string(),
        String::new(),
        "{".to_owned(),
        json!({ "id": "b-2" }).to_string(),
        json!({ "id": "b-1", "locale": "fr" }).to_string(),
        with(person("b-3"), json!({ "addresses": { "work": "b-1@example.com" } })).to_string(),
    ];
    let answer = site.ask(Method::POST, "/v1/recipients", lines.join("\n")).await;
    assert_eq!(
        (answer.status(), &answer.headers()["content-type"]),
        (StatusCode::OK, &"application/x-ndjson".parse().unwrap())
    );
    let answers: Vec<Value> = answer.text().await.unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let told: Vec<_> = answers.iter().map(|a| (a["line"].as_u64().unwrap(), a["result"].as_str().unwrap())).collect();
    assert_eq!(told, [(1, "created"), (3, "refused"), (4, "refused"), (5, "updated"), (6, "refused")]);
    assert_eq!(answers[2]["errors"][0]["field"], "/addresses");
    assert_eq!((&answers[4]["id"], &answers[4]["errors"][0]["field"]), (&json!("b-3"), &json!("/addresses/work")));

    assert_eq!(site.ask(Method::DELETE, path, "").await.status(), StatusCode::NO_CONTENT);
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(site.problem(method, path, "").await, found(404, "not_found", &[]));
    }
    let erased = site.problem(Method::PUT, path, person("r-1").to_string()).await;
    assert_eq!(erased, found(409, "erased_address", &["/addresses/work"]));
}

#[tokio::test]
async fn policy_and_templates_are_versioned_and_checked() {
    let site = Site::open().await;
    let (status, second) = site.json(Method::PUT, "/v1/policy", &policy()).await;
    assert_eq!((status, second), (200, json!({ "version": 2 })));
    let answer = site.ask(Method::GET, "/v1/policy", "").await;
    assert_eq!(answer.headers()["etag"], "\"2\"");
    let read: Value = answer.json().await.unwrap();
    assert_eq!(
        site.json(Method::PUT, "/v1/policy", &read).await,
        (200, json!({ "version": 3 })),
        "it can be put again"
    );
    let (status, code, fields) =
        site.problem(Method::PUT, "/v1/policy", with(policy(), json!({ "from": "nobody" })).to_string()).await;
    assert_eq!((status, code.as_str(), fields), (422, "invalid", vec!["/from".to_owned()]));

    let (status, source) = site.get("/v1/templates/newsletter").await;
    assert_eq!(status, 200);
    let (status, put) = site.json(Method::PUT, "/v1/templates/mine", &source).await;
    assert_eq!((status, &put["name"]), (200, &json!("mine")));
    assert_eq!(site.get("/v1/templates/mine").await, (200, source));
    assert_eq!(site.problem(Method::GET, "/v1/templates/none", "").await, found(404, "not_found", &[]));
    let (status, code, _) = site.problem(Method::PUT, "/v1/templates/bad", "{}").await;
    assert_eq!((status, code.as_str()), (422, "invalid"));
}

#[tokio::test]
async fn what_is_malformed_too_large_or_nowhere_is_a_problem_that_says_so() {
    let site = Site::open().await;
    let huge = "x".repeat(6 * 1024 * 1024);
    let lines = "{}\n".repeat(1_001);
    for (method, path, body, status, code) in [
        (Method::POST, "/v1/campaigns", "{", 400, "malformed_json"),
        (Method::PUT, "/v1/policy", "", 400, "malformed_json"),
        (Method::POST, "/v1/campaigns", huge.as_str(), 413, "too_large"),
        (Method::POST, "/v1/recipients", huge.as_str(), 413, "too_large"),
        (Method::POST, "/v1/recipients", lines.as_str(), 413, "too_large"),
        (Method::GET, "/v1/nothing", "", 404, "not_found"),
        (Method::GET, "/", "", 404, "not_found"),
        (Method::GET, "/v1/campaigns/none", "", 404, "not_found"),
        (Method::GET, "/v1/campaigns/none/decisions", "", 404, "not_found"),
        (Method::GET, "/v1/campaigns/a@b", "", 404, "not_found"),
        (Method::GET, "/v1/campaigns/%ff", "", 404, "not_found"),
        (Method::GET, "/v1/previews/none", "", 404, "not_found"),
        (Method::DELETE, "/v1/policy", "", 405, "method_not_allowed"),
        (Method::POST, "/v1/campaigns/none", "", 405, "method_not_allowed"),
    ] {
        let problem = site.problem(method.clone(), path, body.to_owned()).await;
        assert_eq!(problem, found(status, code, &[]), "{method} {path}");
    }
    let problem = site.problem(Method::POST, "/v1/recipients", vec![b'"', 0xff, b'"']).await;
    assert_eq!(problem, found(400, "malformed_json", &[]));
}

#[tokio::test]
async fn a_link_unsubscribes_by_post_alone_and_only_with_its_own_token() {
    let site = Site::open().await;
    site.world.put(&[person("r-1")]).await;
    site.world.send(&campaign("weekly")).await;
    let mail = site.world.mails("weekly")[&"r-1".parse().unwrap()][0].clone();
    let headers = mail.headers();
    let link = headers["List-Unsubscribe"].trim_matches(['<', '>']);
    let path = link.strip_prefix("https://mail.example.com").unwrap();
    let status = async || site.get("/v1/recipients/r-1").await.1["consents"][0]["status"].clone();

    let page = site.ask(Method::GET, path, "").await;
    assert_eq!((page.status(), status().await), (StatusCode::OK, json!("granted")));
    assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    assert!(page.text().await.unwrap().contains(&format!("action=\"{path}\"")));
    let forged = format!("{}x", &path[..path.len() - 1]);
    for path in [forged.as_str(), "/u/none", &path.replace("/u/", "/p/")] {
        assert_eq!(site.ask(Method::GET, path, "").await.status(), StatusCode::NOT_FOUND);
    }
    assert_eq!(site.ask(Method::POST, &forged, "List-Unsubscribe=One-Click").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(status().await, "granted");
    for body in ["List-Unsubscribe=One-Click", "", "--x\r\n\r\nList-Unsubscribe=One-Click\r\n--x--"] {
        let answer = site.ask(Method::POST, path, body).await;
        assert_eq!((answer.status(), status().await), (StatusCode::OK, json!("withdrawn")));
        assert!(answer.headers().get("set-cookie").is_none());
    }
    assert_eq!(site.world.evidence("r-1").await.len(), 2, "once");
    assert_eq!(site.world.send(&campaign("next")).await["reasons"], json!({ "consent_withdrawn": 1 }));
}
