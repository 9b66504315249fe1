//! SES: one bulk call, sent once, and what its answers mean.
//!
//! Nothing is repeated here. SES takes no idempotency token, so a call whose bytes left and whose answer did not come
//! may have gone out; only what SES surely did not take is reported as such.

mod simulator;

use async_trait::async_trait;
use aws_sdk_sesv2::{
    error::SdkError,
    operation::send_bulk_email::{SendBulkEmailError, builders::SendBulkEmailFluentBuilder},
    types::{
        BulkEmailContent, BulkEmailEntry, BulkEmailEntryResult, BulkEmailStatus, Destination, MessageHeader,
        MessageTag, ReplacementEmailContent, ReplacementTemplate, Template, builders::BulkEmailEntryBuilder,
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
        let entries: Result<Vec<BulkEmailEntry>, _> =
            batch.mails.iter().map(|mail| entry(batch.campaign, mail)).collect();
        let entries = entries.map_err(|error| MailerError::Refused(error.to_string()))?;
        let call = self.call(&batch.pinned.from, batch.template, entries);
        let reply_to = batch.pinned.reply_to.clone().map(|reply_to| vec![reply_to]);
        hand_over(call.set_reply_to_addresses(reply_to), batch.mails.len()).await
    }
}

impl SesMailer {
    fn call(&self, from: &str, template: &str, entries: Vec<BulkEmailEntry>) -> SendBulkEmailFluentBuilder {
        let template = Template::builder().template_name(template).template_data(NO_DATA).build();
        self.client
            .send_bulk_email()
            .from_email_address(from)
            .default_content(BulkEmailContent::builder().template(template).build())
            .set_configuration_set_name(self.configuration_set.clone())
            .set_bulk_email_entries(Some(entries))
    }
}

async fn hand_over(call: SendBulkEmailFluentBuilder, mails: usize) -> Result<Vec<Answer>, MailerError> {
    let answer = call.send().await.map_err(classify)?;
    let results = answer.bulk_email_entry_results();
    if results.len() != mails {
        // Results are matched by position; with another number of them nobody knows whose they are.
        return Ok(vec![Answer::InDoubt; mails]);
    }
    Ok(results.iter().map(answer_of).collect())
}

fn entry(campaign: Option<&CampaignId>, mail: &Mail) -> Result<BulkEmailEntry, aws_sdk_sesv2::error::BuildError> {
    let mut entry = addressed(mail.to.reveal(), &mail.data);
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

fn addressed(to: &str, data: &str) -> BulkEmailEntryBuilder {
    let template = ReplacementTemplate::builder().replacement_template_data(data).build();
    let content = ReplacementEmailContent::builder().replacement_template(template).build();
    BulkEmailEntry::builder()
        .destination(Destination::builder().to_addresses(to).build())
        .replacement_email_content(content)
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
