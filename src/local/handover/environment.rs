//! The environment of functions that run beside a stack in processes of their own: every variable that
//! `lambda/config.rs` needs, and those by which AWS's SDK finds the stand-ins.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};

use super::{Handover, MAX_IN_FLIGHT};
use crate::{
    domain::secret::Secret,
    local::{
        services::{LAUNCH, PREFIX, PREVIEW, SCHEDULE_ROLE_ARN, SHARD},
        sqs::{REGION, arn},
    },
};

impl Handover {
    /// With both secrets.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let (queues, endpoints) = (&self.queues, &self.endpoints);
        let ours = [
            ("GERMANE_TABLE_PREFIX", PREFIX.to_owned()),
            ("GERMANE_LAUNCH_QUEUE_URL", queues.launch.clone()),
            ("GERMANE_LAUNCH_QUEUE_ARN", arn(LAUNCH)),
            ("GERMANE_SHARD_QUEUE_URL", queues.shard.clone()),
            ("GERMANE_SHARD_QUEUE_ARN", arn(SHARD)),
            ("GERMANE_PREVIEW_QUEUE_URL", queues.preview.clone()),
            ("GERMANE_PREVIEW_QUEUE_ARN", arn(PREVIEW)),
            ("GERMANE_FEEDBACK_QUEUE_URL", queues.feedback.clone()),
            ("GERMANE_SCHEDULE_GROUP", PREFIX.to_owned()),
            ("GERMANE_SCHEDULE_ROLE_ARN", SCHEDULE_ROLE_ARN.to_owned()),
            ("GERMANE_PUBLIC_URL", self.public_url.clone()),
            ("GERMANE_TOKEN_KEYS", format!("1:{}", key(&self.secrets.token_key))),
            ("GERMANE_ADDRESS_KEY", key(&self.secrets.address_key)),
            ("GERMANE_MAX_IN_FLIGHT", MAX_IN_FLIGHT.to_string()),
            ("GERMANE_LOG", "info".to_owned()),
        ];
        let endpoints = [
            ("AWS_ENDPOINT_URL_DYNAMODB", &endpoints.dynamodb),
            ("AWS_ENDPOINT_URL_SQS", &endpoints.sqs),
            ("AWS_ENDPOINT_URL_SESV2", &endpoints.ses),
            ("AWS_ENDPOINT_URL_SCHEDULER", &endpoints.scheduler),
        ];
        let endpoints = endpoints.into_iter().filter_map(|(name, url)| Some((name, url.clone()?)));
        // Whatever else the shell has of AWS, no real account is reached by them.
        let account = [
            ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false"),
            ("AWS_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
        ];
        let account = account.map(|(name, value)| (name, value.to_owned()));
        ours.into_iter().chain(endpoints).chain(account).collect()
    }

    /// As a file of lines, which a shell and `cargo lambda watch --env-file` read alike.
    pub fn environment_file(&self) -> String {
        let lines: Vec<String> = self.environment().iter().map(|(name, value)| format!("{name}={value}")).collect();
        lines.join("\n") + "\n"
    }
}

/// Without padding: `cargo lambda watch` takes no `=` in a value.
fn key(secret: &Secret) -> String {
    STANDARD_NO_PAD.encode(secret.bytes())
}
