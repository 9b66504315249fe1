//! Why there is no answer, or none of the API: told apart, so that one knows whom to ask.

use std::{
    io::{Read, Write},
    net::TcpListener,
};

use axum::response::{IntoResponse, Redirect};
use serde_json::json;

use super::{
    api::{Api, ok},
    gateway::{TOKEN, message, with_token},
    run::{alone, command, ended, germane},
};

/// The code of the problem that `endpoint` makes.
fn code(endpoint: &str) -> String {
    let ended = alone(&["status", "c-1", "--auth", "none", "--json", "--endpoint", endpoint]);
    assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{ended:?}");
    ended.problem()["code"].as_str().unwrap().to_owned()
}

#[test]
fn a_name_that_leads_nowhere_is_told_as_that() {
    // Longer than a label may be (RFC 1035, section 2.3.4), so nobody is asked about it.
    let name = format!("{}.example.com", "a".repeat(64));
    assert_eq!(
        (code(&format!("http://{name}")), code(&format!("https://{name}"))),
        ("dns".to_owned(), "dns".to_owned())
    );
}

#[test]
fn a_port_where_nothing_answers_is_told_as_that() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(code(&format!("https://{free}")), "no_answer");
}

#[test]
fn a_connection_that_is_not_protected_is_told_as_that() {
    let plain = Api::new(|_, _| ok(&json!({})));
    assert_eq!(code(&plain.url.replace("http:", "https:")), "tls");
}

#[test]
fn a_connection_that_breaks_is_told_as_that() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let breaking = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 1024]).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{").unwrap();
    });
    assert_eq!(code(&url), "connection");
    breaking.join().unwrap();
}

#[test]
fn with_a_token_no_credentials_are_looked_for() {
    // The proxy is not there, so nothing leaves this machine.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = command(&["policy", "get", "--json", "--endpoint", "https://germane.example.com"]);
    command.env("GERMANE_TOKEN", TOKEN).env("HTTPS_PROXY", format!("http://{free}")).env("NO_PROXY", "");
    let ended = ended(command, "");
    assert_eq!((ended.code, &ended.problem()["code"]), (1, &json!("no_answer")), "{ended:?}");
}

#[test]
fn a_gateway_that_knows_no_such_route_is_the_wrong_endpoint() {
    let ended = germane(&Api::saying(|_, _| message(404, "Not Found")), &["status", "c-1"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("is not where Germane's API is\nnext: name with --endpoint what"), "{}", ended.err);
}

#[test]
fn a_gateway_that_fails_is_no_fault_of_the_input() {
    let failing = |status: u16, said: &'static str| Api::saying(move |_, _| message(status, said));
    for (status, said) in [(500, "Internal Server Error"), (503, "Service Unavailable")] {
        let ended = germane(&failing(status, said), &["status", "c-1"]);
        assert_eq!(
            (ended.code, ended.err),
            (1, format!("error: {said}\nnext: try again: every verb may be repeated\n"))
        );
    }
}

#[test]
fn who_asks_is_told_to_nobody_else() {
    let other = Api::new(|_, _| ok(&json!({})));
    let there = other.url.clone();
    let api = Api::saying(move |_, _| Redirect::temporary(&there).into_response());
    let ended = with_token(&api, TOKEN, &["policy", "get", "--json"]);
    assert_eq!((ended.code, &ended.problem()["code"]), (2, &json!("wrong_endpoint")), "{ended:?}");
    assert!(other.asked().is_empty());
}

#[test]
fn a_password_in_the_endpoint_is_refused_and_not_repeated() {
    let ended = alone(&["status", "c-1", "--endpoint", "https://somebody:secret@germane.example.com"]);
    assert_eq!(ended.code, 2);
    assert!(!ended.err.contains("secret") && ended.err.contains("germane.example.com"), "{}", ended.err);
}
