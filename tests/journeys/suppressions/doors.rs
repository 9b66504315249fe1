//! What comes in at the doors, what is answered, and what is logged.

use reqwest::Method;
use serde_json::{Value, json};

use super::complaint;
use crate::{
    journeys::http::Site,
    world::{World, person},
};

#[tokio::test]
async fn many_are_suppressed_in_one_request_each_line_answered_and_none_shown() {
    let world = World::start().await;
    world.put(&[person("r-1")]).await;
    world.put(&[person("r-2")]).await;
    world.change("r-2", |profile| profile.suppression = Some(complaint())).await;
    let lines = [
        r#"{ "address": "r-1@example.com", "note": "first" }"#,
        "",
        r#"{ "address": "r-2@example.com" }"#,
        r#"{ "address": "nobody.example.com" }"#,
        r#"{ "address": "R-1@EXAMPLE.com", "note": "second" }"#,
        r#"{ "address": "new@xn--bcher-kva.example.com", "colour": 1 }"#,
        r#"{ "address": "new@bücher.example.com" }"#,
        r#"{ "address": "\"quoted\"@example.com" }"#,
        r#"{ "address": 7, "note": "" }"#,
        "[",
    ];
    let answers = world.deployment.api().put_suppressions(&lines).await.unwrap();
    let told: Vec<(u64, &str)> =
        answers.iter().map(|a| (a["line"].as_u64().unwrap(), a["result"].as_str().unwrap())).collect();
    let wanted = [
        (1, "suppressed"),
        (3, "kept"),
        (4, "refused"),
        (5, "suppressed"),
        (6, "refused"),
        (7, "suppressed"),
        (8, "refused"),
        (9, "refused"),
        (10, "refused"),
    ];
    assert_eq!(told, wanted);
    assert!(answers.iter().all(|answer| !answer.to_string().contains("nobody")), "{answers:?}");
    assert_eq!(answers[7]["errors"].as_array().unwrap().len(), 2, "every fault at once");
    assert_eq!(world.suppression("r-1@example.com").await["note"], "second");
    assert_eq!(world.suppression("NEW@XN--BCHER-KVA.example.com").await["kind"], "manual", "one domain, two spellings");
}

#[tokio::test]
async fn whatever_comes_to_the_doors_is_refused_without_being_shown() {
    let site = Site::open().await;
    let put = async |address: &str, body: Vec<u8>| {
        let path = format!("/v1/suppressions/{address}");
        site.problem(Method::PUT, &path, body).await
    };
    let long = "x".repeat(5_000);
    for address in [
        "secret",
        "%22secret%22%40example.com",
        "secret%40example.com%40",
        "secret%0A%40example.com",
        "s%C3%A9cret%40x.com",
        &long,
    ] {
        let answer = site.ask(Method::PUT, &format!("/v1/suppressions/{address}"), "").await;
        let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        assert_eq!(status, 422, "{text}");
        assert!(!text.contains("cret") && !text.contains("xxxx"), "{text}");
    }
    assert_eq!(put("%FF%40example.com", Vec::new()).await.0, 404, "what is not UTF-8 names nothing");
    assert_eq!(put("a@example.com", b"{\"note\": \"\xff\"}".to_vec()).await.1, "malformed_json");
    assert_eq!(put("a@example.com", b"[]".to_vec()).await.1, "invalid");
    let note = json!({ "note": "x".repeat(501) }).to_string().into_bytes();
    assert_eq!(put("a@example.com", note).await.2, ["/note"]);
    let both = put("nobody", json!({ "note": 1, "colour": 2 }).to_string().into_bytes()).await;
    assert_eq!(both.2, ["/address", "/note", "/colour"], "every fault at once");
    let post = |body: Vec<u8>| site.problem(Method::POST, "/v1/suppressions", body);
    assert_eq!(post(b"{\"address\": \"\xff@example.com\"}".to_vec()).await.1, "malformed_json");
    assert_eq!(post(vec![b'x'; 6 * 1024 * 1024]).await.1, "too_large");
    let huge = format!("{{\"address\": \"{}@example.com\"}}", "x".repeat(1_000_000));
    let answer = site.ask(Method::POST, "/v1/suppressions", huge).await.text().await.unwrap();
    assert!(answer.contains("\"refused\"") && answer.len() < 500, "{answer}");
    assert!(site.world.address_items().await.is_empty(), "nothing was stored");

    let (status, _) =
        site.json(Method::PUT, "/v1/suppressions/a%2Fb%25c%40B%C3%BCcher.example.com", &Value::Null).await;
    assert_eq!(status, 200, "odd, and an address all the same");
    assert_eq!(site.get("/v1/suppressions/A%2FB%25C%40xn--bcher-kva.example.com").await.0, 200);
    assert_eq!(site.world.address_items().await.len(), 1);
}
