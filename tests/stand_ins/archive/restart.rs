//! What a start finds is what the one before it left.

use std::fs;

use germane::local::ses::{ArchiveError, Ses, SesConfig};
use serde_json::json;

use super::{Clock, Folder, everything_of, names};
use crate::stand_ins::{Stack, content, statuses};

#[tokio::test]
async fn after_a_restart_everything_is_as_it_was() {
    let (folder, clock) = (Folder::new(), Clock::default());
    let stack = folder.start(&clock).await;
    stack.a_busy_day().await;
    let before = stack.everything().await;
    stack.ses.close();

    let stack = folder.start(&clock).await;

    let after = stack.everything().await;
    assert_eq!(after, before);
    assert_eq!(after["mails"].as_array().unwrap().len(), 6);
    let events = stack.ses.events();
    let kinds: Vec<&str> = events.iter().map(|event| event["eventType"].as_str().unwrap()).collect();
    assert_eq!(
        kinds[..8],
        ["Send", "Delivery", "Send", "Delivery", "Complaint", "Send", "Bounce", "Rendering Failure"]
    );
    assert_eq!(kinds[8..], ["Send", "Delivery"].repeat(3));
    assert_eq!(after["sent"], "7");
    assert_eq!(after["mails"][0]["text"], "Hallo Jörg \"quoted\"\n0.30000000000000004");
    assert_eq!(after["mails"][0]["html"], "<p>Hallo <b>Jörg \"quoted\"</b></p>\r\n", "as the template was then");
    assert_eq!(after["mails"][5]["subject"], "Later, you");
}

#[tokio::test]
async fn a_folder_shows_what_memory_would() {
    let folder = Folder::new();
    let (clock, other) = (Clock::default(), Clock::default());
    let kept = folder.start(&clock).await;
    let memory = Stack::serve(Ses::new(SesConfig::default(), other.port()), other).await;

    kept.a_busy_day().await;
    memory.a_busy_day().await;

    assert_eq!(kept.everything().await, memory.everything().await);
}

#[tokio::test]
async fn a_mail_sent_after_a_restart_follows_the_others_under_an_id_of_its_own() {
    let (folder, clock) = (Folder::new(), Clock::default());
    for starts in 1..4 {
        let stack = folder.start(&clock).await;
        if starts == 1 {
            stack.plain().await;
        }
        statuses(stack.mails_to(&["a", "b"])).await;
        stack.ses.close();

        let ids: Vec<String> = stack.ses.mails().iter().map(|mail| mail.id.clone()).collect();
        assert_eq!(ids.len(), 2 * starts);
        assert_eq!(folder.mails(), ids, "in their order, and none twice");
    }
}

#[tokio::test]
async fn the_second_and_the_day_go_on_through_a_restart() {
    let (folder, clock) = (Folder::new(), Clock::default());
    let config = SesConfig { max_send_rate: 3.0, daily_quota: 5.0, ..SesConfig::default() };
    let stack = folder.start_with(config, &clock).await;
    stack.plain().await;
    statuses(stack.mails_to(&["a", "b"])).await;
    stack.ses.close();

    let stack = folder.start_with(config, &clock).await;
    let over = stack.mails_to(&["c", "d"]).send().await.unwrap_err();
    assert!(over.into_service_error().is_too_many_requests_exception());
    assert_eq!(statuses(stack.mails_to(&["c"])).await, ["SUCCESS"]);
    clock.advance(1);
    stack.ses.close();

    let stack = folder.start_with(config, &clock).await;
    let beyond = "ACCOUNT_DAILY_QUOTA_EXCEEDED";
    assert_eq!(statuses(stack.mails_to(&["d", "e", "f"])).await, ["SUCCESS", "SUCCESS", beyond]);
    stack.ses.close();

    clock.advance(24 * 60 * 60);
    let stack = folder.start_with(config, &clock).await;
    assert_eq!(statuses(stack.mails_to(&["f", "g", "h"])).await, ["SUCCESS"; 3]);
}

#[tokio::test]
async fn a_template_is_kept_under_any_name() {
    let (folder, clock) = (Folder::new(), Clock::default());
    let all = ["plain", "Plain", "../escape", "a/b", "über", "x.tmp"];
    let stack = folder.start(&clock).await;
    for name in all {
        stack.template(name, name, "Text", "<p>HTML</p>").await;
    }
    stack.mailer.delete_email_template().template_name("a/b").send().await.unwrap();
    stack.ses.close();

    let stack = folder.start(&clock).await;

    for name in all {
        let found = stack.mailer.get_email_template().template_name(name).send().await;
        let subject = found.ok().and_then(|found| found.template_content?.subject);
        assert_eq!(subject.as_deref(), (name != "a/b").then_some(name));
    }
    assert_eq!(names(&folder.0.join("templates")).len(), all.len() - 1);
}

#[tokio::test]
async fn a_mail_keeps_its_template_when_that_is_gone() {
    let (folder, clock) = (Folder::new(), Clock::default());
    let stack = folder.start(&clock).await;
    stack.plain().await;
    statuses(stack.mails_to(&["a"])).await;
    stack.mailer.delete_email_template().template_name("plain").send().await.unwrap();
    stack.template("plain", "Another", "Another", "<p>Another</p>").await;
    stack.ses.close();

    let stack = folder.start(&clock).await;
    statuses(stack.mails_to(&["b"])).await;

    let html: Vec<Option<String>> = stack.ses.mails().iter().map(|mail| mail.html()).collect();
    assert_eq!(html, ["<p>HTML</p>", "<p>Another</p>"].map(|html| Some(html.to_owned())));
}

#[tokio::test]
async fn one_folder_serves_one_ses_at_a_time() {
    let (folder, clock) = (Folder::new(), Clock::default());
    let first = folder.start(&clock).await;
    first.plain().await;

    let refused = folder.open(SesConfig::default(), &clock).err().unwrap();
    assert!(matches!(refused, ArchiveError::InUse(_)), "{refused}");

    first.ses.close();
    let second = folder.start(&clock).await;
    assert_eq!(statuses(second.mails_to(&["a"])).await, ["SUCCESS"]);
    let late = first.mails_to(&["b"]).send().await.unwrap_err();
    assert_eq!(late.raw_response().unwrap().status().as_u16(), 500);
    let create = first.mailer.create_email_template().template_name("late").template_content(content("S", "T", "H"));
    assert_eq!(create.send().await.unwrap_err().raw_response().unwrap().status().as_u16(), 500);
    assert_eq!((first.ses.count(), second.ses.count(), names(&folder.0.join("templates")).len()), (0, 1, 1));
}

#[tokio::test]
async fn a_dropped_ses_lets_go_of_its_folder() {
    let (folder, clock) = (Folder::new(), Clock::default());

    for _ in 0..2 {
        drop(folder.open(SesConfig::default(), &clock).unwrap());
    }
}

#[cfg(unix)]
#[tokio::test]
async fn only_their_owner_reads_the_files() {
    use std::{os::unix::fs::PermissionsExt, path::Path};

    let (folder, clock) = (Folder::new(), Clock::default());
    let stack = folder.start(&clock).await;
    stack.a_busy_day().await;

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder.0), mode(&folder.log())), (0o700, 0o600));
    for part in ["mails", "templates"] {
        let path = folder.0.join(part);
        assert_eq!(mode(&path), 0o700);
        let files = names(&path);
        assert!(!files.is_empty());
        assert!(files.iter().all(|name| mode(&path.join(name)) == 0o600), "{part}");
    }
}

#[tokio::test]
async fn a_mail_without_its_file_is_read_from_the_log() {
    let (folder, clock) = (Folder::new(), Clock::default());
    let stack = folder.start(&clock).await;
    stack.a_busy_day().await;
    let before = everything_of(&stack.ses);

    fs::remove_dir_all(folder.0.join("mails")).unwrap();

    assert_eq!(everything_of(&stack.ses), before);
}

#[tokio::test]
async fn a_mail_that_cannot_be_read_at_all_looks_empty() {
    let (folder, clock) = (Folder::new(), Clock::default());
    let stack = folder.start(&clock).await;
    stack.plain().await;
    statuses(stack.mails_to(&["a"])).await;

    fs::remove_dir_all(&folder.0).unwrap();

    let mail = &stack.ses.mails()[0];
    assert_eq!((mail.html(), mail.text(), mail.to.as_str()), (None, None, "a@example.com"));
    assert!(stack.page(&format!("/inbox/{}?view=source", mail.id)).await.contains("a@example.com"));
    assert_eq!(stack.ses.events()[0]["mail"]["destination"], json!(["a@example.com"]));
}

#[tokio::test]
async fn what_else_lies_in_the_folder_is_left_alone() {
    let (folder, clock) = (Folder::new(), Clock::default());
    drop(folder.open(SesConfig::default(), &clock).unwrap());
    let others = ["mails/kept.eml", "mails/kept.eml.tmp", "templates/kept.json", "templates/kept.json.tmp", "kept.txt"]
        .map(|name| folder.0.join(name));
    for other in &others {
        fs::write(other, "mine").unwrap();
    }

    folder.open(SesConfig::default(), &clock).unwrap();

    assert!(others.iter().all(|other| fs::read_to_string(other).unwrap() == "mine"));
}
