//! Versions of the policy.

use germane::{
    domain::{actor::Actor, policy::Policy},
    flow::launch::PolicyPut,
};
use serde_json::json;

use super::{at, keeps};
use crate::virtual_world::tables::shipped_policy;

pub fn policy(reserved_percent: u8) -> Policy {
    let mut body = shipped_policy();
    body["reserved_rate_percent"] = json!(reserved_percent);
    Policy::parse(&body).unwrap()
}

#[test]
fn each_policy_that_is_put_is_the_next_version_and_in_force() {
    keeps(async |ports| {
        assert_eq!(ports.policies.current().await.unwrap(), None);
        for version in 1..4_u8 {
            let put = PolicyPut { by: Actor::subject("somebody"), at: at(i64::from(version)) };
            assert_eq!(ports.policies.put(&policy(version), &put).await.unwrap(), u32::from(version));
            let current = ports.policies.current().await.unwrap().unwrap();
            assert_eq!((current.version, &current.policy), (u32::from(version), &policy(version)));
            assert_eq!(current.put, Some(put));
        }
    });
}

#[test]
fn policies_that_are_put_at_once_are_versions_of_their_own() {
    keeps(async |ports| {
        let put = PolicyPut { by: Actor::local(), at: at(0) };
        let policies: Vec<Policy> = (1..5).map(policy).collect();
        let puts = policies.iter().map(|policy| ports.policies.put(policy, &put));
        let mut versions: Vec<u32> =
            futures_util::future::join_all(puts).await.into_iter().map(Result::unwrap).collect();
        let last = versions.iter().position(|version| *version == 4).unwrap();
        assert_eq!(ports.policies.current().await.unwrap().unwrap().policy, policies[last]);
        versions.sort_unstable();
        assert_eq!(versions, [1, 2, 3, 4]);
    });
}
