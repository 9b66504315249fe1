//! A stack whose work is done by functions that are invoked: the events that they get, and what their answers mean.

mod functions;

use std::time::Duration;

use aws_sdk_sqs::{
    Client,
    types::{QueueAttributeName, SendMessageBatchRequestEntry},
};
use germane::{
    aws::clients::Endpoints,
    lambda::config::Config,
    local::{
        Stack, StackConfig, Work,
        services::{self, FEEDBACK, LAUNCH, PREVIEW, SHARD},
    },
};
use serde_json::{Value, json};

use self::functions::{Call, Functions, free_port};
use super::{Site, driven, start, until};
use crate::functions::event;

const DONE: &str = r#"{"batchItemFailures":[]}"#;

/// A stack on a driven clock, and its queues.
struct Queues {
    stack: Stack,
    site: Site,
    sqs: Client,
}

impl Queues {
    /// Functions are invoked at `url`.
    async fn at(url: &str) -> Self {
        Self::with(Work::Invoked(url.parse().unwrap())).await
    }

    async fn with(work: Work) -> Self {
        let (stack, site) = start(StackConfig { work, ..driven() }).await;
        let endpoints =
            Endpoints { sqs: Some(variable(&stack, "AWS_ENDPOINT_URL_SQS").unwrap()), ..Endpoints::default() };
        Self { stack, site, sqs: services::clients(&endpoints).sqs }
    }

    fn url(&self, queue: &str) -> String {
        format!("{}/000000000000/{queue}", variable(&self.stack, "AWS_ENDPOINT_URL_SQS").unwrap())
    }

    async fn send(&self, queue: &str, bodies: &[&str]) {
        let entry = |(at, body): (usize, &&str)| {
            SendMessageBatchRequestEntry::builder().id(at.to_string()).message_body(*body).build().unwrap()
        };
        let entries = bodies.iter().enumerate().map(entry).collect();
        self.sqs.send_message_batch().queue_url(self.url(queue)).set_entries(Some(entries)).send().await.unwrap();
    }

    /// How many messages are visible, and how many in somebody's hands.
    async fn counts(&self, queue: &str) -> (usize, usize) {
        let asked = self.sqs.get_queue_attributes().queue_url(self.url(queue));
        let held = asked.attribute_names(QueueAttributeName::All).send().await.unwrap().attributes.unwrap();
        let count = |name| held[&name].parse().unwrap();
        (
            count(QueueAttributeName::ApproximateNumberOfMessages),
            count(QueueAttributeName::ApproximateNumberOfMessagesNotVisible),
        )
    }

    /// Lets time pass until functions are invoked once more.
    async fn called_again(&self, functions: &mut Functions) -> Call {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        for _ in 0..500 {
            tick.tick().await;
            self.site.advance(5).await;
            if let Some(call) = functions.called_by_now() {
                return call;
            }
        }
        panic!("no function was invoked again");
    }

    /// Lets time pass until there is one.
    async fn dead_letter(&self, queue: &str) -> String {
        until(queue, async || {
            self.site.advance(1).await;
            let received = self.sqs.receive_message().queue_url(self.url(queue)).send().await.unwrap();
            received.messages.and_then(|mut messages| messages.remove(0).body)
        })
        .await
    }

    async fn is_empty(&self, queue: &str) {
        until(queue, async || (self.counts(queue).await == (0, 0)).then_some(())).await;
    }
}

fn variable(stack: &Stack, name: &str) -> Option<String> {
    let file = stack.environment_file();
    let mut lines = file.lines().filter_map(|line| line.split_once('='));
    lines.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

fn bodies(event: &Value) -> Vec<&str> {
    event["Records"].as_array().unwrap().iter().map(|record| record["body"].as_str().unwrap()).collect()
}

fn receives(event: &Value) -> &Value {
    &event["Records"][0]["attributes"]["ApproximateReceiveCount"]
}

fn failed(event: &Value, at: usize) -> String {
    json!({ "batchItemFailures": [{ "itemIdentifier": event["Records"][at]["messageId"] }] }).to_string()
}

fn keys(value: &Value) -> Vec<&String> {
    value.as_object().unwrap().keys().collect()
}

#[tokio::test]
async fn an_event_has_all_that_aws_writes() {
    let mut functions = Functions::start().await;
    let stack = Queues::at(&functions.url).await;
    let sample = event("send");
    stack.send(SHARD, &[sample["Records"][0]["body"].as_str().unwrap()]).await;

    let call = functions.called().await;

    assert_eq!(call.function, "germane-send");
    let (record, wanted) = (&call.event["Records"][0], &sample["Records"][0]);
    assert_eq!((keys(&call.event), keys(record)), (keys(&sample), keys(wanted)));
    assert_eq!(keys(&record["attributes"]), keys(&wanted["attributes"]));
    for field in ["body", "md5OfBody", "messageAttributes", "eventSource", "eventSourceARN", "awsRegion"] {
        assert_eq!(record[field], wanted[field], "{field}");
    }
    assert_eq!(receives(&call.event), "1");
    call.answer(200, DONE);
    stack.is_empty(SHARD).await;
}

#[tokio::test]
async fn each_queue_has_its_function() {
    let mut functions = Functions::start().await;
    let stack = Queues::at(&functions.url).await;
    let queues = [(LAUNCH, "launch"), (PREVIEW, "launch"), (SHARD, "send"), (FEEDBACK, "feedback")];
    for (queue, function) in queues {
        stack.send(queue, &["a message"]).await;
        let call = functions.called().await;
        assert_eq!(call.function, format!("germane-{function}"));
        assert!(call.event["Records"][0]["eventSourceARN"].as_str().unwrap().ends_with(queue));
        call.answer(200, "null");
        stack.is_empty(queue).await;
    }
}

#[tokio::test]
async fn only_what_the_answer_names_is_delivered_again() {
    let mut functions = Functions::start().await;
    let stack = Queues::at(&functions.url).await;
    stack.send(FEEDBACK, &["a", "b", "c"]).await;
    let first = functions.called().await;
    assert_eq!(bodies(&first.event), ["a", "b", "c"]);
    let answer = failed(&first.event, 1);
    first.answer(200, &answer);

    let second = stack.called_again(&mut functions).await;

    assert_eq!((bodies(&second.event), receives(&second.event)), (vec!["b"], &json!("2")));
    second.answer(200, DONE);
    stack.is_empty(FEEDBACK).await;
}

#[tokio::test]
async fn a_message_whose_invocation_failed_is_delivered_again() {
    let mut functions = Functions::start().await;
    let stack = Queues::at(&functions.url).await;
    stack.send(SHARD, &["a message"]).await;
    let failures = [
        (500, r#"{"errorType":"Runtime.ExitError"}"#),
        (200, "no JSON"),
        (200, r#"{"batchItemFailures":[{"itemIdentifier":"somebody else's"}]}"#),
    ];
    let mut call = functions.called().await;
    for (status, answer) in failures {
        call.answer(status, answer);
        call = stack.called_again(&mut functions).await;
        assert_eq!(bodies(&call.event), ["a message"], "{answer}");
    }
    // As Lambda's own API tells that a function failed.
    call.fail_as_lambda();
    let last = stack.called_again(&mut functions).await;
    assert_eq!(receives(&last.event), "5");
    last.answer(200, DONE);
    stack.is_empty(SHARD).await;
}

#[tokio::test]
async fn a_batch_whose_invocation_failed_is_delivered_again_whole() {
    let mut functions = Functions::start().await;
    let stack = Queues::at(&functions.url).await;
    stack.send(FEEDBACK, &["a", "b", "c"]).await;
    functions.called().await.answer(500, "{}");
    // They come back one after the other, so perhaps not in one batch.
    let mut again = Vec::new();
    while again.len() < 3 {
        let call = stack.called_again(&mut functions).await;
        again.extend(bodies(&call.event).into_iter().map(str::to_owned));
        call.answer(200, DONE);
    }
    again.sort_unstable();
    assert_eq!(again, ["a", "b", "c"]);
    stack.is_empty(FEEDBACK).await;
}

#[tokio::test]
async fn a_message_at_which_its_function_always_fails_ends_with_the_dead_letters() {
    let mut functions = Functions::start().await;
    let stack = Queues::at(&functions.url).await;
    stack.send(SHARD, &["no JSON"]).await;
    let mut call = functions.called().await;
    for count in 1..5 {
        assert_eq!(receives(&call.event), &json!(count.to_string()));
        let answer = failed(&call.event, 0);
        call.answer(200, &answer);
        call = stack.called_again(&mut functions).await;
    }
    let answer = failed(&call.event, 0);
    call.answer(200, &answer);
    let dead = stack.dead_letter("germane-shard-dead").await;
    assert_eq!(dead, "no JSON");
    assert_eq!(stack.counts(SHARD).await, (0, 0));
    assert!(functions.called_by_now().is_none());
}

#[tokio::test]
async fn an_event_that_the_stack_itself_cannot_read_ends_with_the_dead_letters_too() {
    let stack = Queues::with(Work::Here).await;
    stack.send(FEEDBACK, &["no JSON"]).await;
    assert_eq!(stack.dead_letter("germane-feedback-dead").await, "no JSON");
    assert_eq!(stack.counts(FEEDBACK).await, (0, 0));
}

#[tokio::test]
async fn while_nobody_can_be_invoked_a_message_waits_and_does_not_count_as_failed() {
    let port = free_port().await;
    let stack = Queues::at(&format!("http://127.0.0.1:{port}")).await;
    stack.send(SHARD, &["a message"]).await;
    until("a poller", async || (stack.counts(SHARD).await == (0, 1)).then_some(())).await;
    stack.site.advance(3_600).await;

    let mut functions = Functions::listen(port).await;

    // One that has other functions has not these.
    let missing = functions.called().await;
    missing.answer(404, r#"{"title":"Missing function"}"#);
    let call = functions.called().await;
    assert_eq!(bodies(&call.event), ["a message"]);
    call.answer(200, DONE);
    stack.is_empty(SHARD).await;
}

#[tokio::test]
async fn a_message_is_hidden_for_as_long_as_its_function_may_work_on_it() {
    let mut functions = Functions::start().await;
    let stack = Queues::at(&functions.url).await;
    stack.send(LAUNCH, &["a message"]).await;
    let call = functions.called().await;

    stack.site.advance(29 * 60).await;

    assert_eq!(stack.counts(LAUNCH).await, (0, 1));
    call.answer(200, DONE);
    stack.is_empty(LAUNCH).await;
}

#[tokio::test]
async fn what_functions_are_told_is_a_whole_configuration() {
    let url = format!("http://127.0.0.1:{}", free_port().await);
    let stack = Queues::at(&url).await.stack;
    let config = Config::from_lookup(|name| variable(&stack, name)).unwrap();
    assert_eq!((config.table_prefix.as_str(), config.public_url), ("germane", url));
    for name in ["DYNAMODB", "SQS", "SESV2", "SCHEDULER"] {
        let endpoint = variable(&stack, &format!("AWS_ENDPOINT_URL_{name}")).unwrap();
        assert!(endpoint.starts_with("http://127.0.0.1:"), "{name}: {endpoint}");
    }
    // `cargo lambda watch` takes neither an empty value nor one with any of these in it.
    for line in stack.environment_file().lines() {
        let (_, value) = line.split_once('=').unwrap();
        assert!(!value.is_empty() && !value.contains(['=', ' ', '"', '\'', '#', '$']), "{line}");
    }
}

#[tokio::test]
async fn a_variable_of_the_configuration_is_told_or_may_be_absent() {
    let url = format!("http://127.0.0.1:{}", free_port().await);
    let stack = Queues::at(&url).await.stack;
    let documented =
        include_str!("../../src/lambda/config.rs").lines().filter(|line| line.starts_with("//! | `GERMANE_"));
    let mut names = 0;
    for line in documented {
        for name in line.split('`').filter(|part| part.starts_with("GERMANE_")) {
            names += 1;
            assert!(variable(&stack, name).is_some() || line.contains("absent"), "{name}");
        }
    }
    assert!(names > 15, "{names}");
}
