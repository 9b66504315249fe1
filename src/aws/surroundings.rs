//! What SES says of itself: the account, the sender's identity, the event destinations, the templates.
//!
//! All of these are questions that SES answers about once a second, so the SDK is told to ask again more often than it
//! does by default (<https://docs.aws.amazon.com/ses/latest/dg/quotas.html>).

use std::error::Error;

use async_trait::async_trait;
use aws_config::retry::RetryConfig;
use aws_sdk_sesv2::{
    error::{ProvideErrorMetadata, SdkError},
    operation::{
        get_configuration_set_event_destinations::GetConfigurationSetEventDestinationsError,
        get_email_identity::{GetEmailIdentityError, GetEmailIdentityOutput},
        get_email_template::GetEmailTemplateError,
    },
    types::{BehaviorOnMxFailure, DkimStatus, EventDestination, EventType, MailFromDomainStatus, VerificationStatus},
};

use super::{
    clients::Clients,
    pace::{limits, plan},
};
use crate::{
    domain::readiness::{
        account::{Account, Reputation},
        events::{ConfigurationSet, Destination, EventKind},
        sender::{Identity, MailFrom, Proof},
        templates::Held,
    },
    flow::{doctor::Surroundings, pace::Limits, port::PortError, template::Compiled},
};

const ATTEMPTS: u32 = 4;

pub struct SesSurroundings {
    client: aws_sdk_sesv2::Client,
    configuration_set: Option<String>,
}

impl SesSurroundings {
    pub fn new(clients: &Clients, configuration_set: Option<String>) -> Self {
        let patient = RetryConfig::standard().with_max_attempts(ATTEMPTS);
        let config = clients.ses.config().to_builder().retry_config(patient).build();
        Self { client: aws_sdk_sesv2::Client::from_conf(config), configuration_set }
    }
}

#[async_trait]
impl Surroundings for SesSurroundings {
    async fn identity(&self, name: &str) -> Result<Option<Identity>, PortError> {
        match self.client.get_email_identity().email_identity(name).send().await {
            Ok(answer) => Ok(Some(identity(&answer))),
            Err(error) if error.as_service_error().is_some_and(GetEmailIdentityError::is_not_found_exception) => {
                Ok(None)
            }
            Err(error) => Err(failed(error)),
        }
    }

    async fn account(&self) -> Result<Account, PortError> {
        let answer = self.client.get_account().send().await.map_err(failed)?;
        let Limits { per_second, per_day, sent_last_day } = limits(&answer)?;
        Ok(Account {
            production: answer.production_access_enabled(),
            sending: answer.sending_enabled(),
            reputation: match answer.enforcement_status() {
                Some("HEALTHY") => Reputation::Healthy,
                Some("PROBATION") => Reputation::Probation,
                Some("SHUTDOWN") => Reputation::Shutdown,
                Some(_) | None => Reputation::Other,
            },
            per_second,
            per_day,
            sent_last_day,
            plan: plan(&answer),
        })
    }

    async fn configuration_set(&self) -> Result<ConfigurationSet, PortError> {
        let Some(name) = self.configuration_set.clone() else { return Ok(ConfigurationSet::Unnamed) };
        let get = self.client.get_configuration_set_event_destinations().configuration_set_name(&name);
        match get.send().await {
            Ok(answer) => {
                let destinations = answer.event_destinations().iter().map(destination).collect();
                Ok(ConfigurationSet::Found { name, destinations })
            }
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetConfigurationSetEventDestinationsError::is_not_found_exception) =>
            {
                Ok(ConfigurationSet::Absent { name })
            }
            Err(error) => Err(failed(error)),
        }
    }

    async fn template(&self, form: &Compiled) -> Result<Held, PortError> {
        let answer = match self.client.get_email_template().template_name(form.ses_name()).send().await {
            Ok(answer) => answer,
            Err(error) if error.as_service_error().is_some_and(GetEmailTemplateError::is_not_found_exception) => {
                return Ok(Held::Absent);
            }
            Err(error) => return Err(failed(error)),
        };
        let same = answer.template_content().is_some_and(|content| {
            let is = |part: Option<&str>, pushed: &str| part.unwrap_or_default() == pushed;
            is(content.subject(), &form.subject) && is(content.html(), &form.html) && is(content.text(), &form.text)
        });
        Ok(if same { Held::AsPushed } else { Held::Changed })
    }
}

/// Why SES did not answer. Its own messages may repeat the sender's address: of a refusal only the code is kept.
fn failed<E>(error: SdkError<E>) -> PortError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match error.code() {
        Some(code) => PortError::unavailable("SES", format!("it answered {code}")),
        None => PortError::unavailable("SES", error),
    }
}

fn identity(answer: &GetEmailIdentityOutput) -> Identity {
    let dkim = answer.dkim_attributes().filter(|dkim| dkim.signing_enabled());
    Identity {
        verified: answer.verified_for_sending_status(),
        verification: answer.verification_status().map_or(Proof::Other, verification),
        dkim: dkim.map(|dkim| dkim.status().map_or(Proof::Other, signing)),
        // Without one SES may also tell of an empty name.
        mail_from: answer.mail_from_attributes().filter(|own| !own.mail_from_domain().is_empty()).map(|own| MailFrom {
            proof: bounces(own.mail_from_domain_status()),
            refuses: *own.behavior_on_mx_failure() == BehaviorOnMxFailure::RejectMessage,
        }),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "what SES or its SDK adds later is not known to be proven")]
fn verification(status: &VerificationStatus) -> Proof {
    match status {
        VerificationStatus::Success => Proof::Success,
        VerificationStatus::Pending => Proof::Pending,
        VerificationStatus::Failed => Proof::Failed,
        VerificationStatus::TemporaryFailure => Proof::TemporaryFailure,
        VerificationStatus::NotStarted => Proof::NotStarted,
        _ => Proof::Other,
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "what SES or its SDK adds later is not known to be proven")]
fn signing(status: &DkimStatus) -> Proof {
    match status {
        DkimStatus::Success => Proof::Success,
        DkimStatus::Pending => Proof::Pending,
        DkimStatus::Failed => Proof::Failed,
        DkimStatus::TemporaryFailure => Proof::TemporaryFailure,
        DkimStatus::NotStarted => Proof::NotStarted,
        _ => Proof::Other,
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "what SES or its SDK adds later is not known to be proven")]
fn bounces(status: &MailFromDomainStatus) -> Proof {
    match status {
        MailFromDomainStatus::Success => Proof::Success,
        MailFromDomainStatus::Pending => Proof::Pending,
        MailFromDomainStatus::Failed => Proof::Failed,
        MailFromDomainStatus::TemporaryFailure => Proof::TemporaryFailure,
        _ => Proof::Other,
    }
}

fn destination(one: &EventDestination) -> Destination {
    Destination {
        enabled: one.enabled(),
        topic: one.sns_destination().is_some(),
        kinds: one.matching_event_types().iter().filter_map(kind).collect(),
    }
}

/// `None` for what is not needed.
#[expect(clippy::wildcard_enum_match_arm, reason = "what SES or its SDK adds later is not needed")]
fn kind(of: &EventType) -> Option<EventKind> {
    match of {
        EventType::Bounce => Some(EventKind::Bounce),
        EventType::Complaint => Some(EventKind::Complaint),
        EventType::Delivery => Some(EventKind::Delivery),
        EventType::RenderingFailure => Some(EventKind::RenderingFailure),
        EventType::Reject => Some(EventKind::Reject),
        EventType::DeliveryDelay => Some(EventKind::DeliveryDelay),
        _ => None,
    }
}
