//! DynamoDB: a call is made again, a few times, and always comes to an end.

use std::time::Duration;

use futures_util::future::join_all;
use germane::flow::{launch::Campaigns, port::PortError};

use super::{befallen, without_an_answer};
use crate::{
    between::Fate,
    mishaps::{Service, refusals},
    world::World,
};

/// How often a call is made at most.
const ATTEMPTS: usize = 3;
/// Longer than all attempts of a call may take together.
const NEVER: Duration = Duration::from_mins(1);

/// What comes of a read whose calls all come to `fate`, and how often it was made.
async fn read_under(fate: Fate) -> (Result<(), PortError>, usize) {
    let (world, mishaps) =
        befallen(
            World::with_shards(1).await,
            move |asked| {
                if asked.is("GetItem") { fate.clone() } else { Fate::Passed }
            },
        )
        .await;
    let campaigns: &dyn Campaigns = &world.deployment.dynamo;
    let read = campaigns.get(&"weekly".parse().unwrap()).await.map(|_| ());
    (read, mishaps.calls("GetItem"))
}

#[tokio::test]
async fn a_call_that_fails_each_time_is_made_three_times() {
    let mut fates = without_an_answer();
    // An answer that was read but makes no sense is no reason to ask again.
    fates.retain(|fate| *fate != Fate::Garbled);
    fates.extend(refusals::throttles(Service::DynamoDb).iter().copied().map(Fate::Answered));
    let cases = fates.into_iter().map(|fate| async move {
        let (read, calls) = read_under(fate.clone()).await;
        assert!(matches!(read, Err(PortError::Unavailable { .. })), "{fate:?}: {read:?}");
        assert_eq!(calls, ATTEMPTS, "{fate:?}");
    });
    join_all(cases).await;
}

#[tokio::test]
async fn a_call_that_is_never_answered_ends_with_its_time() {
    let ended = tokio::time::timeout(NEVER / 2, read_under(Fate::Late(NEVER))).await;
    let (read, calls) = ended.expect("a call that hangs");
    assert!(matches!(read, Err(PortError::Unavailable { .. })), "{read:?}");
    assert!((1..=ATTEMPTS).contains(&calls), "{calls}");
}
