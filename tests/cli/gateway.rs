//! What stands before a deployment's API: it lets in whoever signs or has the token, and nobody else. Signatures
//! are worked out here, step by step as AWS documents them, with no library that signs
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>).

use std::fmt::Write as _;

use axum::{
    http::{
        StatusCode,
        header::{AUTHORIZATION, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    api::{Api, Asked},
    run::{Ended, Folder, command, ended},
};

pub const KEY_ID: &str = "AKIDEXAMPLE";
pub const SECRET: &str = "not-a-real-key/+0";
pub const SESSION: &str = "not/a+real=session";
pub const REGION: &str = "eu-central-1";
pub const TOKEN: &str = "not.a-real_token~+/==";

/// As API Gateway answers by itself.
pub fn message(status: u16, message: &str) -> Response {
    (StatusCode::from_u16(status).unwrap(), axum::Json(json!({ "message": message }))).into_response()
}

/// Takes signatures. Behind it every request is answered by `answer`.
pub fn signed(answer: impl Fn(&Asked) -> Value + Send + Sync + 'static) -> Api {
    Api::saying(move |asked, _| match signature(asked) {
        Some(signature) if header(asked, "authorization") == signature => axum::Json(answer(asked)).into_response(),
        _ => message(403, "Forbidden"),
    })
}

/// Takes the token.
pub fn bearer(answer: impl Fn(&Asked) -> Value + Send + Sync + 'static) -> Api {
    Api::saying(move |asked, _| {
        if header(asked, AUTHORIZATION.as_str()) == format!("Bearer {TOKEN}") {
            return axum::Json(answer(asked)).into_response();
        }
        let mut refused = message(401, "Unauthorized");
        let challenge = r#"Bearer scope="" error="invalid_token" error_description="the token has expired""#;
        refused.headers_mut().insert(WWW_AUTHENTICATE, challenge.parse().unwrap());
        refused
    })
}

/// Runs the command line with what it needs to sign.
pub fn signing(api: &Api, args: &[&str]) -> Ended {
    signing_with(api, SECRET, args, "")
}

pub fn signing_with(api: &Api, secret: &str, args: &[&str], stdin: &str) -> Ended {
    let mut command = command(args);
    command
        .env("GERMANE_ENDPOINT", &api.url)
        .env("GERMANE_AUTH", "iam")
        .env("AWS_REGION", REGION)
        .env("AWS_ACCESS_KEY_ID", KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", secret)
        .env("AWS_SESSION_TOKEN", SESSION);
    quiet(ended(command, stdin))
}

/// Runs it with the token in the environment.
pub fn with_token(api: &Api, token: &str, args: &[&str]) -> Ended {
    let mut command = command(args);
    command.env("GERMANE_ENDPOINT", &api.url).env("GERMANE_AUTH", "token").env("GERMANE_TOKEN", token);
    quiet(ended(command, ""))
}

/// Runs it as on a machine where no AWS credentials are.
pub fn without_credentials(args: &[&str], environment: &[(&str, &str)]) -> Ended {
    let folder = Folder::new();
    let mut command = command(args);
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION"] {
        command.env_remove(name);
    }
    command
        .env_remove("AWS_DEFAULT_REGION")
        .env("AWS_CONFIG_FILE", folder.path("config"))
        .env("AWS_SHARED_CREDENTIALS_FILE", folder.path("credentials"))
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(environment.iter().copied());
    quiet(ended(command, ""))
}

/// However it ended, it told no secret.
fn quiet(ended: Ended) -> Ended {
    for secret in [SECRET, SESSION, TOKEN] {
        assert!(!ended.out.contains(secret) && !ended.err.contains(secret), "{ended:?}");
    }
    ended
}

fn header<'a>(asked: &'a Asked, name: &str) -> &'a str {
    asked.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
}

/// The `Authorization` that this request must bear, if it says when it was signed and by which session.
fn signature(asked: &Asked) -> Option<String> {
    let time = header(asked, "x-amz-date");
    if time.is_empty() || header(asked, "x-amz-security-token") != SESSION {
        return None;
    }
    let mut names = vec!["host", "x-amz-date", "x-amz-security-token"];
    if asked.headers.contains_key("content-type") {
        names.insert(0, "content-type");
    }
    let names_list = names.join(";");
    let (path, query) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
    let mut canonical = format!("{}\n{}\n{}\n", asked.method, encoded(path, "/"), sorted(query));
    for name in &names {
        writeln!(canonical, "{name}:{}", header(asked, name).trim()).unwrap();
    }
    write!(canonical, "\n{names_list}\n{}", hex(&Sha256::digest(&asked.body))).unwrap();

    let day = &time[..8];
    let scope = format!("{day}/{REGION}/execute-api/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
    let mut key = format!("AWS4{SECRET}").into_bytes();
    for part in [day, REGION, "execute-api", "aws4_request", &text] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(part.as_bytes());
        key = mac.finalize().into_bytes().to_vec();
    }
    Some(format!("AWS4-HMAC-SHA256 Credential={KEY_ID}/{scope}, SignedHeaders={names_list}, Signature={}", hex(&key)))
}

/// As it came, every byte but the unreserved ones and `kept` encoded, also the per cent signs of what is encoded already:
/// only S3 leaves these out.
fn encoded(text: &str, kept: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || "-._~".contains(c) || kept.contains(c) {
            encoded.push(c);
        } else {
            write!(encoded, "%{byte:02X}").unwrap();
        }
    }
    encoded
}

/// The query in the order of its names; what it holds must be encoded as it is to be signed.
fn sorted(query: &str) -> String {
    let mut pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    assert!(pairs.iter().all(|pair| encoded(pair, "=%") == **pair), "{query}");
    pairs.sort_unstable();
    pairs.join("&")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}
