//! SES: one bulk call, sent once, and what its answers mean.
//!
//! Nothing is repeated here. SES takes no idempotency token, so a call whose bytes left and whose answer did not come
//! may have gone out; only what SES surely did not take is reported as such.

use async_trait::async_trait;
use aws_sdk_sesv2::{
    error::SdkError,
    operation::send_bulk_email::SendBulkEmailError,
    types::{
        BulkEmailContent, BulkEmailEntry, BulkEmailEntryResult, BulkEmailStatus, Destination, MessageHeader,
        MessageTag, ReplacementEmailContent, ReplacementTemplate, Template,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::clients::Clients;
use crate::{
    domain::{id::CampaignId, report::StatusCode},
    flow::send::mail::{Answer, Batch, Mail, Mailer, MailerError, Stop},
};

/// SES wants default data for a template; each mail brings all of its own.
const NO_DATA: &str = "{}";

pub struct SesMailer {
    client: aws_sdk_sesv2::Client,
    configuration_set: Option<String>,
}

impl SesMailer {
    pub fn new(clients: &Clients, configuration_set: Option<String>) -> Self {
        Self { client: clients.ses_sending.clone(), configuration_set }
    }
}

#[async_trait]
impl Mailer for SesMailer {
    async fn send(&self, batch: &Batch<'_>) -> Result<Vec<Answer>, MailerError> {
        let wrong = |error: aws_sdk_sesv2::error::BuildError| MailerError::Refused(error.to_string());
        let template = Template::builder().template_name(batch.template).template_data(NO_DATA).build();
        let mut call = self
            .client
            .send_bulk_email()
            .from_email_address(&batch.pinned.from)
            .default_content(BulkEmailContent::builder().template(template).build())
            .set_reply_to_addresses(batch.pinned.reply_to.clone().map(|reply_to| vec![reply_to]))
            .set_configuration_set_name(self.configuration_set.clone());
        for mail in &batch.mails {
            call = call.bulk_email_entries(entry(batch.campaign, mail).map_err(wrong)?);
        }
        let answer = call.send().await.map_err(classify)?;
        let results = answer.bulk_email_entry_results();
        if results.len() != batch.mails.len() {
            // Results are matched by position; with another number of them nobody knows whose they are.
            return Ok(vec![Answer::InDoubt; batch.mails.len()]);
        }
        Ok(results.iter().map(answer_of).collect())
    }
}

fn entry(campaign: Option<&CampaignId>, mail: &Mail) -> Result<BulkEmailEntry, aws_sdk_sesv2::error::BuildError> {
    let template = ReplacementTemplate::builder().replacement_template_data(&mail.data).build();
    let content = ReplacementEmailContent::builder().replacement_template(template).build();
    let mut entry = BulkEmailEntry::builder()
        .destination(Destination::builder().to_addresses(mail.to.reveal()).build())
        .replacement_email_content(content);
    if let Some(unsubscribe_url) = &mail.unsubscribe_url {
        // RFC 8058: one HTTPS URI, and the word that a POST alone unsubscribes.
        entry = entry
            .replacement_headers(header("List-Unsubscribe", &format!("<{unsubscribe_url}>"))?)
            .replacement_headers(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")?);
    }
    if let Some(campaign) = campaign {
        entry = entry
            .replacement_tags(tag("campaign", campaign.as_str())?)
            .replacement_tags(tag("recipient", mail.recipient.as_str())?);
    }
    Ok(entry.build())
}

fn header(name: &str, value: &str) -> Result<MessageHeader, aws_sdk_sesv2::error::BuildError> {
    MessageHeader::builder().name(name).value(value).build()
}

/// A tag takes only `[A-Za-z0-9_-]`, an id also dots: base64url carries it.
fn tag(name: &str, id: &str) -> Result<MessageTag, aws_sdk_sesv2::error::BuildError> {
    MessageTag::builder().name(name).value(URL_SAFE_NO_PAD.encode(id)).build()
}

#[expect(clippy::wildcard_enum_match_arm, reason = "what SES or its SDK adds later is in doubt until it is known")]
fn answer_of(result: &BulkEmailEntryResult) -> Answer {
    use BulkEmailStatus as Status;
    let Some(status) = result.status() else { return Answer::InDoubt };
    let stop = |code| Answer::Stopped(stop(code, status.as_str()));
    match status {
        Status::Success => Answer::Accepted,
        Status::TransientFailure | Status::AccountThrottled => Answer::Busy,
        Status::AccountDailyQuotaExceeded => Answer::QuotaExceeded,
        Status::AccountSuspended
        | Status::AccountSendingPaused
        | Status::ConfigurationSetSendingPaused
        | Status::ConfigurationSetNotFound
        | Status::InvalidSendingPoolName => stop(StatusCode::Account),
        Status::TemplateNotFound => stop(StatusCode::Template),
        Status::MailFromDomainNotVerified => stop(StatusCode::Identity),
        Status::MessageRejected | Status::InvalidParameter => Answer::Rejected { status: status.as_str().to_owned() },
        _ => Answer::InDoubt,
    }
}

fn stop(code: StatusCode, status: &str) -> Stop {
    let next = match code {
        StatusCode::Template => "push the template again and resume",
        StatusCode::Identity => "verify the sender's identity in SES and resume",
        StatusCode::Account
        | StatusCode::Breaker
        | StatusCode::Quota
        | StatusCode::Window
        | StatusCode::ByRequest
        | StatusCode::Policy => "look at the account's sending status in SES and resume",
    };
    Stop { code, message: format!("SES answered {status}: {next}") }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "what SES or its SDK adds later is in doubt until it is known")]
fn classify(error: SdkError<SendBulkEmailError>) -> MailerError {
    match &error {
        // The request never left.
        SdkError::ConstructionFailure(_) => MailerError::Refused(error.to_string()),
        SdkError::DispatchFailure(_) if never_connected(&error) => MailerError::Busy(error.into()),
        SdkError::ServiceError(service) => {
            let status = service.raw().status().as_u16();
            match service.err() {
                SendBulkEmailError::TooManyRequestsException(_) | SendBulkEmailError::LimitExceededException(_) => {
                    MailerError::Busy(error.into())
                }
                SendBulkEmailError::BadRequestException(_) => MailerError::Refused("BAD_REQUEST".to_owned()),
                SendBulkEmailError::MessageRejected(_) => MailerError::Refused("MESSAGE_REJECTED".to_owned()),
                SendBulkEmailError::AccountSuspendedException(_) => {
                    MailerError::Stopped(stop(StatusCode::Account, "AccountSuspended"))
                }
                SendBulkEmailError::SendingPausedException(_) => {
                    MailerError::Stopped(stop(StatusCode::Account, "SendingPaused"))
                }
                SendBulkEmailError::MailFromDomainNotVerifiedException(_) => {
                    MailerError::Stopped(stop(StatusCode::Identity, "MailFromDomainNotVerified"))
                }
                SendBulkEmailError::NotFoundException(_) => {
                    MailerError::Stopped(stop(StatusCode::Template, "NotFound"))
                }
                // Throttled before it was looked at.
                _ if status == 429 => MailerError::Busy(error.into()),
                // A clear refusal, such as of the credentials.
                _ if (400..500).contains(&status) => {
                    let code = aws_sdk_sesv2::error::ProvideErrorMetadata::code(&error).unwrap_or("refused");
                    MailerError::Stopped(stop(StatusCode::Account, code))
                }
                _ => MailerError::InDoubt(error.into()),
            }
        }
        // A time-out, a connection that broke, an answer that could not be read, or what the SDK adds later.
        _ => MailerError::InDoubt(error.into()),
    }
}

/// Whether the failure was to make a connection, so that no byte of the mails can have left.
fn never_connected(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(client) = error.downcast_ref::<hyper_util::client::legacy::Error>() {
            return client.is_connect();
        }
        next = error.source();
    }
    false
}
