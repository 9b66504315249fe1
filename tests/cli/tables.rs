//! Making the tables of a deployment.

use tokio::task::spawn_blocking;

use super::run::{Ended, beside_dynamodb};
use crate::world::World;

async fn create(url: &str, args: &'static [&'static str]) -> Ended {
    let url = url.to_owned();
    spawn_blocking(move || beside_dynamodb(&url, &[&["tables", "create"], args].concat())).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_made_once_and_never_with_another_shard_count() {
    let world = World::start().await;
    let url = world.services.endpoints.dynamodb.as_deref().unwrap();

    let made = create(url, &["--prefix", "other", "--shards", "16"]).await;
    assert_eq!((made.code, made.out.as_str()), (0, "made 5 tables, with 16 shards\n"), "{made:?}");

    let again = create(url, &["--prefix", "other", "--shards", "16", "--json"]).await;
    assert_eq!(again.json(), serde_json::json!({ "made": 0, "shards": 16 }));

    let otherwise = create(url, &["--prefix", "other"]).await;
    assert_eq!((otherwise.code, otherwise.out.as_str()), (2, ""));
    assert!(otherwise.err.contains("made with 16 shards, not 64"), "{}", otherwise.err);
    assert!(otherwise.err.contains("next: "), "{}", otherwise.err);
}

#[test]
fn a_shard_count_that_cannot_work_is_bad_input() {
    let ended = beside_dynamodb("http://127.0.0.1:9", &["tables", "create", "--shards", "0"]);
    assert_eq!(ended.code, 2, "{ended:?}");
}

#[test]
fn a_dead_endpoint_fails_and_says_what_to_check() {
    let ended = beside_dynamodb("http://127.0.0.1:9", &["tables", "create"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.err.contains("DynamoDB is not available"), "{}", ended.err);
    assert!(ended.err.contains("AWS_ENDPOINT_URL_DYNAMODB"), "{}", ended.err);
}
