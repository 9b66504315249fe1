//! What is known of an address whoever has it: it outlives the owner, so that nobody comes back under another id.

use jiff::Timestamp;

use super::{Recipient, Suppression, SuppressionKind, Unusable};
use crate::domain::{channel::Channel, email::EmailAddress};

/// Why an address is not mailed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks {
    pub unusable: Option<Unusable>,
    /// Of the person whose address it is or was, or of the address alone.
    pub suppression: Option<Suppression>,
}

impl Marks {
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

impl SuppressionKind {
    /// Which of two suppressions stands: what nobody can lift before what the person can, and last what an operator
    /// can.
    fn weight(self) -> u8 {
        match self {
            Self::Erased => 3,
            Self::Complaint => 2,
            Self::UnsubscribedAll => 1,
            Self::Manual => 0,
        }
    }

    pub fn outweighs(self, other: Self) -> bool {
        self.weight() > other.weight()
    }
}

impl Unusable {
    fn weight(self) -> u8 {
        match self {
            Self::HardBounce => 1,
            Self::SoftBounces => 0,
        }
    }

    pub fn outweighs(self, other: Self) -> bool {
        self.weight() > other.weight()
    }
}

impl Suppression {
    pub fn manual(since: Timestamp) -> Self {
        Self { kind: SuppressionKind::Manual, since }
    }

    /// The one of two that stands; of one kind the one that was there first.
    fn and(self, other: Self) -> Self {
        if self.kind == other.kind {
            return Self { since: self.since.min(other.since), ..self };
        }
        if other.kind.outweighs(self.kind) { other } else { self }
    }
}

impl Recipient {
    /// What the person carries for the mailbox of one of their channels.
    pub fn marks(&self, channel: Channel) -> Marks {
        let mailbox = self.address(channel).map(|address| address.email.normalised());
        let same = Channel::ALL.iter().filter_map(|&other| self.address(other));
        let same = same.filter(|other| Some(other.email.normalised()) == mailbox);
        Marks { unusable: same.filter_map(|address| address.unusable).reduce(worse), suppression: self.suppression }
    }

    /// Takes over what is known of an address, if it is one of theirs.
    pub fn take_over(&mut self, email: &EmailAddress, marks: Marks) {
        let mailbox = email.normalised();
        let profile = &mut self.profile;
        let mut has = false;
        for address in [&mut profile.work, &mut profile.personal].into_iter().flatten() {
            if address.email.normalised() == mailbox {
                has = true;
                address.unusable = address.unusable.into_iter().chain(marks.unusable).reduce(worse);
            }
        }
        if has {
            profile.suppression = profile.suppression.into_iter().chain(marks.suppression).reduce(Suppression::and);
        }
    }
}

fn worse(one: Unusable, other: Unusable) -> Unusable {
    if other.outweighs(one) { other } else { one }
}
