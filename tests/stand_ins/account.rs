//! The account: its quota, and what an account in the sandbox may do.

use aws_sdk_sesv2::types::VerificationStatus;
use germane::local::ses::SesConfig;

use super::{Stack, entry, statuses};

#[tokio::test]
async fn the_account_is_healthy_out_of_the_sandbox_and_reports_its_quota() {
    let stack = Stack::start().await;

    let account = stack.mailer.get_account().send().await.unwrap();

    let quota = account.send_quota().unwrap();
    assert!(account.production_access_enabled() && account.sending_enabled());
    assert_eq!(account.enforcement_status(), Some("HEALTHY"));
    assert_eq!((quota.max_send_rate(), quota.max24_hour_send()), (5_000.0, 1_000_000.0));
    assert_eq!(account.pricing_attributes().unwrap().current_plan().unwrap().as_str(), "ESSENTIALS");
}

#[tokio::test]
async fn what_was_sent_counts_for_24_hours() {
    let stack = Stack::start().await;
    stack.plain().await;
    let sent = async || {
        let account = stack.mailer.get_account().send().await.unwrap();
        account.send_quota().unwrap().sent_last24_hours().to_string()
    };
    statuses(stack.bulk("plain", "{}").bulk_email_entries(entry("a@example.com").build())).await;
    stack.clock.advance(60 * 60);
    statuses(stack.bulk("plain", "{}").bulk_email_entries(entry("b@example.com").build())).await;
    assert_eq!(sent().await, "2");

    stack.clock.advance(23 * 60 * 60);
    assert_eq!(sent().await, "1");

    stack.clock.advance(60 * 60);
    assert_eq!(sent().await, "0");
}

#[tokio::test]
async fn in_the_sandbox_only_the_simulator_and_the_senders_domain_receive() {
    let config = SesConfig { sandbox: true, ..SesConfig::default() };
    let stack = Stack::start_with(config).await;
    stack.plain().await;

    let call = stack
        .bulk("plain", "{}")
        .bulk_email_entries(entry("success@simulator.amazonses.com").build())
        .bulk_email_entries(entry("qa@example.com").build())
        .bulk_email_entries(entry("r-1@example.net").build());

    assert_eq!(statuses(call).await, ["SUCCESS", "SUCCESS", "MESSAGE_REJECTED"]);
    assert!(!stack.mailer.get_account().send().await.unwrap().production_access_enabled());
}

#[tokio::test]
async fn every_identity_is_verified() {
    let stack = Stack::start().await;

    for (identity, kind) in [("example.com", "DOMAIN"), ("news@example.com", "EMAIL_ADDRESS")] {
        let found = stack.mailer.get_email_identity().email_identity(identity).send().await.unwrap();
        assert!(found.verified_for_sending_status());
        assert_eq!(found.verification_status(), Some(&VerificationStatus::Success));
        assert_eq!(found.identity_type().unwrap().as_str(), kind);
    }
}
