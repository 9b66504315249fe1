//! `germane doctor`.

use germane::local::{Stack, StackConfig, Work, ses::SesConfig};
use serde_json::{Value, json};

use super::{
    api::{Api, ok, problem},
    run::{Ended, alone, command, germane},
};

fn check(check: &str, state: &str, found: &str, next: Option<&str>) -> Value {
    json!({ "check": check, "state": state, "found": found, "next": next })
}

fn readiness(checks: &[Value], ready: bool) -> Value {
    json!({ "ready": ready, "checks": checks, "figures": { "shards": 64, "plan": "essentials" } })
}

fn with_all_signs() -> Api {
    Api::new(|_, _| {
        let checks = [
            check("tables", "ready", "all five answer; recipients lie in 64 shards", None),
            check(
                "mail_from",
                "advice",
                "example.com has none: bounces go to amazonses.com, so that SPF does not speak for your domain",
                Some("set a custom MAIL FROM domain for it in the SES console"),
            ),
            check(
                "production",
                "missing",
                "the account is in SES's sandbox: only verified addresses and the simulator get mail",
                Some("ask for production access in the SES console (Account dashboard)"),
            ),
            check(
                "configuration_set",
                "unknown",
                "SES is not available: it answered AccessDeniedException",
                Some("ask again; if it stays so, see what the API logged"),
            ),
            check("events", "unknown", "cannot be looked at without the configuration set", None),
        ];
        ok(&readiness(&checks, false))
    })
}

#[test]
fn each_check_has_a_sign_and_below_it_what_is_next() {
    let api = with_all_signs();
    let ended = germane(&api, &["doctor"]);
    assert_eq!((ended.code, api.lines()), (1, vec!["GET /v1/doctor".to_owned()]));
    let all = format!("{}{}", ended.out, ended.err);
    assert!(all.is_ascii() && all.lines().all(|line| line.len() <= 80), "{all}");
    insta::assert_snapshot!(all);
}

#[test]
fn with_json_the_answer_is_the_document_and_what_is_amiss_a_problem() {
    let ended = germane(&with_all_signs(), &["doctor", "--json"]);
    assert_eq!((ended.code, ended.json()["checks"][2]["state"].as_str()), (1, Some("missing")));
    assert_eq!(ended.problem()["code"], "not_ready");
}

#[test]
fn what_could_be_better_keeps_nobody_from_sending() {
    let checks = [
        check("tables", "ready", "all five answer", None),
        check("test_addresses", "advice", "none", Some("name some")),
    ];
    let api = Api::new(move |_, _| ok(&readiness(&checks, true)));
    let ended = germane(&api, &["doctor"]);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
    assert!(ended.out.ends_with("\n\nready: a campaign can run, and 1 thing could be better\n"), "{}", ended.out);
    assert_eq!(germane(&api, &["doctor", "--json"]).json()["ready"], true);
}

#[test]
fn the_api_that_says_not_ready_is_believed() {
    let api = Api::new(|_, _| ok(&readiness(&[], false)));
    assert_eq!(germane(&api, &["doctor"]).code, 1);
}

#[test]
fn the_order_is_tried_out_only_when_that_is_asked() {
    let found = "of 4 mails SES refused number 2, as it must, and said so at its place";
    let api = Api::new(move |_, _| ok(&check("order", "ready", found, None)));
    let ended = germane(&api, &["doctor", "--verify-order"]);
    assert_eq!((ended.code, api.lines()), (0, vec!["POST /v1/doctor/order".to_owned()]));
    insta::assert_snapshot!(ended.out, @r"
    ok  order               of 4 mails SES refused number 2, as it must, and said so
                            at its place
    ");
    let api = Api::new(|_, _| ok(&check("order", "missing", "another place", Some("send no campaign"))));
    let ended = germane(&api, &["doctor", "--verify-order"]);
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("to be put right: order"), "{}", ended.err);
}

#[test]
fn an_answer_of_another_version_is_strange_and_a_refusal_is_told() {
    let api = Api::new(|_, _| ok(&readiness(&[check("weather", "ready", "fine", None)], true)));
    let ended = germane(&api, &["doctor"]);
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("does not answer as Germane's API does"), "{}", ended.err);
    let api = Api::new(|_, _| problem(403, "forbidden", "Forbidden", &json!([])));
    assert_eq!(germane(&api, &["doctor"]).code, 2);
}

#[test]
fn where_nothing_answers_it_says_how_to_start_something() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ended = alone(&["doctor", "--endpoint", &format!("http://{free}")]);
    assert_eq!((ended.code, ended.out.as_str()), (1, ""));
    assert!(ended.err.contains("start it with `germane local`"), "{}", ended.err);
}

/// Asks a stack of its own.
async fn asked(ses: SesConfig, args: &'static [&'static str]) -> Ended {
    let stack =
        Stack::start(StackConfig { port: 0, ses, work: Work::Elsewhere, ..StackConfig::default() }).await.unwrap();
    let mut command = command(args);
    command.env("GERMANE_ENDPOINT", stack.url());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    stack.stop().await;
    Ended {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

#[tokio::test]
async fn a_fresh_local_stack_is_ready_but_for_its_placeholders() {
    let ended = asked(SesConfig::default(), &["doctor"]).await;
    assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{}", ended.out);
    assert!(ended.out.is_ascii() && ended.out.lines().all(|line| line.len() <= 80), "{}", ended.out);
    insta::assert_snapshot!(ended.out);
}

#[tokio::test]
async fn one_with_a_new_account_is_not() {
    let sandbox = SesConfig { sandbox: true, max_send_rate: 1.0, daily_quota: 200.0, ..SesConfig::default() };
    let ended = asked(sandbox, &["doctor"]).await;
    assert_eq!((ended.code, ended.err.as_str()), (1, "error: not ready\n  to be put right: production\n"));
}

#[tokio::test]
async fn its_stand_in_answers_in_order() {
    let ended = asked(SesConfig::default(), &["doctor", "--verify-order", "--json"]).await;
    assert_eq!((ended.code, ended.json()["state"].as_str()), (0, Some("ready")), "{ended:?}");
}
