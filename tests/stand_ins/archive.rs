//! The folder of an SES that outlives its process.

mod crash;
mod disk;
mod restart;

use std::{
    fs,
    mem::ManuallyDrop,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use aws_sdk_sesv2::{
    operation::send_bulk_email::builders::SendBulkEmailFluentBuilder,
    types::{Body, Content, Destination, EmailContent, Message, Template},
};
use germane::local::ses::{ArchiveError, Ses, SesConfig};
use serde_json::{Value, json};

use super::{Clock, Stack, content, data, entry, header, statuses, tag};

/// Where a test that runs once more, as a process of its own, finds the folder of the one that started it.
const FOLDER: &str = "GERMANE_TEST_SES_FOLDER";

/// A folder that ends with its test.
struct Folder(PathBuf);

impl Folder {
    /// One that is not there yet.
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("germane-ses-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        Self(std::env::temp_dir().join(name))
    }

    /// The one of the process that started this one for a part of its test, and that will end it.
    fn given() -> Option<ManuallyDrop<Self>> {
        std::env::var_os(FOLDER).map(|path| ManuallyDrop::new(Self(path.into())))
    }

    /// One that holds only this log.
    fn of_log(log: &[u8]) -> Self {
        let folder = Self::new();
        fs::create_dir(&folder.0).unwrap();
        fs::write(folder.log(), log).unwrap();
        folder
    }

    fn log(&self) -> PathBuf {
        self.0.join("log.jsonl")
    }

    fn mail(&self, id: &str) -> PathBuf {
        self.0.join("mails").join(format!("{id}.eml"))
    }

    /// The ids of the mails that have a file, in their order.
    fn mails(&self) -> Vec<String> {
        let mut names = names(&self.0.join("mails"));
        names.sort();
        names.iter().map(|name| name.strip_suffix(".eml").unwrap().to_owned()).collect()
    }

    fn open(&self, config: SesConfig, clock: &Clock) -> Result<Ses, ArchiveError> {
        Ses::open(config, clock.port(), &self.0)
    }

    async fn start(&self, clock: &Clock) -> Stack {
        self.start_with(SesConfig::default(), clock).await
    }

    async fn start_with(&self, config: SesConfig, clock: &Clock) -> Stack {
        Stack::serve(self.open(config, clock).unwrap(), clock.clone()).await
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // It may never have been made.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

impl Stack {
    /// A call of entries to these labels at example.com.
    fn mails_to(&self, to: &[&str]) -> SendBulkEmailFluentBuilder {
        let entries = to.iter().map(|to| entry(&format!("{to}@example.com")).build()).collect();
        self.bulk("plain", "{}").set_bulk_email_entries(Some(entries))
    }

    /// One of everything that SES accepts.
    async fn a_busy_day(&self) {
        self.plain().await;
        self.template("t", "Grüße, {{name}}", "Hallo {{name}}\n{{n}}", "<p>Hallo <b>{{name}}</b></p>\r\n").await;
        let person = |to: &str, json: &str| entry(to).replacement_email_content(data(json));
        let call = self
            .bulk("t", r#"{"name":"you","n":0.30000000000000004}"#)
            .reply_to_addresses("Help <help@example.com>")
            .default_email_tags(tag("campaign", "c"))
            .bulk_email_entries(
                person("r-1@example.com", r#"{"name":"Jörg \"quoted\""}"#)
                    .replacement_headers(header("List-Unsubscribe", "<https://example.com/u/1>"))
                    .replacement_tags(tag("recipient", "r-1"))
                    .build(),
            )
            .bulk_email_entries(person("complaint+r-2@simulator.amazonses.com", "{}").build())
            .bulk_email_entries(entry("bounce@simulator.amazonses.com").build());
        assert_eq!(statuses(call).await, ["SUCCESS"; 3]);
        self.clock.advance(60);

        let unrendered = self.bulk("t", "{}").bulk_email_entries(entry("r-3@example.com").build());
        assert_eq!(statuses(unrendered).await, ["SUCCESS"]);
        let inline =
            Template::builder().template_content(content("{{n}}", "{{n}}", "{{n}}")).template_data(r#"{"n":"inline"}"#);
        let call = self.bulk_of(inline.build()).bulk_email_entries(entry("r-4@example.com").build());
        assert_eq!(statuses(call).await, ["SUCCESS"]);
        let part = |data: &str| Content::builder().data(data).build().unwrap();
        let message = Message::builder()
            .subject(part("Written out"))
            .body(Body::builder().html(part("<p>{{not a template}}</p>")).build())
            .build();
        self.mailer
            .send_email()
            .from_email_address("Other <other@example.com>")
            .destination(Destination::builder().to_addresses("qa@example.com").build())
            .content(EmailContent::builder().simple(message).build())
            .send()
            .await
            .unwrap();

        let later = content("Later, {{name}}", "Later", "<p>Later</p>");
        self.mailer.update_email_template().template_name("t").template_content(later).send().await.unwrap();
        let call = self.bulk("t", r#"{"name":"you"}"#).bulk_email_entries(entry("r-5@example.com").build());
        assert_eq!(statuses(call).await, ["SUCCESS"]);
        self.mailer.delete_email_template().template_name("plain").send().await.unwrap();
    }

    /// All that can be asked of SES.
    async fn everything(&self) -> Value {
        let mut templates = Vec::new();
        for name in ["plain", "t"] {
            let template = self.mailer.get_email_template().template_name(name).send().await;
            templates.push(template.ok().map(|template| format!("{:?}", template.template_content())));
        }
        let account = self.mailer.get_account().send().await.unwrap();
        json!({
            "mails": everything_of(&self.ses),
            "events": self.ses.events(),
            "templates": templates,
            "sent": account.send_quota().unwrap().sent_last24_hours().to_string(),
            "inbox": self.page("/inbox").await,
        })
    }
}

fn everything_of(ses: &Ses) -> Vec<Value> {
    let mails = ses.mails();
    let all = mails.iter().map(|mail| {
        json!({
            "id": mail.id, "at": mail.at, "from": &*mail.from, "to": mail.to, "subject": mail.subject,
            "tags": mail.tags, "headers": mail.headers(), "html": mail.html(), "text": mail.text(),
            "source": mail.source(),
        })
    });
    all.collect()
}
