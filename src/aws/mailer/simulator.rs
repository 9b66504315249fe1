//! A call to SES's simulator alone, through the same client and in the same shape as a campaign's.

use async_trait::async_trait;
use aws_sdk_sesv2::types::BulkEmailEntry;

use super::{SesMailer, addressed, hand_over};
use crate::{
    domain::readiness::order::{FLAWED, MAILS},
    flow::{
        doctor::order::{Flaw, Letter, Simulator},
        send::mail::{Answer, MailerError},
    },
};

/// SES takes no space before the @; and if it did, the mail would be the simulator's.
const NO_ADDRESS: &str = "success order@simulator.amazonses.com";
const NO_JSON: &str = "{";

#[async_trait]
impl Simulator for SesMailer {
    async fn send(&self, letter: &Letter<'_>, flaw: Flaw) -> Result<Vec<Answer>, MailerError> {
        let entry = |at: usize| -> BulkEmailEntry {
            let to = format!("success+order-{at}@simulator.amazonses.com");
            let entry = match flaw {
                Flaw::Address if at == FLAWED => addressed(NO_ADDRESS, letter.data),
                Flaw::Data if at == FLAWED => addressed(&to, NO_JSON),
                Flaw::Address | Flaw::Data => addressed(&to, letter.data),
            };
            entry.build()
        };
        hand_over(self.call(letter.from, letter.template, (0..MAILS).map(entry).collect()), MAILS).await
    }
}
