//! What a data folder holds when its process is killed, and what becomes of it in the next one.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use aws_sdk_scheduler::types::{ActionAfterCompletion, FlexibleTimeWindow, FlexibleTimeWindowMode, Target};
use aws_sdk_sqs::{error::ProvideErrorMetadata, types::SendMessageBatchRequestEntry};
use germane::{
    lambda::problem::chain,
    local::{
        schedules::Schedules,
        ses::{Ses, SesConfig},
        sqs::{self, Queues, QueuesError},
        store::{Store, StoreError},
    },
};
use jiff::Timestamp;
use rusqlite::Connection;

use super::{Clock, GROUP, QUEUES, Stack};

const NO_DELAY: Duration = Duration::ZERO;
const FILE: &str = "stack.sqlite";
/// Names the data folder to the process that is to be killed.
const VICTIM: &str = "GERMANE_TEST_DATA";

/// A folder that is gone when the test is.
struct Folder(PathBuf);

impl Folder {
    /// A name in the system's folder for such things; the folder itself is not made.
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("germane-store-{}-{number}", std::process::id())))
    }

    /// The files as a process leaves them that is killed now.
    fn killed(&self) -> Self {
        let left = Self::new();
        fs::create_dir(&left.0).unwrap();
        for file in fs::read_dir(&self.0).unwrap() {
            let file = file.unwrap().path();
            fs::copy(&file, left.0.join(file.file_name().unwrap())).unwrap();
        }
        left
    }

    fn store(&self) -> Store {
        Store::open(&self.0).unwrap()
    }

    fn queues(&self, clock: &Clock) -> Queues {
        Queues::open(&QUEUES, clock.port(), self.store()).unwrap()
    }

    async fn stack(&self, clock: &Clock) -> Stack {
        Stack::with(Ses::new(SesConfig::default(), clock.port()), clock.clone(), self.queues(clock)).await
    }

    /// Changes the file while no store has it open.
    fn alter(&self, sql: &str) {
        Connection::open(self.0.join(FILE)).unwrap().execute_batch(sql).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What is visible now: the body, and how often it was received.
fn visible(queues: &Queues) -> Vec<(String, u32)> {
    let messages = queues.receive("shard", 10).unwrap();
    messages.iter().map(|message| (message.body.to_string(), message.receives)).collect()
}

async fn schedule(stack: &Stack, name: &str, at: &str) {
    let target = Target::builder().arn(sqs::arn("shard")).role_arn("arn:aws:iam::000000000000:role/a").input(name);
    stack
        .scheduler
        .create_schedule()
        .name(name)
        .group_name(GROUP)
        .schedule_expression(at)
        .flexible_time_window(FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build().unwrap())
        .target(target.build().unwrap())
        .action_after_completion(ActionAfterCompletion::Delete)
        .send()
        .await
        .unwrap();
}

#[test]
fn what_was_in_flight_comes_back_at_once_and_what_was_delayed_at_its_time() {
    let (folder, clock) = (Folder::new(), Clock::default());
    let queues = folder.queues(&clock);
    queues.send("shard", "in flight", NO_DELAY).unwrap();
    queues.send("shard", "kept for longer", NO_DELAY).unwrap();
    queues.send("shard", "delayed", Duration::from_mins(10)).unwrap();
    let held = queues.receive("shard", 10).unwrap();
    queues.release("shard", &held[1].receipt, Duration::from_hours(1)).unwrap();
    queues.send("shard", "waiting", NO_DELAY).unwrap();

    let left = folder.killed();
    let queues = left.queues(&clock);

    let mut seen = visible(&queues);
    seen.sort();
    let expected = [("in flight", 2), ("kept for longer", 2), ("waiting", 1)];
    assert_eq!(seen, expected.map(|(body, receives)| (body.to_owned(), receives)));
    assert_eq!(queues.next_due(), Some(clock.now() + Duration::from_mins(1)));
    clock.advance(599);
    assert!(visible(&queues).iter().all(|(body, _)| body != "delayed"));
    clock.advance(1);
    assert_eq!(visible(&queues), [("delayed".to_owned(), 1)]);
}

#[test]
fn a_dead_letter_stays_one() {
    let (folder, clock) = (Folder::new(), Clock::default());
    let queues = folder.queues(&clock);
    queues.set_dead_letters("shard", "preview", 1);
    queues.send("shard", "bad", NO_DELAY).unwrap();
    queues.receive("shard", 1).unwrap();
    clock.advance(60);
    assert!(visible(&queues).is_empty());

    let queues = folder.killed().queues(&clock);

    assert!(visible(&queues).is_empty());
    assert_eq!(&*queues.receive("preview", 1).unwrap()[0].body, "bad");
    let next = queues.send("preview", "next", NO_DELAY).unwrap();
    assert!(queues.receive("preview", 2).unwrap().iter().all(|message| message.id == next));
}

#[test]
fn a_message_keeps_its_id_and_its_times() {
    let (folder, clock) = (Folder::new(), Clock::default());
    let queues = folder.queues(&clock);
    let id = queues.send("shard", "Grüße", NO_DELAY).unwrap();
    clock.advance(5);
    let before = queues.receive("shard", 1).unwrap().remove(0);
    clock.advance(5);

    let after = folder.killed().queues(&clock).receive("shard", 1).unwrap().remove(0);

    assert_eq!((&before.id, &after.id, &*after.body), (&id, &id, "Grüße"));
    assert_eq!((after.sent_at, after.first_received_at), (before.sent_at, before.first_received_at));
    assert_ne!(after.receipt, before.receipt);
}

#[test]
fn what_was_deleted_stays_deleted_and_its_number_is_not_given_again() {
    let (folder, clock) = (Folder::new(), Clock::default());
    let queues = folder.queues(&clock);
    for _ in 0..3 {
        queues.send("shard", "a", NO_DELAY).unwrap();
    }
    let held = queues.receive("shard", 10).unwrap();
    for message in &held {
        queues.delete("shard", &message.receipt).unwrap();
    }

    let left = folder.killed();
    let queues = left.queues(&clock);

    assert_eq!(queues.depth("shard"), 0);
    let id = queues.send("shard", "b", NO_DELAY).unwrap();
    assert!(held.iter().all(|message| message.id != id));
    queues.receive("shard", 1).unwrap();
    queues.delete("shard", &held[0].receipt).unwrap();
    assert_eq!(queues.depth("shard"), 1, "a receipt from before fits no new message");
}

#[test]
fn an_orderly_end_leaves_the_same() {
    let (folder, clock) = (Folder::new(), Clock::default());
    let queues = folder.queues(&clock);
    queues.send("shard", "a", NO_DELAY).unwrap();
    queues.receive("shard", 1).unwrap();
    drop(queues);

    assert_eq!(visible(&folder.queues(&clock)), [("a".to_owned(), 2)]);
}

#[tokio::test]
async fn a_schedule_fires_in_the_next_process_once() {
    let (folder, clock) = (Folder::new(), Clock::default());
    let stack = folder.stack(&clock).await;
    schedule(&stack, "a", "at(2026-11-23T10:00:00)").await;
    schedule(&stack, "b", "at(2026-11-23T11:00:00)").await;
    schedule(&stack, "c", "at(2026-11-23T10:00:00)").await;
    stack.scheduler.delete_schedule().name("c").group_name(GROUP).send().await.unwrap();

    let left = folder.killed();
    let queues = left.queues(&clock);
    let schedules = Schedules::open(&[GROUP], &queues).unwrap();
    assert_eq!(schedules.next_due(), Some("2026-11-23T10:00:00Z".parse::<Timestamp>().unwrap()));
    clock.advance(3600);
    assert_eq!(schedules.fire_due().unwrap(), 1);

    let left = left.killed();
    let queues = left.queues(&clock);
    let schedules = Schedules::open(&[GROUP], &queues).unwrap();
    assert_eq!((schedules.fire_due().unwrap(), visible(&queues)), (0, vec![("a".to_owned(), 1)]));
    assert_eq!(schedules.next_due(), Some("2026-11-23T11:00:00Z".parse::<Timestamp>().unwrap()));
}

#[tokio::test]
async fn a_schedule_and_the_message_that_it_makes_are_one_change() {
    let (folder, clock) = (Folder::new(), Clock::default());
    let stack = folder.stack(&clock).await;
    for name in ["a", "stuck", "z"] {
        schedule(&stack, name, "at(2026-11-23T10:00:00)").await;
    }
    let left = folder.killed();
    left.alter(
        "CREATE TRIGGER t BEFORE DELETE ON schedules WHEN OLD.name = 'stuck' BEGIN SELECT RAISE(ABORT, 'no'); END",
    );
    clock.advance(3600);

    let queues = left.queues(&clock);
    let schedules = Schedules::open(&[GROUP], &queues).unwrap();
    assert!(matches!(schedules.fire_due(), Err(QueuesError::Store(_))));
    assert_eq!(visible(&queues), [("a".to_owned(), 1), ("z".to_owned(), 1)], "the others are not kept from firing");
    assert_eq!(schedules.next_due(), Some(clock.now()), "it is still due");
    drop((queues, schedules));

    left.alter("DROP TRIGGER t");
    let queues = left.queues(&clock);
    let schedules = Schedules::open(&[GROUP], &queues).unwrap();
    assert_eq!(schedules.fire_due().unwrap(), 1);
    let mut seen = visible(&queues);
    seen.sort();
    let expected = [("a", 2), ("stuck", 1), ("z", 2)];
    assert_eq!(seen, expected.map(|(body, receives)| (body.to_owned(), receives)));
}

/// Makes a file that takes no message of this body and no schedule.
fn full(folder: &Folder) {
    drop(folder.store());
    folder.alter(
        "CREATE TRIGGER a BEFORE INSERT ON messages WHEN NEW.body = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END;
         CREATE TRIGGER b BEFORE INSERT ON schedules BEGIN SELECT RAISE(ABORT, 'no'); END;",
    );
}

#[tokio::test]
async fn what_cannot_be_kept_is_answered_with_500_and_does_not_happen() {
    let (folder, clock) = (Folder::new(), Clock::default());
    full(&folder);
    let stack = folder.stack(&clock).await;
    let url = format!("http://{}/000000000000/shard", stack.address);

    let send = stack.sqs.send_message().queue_url(&url).message_body("bad").send().await.unwrap_err();
    assert_eq!(send.raw_response().unwrap().status().as_u16(), 500);
    assert_eq!(send.code(), Some("InternalFailure"));
    let entry =
        |id: &str, body: &str| SendMessageBatchRequestEntry::builder().id(id).message_body(body).build().unwrap();
    let batch = stack.sqs.send_message_batch().queue_url(&url).entries(entry("1", "good")).entries(entry("2", "bad"));
    assert_eq!(batch.send().await.unwrap_err().raw_response().unwrap().status().as_u16(), 500);
    let target = Target::builder().arn(sqs::arn("shard")).role_arn("arn:aws:iam::000000000000:role/a").input("a");
    let create = stack
        .scheduler
        .create_schedule()
        .name("a")
        .schedule_expression("at(2026-11-23T10:00:00)")
        .flexible_time_window(FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build().unwrap())
        .target(target.build().unwrap())
        .action_after_completion(ActionAfterCompletion::Delete);
    let create = create.send().await.unwrap_err().into_service_error();
    assert!(create.is_internal_server_exception());

    assert_eq!((stack.queues.depth("shard"), stack.schedules.next_due()), (0, None));
    assert_eq!(folder.killed().queues(&clock).depth("shard"), 0, "nor is a part of the batch in the file");
    stack.sqs.send_message().queue_url(&url).message_body("good").send().await.unwrap();
    assert_eq!(visible(&stack.queues), [("good".to_owned(), 1)]);
}

#[test]
fn a_poller_is_told_that_nothing_could_be_kept() {
    let (folder, clock) = (Folder::new(), Clock::default());
    folder.queues(&clock).send("shard", "a", NO_DELAY).unwrap();
    folder.alter(
        "CREATE TRIGGER a BEFORE INSERT ON messages WHEN NEW.receives > 1 BEGIN SELECT RAISE(ABORT, 'no'); END;
         CREATE TRIGGER b BEFORE DELETE ON messages BEGIN SELECT RAISE(ABORT, 'no'); END;",
    );
    let queues = folder.queues(&clock);
    let held = queues.receive("shard", 1).unwrap();

    let error = queues.delete("shard", &held[0].receipt).unwrap_err();
    let says = format!("{} cannot be read or written: no", folder.0.join(FILE).display());
    assert!(chain(&error).starts_with(&says), "{}", chain(&error));
    assert_eq!(queues.depth("shard"), 1);
    clock.advance(60);
    assert!(queues.receive("shard", 1).is_err());
    assert!(queues.receive("shard", 1).is_err(), "it was not hidden by the one that failed");
}

#[test]
fn a_folder_belongs_to_one_store_at_a_time() {
    let folder = Folder::new();
    let first = folder.store();

    let error = Store::open(&folder.0).err().unwrap();
    assert!(matches!(error, StoreError::InUse(_)));
    assert_eq!(
        error.to_string(),
        format!(
            "the data folder {} is in use by another process: stop that one, or choose another folder",
            folder.0.display()
        )
    );

    drop(first);
    folder.store();
}

#[test]
fn a_store_of_another_format_is_refused() {
    let folder = Folder::new();
    drop(folder.store());
    folder.alter("PRAGMA user_version = 7");

    let error = Store::open(&folder.0).err().unwrap();

    assert!(matches!(error, StoreError::Format { found: 7, .. }));
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = Folder::new();
    fs::write(&folder.0, "a file").unwrap();
    let inside = folder.0.join("data");

    let error = Store::open(&inside).err().unwrap();

    assert_eq!(error.to_string(), format!("{} cannot be made", inside.display()));
    fs::remove_file(&folder.0).unwrap();
}

#[cfg(unix)]
#[test]
fn the_files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;

    let (folder, clock) = (Folder::new(), Clock::default());
    let queues = folder.queues(&clock);
    queues.send("shard", "a", NO_DELAY).unwrap();

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder.0), 0o700);
    let files: Vec<_> = fs::read_dir(&folder.0).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 2, "the file and its log");
    assert!(files.iter().all(|file| mode(file) == 0o600));
}

#[test]
fn a_pair_is_kept_under_its_key() {
    let folder = Folder::new();
    let store = folder.store();
    assert_eq!(store.get("key").unwrap(), None);
    store.put("key", b"first").unwrap();
    store.put("key", &[0, 255]).unwrap();
    store.put("other", b"").unwrap();

    let store = folder.killed().store();

    assert_eq!(store.get("key").unwrap(), Some(vec![0, 255]));
    assert_eq!(store.get("other").unwrap(), Some(Vec::new()));
}

#[test]
#[ignore = "the process that the next test kills"]
fn victim() {
    let Some(folder) = std::env::var_os(VICTIM) else { return };
    let clock = Clock::default();
    let queues = Queues::open(&QUEUES, clock.port(), Store::open(Path::new(&folder)).unwrap()).unwrap();
    for body in ["a", "b", "c"] {
        queues.send("shard", body, NO_DELAY).unwrap();
    }
    let held = queues.receive("shard", 2).unwrap();
    queues.delete("shard", &held[0].receipt).unwrap();
    println!("\nanswered");
    let _ = std::io::stdin().read_line(&mut String::new());
}

#[test]
fn a_process_that_is_killed_leaves_what_it_answered_and_no_lock() {
    let (folder, clock) = (Folder::new(), Clock::default());
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "stand_ins::store::victim", "--ignored", "--nocapture"])
        .env(VICTIM, &folder.0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(process.stdout.take().unwrap());
    assert!(output.lines().any(|line| line.unwrap() == "answered"));
    assert!(matches!(Store::open(&folder.0), Err(StoreError::InUse(_))));

    process.kill().unwrap();
    process.wait().unwrap();

    let mut seen = visible(&folder.queues(&clock));
    seen.sort();
    assert_eq!(seen, [("b".to_owned(), 2), ("c".to_owned(), 1)]);
}
