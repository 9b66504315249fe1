//! A call to SES's simulator alone, through the same client and in the same shape as a campaign's.

use async_trait::async_trait;
use aws_sdk_sesv2::types::BulkEmailEntry;

use super::{SesMailer, addressed, hand_over};
use crate::flow::{
    doctor::order::{Letter, Simulator},
    send::mail::{Answer, MailerError},
};

/// Whatever it becomes, it is delivered to the simulator or to nobody: SES takes no space before the @.
const FLAWED: &str = "success order@simulator.amazonses.com";

#[async_trait]
impl Simulator for SesMailer {
    async fn send(&self, letter: &Letter<'_>, mails: usize, flawed: usize) -> Result<Vec<Answer>, MailerError> {
        let entry = |at: usize| -> BulkEmailEntry {
            let taken = format!("success+order-{at}@simulator.amazonses.com");
            addressed(if at == flawed { FLAWED } else { &taken }, letter.data).build()
        };
        let entries = (0..mails).map(entry).collect();
        hand_over(self.call(letter.from, letter.template, entries), mails).await
    }
}
