//! Gate 4: the recipient's own pause.

use germane::domain::decision::ReasonCode;
use serde_json::json;

use crate::given::{Given, millis, now};

#[test]
fn a_pause_ends_at_its_very_millisecond() {
    let paused = |until| Given::germane().but(|g| g.recipient.profile.preferences.paused_until = Some(until));
    let until = now() + millis(1);
    assert_eq!(paused(until).skip(), (ReasonCode::Paused, json!({ "until": until })));
    assert!(paused(now()).sends());
}
