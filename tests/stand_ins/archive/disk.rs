//! A disk that takes no more.

use std::fs;

use aws_sdk_sesv2::error::ProvideErrorMetadata;
use germane::local::ses::{ArchiveError, SesConfig};

use super::{Clock, Folder, everything_of};
use crate::stand_ins::{Stack, content, statuses};

/// Asserts that a call is in doubt for whoever made it, and that SES holds nothing of it.
async fn fails_and_leaves_nothing(stack: &Stack, folder: &Folder, to: &[&str]) {
    let before = (everything_of(&stack.ses), stack.ses.events(), fs::read(folder.log()).unwrap());

    let failed = stack.mails_to(to).send().await.unwrap_err();

    assert_eq!(failed.raw_response().unwrap().status().as_u16(), 500);
    assert!(!failed.into_service_error().message().unwrap().contains('@'));
    assert!((everything_of(&stack.ses), stack.ses.events(), fs::read(folder.log()).unwrap()) == before);
}

#[tokio::test]
async fn without_room_for_its_mails_a_call_fails_and_nothing_of_it_is_kept() {
    let (folder, clock) = (Folder::new(), Clock::default());
    let stack = folder.start(&clock).await;
    stack.plain().await;
    statuses(stack.mails_to(&["a"])).await;
    let (mails, aside) = (folder.0.join("mails"), folder.0.join("aside"));
    fs::rename(&mails, &aside).unwrap();
    fs::write(&mails, "in the way").unwrap();

    fails_and_leaves_nothing(&stack, &folder, &["b", "c"]).await;
    let account = stack.mailer.get_account().send().await.unwrap();
    assert_eq!(account.send_quota().unwrap().sent_last24_hours().to_string(), "1", "nor does it use the quota");

    fs::remove_file(&mails).unwrap();
    fs::rename(&aside, &mails).unwrap();
    assert_eq!(statuses(stack.mails_to(&["d"])).await, ["SUCCESS"]);
    let before = everything_of(&stack.ses);
    stack.ses.close();
    assert_eq!(everything_of(&folder.start(&clock).await.ses), before);
}

#[tokio::test]
async fn a_call_of_which_one_mail_cannot_be_written_takes_the_others_back() {
    let (folder, clock) = (Folder::new(), Clock::default());
    let stack = folder.start(&clock).await;
    stack.plain().await;
    statuses(stack.mails_to(&["a"])).await;
    let third = folder.mails()[0].replace("-00000000-", "-00000002-");
    fs::create_dir(folder.mail(&third)).unwrap();

    fails_and_leaves_nothing(&stack, &folder, &["b", "c", "d"]).await;

    fs::remove_dir(folder.mail(&third)).unwrap();
    assert_eq!(folder.mails().len(), 1, "the one before it was written, and taken back");
    assert_eq!(statuses(stack.mails_to(&["b", "c", "d"])).await, ["SUCCESS"; 3]);
}

#[tokio::test]
async fn a_template_that_cannot_be_written_is_not_stored() {
    let (folder, clock) = (Folder::new(), Clock::default());
    let stack = folder.start(&clock).await;
    stack.plain().await;
    let templates = folder.0.join("templates");
    fs::rename(&templates, folder.0.join("aside")).unwrap();
    fs::write(&templates, "in the way").unwrap();

    let other = || content("Other", "Other", "<p>Other</p>");
    let create = stack.mailer.create_email_template().template_name("other").template_content(other()).send().await;
    let update = stack.mailer.update_email_template().template_name("plain").template_content(other()).send().await;
    let delete = stack.mailer.delete_email_template().template_name("plain").send().await;

    assert_eq!(create.unwrap_err().raw_response().unwrap().status().as_u16(), 500);
    assert_eq!(update.unwrap_err().raw_response().unwrap().status().as_u16(), 500);
    assert_eq!(delete.unwrap_err().raw_response().unwrap().status().as_u16(), 500);
    let read = async |name: &str| stack.mailer.get_email_template().template_name(name).send().await;
    assert!(read("other").await.is_err());
    assert_eq!(read("plain").await.unwrap().template_content().unwrap().subject(), Some("Hello"));
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let (folder, clock) = (Folder::new(), Clock::default());
    fs::create_dir(&folder.0).unwrap();
    fs::write(folder.0.join("mails"), "in the way").unwrap();

    let refused = folder.open(SesConfig::default(), &clock).err().unwrap();

    assert!(matches!(&refused, ArchiveError::Disk { path, .. } if *path == folder.0.join("mails")), "{refused}");
}

/// The limit of a process on the size of its files stands in for the end of the disk: of a large call's lines a part is
/// written, and then nothing.
#[cfg(unix)]
#[tokio::test]
async fn a_log_that_is_written_in_part_stays_readable_and_goes_on() {
    use std::process::{Command, Stdio};

    const THIS: &str = "stand_ins::archive::disk::a_log_that_is_written_in_part_stays_readable_and_goes_on";
    const LIMITED: &str = "trap '' XFSZ; ulimit -f 16; exec \"$0\" --exact \"$1\"";
    let clock = Clock::default();
    if let Some(folder) = Folder::given() {
        let stack = folder.start(&clock).await;
        stack.plain().await;
        for round in 1..4 {
            assert_eq!(statuses(stack.mails_to(&["a"])).await, ["SUCCESS"]);
            fails_and_leaves_nothing(&stack, &folder, &["b"; 50]).await;
            assert_eq!((stack.ses.count(), folder.mails().len()), (round, round));
        }
        return;
    }
    let folder = Folder::new();
    let mut command = Command::new("sh");
    command.args(["-c", LIMITED]).arg(std::env::current_exe().unwrap()).arg(THIS).env(super::FOLDER, &folder.0);
    let limited = command.stdin(Stdio::null()).output().unwrap();
    assert!(limited.status.success(), "{}", String::from_utf8_lossy(&limited.stdout));

    let stack = folder.start(&clock).await;

    assert_eq!((stack.ses.count(), folder.mails().len()), (3, 3));
    assert_eq!(statuses(stack.mails_to(&["b"; 50])).await, ["SUCCESS"; 50]);
}
