//! Schedules with a cron: what the SDK may ask for, and when they fire.

use aws_sdk_scheduler::{
    error::ProvideErrorMetadata,
    operation::create_schedule::builders::CreateScheduleFluentBuilder,
    types::{ActionAfterCompletion, FlexibleTimeWindow, FlexibleTimeWindowMode, Target},
};
use germane::local::sqs;

use super::{GROUP, Stack};

fn cron(stack: &Stack, expression: &str) -> CreateScheduleFluentBuilder {
    let target = Target::builder()
        .arn(sqs::arn("launch"))
        .role_arn("arn:aws:iam::000000000000:role/germane-schedules")
        .input("at <aws.scheduler.scheduled-time>");
    stack
        .scheduler
        .create_schedule()
        .name("a")
        .group_name(GROUP)
        .schedule_expression(expression)
        .schedule_expression_timezone("Europe/Berlin")
        .flexible_time_window(FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build().unwrap())
        .target(target.build().unwrap())
        .action_after_completion(ActionAfterCompletion::None)
}

fn set(stack: &Stack, time: &str) {
    *stack.clock.0.lock().unwrap() = time.parse().unwrap();
}

/// What fires until a time, which is driven to in one go.
fn fires_until(stack: &Stack, time: &str) -> Vec<String> {
    set(stack, time);
    stack.schedules.fire_due().unwrap();
    let messages = stack.queues.receive("launch", 64).unwrap();
    let fired = messages.iter().map(|message| message.body.to_string()).collect();
    for message in &messages {
        stack.queues.delete("launch", &message.receipt).unwrap();
    }
    fired
}

#[tokio::test]
async fn it_fires_at_each_of_its_times_with_that_time_in_its_message_and_stays() {
    let stack = Stack::start().await;
    cron(&stack, "cron(0 10 ? * MON,THU *)").send().await.unwrap();

    assert_eq!(fires_until(&stack, "2026-11-26T08:59:59Z"), Vec::<String>::new(), "this Monday's has passed");
    assert_eq!(fires_until(&stack, "2026-11-26T09:00:00Z"), ["at 2026-11-26T09:00:00Z"]);
    assert_eq!(stack.schedules.fire_due().unwrap(), 0);
    assert_eq!(fires_until(&stack, "2026-12-05T00:00:00Z"), ["at 2026-11-30T09:00:00Z", "at 2026-12-03T09:00:00Z"]);
    assert_eq!(stack.schedules.next_due(), Some("2026-12-07T09:00:00Z".parse().unwrap()));
}

#[tokio::test]
async fn a_time_that_daylight_saving_skips_is_left_out_and_one_that_comes_twice_fires_once() {
    let stack = Stack::start().await;
    set(&stack, "2027-03-27T00:00:00Z");
    cron(&stack, "cron(30 2 * * ? *)").send().await.unwrap();
    assert_eq!(
        fires_until(&stack, "2027-03-29T12:00:00Z"),
        ["at 2027-03-27T01:30:00Z", "at 2027-03-29T00:30:00Z"],
        "none on the 28th"
    );
    stack.scheduler.delete_schedule().name("a").group_name(GROUP).send().await.unwrap();

    set(&stack, "2027-10-30T12:00:00Z");
    cron(&stack, "cron(30 2 * * ? *)").send().await.unwrap();
    assert_eq!(
        fires_until(&stack, "2027-11-01T12:00:00Z"),
        ["at 2027-10-31T00:30:00Z", "at 2027-11-01T01:30:00Z"],
        "one on the 31st"
    );
}

#[tokio::test]
async fn an_expression_that_scheduler_would_not_take_or_that_is_not_stood_in_for_is_refused() {
    let stack = Stack::start().await;
    for wrong in [
        "cron(0 9 * * *)",
        "cron(0 9 * * * *)",
        "cron(0 9 ? * ? *)",
        "cron(0 9 1 * MON *)",
        "cron(0 9 ? * 2 *)",
        "cron(0 9 ? * MON 2027)",
        "cron(0 9 L * ? *)",
        "cron(0 9 30 2 ? *)",
        "cron(0/5 9 * * ? *)",
        "cron(0 9 ? * MON *",
        "rate(1 day)",
    ] {
        let error = cron(&stack, wrong).send().await.unwrap_err();
        assert_eq!(error.code(), Some("ValidationException"), "{wrong}");
    }
    let zone = cron(&stack, "cron(0 9 * * ? *)").schedule_expression_timezone("Europe/Nowhere");
    assert_eq!(zone.send().await.unwrap_err().code(), Some("ValidationException"));
    let delete = cron(&stack, "cron(0 9 * * ? *)").action_after_completion(ActionAfterCompletion::Delete);
    assert_eq!(delete.send().await.unwrap_err().code(), Some("ValidationException"), "it has no end");
    assert_eq!(stack.schedules.next_due(), None);
}
