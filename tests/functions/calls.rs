//! What each function calls on AWS, through all that it does. `infra/calls.json` is what was seen, and `infra/check`
//! compares it with what the functions' roles allow.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use germane::{
    aws::{
        clients::Endpoints,
        deployment::Deployment,
        system::SystemClock,
        tables::{self, TableNames},
    },
    domain::{channel::Channel, secret::Secret},
    flow::{clock::Clock, queue::Unhurried},
    lambda::queue::Handle,
    local::{
        clock::LocalClock,
        services::{self, FEEDBACK, LAUNCH, PREVIEW, SHARD, Services},
        shipped,
    },
};
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use super::{
    binaries::{self, API, ENDPOINTS, FEEDBACK_TAKER, LAUNCHER, PREFERENCES, SENDER},
    event,
    recorder::{Calls, Recorder},
    runtime::Function,
};
use crate::{
    journeys::{feedback, pages::form_token},
    world::{campaign, person, policy, with},
};

/// So far ahead a message is delayed instead of scheduled.
const NEAR: Duration = Duration::from_secs(10);
const NAMES: [&str; 5] = ["api", "launch", "send", "feedback", "preferences"];

/// The five functions at work, each behind a recorder of its own.
struct Tour {
    services: Services,
    functions: BTreeMap<&'static str, Recorded>,
}

struct Recorded {
    function: Function,
    recorder: Recorder,
    /// Where it finds the services.
    before: BTreeMap<&'static str, String>,
}

impl Tour {
    async fn begin() -> Self {
        let (services, environment) = binaries::services().await;
        let mut functions = BTreeMap::new();
        for (name, binary) in NAMES.into_iter().zip([API, LAUNCHER, SENDER, FEEDBACK_TAKER, PREFERENCES]) {
            let (mut recorder, mut environment) = (Recorder::new(), environment.clone());
            for key in ENDPOINTS {
                let before = recorder.before(&environment[key]).await;
                environment.insert(key, before);
            }
            environment.insert("GERMANE_CONFIGURATION_SET", "germane".to_owned());
            environment.insert("GERMANE_SHARDS", "1".to_owned());
            forget_what_is_fixed(&services).await;
            let mut function = Function::start(binary, &environment).await;
            // Its start is over once it answers, whatever it is asked.
            let anything =
                if matches!(name, "api" | "preferences") { event("api-report") } else { json!({ "Records": [] }) };
            function.invoke(&anything).await;
            functions.insert(name, Recorded { function, recorder, before: environment });
        }
        Self { services, functions }
    }

    async fn invoke(&mut self, function: &str, event: &Value) -> Value {
        self.functions.get_mut(function).unwrap().function.invoke(event).await
    }

    async fn request(&mut self, function: &str, method: &str, path: &str, body: &str, kind: &str) -> (u64, String) {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let http = json!({ "method": method, "path": path });
        let request = json!({
            "rawPath": path, "rawQueryString": query, "headers": { "content-type": kind },
            "requestContext": { "http": http }, "body": body, "isBase64Encoded": false,
        });
        let mut answer = self.invoke(function, &with(event("api-report"), request)).await;
        let text = answer["body"].take();
        (answer["statusCode"].as_u64().unwrap(), text.as_str().unwrap_or_default().to_owned())
    }

    /// One that must succeed.
    async fn api(&mut self, method: &str, path: &str, body: Value) -> String {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, text) = self.request("api", method, path, &body, "application/json").await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {text}");
        text
    }

    async fn page(&mut self, method: &str, path: &str, form: &str) -> String {
        let (status, text) = self.request("preferences", method, path, form, "application/x-www-form-urlencoded").await;
        assert_eq!(status, 200, "{method} {path}: {text}");
        text
    }

    /// A button of a page.
    async fn press(&mut self, page: &str, action: &str, fields: &str) -> String {
        let shown = self.page("GET", page, "").await;
        self.press_of(&shown, page, action, fields).await
    }

    async fn press_of(&mut self, shown: &str, page: &str, action: &str, fields: &str) -> String {
        let form = form_token(shown, action);
        self.page("POST", page, &format!("action={action}&form={form}{fields}")).await
    }

    /// Works on the queues until they are empty.
    async fn drive(&mut self) {
        let takers = [(LAUNCH, "launch"), (PREVIEW, "launch"), (SHARD, "send"), (FEEDBACK, "feedback")];
        loop {
            let mut idle = true;
            for (queue, function) in takers {
                while let Some(batch) = binaries::batch(&self.services, queue) {
                    idle = false;
                    let answer = self.invoke(function, &batch).await;
                    assert_eq!(answer, json!({ "batchItemFailures": [] }), "{queue}");
                }
            }
            if idle {
                return;
            }
        }
    }

    /// Leaves what launches bring.
    async fn drive_launches(&mut self) {
        while let Some(batch) = binaries::batch(&self.services, LAUNCH) {
            self.invoke("launch", &batch).await;
        }
    }

    /// As SES tells it.
    fn tell(&self, event: &Value) {
        self.services.queues.send(FEEDBACK, event.to_string(), Duration::ZERO).unwrap();
    }

    /// Where a link in the newest mail leads.
    fn link(&self, to: &str) -> String {
        let mails = self.services.ses.mails();
        let text = mails.last().unwrap().text().unwrap();
        let word =
            text.split_whitespace().find(|word| word.contains(to)).unwrap_or_else(|| panic!("no {to} in {text}"));
        word.trim_matches(['(', ')']).strip_prefix("https://mail.example.com").unwrap().to_owned()
    }

    /// A function's steps in this process, behind its recorder.
    async fn in_process(&self, function: &str, clock: &Arc<dyn Clock>) -> Deployment {
        let at = |key: &str| Some(self.functions[function].before[key].clone());
        let [dynamodb, sqs, ses, scheduler] = ENDPOINTS.map(at);
        let clients = services::clients(&Endpoints { dynamodb, sqs, ses, scheduler });
        let names = TableNames::new("germane");
        let dynamo = tables::open(&clients, names, Secret::new([7; 32]), None).await.unwrap();
        binaries::deployment(&clients, &self.services, dynamo, clock)
    }

    fn end(self) -> BTreeMap<&'static str, Calls> {
        self.functions.into_iter().map(|(name, one)| (name, one.recorder.calls())).collect()
    }
}

/// The sample event with this message in it.
fn message(sample: &str, body: &Value) -> Value {
    let mut event = event(sample);
    event["Records"][0]["body"] = json!(with(body.clone(), json!({ "format": 1 })).to_string());
    event
}

/// As tables are before a deployment's first start.
async fn forget_what_is_fixed(services: &Services) {
    use aws_sdk_dynamodb::types::AttributeValue::S;
    for what in ["shards", "address-key"] {
        let delete = services.clients.dynamodb.delete_item().table_name(TableNames::new("germane").campaigns);
        delete.key("k", S("tables".to_owned())).key("t", S(what.to_owned())).send().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_function_calls_what_is_written_down_and_nothing_else() {
    let mut tour = Tour::begin().await;
    rules(&mut tour).await;
    people(&mut tour).await;
    let window = Window::ahead(12);
    campaigns(&mut tour, &window).await;
    newsletters(&mut tour).await;
    what_ses_tells(&mut tour).await;
    recipients_own_acts(&mut tour).await;
    tomorrow(&mut tour, &window).await;
    let seen = serde_json::to_value(tour.end()).unwrap();
    let written: Value = serde_json::from_str(include_str!("../../infra/calls.json")).unwrap();
    assert_eq!(seen, written, "what was seen, for infra/calls.json:\n{seen:#}");
}

async fn rules(tour: &mut Tour) {
    tour.api("PUT", "/v1/policy", policy()).await;
    tour.api("GET", "/v1/policy", Value::Null).await;
    for (name, source) in shipped::templates() {
        tour.api("PUT", &format!("/v1/templates/{name}"), source).await;
        tour.api("GET", &format!("/v1/templates/{name}"), Value::Null).await;
    }
    tour.api("GET", "/v1/doctor", Value::Null).await;
    tour.api("POST", "/v1/doctor/order", Value::Null).await;
}

async fn people(tour: &mut Tour) {
    let lines: Vec<String> = (0..20).map(|n| person(&format!("r-{n}")).to_string()).collect();
    let (status, text) = tour.request("api", "POST", "/v1/recipients", &lines.join("\n"), "application/x-ndjson").await;
    assert_eq!(status, 200, "{text}");
    let moved = with(person("r-0"), json!({ "addresses": { "work": "r-0.new@example.com" } }));
    tour.api("PUT", "/v1/recipients/r-0", moved).await;
    tour.api("GET", "/v1/recipients/r-0", Value::Null).await;
    tour.api("GET", "/v1/recipients/r-0/export", Value::Null).await;
    tour.api("DELETE", "/v1/recipients/r-0", Value::Null).await;
    // Asks for a second yes by a notice.
    let pending = json!({ "consents": [{ "topic": "rust", "channel": "work", "status": "pending", "at": "2026-03-12T09:00:00Z" }] });
    tour.api("PUT", "/v1/recipients/r-pending", with(person("r-pending"), pending)).await;

    let listed = "{\"address\":\"x@example.com\"}\n{\"address\":\"r-1@example.com\"}\n";
    let (status, text) = tour.request("api", "POST", "/v1/suppressions", listed, "application/x-ndjson").await;
    assert_eq!(status, 200, "{text}");
    tour.api("PUT", "/v1/suppressions/r-2@example.com", json!({ "note": "by telephone" })).await;
    tour.api("GET", "/v1/suppressions/r-2@example.com", Value::Null).await;
    tour.api("DELETE", "/v1/suppressions/r-2@example.com", Value::Null).await;
    tour.api("GET", "/v1/attributes", Value::Null).await;
    tour.api("DELETE", "/v1/attributes/first_name", Value::Null).await;
    tour.api("DELETE", "/v1/interests?topic=knitting", Value::Null).await;
}

async fn campaigns(tour: &mut Tour, window: &Window) {
    tour.drive().await;
    tour.api("POST", "/v1/previews", campaign("all")).await;
    let named = json!({ "audience": { "recipients": ["r-3", "r-nobody"] } });
    tour.api("POST", "/v1/previews", with(campaign("named"), named.clone())).await;
    tour.api("POST", "/v1/campaigns", campaign("weekly")).await;
    tour.api("POST", "/v1/campaigns", with(campaign("named"), named)).await;
    let now = SystemClock::default().now();
    let (start, end) = (now + Duration::from_hours(24), now + Duration::from_hours(48));
    let later = json!({ "not_before": start, "expires_at": end });
    tour.api("POST", "/v1/campaigns", with(campaign("later"), later)).await;
    for command in ["pause", "resume", "cancel"] {
        tour.api("POST", &format!("/v1/campaigns/later/{command}"), Value::Null).await;
    }
    // Some hours from now, where these people are.
    tour.api("POST", "/v1/campaigns", with(campaign("windowed"), window.body.clone())).await;
    tour.drive().await;
    assert!(tour.services.ses.count() > 10, "too few mails to tell of");
    tour.api("POST", "/v1/campaigns/weekly/test", json!({ "recipient": "r-3" })).await;
    // A launch that comes twice finds the schedules of the first.
    tour.invoke("launch", &message("launch", &json!({ "kind": "launch", "campaign": "windowed" }))).await;
    for path in ["", "/weekly", "/weekly/decisions", "/weekly/decisions/r-3", "/weekly/decisions/r-3?all=true"] {
        tour.api("GET", &format!("/v1/campaigns{path}"), Value::Null).await;
    }
}

async fn newsletters(tour: &mut Tour) {
    let newsletter = json!({
        "cron": "0 9 * * mon", "time_zone": "Europe/Berlin", "campaign": campaign("rust-{{date}}"),
    });
    tour.api("PUT", "/v1/newsletters/rust", newsletter.clone()).await;
    tour.api("PUT", "/v1/newsletters/rust", with(newsletter, json!({ "cron": "0 10 * * mon" }))).await;
    let run = json!({ "kind": "newsletter", "newsletter": "rust", "scheduled": "2026-11-23T09:00:00Z" });
    tour.invoke("launch", &message("launch", &run)).await;
    tour.api("GET", "/v1/newsletters", Value::Null).await;
    tour.api("GET", "/v1/newsletters/rust", Value::Null).await;
    tour.api("DELETE", "/v1/newsletters/rust", Value::Null).await;
    tour.drive().await;
}

async fn what_ses_tells(tour: &mut Tour) {
    let told = [("bounce-permanent-general", "r-4"), ("complaint-abuse", "r-5"), ("rendering-failure", "r-6")];
    for (sample, id) in told {
        tour.tell(&feedback::event(sample, "weekly", id));
    }
    // Whom its campaign has put off, and a mail that is no campaign's.
    tour.tell(&feedback::event("rendering-failure", "windowed", "r-8"));
    let mut of_another = feedback::event("bounce-permanent-general", "weekly", "r-9");
    of_another["mail"]["tags"] = json!({});
    tour.tell(&of_another);
    tour.drive().await;
}

async fn recipients_own_acts(tour: &mut Tour) {
    tour.api("POST", "/v1/campaigns", with(campaign("again"), json!({ "audience": { "recipients": ["r-7"] } }))).await;
    tour.drive().await;
    let (page, unsubscribe) = (tour.link("/p/"), tour.link("/u/"));
    tour.page("GET", &unsubscribe, "").await;
    tour.press(&page, "pause", "&days=7").await;
    tour.press(&page, "link", "").await;
    let access = tour.link("/p/");
    tour.press(&access, "attribute", "&name=first_name&value=Sample").await;
    tour.press(&access, "leave_all", "").await;
    tour.press(&access, "return", "").await;
    tour.press(&access, "download", "").await;
    tour.page("POST", &unsubscribe, "List-Unsubscribe=One-Click").await;
    let asked = tour.press(&access, "erase", "").await;
    tour.press_of(&asked, &access, "erase_all", "").await;
}

/// What comes when time has gone on, by the same steps on a clock that is driven.
async fn tomorrow(tour: &mut Tour, window: &Window) {
    // A schedule that is there is moved.
    for command in ["pause", "resume"] {
        tour.api("POST", &format!("/v1/campaigns/windowed/{command}"), Value::Null).await;
    }
    tour.drive().await;
    let clock = Arc::new(LocalClock::driven(SystemClock::default().now()));
    let port: Arc<dyn Clock> = clock.clone();

    // Its end is so near when it is launched that no schedule is made for it.
    let ends = SystemClock::default().now() + Duration::from_hours(1);
    tour.api("POST", "/v1/campaigns", with(campaign("ends"), json!({ "expires_at": ends }))).await;
    clock.reach(ends - NEAR);
    let launcher = tour.in_process("launch", &port).await.launcher();
    launcher.attend(&"ends".parse().unwrap()).await.unwrap();

    tour.api("POST", "/v1/campaigns", with(campaign("soon"), window.body.clone())).await;
    tour.drive_launches().await;
    let sender = tour.in_process("send", &port).await.sender();
    // Its window opens so soon that no schedule is made for it.
    clock.reach(window.opens - NEAR);
    let first = message("send", &json!({ "kind": "shard", "campaign": "soon", "shard": 0, "pass": 1 }));
    sender.handle(body(&first), &Unhurried).await.unwrap();
    // Nobody has asked for the account's limits for a while.
    clock.advance(Duration::from_hours(1)).unwrap();
    let preferences = tour.in_process("preferences", &port).await.preferences();
    preferences.mail_link(&"r-10".parse().unwrap(), Channel::Work, "en").await.unwrap();
    // The window of `windowed` is open.
    let second = message("send", &json!({ "kind": "shard", "campaign": "windowed", "shard": 0, "pass": 2 }));
    sender.handle(body(&second), &Unhurried).await.unwrap();
}

/// Two hours in which these people may be mailed.
struct Window {
    opens: Timestamp,
    body: Value,
}

impl Window {
    /// At the full hour.
    fn ahead(hours: i64) -> Self {
        let opens = SystemClock::default().now().in_tz("Europe/Berlin").unwrap().saturating_add(hours.hours());
        let opens = opens.with().minute(0).second(0).subsec_nanosecond(0).build().unwrap();
        let closes = opens.saturating_add(2.hours());
        let [from, to] = [&opens, &closes].map(|time| time.strftime("%H:%M").to_string());
        Self { opens: opens.timestamp(), body: json!({ "send_window": { "opens": from, "closes": to } }) }
    }
}

fn body(event: &Value) -> &str {
    event["Records"][0]["body"].as_str().unwrap()
}
