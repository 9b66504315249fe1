//! SDK clients with the time-outs and retries that the protocol relies on. Endpoints and credentials come from the
//! usual AWS configuration (`AWS_ENDPOINT_URL_DYNAMODB` and its like).

use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use serde::{Deserialize, Serialize};

use crate::flow::send::lease::SES_TIMEOUT_S;

/// A call may take so long, all its attempts together; the SDK's default has no end.
pub(super) const OPERATION: Duration = Duration::from_secs(10);
const ATTEMPT: Duration = Duration::from_secs(4);
const CONNECT: Duration = Duration::from_secs(2);

#[derive(Clone)]
pub struct Clients {
    pub dynamodb: aws_sdk_dynamodb::Client,
    pub sqs: aws_sdk_sqs::Client,
    /// For everything but sending.
    pub ses: aws_sdk_sesv2::Client,
    /// For sending: SES takes no idempotency token, so the SDK's retries would be duplicates.
    pub ses_sending: aws_sdk_sesv2::Client,
    pub scheduler: aws_sdk_scheduler::Client,
}

/// Where the services are, if not where the AWS configuration says.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Endpoints {
    pub dynamodb: Option<String>,
    pub sqs: Option<String>,
    pub ses: Option<String>,
    pub scheduler: Option<String>,
}

impl Clients {
    pub async fn from_env() -> Self {
        Self::new(&aws_config::defaults(BehaviorVersion::latest()).load().await, &Endpoints::default())
    }

    pub fn new(config: &SdkConfig, endpoints: &Endpoints) -> Self {
        let timeouts = |operation, attempt| {
            TimeoutConfig::builder()
                .connect_timeout(CONNECT)
                .operation_attempt_timeout(attempt)
                .operation_timeout(operation)
                .build()
        };
        let usual = timeouts(OPERATION, ATTEMPT);
        let dynamodb = aws_sdk_dynamodb::config::Builder::from(config).timeout_config(usual.clone());
        let sqs = aws_sdk_sqs::config::Builder::from(config).timeout_config(usual.clone());
        let ses = aws_sdk_sesv2::config::Builder::from(config).timeout_config(usual.clone());
        let scheduler = aws_sdk_scheduler::config::Builder::from(config).timeout_config(usual);
        let once = Duration::from_secs(SES_TIMEOUT_S);
        let ses_sending = aws_sdk_sesv2::config::Builder::from(config)
            .timeout_config(timeouts(once, once))
            .retry_config(RetryConfig::disabled());
        let (mut dynamodb, mut sqs, mut ses, mut ses_sending) = (dynamodb, sqs, ses, ses_sending);
        let mut scheduler = scheduler;
        if let Some(url) = &endpoints.dynamodb {
            dynamodb = dynamodb.endpoint_url(url);
        }
        if let Some(url) = &endpoints.sqs {
            sqs = sqs.endpoint_url(url);
        }
        if let Some(url) = &endpoints.ses {
            ses = ses.endpoint_url(url);
            ses_sending = ses_sending.endpoint_url(url);
        }
        if let Some(url) = &endpoints.scheduler {
            scheduler = scheduler.endpoint_url(url);
        }
        Self {
            dynamodb: aws_sdk_dynamodb::Client::from_conf(dynamodb.build()),
            sqs: aws_sdk_sqs::Client::from_conf(sqs.build()),
            ses: aws_sdk_sesv2::Client::from_conf(ses.build()),
            ses_sending: aws_sdk_sesv2::Client::from_conf(ses_sending.build()),
            scheduler: aws_sdk_scheduler::Client::from_conf(scheduler.build()),
        }
    }
}
