//! Calls about campaigns and the policy.

use germane::{
    domain::{
        actor::Actor,
        report::{CampaignStatus, StatusCode, StatusDetail},
    },
    flow::launch::{Move, PolicyPut},
};
use proptest::{bool::weighted, collection::vec, option, prelude::*, sample::select};
use serde_json::json;

use super::{CAMPAIGNS, Doer, PEOPLE, campaign, places, told};
use crate::contract::{
    Ports, at,
    campaigns::{pinned, record, sign_up},
    policies::policy,
};

#[derive(Debug, Clone)]
pub enum CampaignOp {
    Create { campaign: usize, audience: Option<usize>, signs_up: bool },
    Advance { campaign: usize, from: Vec<CampaignStatus>, to: CampaignStatus, detailed: bool, pins: bool },
    Policy(u8),
}

pub fn calls() -> impl Strategy<Value = CampaignOp> {
    let from = prop_oneof![Just(CampaignStatus::ALL.to_vec()), vec(select(CampaignStatus::ALL), 1..4)];
    prop_oneof![
        (places(CAMPAIGNS), option::of(places(PEOPLE)), any::<bool>())
            .prop_map(|(campaign, audience, signs_up)| CampaignOp::Create { campaign, audience, signs_up }),
        (places(CAMPAIGNS), from, select(CampaignStatus::ALL), any::<bool>(), weighted(0.3)).prop_map(
            |(campaign, from, to, detailed, pins)| CampaignOp::Advance { campaign, from, to, detailed, pins }
        ),
        (0..9_u8).prop_map(CampaignOp::Policy),
    ]
}

impl Doer {
    pub(super) async fn campaign(&self, ports: &Ports, op: &CampaignOp) -> String {
        match op {
            CampaignOp::Create { campaign, audience, signs_up } => {
                let audience = audience.map_or(json!("everyone"), |place| json!({ "recipients": [PEOPLE[place]] }));
                let made = if *signs_up { sign_up } else { record };
                told(ports.campaigns.create(&made(CAMPAIGNS[*campaign], self.now, &audience)).await)
            }
            CampaignOp::Advance { campaign: place, from, to, detailed, pins } => {
                let detail = detailed.then(|| StatusDetail::new(StatusCode::Quota, "some wait").until(at(self.now)));
                let pinned = pins.then(|| pinned(&self.now.to_string()));
                told(ports.campaigns.advance(&campaign(*place), from, &Move { to: *to, detail, pinned }).await)
            }
            CampaignOp::Policy(percent) => {
                let put = PolicyPut { by: Actor::local(), at: at(self.now) };
                let version = told(ports.policies.put(&policy(*percent), &put).await);
                format!("{version} {}", told(ports.policies.current().await))
            }
        }
    }
}
