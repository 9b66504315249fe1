//! Requests as API Gateway hands them to the functions, through the whole of them: routes, queries and cursors, bodies,
//! the recipient's pages.

use base64::{Engine, engine::general_purpose::STANDARD};
use germane::flow::token::Purpose;
use lambda_http::{Adapter, Context, request::LambdaRequest};
use lambda_runtime::{LambdaEvent, Service};
use serde_json::{Value, json};

use super::{Door, Knock, documents, given, json as read, recipient::people, stack::Stack};
use crate::{
    mutate::Format,
    run::Answer,
    shared::world::{campaign, policy},
};

pub static REQUEST: Door = Door {
    name: "request",
    format: Format::Json,
    words: &["?cursor=", "&", "%00", "%2F", "/v1/", "\\u0000", "{\"rawPath\":", "isBase64Encoded\":true", "=", "null"],
    one_in: 2,
    documents: || documents(&requests()),
    open: || Box::new(Requests(Stack::start())),
};

struct Requests(Stack);

impl Knock for Requests {
    fn knock(&mut self, input: &[u8]) -> Answer {
        let asked = match read(input) {
            Ok(asked) => asked,
            Err(refused) => return refused,
        };
        let event = if asked.get("version").is_some() { asked } else { event(&asked) };
        let path = event["rawPath"].as_str().unwrap_or_default().to_owned();
        let query = event["rawQueryString"].as_str().unwrap_or_default();
        let host = event["headers"]["host"].as_str().unwrap_or("mail.example.com");
        // No HTTP server lets others through, and the runtime's crate expects none.
        let is_uri = format!("https://{host}{path}?{query}").parse::<axum::http::Uri>().is_ok();
        let request = serde_json::from_value::<LambdaRequest>(event);
        let Some(request) = request.ok().filter(|_| is_uri && path.starts_with('/')) else {
            return Answer::Refused("no event of API Gateway".to_owned());
        };
        let stack = &mut self.0;
        let before = stack.everything();
        let router = if path.starts_with("/v1") { stack.api.clone() } else { stack.pages.clone() };
        let call = Adapter::from(router).call(LambdaEvent::new(request, Context::default()));
        let answer = json!(stack.runtime.block_on(call).expect("a function answers"));
        let status = answer["statusCode"].as_u64().unwrap_or_default();
        let text = answer["body"].as_str().unwrap_or_default();
        let told = if answer["isBase64Encoded"] == true {
            String::from_utf8_lossy(&STANDARD.decode(text).expect("base64")).into_owned()
        } else {
            text.to_owned()
        };
        assert!(status < 500, "{status}: {told}");
        if status < 400 {
            stack.changed();
            return Answer::Taken;
        }
        stack.assert_unchanged(&before);
        if path.starts_with("/v1/") {
            let problem: Value = serde_json::from_str(&told).expect("a problem is JSON");
            for field in ["code", "detail"] {
                let said = problem[field].as_str().unwrap_or_default();
                assert!(!said.is_empty() && !said.contains(char::is_control), "{field} of {problem}");
            }
        }
        Answer::Refused(format!("{status} {told}"))
    }

    fn more(&self) -> Vec<(String, u64)> {
        vec![("refused with nothing stored:".to_owned(), self.0.unchanged)]
    }
}

fn requests() -> Vec<Value> {
    let test = json!({ "to": "qa@example.com", "campaign": campaign("tried") });
    let lines: String = people().iter().flat_map(|person| [person.to_string(), "\n".to_owned()]).collect();
    let newsletter = json!({ "cron": "0 9 * * mon", "time_zone": "Europe/Berlin", "campaign": campaign("w-{{date}}") });
    let body = "<mjml><mj-body><mj-section><mj-column><mj-text>{{why}} {{postal_address}} <a href=\"{{unsubscribe_url}}\">x</a>\
                </mj-text></mj-column></mj-section></mj-body></mjml>";
    let template = json!({ "manifest": { "subject": "News" }, "mjml": { "default": body } });
    let nothing = || Value::Null;
    let mut all = vec![
        asked("POST", "/v1/campaigns", "", campaign("posted")),
        asked("POST", "/v1/campaigns", "preview=AQAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", campaign("p")),
        asked("GET", "/v1/campaigns", "cursor=001795424400000%23weekly", nothing()),
        asked("GET", "/v1/campaigns/weekly", "", nothing()),
        asked("POST", "/v1/campaigns/next/pause", "", nothing()),
        asked("POST", "/v1/campaigns/next/resume", "", nothing()),
        asked("POST", "/v1/campaigns/tried/test", "", test),
        asked("GET", "/v1/campaigns/weekly/decisions", "outcome=sent&reason=no_consent&cursor=1.r-2", nothing()),
        asked("GET", "/v1/campaigns/weekly/decisions/r-1042", "all=true", nothing()),
        asked("POST", "/v1/previews", "at=2026-12-01T09%3A00%3A00Z", campaign("previewed")),
        asked("GET", "/v1/previews/0011223344556677", "", nothing()),
        asked("POST", "/v1/recipients", "", lines.into()),
        asked("GET", "/v1/recipients/r-1042/export", "", nothing()),
        asked("PUT", "/v1/suppressions/zq7-private%40example.com", "", json!({ "note": "asked" })),
        asked("GET", "/v1/suppressions/zq7-private%40example.org", "", nothing()),
        asked("POST", "/v1/suppressions", "", json!("{\"address\":\"zq7-private@example.com\"}\n")),
        asked("GET", "/v1/attributes", "cursor=1.r-2&idle=true", nothing()),
        asked("DELETE", "/v1/interests", "topic=rust&cursor=0.", nothing()),
        asked("PUT", "/v1/policy", "", policy()),
        asked("GET", "/v1/policy", "about=true", nothing()),
        asked("PUT", "/v1/templates/pushed", "", template),
        asked("GET", "/v1/templates/newsletter", "", nothing()),
        asked("PUT", "/v1/newsletters/w", "", newsletter),
        asked("GET", "/v1/newsletters", "cursor=w", nothing()),
    ];
    all.extend(
        people()
            .into_iter()
            .map(|person| asked("PUT", &format!("/v1/recipients/{}", person["id"].as_str().unwrap()), "", person)),
    );
    all.extend(pages());
    // And some of them whole, with what the gateway says of them.
    let whole: Vec<Value> = all.iter().step_by(8).map(event).collect();
    all.extend(whole);
    all
}

/// The links of a mail that was sent, by the key that every world has.
fn pages() -> Vec<Value> {
    let keys = super::token::of_worlds();
    let (recipient, campaign) = ("r-1042".parse().unwrap(), "weekly".parse().unwrap());
    let reduce = keys.sign(Purpose::Reduce, &recipient, &campaign);
    let leave = keys.sign(Purpose::Unsubscribe, &recipient, &campaign);
    let form = |action: &str| format!("action={action}&form={}", keys.form(&reduce, action));
    let multipart = "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n";
    let access = germane::flow::token::Access {
        recipient: recipient.clone(),
        channel: germane::domain::channel::Channel::Work,
        expires_at: given::now() + jiff::SignedDuration::from_mins(30),
    };
    let access = keys.sign_access(&access);
    let of_form = |token: &str, body: String| {
        let mut form = asked("POST", &format!("/p/{token}"), "", body.into());
        form["type"] = json!("application/x-www-form-urlencoded");
        form
    };
    let value = "&name=first_name&value=zq7-private%40example.com";
    vec![
        asked("GET", &format!("/u/{leave}"), "", Value::Null),
        asked("POST", &format!("/u/{leave}"), "", json!("List-Unsubscribe=One-Click")),
        {
            let mut form = asked("POST", &format!("/u/{leave}"), "", json!(multipart));
            form["type"] = json!("multipart/form-data; boundary=x");
            form
        },
        asked("GET", &format!("/p/{access}"), "", Value::Null),
        of_form(&reduce, format!("{}&topic=rust&channel=work", form("leave"))),
        of_form(&reduce, format!("{}&days=30", form("pause"))),
        of_form(&access, format!("action=attribute&form={}{value}", keys.form(&access, "attribute"))),
        asked("GET", "/c/AQ", "", Value::Null),
        asked("POST", "/u/test", "", Value::Null),
    ]
}

#[expect(clippy::needless_pass_by_value, reason = "each body is written where it is asked with")]
/// What is asked, without all that a gateway puts around it.
fn asked(method: &str, path: &str, query: &str, body: Value) -> Value {
    json!({ "method": method, "path": path, "query": query, "type": "application/json", "language": "de", "body": body })
}

/// As a gateway hands it to a function. The body travels as a text; here it is written as what it says.
fn event(asked: &Value) -> Value {
    let text = |name: &str| asked.get(name).and_then(Value::as_str).unwrap_or_default();
    let body = match asked.get("body") {
        Some(Value::String(body)) => Value::from(body.as_str()),
        None | Some(Value::Null) => Value::Null,
        Some(body) => body.to_string().into(),
    };
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": text("path"), "rawQueryString": text("query"),
        "headers": { "content-type": text("type"), "accept-language": text("language"), "host": "mail.example.com" },
        "requestContext": {
            "accountId": "000000000000", "apiId": "api", "domainName": "mail.example.com", "domainPrefix": "mail",
            "http": { "method": text("method"), "path": text("path"), "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1",
                      "userAgent": "x" },
            "authorizer": { "jwt": { "claims": { "sub": "marketer" }, "scopes": [] } },
            "requestId": "r", "routeKey": "$default", "stage": "$default",
            "time": "23/Nov/2026:09:00:00 +0000", "timeEpoch": 1_795_424_400_000_i64,
        },
        "body": body, "isBase64Encoded": false,
    })
}
