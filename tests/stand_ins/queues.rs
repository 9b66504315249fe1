//! The queues as a poller in the same process sees them.

use std::time::Duration;

use germane::local::sqs::QueuesError;

use super::Stack;

const NO_DELAY: Duration = Duration::ZERO;

#[tokio::test]
async fn a_message_that_is_not_deleted_in_time_comes_back_with_its_count() {
    let stack = Stack::start().await;
    stack.queues.send("shard", "a", NO_DELAY).unwrap();

    let first = stack.queues.receive("shard", 10).unwrap();
    assert_eq!((first.len(), &*first[0].body, first[0].receives), (1, "a", 1));
    assert!(stack.queues.receive("shard", 10).unwrap().is_empty(), "hidden while somebody works on it");

    stack.clock.advance(59);
    assert!(stack.queues.receive("shard", 10).unwrap().is_empty());
    stack.clock.advance(1);
    let second = stack.queues.receive("shard", 10).unwrap();
    assert_eq!((second.len(), second[0].receives), (1, 2));
}

#[tokio::test]
async fn an_old_receipt_deletes_nothing() {
    let stack = Stack::start().await;
    stack.queues.send("shard", "a", NO_DELAY).unwrap();
    let first = stack.queues.receive("shard", 1).unwrap();
    stack.clock.advance(60);
    let second = stack.queues.receive("shard", 1).unwrap();

    stack.queues.delete("shard", &first[0].receipt).unwrap();
    assert_eq!(stack.queues.depth("shard"), 1);
    stack.queues.delete("shard", &second[0].receipt).unwrap();
    assert_eq!(stack.queues.depth("shard"), 0);
}

#[tokio::test]
async fn a_receipt_fits_in_no_other_queue() {
    let stack = Stack::start().await;
    stack.queues.send("launch", "a", NO_DELAY).unwrap();
    stack.queues.send("shard", "b", NO_DELAY).unwrap();
    let launch = stack.queues.receive("launch", 1).unwrap();
    stack.queues.receive("shard", 1).unwrap();

    stack.queues.delete("shard", &launch[0].receipt).unwrap();

    assert_eq!(stack.queues.depth("shard"), 1);
}

#[tokio::test]
async fn a_message_given_back_is_visible_when_its_giver_says() {
    let stack = Stack::start().await;
    stack.queues.send("shard", "a", NO_DELAY).unwrap();
    let held = stack.queues.receive("shard", 1).unwrap();

    stack.queues.release("shard", &held[0].receipt, Duration::from_secs(5)).unwrap();
    stack.clock.advance(4);
    assert!(stack.queues.receive("shard", 1).unwrap().is_empty());
    stack.clock.advance(1);
    assert_eq!(stack.queues.receive("shard", 1).unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_due_next_is_the_earliest_hidden_message_of_all_queues() {
    let stack = Stack::start().await;
    let start = stack.clock.now();
    assert_eq!(stack.queues.next_due(), None);
    stack.queues.send("launch", "now", NO_DELAY).unwrap();
    assert_eq!(stack.queues.next_due(), None, "what is visible is not awaited");

    stack.queues.send("shard", "later", Duration::from_secs(90)).unwrap();
    assert_eq!(stack.queues.next_due(), Some(start + Duration::from_secs(90)));
    stack.queues.set_visibility("launch", Duration::from_secs(30));
    stack.queues.receive("launch", 1).unwrap();
    assert_eq!(stack.queues.next_due(), Some(start + Duration::from_secs(30)));
}

#[tokio::test]
async fn a_wait_misses_nothing_that_was_sent_after_it_was_taken() {
    let stack = Stack::start().await;
    let mut changed = stack.queues.changed();
    assert!(!changed.has_changed().unwrap());

    stack.queues.send("shard", "a", NO_DELAY).unwrap();

    changed.changed().await.unwrap();
    assert_eq!(stack.queues.receive("shard", 1).unwrap().len(), 1);
}

#[tokio::test]
async fn a_message_is_hidden_for_as_long_as_its_holder_keeps_it() {
    let stack = Stack::start().await;
    stack.queues.send("shard", "a", NO_DELAY).unwrap();
    let held = stack.queues.receive("shard", 1).unwrap();

    for _ in 0..3 {
        stack.clock.advance(59);
        stack.queues.release("shard", &held[0].receipt, Duration::from_mins(1)).unwrap();
        assert!(stack.queues.receive("shard", 1).unwrap().is_empty());
    }

    stack.clock.advance(60);
    let other = stack.queues.receive("shard", 1).unwrap();
    stack.queues.release("shard", &held[0].receipt, NO_DELAY).unwrap();
    assert!(stack.queues.receive("shard", 1).unwrap().is_empty(), "it is in other hands");
    assert_eq!(other[0].receives, 2);
}

#[tokio::test]
async fn a_queue_that_is_not_there_is_an_error() {
    let stack = Stack::start().await;
    let missing = stack.queues.send("none", "a", NO_DELAY).unwrap_err();
    assert_eq!(missing.to_string(), "there is no queue none");
    assert!(matches!(stack.queues.receive("none", 1), Err(QueuesError::NoQueue(_))));
}

#[tokio::test]
async fn a_message_that_was_received_often_enough_goes_to_the_dead_letters() {
    let stack = Stack::start().await;
    stack.queues.set_dead_letters("shard", "preview", 2);
    stack.queues.send("shard", "bad", NO_DELAY).unwrap();
    for _ in 0..2 {
        assert_eq!(stack.queues.receive("shard", 10).unwrap().len(), 1);
        stack.clock.advance(60);
    }
    stack.queues.send("shard", "good", NO_DELAY).unwrap();
    assert_eq!(stack.queues.depth("preview"), 0, "nobody has asked for it again");

    let received = stack.queues.receive("shard", 1).unwrap();

    assert_eq!(received.iter().map(|message| &*message.body).collect::<Vec<_>>(), ["good"]);
    let dead = stack.queues.receive("preview", 10).unwrap();
    assert_eq!((dead.len(), &*dead[0].body), (1, "bad"));
    stack.queues.delete("preview", &dead[0].receipt).unwrap();
    assert_eq!((stack.queues.depth("preview"), stack.queues.depth("shard")), (0, 1));
}
