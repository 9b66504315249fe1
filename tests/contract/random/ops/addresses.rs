//! Calls about addresses by themselves.

use germane::{
    domain::{
        email::EmailAddress,
        recipient::{Marks, Suppression, SuppressionKind, Unusable},
    },
    flow::api::suppressions::AddressRecord,
};
use proptest::{collection::vec, option, prelude::*, sample::select};

use super::{Doer, MAILBOXES, places, rarely, told, who};
use crate::contract::{Ports, at};

#[derive(Debug, Clone)]
pub enum AddressOp {
    Create(Vec<usize>),
    Replace { mailbox: usize, stale: bool, unusable: Option<Unusable>, kind: Option<SuppressionKind>, noted: bool },
    SoftBounce { mailbox: usize, second: i64 },
}

pub fn calls() -> impl Strategy<Value = AddressOp> {
    let mailbox = || places(MAILBOXES);
    let marks = (option::of(select(Unusable::ALL)), option::of(select(SuppressionKind::ALL)));
    prop_oneof![
        vec(mailbox(), 1..4).prop_map(AddressOp::Create),
        (mailbox(), rarely(), marks, any::<bool>()).prop_map(|(mailbox, stale, (unusable, kind), noted)| {
            AddressOp::Replace { mailbox, stale, unusable, kind, noted }
        }),
        (mailbox(), 0..40_i64).prop_map(|(mailbox, second)| AddressOp::SoftBounce { mailbox, second }),
    ]
}

fn email(place: usize) -> EmailAddress {
    MAILBOXES[place].parse().unwrap()
}

impl Doer {
    pub(super) async fn address(&self, ports: &Ports, op: &AddressOp) -> String {
        let suppression = |kind| Suppression { kind, since: at(self.now) };
        match op {
            AddressOp::Create(places) => {
                let marks = Marks { suppression: Some(suppression(SuppressionKind::Manual)), unusable: None };
                let record = AddressRecord { marks, ..AddressRecord::default() };
                let mut records: Vec<(EmailAddress, AddressRecord)> = Vec::new();
                for email in places.iter().map(|place| email(*place)) {
                    if records.iter().all(|(held, _)| held.normalised() != email.normalised()) {
                        records.push((email, record.clone()));
                    }
                }
                told(ports.addresses.create(&records).await)
            }
            AddressOp::Replace { mailbox, stale, unusable, kind, noted } => {
                let held = ports.addresses.get(&[email(*mailbox)]).await.unwrap().remove(0);
                let marks = Marks { unusable: *unusable, suppression: kind.map(suppression) };
                let after = AddressRecord { marks, note: noted.then(|| "a note".to_owned()), ..held.clone() };
                let before = if *stale { AddressRecord { owner: Some(who(0)), ..held } } else { held };
                told(ports.addresses.replace(&email(*mailbox), &before, &after).await)
            }
            AddressOp::SoftBounce { mailbox, second } => {
                told(ports.mailboxes.soft_bounced(&email(*mailbox), at(*second)).await)
            }
        }
    }
}
