//! The queues as the SDK sees them.

use std::{collections::BTreeSet, time::Duration};

use aws_sdk_sqs::{
    error::{ProvideErrorMetadata, SdkError},
    types::{
        DeleteMessageBatchRequestEntry, MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry,
        SendMessageBatchResultEntry,
    },
};

use axum::{
    body::to_bytes,
    extract::Request,
    middleware::{self, Next},
};
use tokio::{net::TcpListener, sync::mpsc, task::JoinSet};

use super::Stack;

impl Stack {
    async fn queue_url(&self) -> String {
        let answer = self.sqs.get_queue_url().queue_name("shard").send().await.unwrap();
        answer.queue_url().unwrap().to_owned()
    }
}

fn outgoing(id: &str, body: &str) -> SendMessageBatchRequestEntry {
    SendMessageBatchRequestEntry::builder().id(id).message_body(body).build().unwrap()
}

#[tokio::test]
async fn a_queue_has_a_url_and_an_unknown_one_has_none() {
    let stack = Stack::start().await;

    assert_eq!(stack.queue_url().await, format!("http://{}/000000000000/shard", stack.address));

    let unknown = stack.sqs.get_queue_url().queue_name("none").send().await.unwrap_err().into_service_error();
    assert!(unknown.is_queue_does_not_exist());
    let url = "http://127.0.0.1/000000000000/none";
    let send = stack.sqs.send_message().queue_url(url).message_body("a").send().await.unwrap_err();
    assert!(send.into_service_error().is_queue_does_not_exist());
}

#[tokio::test]
async fn a_message_is_sent_received_and_deleted() {
    let stack = Stack::start().await;
    let url = stack.queue_url().await;

    let sent = stack.sqs.send_message().queue_url(&url).message_body("Grüße").send().await.unwrap();
    stack.clock.advance(2);
    let received = stack
        .sqs
        .receive_message()
        .queue_url(&url)
        .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
        .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
        .send()
        .await
        .unwrap();

    let [message] = received.messages() else { panic!("expected one message") };
    let attribute = |name| message.attributes().unwrap().get(&name).map(String::as_str);
    assert_eq!(message.body(), Some("Grüße"));
    assert_eq!(message.message_id(), sent.message_id());
    assert_eq!(message.md5_of_body(), sent.md5_of_message_body());
    assert_eq!(message.md5_of_body(), Some("49c5f675b49037b6044b803ac9d1a6d7"));
    assert_eq!(attribute(MessageSystemAttributeName::ApproximateReceiveCount), Some("1"));
    assert_eq!(attribute(MessageSystemAttributeName::SentTimestamp), Some("1795424400000"));
    assert_eq!(message.attributes().unwrap().len(), 2, "only what was asked for");

    stack.sqs.delete_message().queue_url(&url).receipt_handle(message.receipt_handle().unwrap()).send().await.unwrap();
    assert_eq!(stack.queues.depth("shard"), 0);
}

#[tokio::test]
async fn a_delayed_message_is_invisible_until_its_time() {
    let stack = Stack::start().await;
    let url = stack.queue_url().await;
    let receive = async || stack.sqs.receive_message().queue_url(&url).send().await.unwrap().messages().len();

    stack.sqs.send_message().queue_url(&url).message_body("a").delay_seconds(900).send().await.unwrap();
    stack.clock.advance(899);
    assert_eq!(receive().await, 0);
    stack.clock.advance(1);
    assert_eq!(receive().await, 1);
}

#[tokio::test]
async fn a_batch_answers_each_entry() {
    let stack = Stack::start().await;
    let url = stack.queue_url().await;
    let late = SendMessageBatchRequestEntry::builder().id("late").message_body("b").delay_seconds(901).build().unwrap();

    let sent = stack.sqs.send_message_batch().queue_url(&url).entries(outgoing("ok", "a")).entries(late);
    let sent = sent.send().await.unwrap();
    assert_eq!(sent.successful().iter().map(SendMessageBatchResultEntry::id).collect::<Vec<_>>(), ["ok"]);
    let [failed] = sent.failed() else { panic!("expected one failure") };
    assert_eq!((failed.id(), failed.code(), failed.sender_fault()), ("late", "InvalidParameterValue", true));

    let received = stack.sqs.receive_message().queue_url(&url).max_number_of_messages(10).send().await.unwrap();
    let handle = received.messages()[0].receipt_handle().unwrap();
    let entry = |id: &str, handle: &str| {
        DeleteMessageBatchRequestEntry::builder().id(id).receipt_handle(handle).build().unwrap()
    };
    let deleted = stack.sqs.delete_message_batch().queue_url(&url).entries(entry("a", handle)).entries(entry("b", "?"));
    let deleted = deleted.send().await.unwrap();
    assert_eq!((deleted.successful()[0].id(), deleted.failed()[0].id()), ("a", "b"));
    assert_eq!(stack.queues.depth("shard"), 0);
}

#[tokio::test]
async fn a_batch_has_1_to_10_entries_with_ids_of_their_own() {
    let stack = Stack::start().await;
    let url = stack.queue_url().await;
    let send = async |entries: Vec<SendMessageBatchRequestEntry>| {
        let call = stack.sqs.send_message_batch().queue_url(&url).set_entries(Some(entries));
        call.send().await.map_err(SdkError::into_service_error)
    };
    let many = |count| (0..count).map(|n| outgoing(&n.to_string(), "a")).collect::<Vec<_>>();

    assert!(send(many(10)).await.is_ok());
    assert!(send(many(11)).await.unwrap_err().is_too_many_entries_in_batch_request());
    assert!(send(vec![]).await.unwrap_err().is_empty_batch_request());
    assert!(send(vec![outgoing("a", "a"), outgoing("a", "b")]).await.unwrap_err().is_batch_entry_ids_not_distinct());
    assert!(send(vec![outgoing("a b", "a")]).await.unwrap_err().is_invalid_batch_entry_id());
    let half = "x".repeat(600 * 1024);
    let both = vec![outgoing("a", &half), outgoing("b", &half)];
    assert!(send(both).await.unwrap_err().is_batch_request_too_long());
    assert_eq!(stack.queues.depth("shard"), 10);
}

#[tokio::test]
async fn a_message_has_1_to_1_048_576_bytes_of_characters_that_xml_allows() {
    let stack = Stack::start().await;
    let url = stack.queue_url().await;
    let send = async |body: &str| {
        let call = stack.sqs.send_message().queue_url(&url).message_body(body);
        call.send().await.map_err(SdkError::into_service_error)
    };

    assert!(send(&"x".repeat(1024 * 1024)).await.is_ok());
    assert_eq!(send(&"x".repeat(1024 * 1024 + 1)).await.unwrap_err().code(), Some("InvalidParameterValue"));
    assert_eq!(send("").await.unwrap_err().code(), Some("InvalidParameterValue"));
    assert!(send("a\u{0}").await.unwrap_err().is_invalid_message_contents());
}

#[tokio::test]
async fn visibility_is_changed_only_while_a_message_is_in_flight() {
    let stack = Stack::start().await;
    let url = stack.queue_url().await;
    stack.sqs.send_message().queue_url(&url).message_body("a").send().await.unwrap();
    let received = stack.sqs.receive_message().queue_url(&url).visibility_timeout(10).send().await.unwrap();
    let handle = received.messages()[0].receipt_handle().unwrap().to_owned();
    let change = async |handle: &str, seconds: i32| {
        let call = stack.sqs.change_message_visibility().queue_url(&url).receipt_handle(handle);
        call.visibility_timeout(seconds).send().await.map_err(SdkError::into_service_error)
    };

    change(&handle, 120).await.unwrap();
    stack.clock.advance(119);
    assert!(stack.queues.receive("shard", 1).unwrap().is_empty());
    change(&handle, 0).await.unwrap();
    assert!(change(&handle, 30).await.unwrap_err().is_message_not_inflight());
    assert!(change("?", 30).await.unwrap_err().is_receipt_handle_is_invalid());
    assert_eq!(change(&handle, 43_201).await.unwrap_err().code(), Some("InvalidParameterValue"));
    assert_eq!(stack.queues.receive("shard", 1).unwrap()[0].receives, 2);
}

#[tokio::test]
async fn a_long_poll_is_answered_by_the_message_that_it_waited_for() {
    let stack = Stack::start().await;
    let url = stack.queue_url().await;
    let poll = stack.sqs.receive_message().queue_url(&url).wait_time_seconds(20);
    let poll = tokio::spawn(async move { poll.send().await.unwrap() });

    stack.sqs.send_message().queue_url(&url).message_body("a").send().await.unwrap();

    assert_eq!(poll.await.unwrap().messages()[0].body(), Some("a"));
}

#[tokio::test]
async fn a_long_poll_is_answered_when_the_clock_reaches_a_delayed_message() {
    let stack = Stack::start().await;
    let url = stack.queue_url().await;
    stack.sqs.send_message().queue_url(&url).message_body("a").delay_seconds(600).send().await.unwrap();
    let poll = stack.sqs.receive_message().queue_url(&url).wait_time_seconds(20);
    let poll = tokio::spawn(async move { poll.send().await.unwrap() });

    stack.clock.advance(600);
    stack.queues.wake();

    assert_eq!(poll.await.unwrap().messages()[0].body(), Some("a"));
}

/// The stack's queues at an address of their own, which tells when a call has come in whole and is about to be answered.
async fn announcing(stack: &Stack) -> (String, mpsc::UnboundedReceiver<()>) {
    let (came, coming) = mpsc::unbounded_channel();
    let announce = move |request: Request, next: Next| {
        let came = came.clone();
        async move {
            let (head, body) = request.into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap();
            came.send(()).unwrap();
            next.run(Request::from_parts(head, body.into())).await
        }
    };
    let router = stack.queues.router().layer(middleware::from_fn(announce));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, coming)
}

/// On one thread, so that a call that has come in waits in line before the test goes on.
#[tokio::test]
async fn long_polls_are_answered_in_the_order_in_which_they_came() {
    let stack = Stack::start().await;
    let (url, mut coming) = announcing(&stack).await;
    let sqs = aws_sdk_sqs::Client::from_conf(stack.sqs.config().to_builder().endpoint_url(url).build());
    let queue = stack.queue_url().await;
    let mut polls = Vec::new();
    for _ in 0..8 {
        let poll = sqs.receive_message().queue_url(&queue).wait_time_seconds(20);
        polls.push(tokio::spawn(async move { poll.send().await.unwrap() }));
        coming.recv().await.unwrap();
    }
    // A client that hangs up leaves the line.
    polls.remove(3).abort();

    for (number, poll) in polls.into_iter().enumerate() {
        stack.queues.send("shard", number.to_string(), Duration::ZERO).unwrap();
        assert_eq!(poll.await.unwrap().messages()[0].body(), Some(number.to_string().as_str()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_message_is_handed_to_one_of_many_receivers() {
    const MESSAGES: usize = 400;
    let stack = Stack::start().await;
    let url = stack.queue_url().await;
    let (found, mut finds) = mpsc::unbounded_channel();
    let mut receivers = JoinSet::new();
    for _ in 0..8 {
        // A client of its own has connections of its own, as a process of its own would.
        let sqs = aws_sdk_sqs::Client::from_conf(stack.sqs.config().clone());
        let (url, found) = (url.clone(), found.clone());
        receivers.spawn(async move {
            loop {
                let call = sqs.receive_message().queue_url(&url).max_number_of_messages(3).wait_time_seconds(20);
                for message in call.send().await.unwrap().messages.unwrap_or_default() {
                    found.send(message.message_id.unwrap()).unwrap();
                }
            }
        });
    }

    let mut ids = BTreeSet::new();
    for _ in 0..MESSAGES / 2 {
        stack.queues.send("shard", "a", Duration::ZERO).unwrap();
    }
    for number in 0..MESSAGES {
        assert!(ids.insert(finds.recv().await.unwrap()), "a message was handed out twice");
        if number < MESSAGES / 2 {
            stack.queues.send("shard", "b", Duration::ZERO).unwrap();
        }
    }
    assert!(stack.queues.receive("shard", 1).unwrap().is_empty());
}

#[tokio::test]
async fn a_queue_says_how_many_messages_are_in_which_state() {
    let stack = Stack::start().await;
    let url = stack.queue_url().await;
    for (body, delay) in [("a", 0), ("b", 0), ("c", 0), ("d", 60)] {
        stack.sqs.send_message().queue_url(&url).message_body(body).delay_seconds(delay).send().await.unwrap();
    }
    stack.queues.receive("shard", 1).unwrap();

    let answer = stack.sqs.get_queue_attributes().queue_url(&url).attribute_names(QueueAttributeName::All).send().await;

    let attributes = answer.unwrap().attributes().unwrap().clone();
    let of = |name| attributes.get(&name).map(String::as_str);
    assert_eq!(of(QueueAttributeName::ApproximateNumberOfMessages), Some("2"));
    assert_eq!(of(QueueAttributeName::ApproximateNumberOfMessagesNotVisible), Some("1"));
    assert_eq!(of(QueueAttributeName::ApproximateNumberOfMessagesDelayed), Some("1"));
    assert_eq!(of(QueueAttributeName::VisibilityTimeout), Some("60"));
    assert_eq!(of(QueueAttributeName::QueueArn), Some("arn:aws:sqs:eu-west-1:000000000000:shard"));
    assert_eq!(stack.queues.depth("shard"), 4);
}

#[tokio::test]
async fn a_call_on_the_queues_own_url_does_the_same() {
    let stack = Stack::start().await;
    let url = stack.queue_url().await;

    let call = reqwest::Client::new().post(&url).header("x-amz-target", "AmazonSQS.SendMessage");
    let answer = call.body(r#"{"MessageBody":"a"}"#).send().await.unwrap();

    assert!(answer.status().is_success());
    assert_eq!(stack.queues.depth("shard"), 1);
}

#[tokio::test]
async fn a_call_that_is_not_stood_in_for_says_so() {
    let stack = Stack::start().await;
    let url = stack.queue_url().await;

    let purge = stack.sqs.purge_queue().queue_url(&url).send().await.unwrap_err().into_service_error();

    assert_eq!(purge.code(), Some("AWS.SimpleQueueService.UnsupportedOperation"));
}
