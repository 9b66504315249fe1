//! What each answer of SES means, through the real SDK: an answer that is taken for the wrong thing is a duplicate or a
//! mail that never went out.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use axum::{
    Router,
    http::{StatusCode, header::HeaderName},
};
use germane::{
    aws::{clients::Endpoints, mailer::SesMailer},
    domain::report::StatusCode as Why,
    flow::{
        launch::Pinned,
        send::mail::{Answer, Batch, Mail, Mailer, MailerError},
    },
    local::services,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};

/// An SES that says one thing, whatever it is asked.
struct Said {
    mailer: SesMailer,
    asked: Arc<AtomicU32>,
    _server: JoinSet<()>,
}

async fn ses_that_says(status: u16, error: &'static str, body: &Value) -> Said {
    let asked = Arc::new(AtomicU32::new(0));
    let (counter, body) = (Arc::clone(&asked), body.to_string());
    let answer = move || {
        counter.fetch_add(1, Ordering::Relaxed);
        let status = StatusCode::from_u16(status).unwrap();
        async move { (status, [(HeaderName::from_static("x-amzn-errortype"), error)], body) }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut server = JoinSet::new();
    server.spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await.unwrap() });
    let clients = services::clients(&Endpoints { ses: Some(url), ..Endpoints::default() });
    Said { mailer: SesMailer::new(&clients, None), asked, _server: server }
}

impl Said {
    async fn send(&self, mails: usize) -> Result<Vec<Answer>, MailerError> {
        let pinned = Pinned {
            template: "newsletter".parse().unwrap(),
            template_hash: "0".to_owned(),
            from: "news@example.com".to_owned(),
            reply_to: None,
            shards: 1,
            forget_at: None,
        };
        let mail = |n: usize| Mail {
            recipient: format!("r-{n}").parse().unwrap(),
            to: format!("r-{n}@example.com").parse().unwrap(),
            data: "{}".to_owned(),
            unsubscribe_url: Some("https://mail.example.com/u/x".to_owned()),
        };
        let campaign: germane::domain::id::CampaignId = "weekly".parse().unwrap();
        let mails = (0..mails).map(mail).collect();
        let sent = self
            .mailer
            .send(&Batch { campaign: Some(&campaign), pinned: &pinned, template: "germane-newsletter", mails })
            .await;
        assert_eq!(self.asked.load(Ordering::Relaxed), 1, "a bulk call is never repeated by the SDK");
        sent
    }
}

fn results(statuses: &[&str]) -> Value {
    let results: Vec<Value> =
        statuses.iter().map(|status| json!({ "Status": status, "MessageId": "m", "Error": "e" })).collect();
    json!({ "BulkEmailEntryResults": results })
}

/// An answer without its wording.
fn meaning(answer: &Answer) -> (&'static str, Option<Why>) {
    match answer {
        Answer::Accepted => ("accepted", None),
        Answer::Busy => ("busy", None),
        Answer::QuotaExceeded => ("quota", None),
        Answer::Stopped(stop) => ("stopped", Some(stop.code)),
        Answer::Rejected { .. } => ("rejected", None),
        Answer::InDoubt => ("in doubt", None),
    }
}

#[tokio::test]
async fn every_status_of_an_entry_means_what_may_be_done_next() {
    let table = [
        ("SUCCESS", ("accepted", None)),
        ("TRANSIENT_FAILURE", ("busy", None)),
        ("ACCOUNT_THROTTLED", ("busy", None)),
        ("ACCOUNT_DAILY_QUOTA_EXCEEDED", ("quota", None)),
        ("ACCOUNT_SUSPENDED", ("stopped", Some(Why::Account))),
        ("ACCOUNT_SENDING_PAUSED", ("stopped", Some(Why::Account))),
        ("CONFIGURATION_SET_SENDING_PAUSED", ("stopped", Some(Why::Account))),
        ("CONFIGURATION_SET_NOT_FOUND", ("stopped", Some(Why::Account))),
        ("INVALID_SENDING_POOL_NAME", ("stopped", Some(Why::Account))),
        ("TEMPLATE_NOT_FOUND", ("stopped", Some(Why::Template))),
        ("MAIL_FROM_DOMAIN_NOT_VERIFIED", ("stopped", Some(Why::Identity))),
        ("MESSAGE_REJECTED", ("rejected", None)),
        ("INVALID_PARAMETER", ("rejected", None)),
        ("FAILED", ("in doubt", None)),
        ("A_STATUS_OF_A_LATER_SES", ("in doubt", None)),
    ];
    let (statuses, expected): (Vec<&str>, Vec<_>) = table.into_iter().unzip();
    let ses = ses_that_says(200, "", &results(&statuses)).await;
    let answers = ses.send(statuses.len()).await.unwrap();
    for ((status, answer), expected) in statuses.iter().zip(&answers).zip(expected) {
        assert_eq!(meaning(answer), expected, "{status}");
    }
}

#[tokio::test]
async fn an_entry_without_a_status_is_in_doubt() {
    let ses = ses_that_says(200, "", &json!({ "BulkEmailEntryResults": [{ "Status": "SUCCESS" }, {}] })).await;
    assert_eq!(ses.send(2).await.unwrap(), [Answer::Accepted, Answer::InDoubt]);
}

#[tokio::test]
async fn another_number_of_results_puts_every_mail_of_the_call_in_doubt() {
    for count in [0, 1, 3] {
        let ses = ses_that_says(200, "", &results(&vec!["SUCCESS"; count])).await;
        assert_eq!(ses.send(2).await.unwrap(), [Answer::InDoubt, Answer::InDoubt], "{count} results");
    }
}

#[tokio::test]
async fn every_error_of_a_whole_call_means_what_may_be_done_next() {
    let table = [
        (429, "TooManyRequestsException", ("busy", None)),
        (400, "LimitExceededException", ("busy", None)),
        (429, "AnErrorOfALaterSes", ("busy", None)),
        (400, "BadRequestException", ("refused", None)),
        (400, "MessageRejected", ("refused", None)),
        (400, "AccountSuspendedException", ("stopped", Some(Why::Account))),
        (400, "SendingPausedException", ("stopped", Some(Why::Account))),
        (400, "MailFromDomainNotVerifiedException", ("stopped", Some(Why::Identity))),
        (404, "NotFoundException", ("stopped", Some(Why::Template))),
        (403, "AccessDeniedException", ("stopped", Some(Why::Account))),
        (500, "InternalFailure", ("in doubt", None)),
        (503, "ServiceUnavailable", ("in doubt", None)),
    ];
    for (status, error, expected) in table {
        let ses = ses_that_says(status, error, &json!({ "message": "m" })).await;
        let meaning = match ses.send(2).await {
            Ok(answers) => panic!("{error}: {answers:?}"),
            Err(MailerError::Busy(_)) => ("busy", None),
            Err(MailerError::Refused(_)) => ("refused", None),
            Err(MailerError::Stopped(stop)) => ("stopped", Some(stop.code)),
            Err(MailerError::InDoubt(_)) => ("in doubt", None),
        };
        assert_eq!(meaning, expected, "{status} {error}");
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_in_doubt() {
    let ses = ses_that_says(200, "", &json!("not the shape")).await;
    match ses.send(2).await {
        Ok(answers) => assert_eq!(answers, [Answer::InDoubt, Answer::InDoubt]),
        Err(error) => assert!(matches!(error, MailerError::InDoubt(_)), "{error:?}"),
    }
}
