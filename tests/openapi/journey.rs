//! The real router on loopback: each answer is one that the document knows.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use germane::{
    domain::channel::Channel,
    flow::token::{Access, Purpose},
    lambda::{
        http::{self, API_ROUTES, PREFERENCES_ROUTES},
        openapi,
    },
};
use reqwest::{Client, Method, header::CONTENT_TYPE};
use serde_json::{Value, json};

use super::{document, schema::Document};
use crate::world::{NOW, World, campaign, person, policy, with};

struct Served {
    world: World,
    url: String,
    client: Client,
    document: Document,
    /// Method, path and status of what was asked.
    asked: Mutex<BTreeSet<(String, String, u16)>>,
}

impl Served {
    async fn start() -> Self {
        let world = World::start().await;
        let router = http::api(Arc::new(world.deployment.api()))
            .merge(http::preferences(Arc::new(world.deployment.preferences())));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { world, url, client: Client::new(), document: document(), asked: Mutex::default() }
    }

    /// Asks, and checks that status, content type, body and problem code are documented for the operation.
    async fn ask(&self, method: &str, template: &str, path: &str, body: impl ToString, code: &str) -> Value {
        let request =
            self.client.request(method.to_uppercase().parse::<Method>().unwrap(), format!("{}{path}", self.url));
        let form = template.starts_with("/p/").then_some((CONTENT_TYPE, "application/x-www-form-urlencoded"));
        let request = form.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        let answer = request.body(body.to_string()).send().await.unwrap();
        let status = answer.status().as_u16();
        let kind = answer.headers().get(CONTENT_TYPE).map(|kind| kind.to_str().unwrap().to_owned());
        let text = answer.text().await.unwrap();
        let asked = format!("{method} {path}: {status} {text}");
        let response = &self.document.0["paths"][template][method]["responses"][status.to_string()];
        assert!(response.is_object(), "not documented: {asked}");
        self.asked.lock().unwrap().insert((method.to_owned(), template.to_owned(), status));
        let Some(kind) = kind else {
            assert_eq!((response.get("content"), text.as_str(), code), (None, "", ""), "{asked}");
            return Value::Null;
        };
        let kind = kind.split(';').next().unwrap();
        let schema = &response["content"][kind]["schema"];
        assert!(schema.is_object(), "{kind} is not documented: {asked}");
        let values: Vec<Value> = match kind {
            "text/html" => vec![json!(text)],
            _ => text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
        };
        for value in &values {
            assert_eq!(self.document.faults(schema, value), Vec::<String>::new(), "{asked}");
        }
        let value = values.into_iter().next().unwrap_or_default();
        assert_eq!(value["code"].as_str().unwrap_or_default(), code, "{asked}");
        value
    }
}

async fn ask_what_is_not_used(api: &Served) {
    let (attributes, interests) = ("/v1/attributes", "/v1/interests");
    api.ask("get", attributes, attributes, "", "").await;
    api.ask("get", attributes, "/v1/attributes?idle=true", "", "").await;
    api.ask("get", attributes, "/v1/attributes?cursor=x", "", "invalid").await;
    api.ask("delete", "/v1/attributes/{name}", "/v1/attributes/first_name", "", "").await;
    api.ask("delete", "/v1/attributes/{name}", "/v1/attributes/first_name?cursor=x", "", "invalid").await;
    api.ask("delete", interests, "/v1/interests?topic=rust/async", "", "").await;
    api.ask("delete", interests, interests, "", "invalid").await;
}

#[tokio::test]
async fn every_operation_answers_as_it_is_described() {
    let api = Served::start().await;
    let line = |id: &str| person(id).to_string();
    let held = |id: &str| format!("/v1/recipients/{id}");
    let recipient = "/v1/recipients/{id}";

    api.ask("put", recipient, &held("r-1"), person("r-1"), "").await;
    api.ask("put", recipient, &held("r-1"), "{", "malformed_json").await;
    api.ask("put", recipient, &held("r-1"), json!({ "id": "r-2" }), "invalid").await;
    let astray = json!({ "interests": [{ "topic": "gardening", "strength": 1 }] });
    api.ask("put", recipient, &held("r-1"), astray, "unknown_topic").await;
    let taken = json!({ "addresses": { "work": "r-1@example.com" } });
    api.ask("put", recipient, &held("r-2"), &taken, "address_taken").await;
    api.ask("put", recipient, &held("r-1"), " ".repeat(6 * 1024 * 1024), "too_large").await;
    api.ask("get", recipient, &held("r-1"), "", "").await;
    api.ask("get", recipient, &held("r-9"), "", "not_found").await;
    api.ask("put", recipient, &held("r-3"), person("r-3"), "").await;
    api.ask("delete", recipient, &held("r-3"), "", "").await;
    api.ask("delete", recipient, &held("r-3"), "", "not_found").await;
    api.ask("put", recipient, &held("r-4"), json!({ "addresses": { "work": "r-3@example.com" } }), "erased_address")
        .await;
    let bulk = "/v1/recipients";
    api.ask("post", bulk, bulk, format!("{}\n\n{{}}\n[\n{taken}", line("r-5")), "").await;
    api.ask("post", bulk, bulk, "\n".repeat(1_001), "too_large").await;

    held_and_suppressed(&api).await;

    ask_what_is_not_used(&api).await;
    api.ask("put", "/v1/policy", "/v1/policy", policy(), "").await;
    api.ask("put", "/v1/policy", "/v1/policy", json!({}), "invalid").await;
    api.ask("get", "/v1/policy", "/v1/policy", "", "").await;
    api.ask("get", "/v1/policy", "/v1/policy?about=true", "", "").await;
    api.ask("get", "/v1/policy", "/v1/policy?about=you", "", "invalid").await;
    let template = "/v1/templates/{name}";
    let source = &api.document.0["paths"][template]["put"]["requestBody"]["content"]["application/json"]["example"];
    api.ask("put", template, "/v1/templates/hello", source, "").await;
    api.ask("put", template, "/v1/templates/hello", json!({}), "invalid").await;
    api.ask("get", template, "/v1/templates/newsletter", "", "").await;
    api.ask("get", template, "/v1/templates/none", "", "not_found").await;

    let previews = "/v1/previews";
    let accepted = api.ask("post", previews, previews, campaign("c-1"), "").await;
    api.ask("post", previews, "/v1/previews?at=soon", campaign("c-1"), "invalid").await;
    let preview = format!("/v1/previews/{}", accepted["id"].as_str().unwrap());
    api.ask("get", "/v1/previews/{id}", &preview, "", "").await;
    let campaigns = "/v1/campaigns";
    api.ask("post", campaigns, campaigns, campaign("c-1"), "").await;
    api.ask("post", campaigns, campaigns, with(campaign("c-1"), json!({ "channel": "personal" })), "id_taken").await;
    api.ask("post", campaigns, campaigns, with(campaign("c-2"), json!({ "topic": "gardening" })), "unknown_topic")
        .await;
    api.ask("post", campaigns, campaigns, json!({ "id": "c-2" }), "invalid").await;
    let listed = json!({ "audience": { "recipients": ["r-1", "r-9"] } });
    api.ask("post", campaigns, campaigns, with(campaign("c-3"), listed), "").await;
    let one = "/v1/campaigns/{id}";
    api.ask("get", one, "/v1/campaigns/c-1", "", "").await;
    api.ask("post", campaigns, campaigns, campaign("c-4"), "").await;
    for command in ["pause", "resume", "cancel"] {
        let template = format!("/v1/campaigns/{{id}}/{command}");
        api.ask("post", &template, &format!("/v1/campaigns/c-4/{command}"), "", "").await;
        api.ask("post", &template, &format!("/v1/campaigns/none/{command}"), "", "not_found").await;
    }
    api.ask("post", "/v1/campaigns/{id}/resume", "/v1/campaigns/c-4/resume", "", "illegal_move").await;
    test_mails_answer_as_they_are_described(&api).await;
    let why = "/v1/campaigns/{id}/decisions/{recipient}";
    api.ask("get", why, "/v1/campaigns/c-1/decisions/r-1", "", "not_evaluated").await;
    api.world.drain().await;
    api.ask("get", "/v1/previews/{id}", &preview, "", "").await;
    let previewed = api.ask("get", "/v1/previews/{id}", &preview, "", "").await;
    let bound = previewed["preview_token"].as_str().unwrap();
    api.ask("post", campaigns, &format!("{campaigns}?preview={bound}"), campaign("c-5"), "changed_since_preview").await;
    api.ask("post", campaigns, &format!("{campaigns}?preview={bound}"), campaign("c-1"), "").await;
    api.ask("post", campaigns, &format!("{campaigns}?preview=none"), campaign("c-5"), "invalid").await;
    api.ask("get", "/v1/previews/{id}", "/v1/previews/none", "", "not_found").await;
    api.ask("get", campaigns, campaigns, "", "").await;
    for id in ["c-1", "c-3"] {
        api.ask("get", one, &format!("/v1/campaigns/{id}"), "", "").await;
    }
    api.ask("get", one, "/v1/campaigns/none", "", "not_found").await;
    let decisions = "/v1/campaigns/{id}/decisions";
    api.ask("get", decisions, "/v1/campaigns/c-1/decisions?outcome=sent", "", "").await;
    api.ask("get", decisions, "/v1/campaigns/c-3/decisions?reason=frequency_cap", "", "").await;
    api.ask("get", decisions, "/v1/campaigns/c-1/decisions?reason=mood", "", "invalid").await;
    api.ask("get", decisions, "/v1/campaigns/none/decisions", "", "not_found").await;
    api.ask("get", why, "/v1/campaigns/c-1/decisions/r-1", "", "").await;
    api.ask("get", why, "/v1/campaigns/c-1/decisions/r-1?all=true", "", "").await;
    api.ask("get", why, "/v1/campaigns/c-1/decisions/r-1?all=perhaps", "", "invalid").await;

    newsletters_answer_as_they_are_described(&api).await;
    api.ask("get", "/v1/doctor", "/v1/doctor", "", "").await;
    api.world.clock.hurry();
    api.ask("post", "/v1/doctor/order", "/v1/doctor/order", "", "").await;
    the_pages_answer_as_they_are_described(&api).await;

    let served = api.client.get(format!("{}/v1/openapi.json", api.url)).send().await.unwrap();
    assert_eq!(served.headers()[CONTENT_TYPE], "application/json");
    assert_eq!(served.text().await.unwrap(), openapi::document().unwrap());

    let asked = api.asked.lock().unwrap();
    for (method, path) in
        API_ROUTES.iter().chain(PREFERENCES_ROUTES).filter(|(_, path)| !path.ends_with("openapi.json"))
    {
        let well = asked.iter().any(|(m, p, status)| m == method && p == path && *status < 300);
        assert!(well, "{method} {path} was not seen to answer");
    }
}

async fn test_mails_answer_as_they_are_described(api: &Served) {
    let test = "/v1/campaigns/{id}/test";
    api.ask("post", test, "/v1/campaigns/c-1/test", json!({ "recipient": "r-1" }), "").await;
    api.ask("post", test, "/v1/campaigns/c-6/test", json!({ "campaign": campaign("c-6") }), "").await;
    api.ask("post", test, "/v1/campaigns/c-6/test", json!({}), "not_found").await;
    api.ask("post", test, "/v1/campaigns/c-1/test", json!({ "to": "r-1@example.com" }), "invalid").await;
    api.ask("post", test, "/v1/campaigns/c-1/test", "{", "malformed_json").await;
    let astray = json!({ "campaign": with(campaign("c-1"), json!({ "topic": "gardening" })) });
    api.ask("post", test, "/v1/campaigns/c-1/test", astray, "unknown_topic").await;
}

async fn newsletters_answer_as_they_are_described(api: &Served) {
    let (all, one, weekly) = ("/v1/newsletters", "/v1/newsletters/{id}", "/v1/newsletters/weekly");
    let put = json!({ "cron": "0 9 * * mon", "time_zone": "Europe/Berlin", "campaign": campaign("w-{{date}}") });
    api.ask("get", one, weekly, "", "not_found").await;
    api.ask("put", one, weekly, &put, "").await;
    api.ask("put", one, weekly, "{", "malformed_json").await;
    api.ask("put", one, weekly, with(put.clone(), json!({ "cron": "daily" })), "invalid").await;
    let astray = json!({ "campaign": { "topic": "gardening" } });
    api.ask("put", one, weekly, with(put.clone(), astray), "unknown_topic").await;
    api.ask("get", one, weekly, "", "").await;
    api.world.advance_to("2026-11-30T09:00:00Z").await;
    let told = api.ask("get", one, weekly, "", "").await;
    assert_eq!(told["last_run"]["campaign"], "w-2026-11-30");
    api.ask("get", all, all, "", "").await;
    api.ask("delete", one, weekly, "", "").await;
    api.ask("delete", one, weekly, "", "not_found").await;
    api.ask("get", all, all, "", "").await;
}

/// r-1 is there, r-3 was erased, r-9 never was.
async fn held_and_suppressed(api: &Served) {
    let export = "/v1/recipients/{id}/export";
    api.ask("get", export, "/v1/recipients/r-1/export", "", "").await;
    api.ask("get", export, "/v1/recipients/r-9/export", "", "not_found").await;

    let suppression = "/v1/suppressions/{address}";
    let at = |address: &str| format!("/v1/suppressions/{address}");
    api.ask("put", suppression, &at("r-7%40example.com"), json!({ "note": "by telephone" }), "").await;
    api.ask("put", suppression, &at("r-7@example.com"), "", "").await;
    api.ask("put", suppression, &at("r-7@example.com"), "{", "malformed_json").await;
    api.ask("put", suppression, &at("r-7@example.com"), json!({ "colour": 1 }), "invalid").await;
    api.ask("put", suppression, &at("r-7.example.com"), "", "invalid").await;
    api.ask("get", suppression, &at("r-7@example.com"), "", "").await;
    api.ask("get", suppression, &at("r-3@example.com"), "", "").await;
    api.ask("get", suppression, &at("r-8@example.com"), "", "not_found").await;
    api.ask("get", suppression, &at("r-8"), "", "invalid").await;
    api.ask("delete", suppression, &at("r-7@example.com"), "", "").await;
    api.ask("delete", suppression, &at("r-7@example.com"), "", "not_found").await;
    api.ask("delete", suppression, &at("r-3@example.com"), "", "not_liftable").await;
    api.ask("delete", suppression, &at("r-3"), "", "invalid").await;
    let many = "/v1/suppressions";
    api.ask("post", many, many, "{\"address\":\"r-7@example.com\"}\n\n[\n{\"address\":\"r-3@example.com\"}", "").await;
    api.ask("post", many, many, "\n".repeat(1_001), "too_large").await;
}

async fn the_pages_answer_as_they_are_described(api: &Served) {
    let (r, c) = ("r-1".parse().unwrap(), "c-1".parse().unwrap());
    let tokens = &api.world.deployment.preferences().tokens;
    let leave = format!("/u/{}", tokens.sign(Purpose::Unsubscribe, &r, &c));
    for method in ["get", "post"] {
        api.ask(method, "/u/{token}", &leave, "List-Unsubscribe=One-Click", "").await;
        api.ask(method, "/u/{token}", "/u/none", "", "").await;
    }
    let reduce = tokens.sign(Purpose::Reduce, &r, &c);
    let page = format!("/p/{reduce}");
    let send = |action: &str| format!("action={action}&form={}", tokens.form(&reduce, action));
    for (method, body) in [("get", ""), ("post", &send("leave_all")), ("post", &send("pause")), ("post", "action=mute")]
    {
        api.ask(method, "/p/{token}", &page, body, "").await;
        api.ask(method, "/p/{token}", "/p/none", body, "").await;
    }
    let to = "r-1@example.com".parse().unwrap();
    let confirm = format!("/c/{}", tokens.sign_for(Purpose::Confirm, &r, &c, &to));
    for method in ["get", "post"] {
        api.ask(method, "/c/{token}", &confirm, "", "").await;
        api.ask(method, "/c/{token}", "/c/none", "", "").await;
    }
    let expires_at = NOW.parse().unwrap();
    let access = tokens.sign_access(&Access { recipient: r, channel: Channel::Work, expires_at });
    for (method, body) in [("get", String::new()), ("post", send("look"))] {
        let body = body.replace(&tokens.form(&reduce, "look"), &tokens.form(&access, "look"));
        api.ask(method, "/p/{token}", &format!("/p/{access}"), body, "").await;
    }
}

#[tokio::test]
async fn what_is_not_described_is_not_there() {
    let api = Served::start().await;
    let code = async |request: reqwest::RequestBuilder| {
        let problem: Value = request.send().await.unwrap().json().await.unwrap();
        problem["code"].as_str().unwrap().to_owned()
    };
    assert_eq!(code(api.client.get(format!("{}/v1/nothing", api.url))).await, "not_found");
    assert_eq!(code(api.client.patch(format!("{}/v1/policy", api.url))).await, "method_not_allowed");
}
