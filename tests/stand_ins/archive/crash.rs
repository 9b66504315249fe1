//! A process that ends at any moment.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use germane::local::ses::{ArchiveError, SesConfig};
use serde_json::{Value, json};

use super::{Clock, FOLDER, Folder, everything_of, names};
use crate::stand_ins::{results, statuses};

#[tokio::test]
async fn what_was_answered_outlives_a_process_that_is_killed() {
    const THIS: &str = "stand_ins::archive::crash::what_was_answered_outlives_a_process_that_is_killed";
    let clock = Clock::default();
    if let Some(folder) = Folder::given() {
        let stack = folder.start(&clock).await;
        stack.plain().await;
        loop {
            clock.advance(1);
            for result in results(stack.mails_to(&["a", "b", "c"])).await {
                println!("\nanswered {}", result.message_id().unwrap());
            }
        }
    }
    for answers in [1, 40, 200] {
        let folder = Folder::new();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", THIS, "--nocapture"]).env(FOLDER, &folder.0);
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        // The last line may be cut short as well, of which nobody would say that it was told.
        let mut answered = lines
            .filter_map(|line| Some(line.unwrap().strip_prefix("answered ")?.to_owned()))
            .filter(|id| id.ends_with("-000000"));
        let mut told: Vec<String> = answered.by_ref().take(answers).collect();
        process.kill().unwrap();
        process.wait().unwrap();
        told.extend(answered);
        assert!(told.len() >= answers);

        let ses = folder.open(SesConfig::default(), &clock).unwrap();

        let mails = ses.mails();
        let kept: Vec<String> = mails.iter().map(|mail| mail.id.clone()).collect();
        assert_eq!(kept.get(..told.len()), Some(told.as_slice()));
        assert!(kept.len() - told.len() <= 3, "besides, at most the call that was being answered");
        assert_eq!(folder.mails(), kept);
        assert!(mails.iter().all(|mail| mail.html().as_deref() == Some("<p>HTML</p>")));
        assert!(mails.iter().all(|mail| fs::read_to_string(folder.mail(&mail.id)).unwrap() == mail.source()));
    }
}

#[tokio::test]
async fn a_log_cut_anywhere_holds_what_was_whole_before_the_cut() {
    let (folder, clock) = (Folder::new(), Clock::default());
    let stack = folder.start(&clock).await;
    stack.a_busy_day().await;
    let (mails, events) = (everything_of(&stack.ses), stack.ses.events());
    let log = fs::read(folder.log()).unwrap();
    let id = |line: &[u8]| serde_json::from_slice::<Value>(line).unwrap()["message"]["id"].clone();
    let ids: Vec<Value> = log.split_inclusive(|byte| *byte == b'\n').map(id).collect();

    // Around the end of each line, and here and there within it.
    let ends: Vec<usize> = (1..=log.len()).filter(|at| log[at - 1] == b'\n').collect();
    let around = ends.iter().flat_map(|end| [end - 2, end - 1, *end, (end + 1).min(log.len())]);
    for cut in around.chain((0..log.len()).step_by(97)) {
        let torn = Folder::of_log(&log[..cut]);
        let ses = torn.open(SesConfig::default(), &clock).unwrap();

        let whole = ends.iter().filter(|end| **end <= cut).count();
        let is_whole = |id: &Value| ids[..whole].contains(id);
        let kept: Vec<Value> = mails.iter().filter(|mail| is_whole(&mail["id"])).cloned().collect();
        assert_eq!(everything_of(&ses), kept, "cut at {cut}");
        let told: Vec<Value> = events.iter().filter(|event| is_whole(&event["mail"]["messageId"])).cloned().collect();
        assert_eq!(ses.events(), told, "cut at {cut}");
        // A log that lost its first line begins anew with it.
        assert_eq!(fs::read(torn.log()).unwrap(), log[..ends[whole.max(1) - 1]]);
    }
}

#[tokio::test]
async fn a_log_that_was_cut_goes_on() {
    let (folder, clock) = (Folder::new(), Clock::default());
    let stack = folder.start(&clock).await;
    stack.plain().await;
    statuses(stack.mails_to(&["a", "b"])).await;
    stack.ses.close();
    let log = fs::read(folder.log()).unwrap();
    fs::write(folder.log(), &log[..log.len() - 20]).unwrap();

    let stack = folder.start(&clock).await;
    assert_eq!(stack.ses.count(), 1);
    statuses(stack.mails_to(&["c"])).await;
    stack.ses.close();

    let stack = folder.start(&clock).await;
    let to: Vec<String> = stack.ses.mails().iter().map(|mail| mail.to.clone()).collect();
    assert_eq!(to, ["a@example.com", "c@example.com"]);
}

#[tokio::test]
async fn the_log_says_which_mails_there_are() {
    let (folder, clock) = (Folder::new(), Clock::default());
    let stack = folder.start(&clock).await;
    stack.plain().await;
    statuses(stack.mails_to(&["a", "b"])).await;
    let before = everything_of(&stack.ses);
    let ids = folder.mails();
    stack.ses.close();
    let written = fs::read(folder.mail(&ids[0])).unwrap();
    fs::remove_file(folder.mail(&ids[0])).unwrap();
    fs::write(folder.mail("0000019ab0000000-00000002-000000"), "Subject: nobody was told of it").unwrap();
    let template = fs::read_dir(folder.0.join("templates")).unwrap().next().unwrap().unwrap().path();
    let unfinished = [folder.mail(&ids[1]).with_extension("eml.tmp"), template.with_extension("json.tmp")];
    for unfinished in &unfinished {
        fs::write(unfinished, "half").unwrap();
    }

    let stack = folder.start(&clock).await;

    assert_eq!(everything_of(&stack.ses), before);
    assert_eq!(folder.mails(), ids);
    assert_eq!(fs::read(folder.mail(&ids[0])).unwrap(), written, "written again");
    assert!(unfinished.iter().all(|unfinished| !unfinished.exists()));
}

#[tokio::test]
async fn a_line_that_does_not_read_is_named_and_nothing_is_changed() {
    let (folder, clock) = (Folder::new(), Clock::default());
    let stack = folder.start(&clock).await;
    stack.plain().await;
    statuses(stack.mails_to(&["a", "b"])).await;
    let log = fs::read_to_string(folder.log()).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), 4, "the format, the template, two messages");
    let with = |number: usize, line: &str| {
        let mut lines = lines.clone();
        lines[number - 1] = line;
        lines.join("\n") + "\n"
    };

    for (number, log) in [
        (1, with(1, r#"{"format":2}"#)),
        (1, with(1, lines[1])),
        (2, with(2, r#"{"format":1}"#)),
        (3, with(3, r#"{"message":{"to":"a@example.com"}}"#)),
        (4, with(4, "")),
    ] {
        let folder = Folder::of_log(log.as_bytes());
        let refused = folder.open(SesConfig::default(), &clock).err().unwrap();

        let ArchiveError::Line { line, .. } = &refused else { panic!("{refused}") };
        assert_eq!(*line, number);
        assert!(!refused.to_string().contains('@'), "{refused}");
        assert_eq!(fs::read_to_string(folder.log()).unwrap(), log);
    }
}

#[tokio::test]
async fn a_stored_template_that_does_not_read_is_named() {
    let (folder, clock) = (Folder::new(), Clock::default());
    let stack = folder.start(&clock).await;
    stack.plain().await;
    stack.ses.close();
    let templates = folder.0.join("templates");
    let path = templates.join(&names(&templates)[0]);
    let stored: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let with = |key: &str, value: Value| {
        let mut stored = stored.clone();
        stored[key] = value;
        stored.to_string()
    };

    for broken in [
        "{".to_owned(),
        with("format", json!(2)),
        with("content", json!({ "Subject": "S", "Text": "{{#if x}}", "Html": null })),
    ] {
        fs::write(&path, broken).unwrap();
        let refused = folder.open(SesConfig::default(), &clock).err().unwrap();
        assert!(matches!(&refused, ArchiveError::Template(named) if *named == path), "{refused}");
    }
    fs::write(&path, stored.to_string()).unwrap();
    folder.open(SesConfig::default(), &clock).unwrap();
}
