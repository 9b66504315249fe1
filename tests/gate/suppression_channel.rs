//! Gates 1 and 2: whom nobody may mail, and the address that the campaign is meant for.

use germane::domain::{
    channel::Channel,
    decision::ReasonCode,
    recipient::{Suppression, SuppressionKind, Unusable},
};
use serde_json::json;

use crate::given::{Given, days_ago};

#[test]
fn a_suppressed_person_is_skipped_whatever_consent_says() {
    let cases = [
        (SuppressionKind::UnsubscribedAll, "unsubscribed_all"),
        (SuppressionKind::Complaint, "complaint"),
        (SuppressionKind::Manual, "manual"),
        (SuppressionKind::Erased, "erased"),
    ];
    for (kind, name) in cases {
        let since = days_ago(3);
        let given = Given::germane().but(|g| g.recipient.profile.suppression = Some(Suppression { kind, since }));
        assert_eq!(given.skip(), (ReasonCode::Suppressed, json!({ "kind": name, "since": since })));
    }
}

#[test]
fn a_missing_address_is_never_replaced_by_the_other_one() {
    let without_work = Given::germane().but(|g| g.recipient.profile.work = None);
    assert_eq!(without_work.skip(), (ReasonCode::NoAddress, json!({ "channel": "work" })));

    let without_personal = Given::germane().but(|g| {
        g.recipient.profile.personal = None;
        g.campaign.channel = Channel::Personal;
    });
    assert_eq!(without_personal.skip(), (ReasonCode::NoAddress, json!({ "channel": "personal" })));
}

#[test]
fn an_unusable_address_is_skipped_with_its_kind() {
    for (kind, name) in [(Unusable::HardBounce, "hard_bounce"), (Unusable::SoftBounces, "soft_bounces")] {
        let given = Given::germane().but(|g| g.recipient.profile.work.as_mut().unwrap().unusable = Some(kind));
        assert_eq!(given.skip(), (ReasonCode::AddressUnusable, json!({ "channel": "work", "kind": name })));
    }
}

#[test]
fn the_state_of_the_other_channels_address_does_not_matter() {
    let unusable = |g: &mut Given| {
        g.recipient.profile.personal.as_mut().unwrap().unusable = Some(Unusable::HardBounce);
    };
    assert!(Given::germane().but(unusable).sends());
    assert!(Given::germane().but(|g| g.recipient.profile.personal = None).sends());
}
