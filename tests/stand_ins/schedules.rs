//! The schedules as the SDK sees them, and as the process sees them that makes them fire.

use aws_sdk_scheduler::{
    error::ProvideErrorMetadata,
    operation::create_schedule::builders::CreateScheduleFluentBuilder,
    types::{ActionAfterCompletion, FlexibleTimeWindow, FlexibleTimeWindowMode, ScheduleState, Target},
};
use germane::local::sqs;

use super::{GROUP, Stack};

const ROLE: &str = "arn:aws:iam::000000000000:role/germane-schedules";

impl Stack {
    fn schedule(&self, name: &str, expression: &str) -> CreateScheduleFluentBuilder {
        self.scheduler
            .create_schedule()
            .name(name)
            .group_name(GROUP)
            .schedule_expression(expression)
            .flexible_time_window(window(FlexibleTimeWindowMode::Off))
            .target(target("launch", "hello"))
            .action_after_completion(ActionAfterCompletion::Delete)
    }

    /// The bodies that lie in a queue.
    fn bodies(&self, queue: &str) -> Vec<String> {
        self.queues.receive(queue, 10).unwrap().iter().map(|message| message.body.to_string()).collect()
    }
}

fn window(mode: FlexibleTimeWindowMode) -> FlexibleTimeWindow {
    FlexibleTimeWindow::builder().mode(mode).build().unwrap()
}

fn target(queue: &str, input: &str) -> Target {
    Target::builder().arn(sqs::arn(queue)).role_arn(ROLE).input(input).build().unwrap()
}

/// The error's code; `None` if the call succeeded.
async fn refused(call: CreateScheduleFluentBuilder) -> Option<String> {
    call.send().await.err().and_then(|error| error.code().map(str::to_owned))
}

#[tokio::test]
async fn a_schedule_fires_once_at_its_time_and_is_gone() {
    let stack = Stack::start().await;
    let made = stack.schedule("a", "at(2026-11-23T09:10:00)").send().await.unwrap();
    assert_eq!(made.schedule_arn(), "arn:aws:scheduler:eu-west-1:000000000000:schedule/germane/a");
    assert_eq!(stack.schedules.next_due(), Some("2026-11-23T09:10:00Z".parse().unwrap()));

    stack.clock.advance(599);
    assert_eq!(stack.schedules.fire_due().unwrap(), 0);
    stack.clock.advance(1);
    assert_eq!(stack.schedules.fire_due().unwrap(), 1);

    assert_eq!(stack.bodies("launch"), ["hello"]);
    assert_eq!(stack.schedules.next_due(), None);
    let get = stack.scheduler.get_schedule().name("a").group_name(GROUP).send().await;
    assert!(get.unwrap_err().into_service_error().is_resource_not_found_exception());
    assert_eq!(stack.schedules.fire_due().unwrap(), 0);
}

#[tokio::test]
async fn schedules_that_are_due_together_fire_in_the_order_of_their_times() {
    let stack = Stack::start().await;
    for (name, minute) in [("a", 3), ("b", 1), ("c", 2)] {
        let call = stack.schedule(name, &format!("at(2026-11-23T09:0{minute}:00)"));
        call.target(target("launch", name)).send().await.unwrap();
    }

    stack.clock.advance(3600);
    assert_eq!(stack.schedules.fire_due().unwrap(), 3);

    assert_eq!(stack.bodies("launch"), ["b", "c", "a"]);
}

#[tokio::test]
async fn an_expression_has_neither_a_fraction_nor_an_offset_nor_a_time_that_has_passed() {
    let stack = Stack::start().await;
    for wrong in [
        "at(2026-11-23T09:10:00.5)",
        "at(2026-11-23T09:10:00Z)",
        "at(2026-11-23T09:10)",
        "at(2026-11-23 09:10:00)",
        "at(2026-11-23T9:10:00)",
        "at(2026-11-31T09:10:00)",
        "2026-11-23T09:10:00",
        "at(2026-11-23T09:00:00)",
        "at(2026-11-22T09:10:00)",
        "rate(5 minutes)",
        "cron(0 9 ? * MON *)",
    ] {
        assert_eq!(refused(stack.schedule("a", wrong)).await.as_deref(), Some("ValidationException"), "{wrong}");
    }
    assert_eq!(refused(stack.schedule("a", "at(2026-11-23T09:00:01)")).await, None);
}

#[tokio::test]
async fn a_time_is_that_of_its_time_zone() {
    let stack = Stack::start().await;
    let berlin = stack.schedule("a", "at(2026-11-23T10:30:00)").schedule_expression_timezone("Europe/Berlin");
    berlin.send().await.unwrap();
    assert_eq!(stack.schedules.next_due(), Some("2026-11-23T09:30:00Z".parse().unwrap()));

    let nowhere = stack.schedule("b", "at(2026-11-23T10:30:00)").schedule_expression_timezone("Europe/Nowhere");
    assert_eq!(refused(nowhere).await.as_deref(), Some("ValidationException"));
}

#[tokio::test]
async fn names_tokens_and_targets_keep_their_rules() {
    let stack = Stack::start().await;
    let at = "at(2026-11-23T09:10:00)";
    let role = |role: &str| Target::builder().arn(sqs::arn("launch")).role_arn(role).input("a").build().unwrap();
    let long = "x".repeat(65);
    for (wrong, call) in [
        ("a space", stack.schedule("a b", at)),
        ("65 characters", stack.schedule(&long, at)),
        ("a token with a dot", stack.schedule("a", at).client_token("a.b")),
        ("no queue", stack.schedule("a", at).target(target("none", "a"))),
        ("no role", stack.schedule("a", at).target(role("arn:aws:iam::1:role/a"))),
        ("nothing to say", stack.schedule("a", at).target(target("launch", ""))),
        ("no target", stack.schedule("a", at).set_target(None)),
        ("no window", stack.schedule("a", at).set_flexible_time_window(None)),
    ] {
        assert_eq!(refused(call).await.as_deref(), Some("ValidationException"), "{wrong}");
    }
    let group = stack.schedule("a", at).group_name("none");
    assert_eq!(refused(group).await.as_deref(), Some("ResourceNotFoundException"));
    assert_eq!(refused(stack.schedule(&long[..64], at)).await, None);
}

#[tokio::test]
async fn what_is_not_stood_in_for_is_refused() {
    let stack = Stack::start().await;
    let at = "at(2026-11-23T09:10:00)";
    for call in [
        stack.schedule("a", at).flexible_time_window(window(FlexibleTimeWindowMode::Flexible)),
        stack.schedule("a", at).action_after_completion(ActionAfterCompletion::None),
        stack.schedule("a", at).state(ScheduleState::Disabled),
        stack.schedule("a", at).kms_key_arn("arn:aws:kms:eu-west-1:000000000000:key/a"),
    ] {
        assert_eq!(refused(call).await.as_deref(), Some("ValidationException"));
    }
}

#[tokio::test]
async fn a_name_is_taken_once_in_its_group_and_the_same_call_again_is_the_same() {
    let stack = Stack::start().await;
    let at = "at(2026-11-23T09:10:00)";
    let call = |token: &str| stack.schedule("a", at).client_token(token);

    assert_eq!(refused(call("one")).await, None);
    assert_eq!(refused(call("one")).await, None);
    assert_eq!(refused(call("two")).await.as_deref(), Some("ConflictException"));
    let other = stack.schedule("a", "at(2026-11-23T09:11:00)").client_token("one");
    assert_eq!(refused(other).await.as_deref(), Some("ConflictException"));
    assert_eq!(refused(call("two").group_name("default")).await, None);

    stack.clock.advance(3600);
    assert_eq!(stack.schedules.fire_due().unwrap(), 2);
}

#[tokio::test]
async fn an_update_moves_what_is_there_and_makes_nothing() {
    let stack = Stack::start().await;
    let update = |name: &str, expression: &str| {
        stack
            .scheduler
            .update_schedule()
            .name(name)
            .group_name(GROUP)
            .schedule_expression(expression)
            .flexible_time_window(window(FlexibleTimeWindowMode::Off))
            .target(target("shard", "moved"))
            .action_after_completion(ActionAfterCompletion::Delete)
    };
    stack.schedule("a", "at(2026-11-23T09:10:00)").description("first").send().await.unwrap();
    stack.clock.advance(60);

    update("a", "at(2026-11-23T09:20:00)").send().await.unwrap();
    let missing = update("b", "at(2026-11-23T09:20:00)").send().await.unwrap_err().into_service_error();
    assert!(missing.is_resource_not_found_exception());

    let get = stack.scheduler.get_schedule().name("a").group_name(GROUP).send().await.unwrap();
    assert_eq!(get.schedule_expression(), Some("at(2026-11-23T09:20:00)"));
    assert_eq!(get.target().map(Target::arn), Some(sqs::arn("shard").as_str()));
    assert_eq!(get.description(), None, "what an update leaves out is gone");
    let created = get.creation_date().unwrap().secs();
    assert_eq!(get.last_modification_date().unwrap().secs() - created, 60);
    assert_eq!(get.group_name(), Some(GROUP));
    assert_eq!(get.state(), Some(&ScheduleState::Enabled));

    stack.clock.advance(3600);
    stack.schedules.fire_due().unwrap();
    assert_eq!((stack.bodies("launch").len(), stack.bodies("shard")), (0, vec!["moved".to_owned()]));
}

#[tokio::test]
async fn a_deleted_schedule_never_fires() {
    let stack = Stack::start().await;
    let delete = async || stack.scheduler.delete_schedule().name("a").group_name(GROUP).send().await;
    stack.schedule("a", "at(2026-11-23T09:10:00)").send().await.unwrap();

    delete().await.unwrap();
    assert!(delete().await.unwrap_err().into_service_error().is_resource_not_found_exception());

    stack.clock.advance(3600);
    assert_eq!((stack.schedules.fire_due().unwrap(), stack.bodies("launch").len()), (0, 0));
}

#[tokio::test]
async fn a_wait_for_schedules_misses_nothing_that_came_after_it_was_taken() {
    let stack = Stack::start().await;
    let mut changed = stack.schedules.changed();
    assert!(!changed.has_changed().unwrap());

    stack.schedule("a", "at(2026-11-23T09:10:00)").send().await.unwrap();
    changed.changed().await.unwrap();

    assert!(!changed.has_changed().unwrap());
    stack.schedules.wake();
    changed.changed().await.unwrap();
}
