//! Who asks, as the command line tells a deployment, and what it says when it is not let in.

use axum::{http::header::DATE, response::IntoResponse};
use serde_json::json;

use super::{
    api::{Api, ok},
    gateway::{
        KEY_ID, SECRET, SESSION, TOKEN, bearer, message, signed, signing, signing_with, with_token, without_credentials,
    },
    run::{Folder, command, ended, germane},
};

const CAMPAIGN: &str = r#"{ "id": "c-1", "topic": "rust", "channel": "work", "template": "newsletter" }"#;
const DEPLOYED: &str = "https://a1b2c3.execute-api.eu-central-1.amazonaws.com";

#[test]
fn a_signature_holds_for_paths_queries_and_bodies_of_every_kind() {
    let folder =
        Folder::new().with("people.jsonl", "{\"id\":\"r-1\",\"locale\":\"日本\"}\n").with("campaign.json", CAMPAIGN);
    let api = signed(|asked| match asked.target.split('?').next().unwrap() {
        "/v1/recipients" => json!({ "line": 1, "id": "r-1", "result": "created" }),
        "/v1/campaigns" => json!({ "id": "c-1", "status": "scheduled" }),
        "/v1/campaigns/c-1/decisions" if asked.target.contains("cursor=") => json!({ "items": [], "cursor": null }),
        "/v1/campaigns/c-1/decisions" => json!({ "items": [], "cursor": "a b+c/d=&~*'é" }),
        _ => json!({ "kind": "manual", "since": "2026-11-23T09:00:00Z" }),
    });
    let (people, campaign) = (folder.path("people.jsonl"), folder.path("campaign.json"));
    let asked: [&[&str]; 7] = [
        &["suppressions", "add", "o'neil+news/x%y@example.com", "--note", "by telephone"],
        &["suppressions", "remove", "a&b=c*d@example.com"],
        &["newsletters", "get", "weekly.v2_x-y"],
        &["decisions", "c-1", "--outcome", "sent"],
        &["import", &people],
        &["send", &campaign, "--preview", "AbC-_"],
        &["policy", "get"],
    ];
    for args in asked {
        let ended = signing(&api, args);
        assert_eq!(ended.code, 0, "{args:?}: {ended:?} of {:?}", api.asked().last());
    }
    let lines = api.lines();
    assert!(lines.contains(&"PUT /v1/suppressions/o%27neil%2Bnews%2Fx%25y%40example.com".to_owned()), "{lines:?}");
    assert!(lines.iter().any(|line| line.ends_with("cursor=a%20b%2Bc%2Fd%3D%26~%2A%27%C3%A9")), "{lines:?}");
}

#[test]
fn a_signature_of_another_key_is_refused_with_the_role_that_is_needed() {
    let api = signed(|_| json!({}));
    let refused = |args: &[&str]| {
        let ended = signing_with(&api, "another key", args, CAMPAIGN);
        assert_eq!((ended.code, ended.out.as_str()), (1, ""));
        ended.err
    };
    insta::assert_snapshot!(refused(&["policy", "put", "-"]), @r"
    error: these AWS credentials do not allow this: it takes the role admin
      signed for eu-central-1; credentials that have expired are refused in the same way
    next: `aws sts get-caller-identity` says whose they are; give them the policy that the stack's output AdminPolicy names
    ");
    assert!(refused(&["send", "-"]).contains("output MarketerPolicy"));
    assert!(refused(&["status", "c-1"]).contains("output ReaderPolicy"));
    assert!(refused(&["recipients", "get", "r-1"]).contains("output AdminPolicy"));
}

#[test]
fn a_signature_that_a_wrong_clock_made_is_told_as_that() {
    let api = Api::saying(|_, _| {
        let mut refused = message(403, "Forbidden");
        refused.headers_mut().insert(DATE, "Tue, 24 Nov 2020 10:00:00 GMT".parse().unwrap());
        refused
    });
    let ended = signing(&api, &["status", "c-1", "--json"]);
    assert_eq!((ended.code, &ended.problem()["code"]), (1, &json!("clock")), "{ended:?}");
}

#[test]
fn the_token_of_a_file_or_else_of_the_environment_is_sent() {
    let folder = Folder::new().with("token", format!("{TOKEN}\n"));
    let api = bearer(|_| json!({ "version": 1 }));
    assert_eq!(with_token(&api, TOKEN, &["policy", "get"]).code, 0);
    let file = folder.path("token");
    assert_eq!(with_token(&api, "another", &["policy", "get", "--token-file", &file]).code, 0);
    assert!(api.asked().iter().all(|asked| !asked.headers.contains_key("x-amz-date")));
}

#[test]
fn a_token_that_is_not_accepted_is_told_with_the_reason_that_the_gateway_gives() {
    let ended = with_token(&bearer(|_| json!({})), "old", &["policy", "get"]);
    assert_eq!((ended.code, ended.out.as_str()), (1, ""));
    insta::assert_snapshot!(ended.err, @r"
    error: the API does not accept the token
      the token has expired
    next: get a new one, of the issuer and for the audience that the deployment names (JwtIssuer, JwtAudience)
    ");
}

#[test]
fn a_token_without_the_scope_is_told_which_one_it_needs() {
    let api = Api::saying(|_, _| message(403, "Forbidden"));
    let ended = with_token(&api, TOKEN, &["recipients", "erase", "r-1", "--yes"]);
    assert_eq!((ended.code, ended.out.as_str()), (1, ""));
    insta::assert_snapshot!(ended.err, @r"
    error: the token does not allow this: it takes the role admin
    next: get a token with the scope germane/admin; if the API takes signatures of AWS instead, --auth iam
    ");
}

#[test]
fn a_gateway_that_says_the_token_back_is_not_repeated() {
    let api = Api::saying(|_, _| {
        let mut refused = message(401, TOKEN);
        let challenge = format!("Bearer error=\"invalid_token\", error_description=\"no such token: {TOKEN}\"");
        refused.headers_mut().insert("www-authenticate", challenge.parse().unwrap());
        refused
    });
    let ended = with_token(&api, TOKEN, &["policy", "get"]);
    assert_eq!(ended.code, 1);
    assert!(ended.err.starts_with("error: the API does not accept the token\nnext: "), "{}", ended.err);
}

#[test]
fn a_gateway_that_says_a_header_back_is_not_repeated_either() {
    let echoing = |said: &'static str| {
        Api::saying(move |_, _| message(400, &format!("Invalid key=value pair in Authorization header: '{said}'")))
    };
    let bearer = with_token(&echoing(TOKEN), TOKEN, &["policy", "get"]);
    let signed = signing(&echoing(SESSION), &["policy", "get"]);
    assert_eq!((bearer.err.as_str(), signed.err.as_str()), ("error: Bad Request\n", "error: Bad Request\n"));
    let harmless = with_token(&echoing("..."), TOKEN, &["policy", "get"]);
    assert!(harmless.err.contains("header: '...'"), "{}", harmless.err);
}

#[test]
fn what_is_no_token_is_refused_unseen() {
    let api = bearer(|_| json!({}));
    let ended = with_token(&api, "two words", &["policy", "get"]);
    assert_eq!((ended.code, api.asked().len()), (2, 0));
    insta::assert_snapshot!(ended.err, @r"
    error: that is no bearer token
      GERMANE_TOKEN: found a text of 9 characters, wanted one bearer token and nothing else
    ");
    let none = without_credentials(&["policy", "get", "--auth", "token"], &[("GERMANE_ENDPOINT", &api.url)]);
    assert_eq!((none.code, api.asked().len()), (1, 0));
    assert!(none.err.starts_with("error: there is no token\n"), "{}", none.err);
}

#[test]
fn what_answers_on_this_machine_is_not_told_who_asks() {
    let api = Api::new(|_, _| ok(&json!({ "version": 1 })));
    let mut command = command(&["policy", "get"]);
    command
        .env("GERMANE_ENDPOINT", &api.url)
        .env("GERMANE_TOKEN", TOKEN)
        .env("AWS_REGION", "eu-central-1")
        .env("AWS_ACCESS_KEY_ID", KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_SESSION_TOKEN", SESSION);
    assert_eq!(ended(command, "").code, 0);
    let asked = &api.asked()[0];
    let told = ["authorization", "x-amz-date", "x-amz-security-token"];
    assert!(told.iter().all(|name| !asked.headers.contains_key(*name)), "{asked:?}");
}

#[test]
fn whoever_is_not_told_who_asks_may_want_to_know() {
    let answering = |status| Api::saying(move |_, _| message(status, "Unauthorized"));
    let unknown = germane(&answering(401), &["policy", "get"]);
    insta::assert_snapshot!(unknown.err, @r"
    error: the API wants to know who asks
    next: set GERMANE_TOKEN or name a --token-file; if it takes signatures of AWS, --auth iam
    ");
    let refused = germane(&answering(403), &["policy", "get"]);
    assert_eq!((unknown.code, refused.code), (1, 1));
    insta::assert_snapshot!(refused.err, @r"
    error: the API does not let just anybody do this: it takes the role reader
    next: say who asks: GERMANE_TOKEN or --token-file for a token, --auth iam for a signature of AWS
    ");
    let signed = signing(&answering(401), &["policy", "get"]);
    assert!(signed.err.starts_with("error: the API takes no signature of AWS\n"), "{}", signed.err);
}

#[test]
fn nothing_that_proves_who_asks_leaves_in_the_clear() {
    let args = ["policy", "get", "--endpoint", "http://germane.example.com"];
    for auth in ["auto", "iam", "token"] {
        let ended = without_credentials(&[&args[..], &["--auth", auth]].concat(), &[("GERMANE_TOKEN", TOKEN)]);
        assert_eq!(ended.code, 2);
        assert_eq!(
            ended.err,
            "error: over http anybody on the way could read who asks, and use it\n  \
             --endpoint: found \"http://germane.example.com\", wanted an https URL, or one on this machine\n\
             next: name it with https, or lead a tunnel to this machine; --auth none asks without saying who\n"
        );
    }
}

#[test]
fn a_deployment_without_credentials_for_it_is_told_how_to_get_some() {
    let ended = without_credentials(&["policy", "get", "--endpoint", DEPLOYED], &[]);
    assert_eq!((ended.code, ended.out.as_str()), (1, ""));
    insta::assert_snapshot!(ended.err, @r#"
    error: there are no AWS credentials to sign with
    next: set AWS_PROFILE, or bring those of a profile into the environment: eval "$(aws configure export-credentials --format env)"; if the API takes tokens, set GERMANE_TOKEN
    "#);
}

#[test]
fn a_domain_of_ones_own_needs_the_region_to_be_said() {
    let ended = without_credentials(&["policy", "get", "--endpoint", "https://germane.example.com"], &[]);
    assert_eq!(ended.code, 2);
    insta::assert_snapshot!(ended.err, @r"
    error: the region of https://germane.example.com is not known
    next: say it by AWS_REGION or in the AWS profile: a signature names it
    ");
}

/// What gives credentials to a container, as the SDK asks it.
fn from_container(credentials: &Api) -> crate::cli::run::Ended {
    let provider = format!("{}/credentials", credentials.url);
    without_credentials(
        &["policy", "get", "--endpoint", DEPLOYED],
        &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &provider)],
    )
}

#[test]
fn credentials_that_have_expired_are_not_used() {
    let expired = Api::saying(|_, _| {
        axum::Json(json!({
            "AccessKeyId": KEY_ID, "SecretAccessKey": SECRET, "Token": SESSION, "Expiration": "2020-11-24T10:00:00Z",
        }))
        .into_response()
    });
    let ended = from_container(&expired);
    assert_eq!(ended.code, 1);
    insta::assert_snapshot!(ended.err, @r"
    error: the AWS credentials have expired
    next: sign in again (such as `aws sso login`), then run it again
    ");
}

#[test]
fn credentials_that_cannot_be_had_are_told_with_the_cause() {
    let ended = from_container(&Api::saying(|_, _| message(400, "no")));
    assert_eq!(ended.code, 1);
    assert!(ended.err.starts_with("error: the AWS credentials cannot be had\n  "), "{}", ended.err);
}
