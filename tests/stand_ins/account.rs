//! The account: its quota, and what an account in the sandbox may do.

use aws_sdk_sesv2::types::{DkimStatus, MailFromDomainStatus, VerificationStatus};
use germane::local::ses::{CONFIGURATION_SET, SesConfig};

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
async fn every_domain_is_a_verified_sender_from_which_its_addresses_inherit() {
    let stack = Stack::start().await;

    let found = stack.mailer.get_email_identity().email_identity("example.com").send().await.unwrap();
    assert!(found.verified_for_sending_status());
    assert_eq!(found.verification_status(), Some(&VerificationStatus::Success));
    assert_eq!(found.identity_type().unwrap().as_str(), "DOMAIN");
    assert_eq!(found.dkim_attributes().unwrap().status(), Some(&DkimStatus::Success));
    let mail_from = found.mail_from_attributes().unwrap();
    assert_eq!(
        (mail_from.mail_from_domain(), mail_from.mail_from_domain_status()),
        ("bounce.example.com", &MailFromDomainStatus::Success)
    );

    let address = stack.mailer.get_email_identity().email_identity("news@example.com").send().await;
    assert!(address.unwrap_err().into_service_error().is_not_found_exception());
}

#[tokio::test]
async fn a_sender_that_waits_for_its_dns_records_sends_nothing() {
    let stack = Stack::start_with(SesConfig { identity_pending: true, ..SesConfig::default() }).await;
    stack.plain().await;

    let found = stack.mailer.get_email_identity().email_identity("example.com").send().await.unwrap();
    assert_eq!(
        (found.verified_for_sending_status(), found.verification_status()),
        (false, Some(&VerificationStatus::Pending))
    );
    let call = stack.bulk("plain", "{}").bulk_email_entries(entry("a@example.com").build());
    assert!(call.send().await.unwrap_err().into_service_error().is_message_rejected());
    assert_eq!(stack.ses.count(), 0);
}

#[tokio::test]
async fn its_one_configuration_set_tells_a_topic_of_all_that_is_needed() {
    let stack = Stack::start().await;
    let ask = async |name: &str| {
        stack.mailer.get_configuration_set_event_destinations().configuration_set_name(name).send().await
    };

    let found = ask(CONFIGURATION_SET).await.unwrap();
    let [destination] = found.event_destinations() else { panic!("{found:?}") };
    assert!(destination.enabled() && destination.sns_destination().is_some());
    assert_eq!(destination.matching_event_types().len(), 6);

    assert!(ask("another").await.unwrap_err().into_service_error().is_not_found_exception());
}
