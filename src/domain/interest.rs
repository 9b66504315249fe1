//! What a person cares about, how strongly, and how we know.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::{channel::Context, codes::codes, time::compact, topic::Topic};

codes!(
    /// How an interest became known.
    InterestSource, "declared, purchase, behaviour or social" {
        Declared = "declared",
        Purchase = "purchase",
        Behaviour = "behaviour",
        Social = "social",
    }
);

/// 0 to 1 in ten-thousandths: small to store, and 0.3 is exactly 0.3.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Strength(u16);

impl Strength {
    const ONE: f64 = 10_000.0;

    /// Rounded to the nearest step; what is below 0 or above 1 is taken as that.
    pub fn new(strength: f64) -> Self {
        Self::whole((strength * Self::ONE).round())
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=10,000 just before")]
    fn whole(steps: f64) -> Self {
        Self(steps.clamp(0.0, Self::ONE) as u16)
    }

    pub fn get(self) -> f64 {
        f64::from(self.0) / Self::ONE
    }
}

impl Serialize for Strength {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() { self.get().serialize(to) } else { self.0.serialize(to) }
    }
}

impl<'de> Deserialize<'de> for Strength {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if from.is_human_readable() {
            return Ok(Self::new(f64::deserialize(from)?));
        }
        match u16::deserialize(from)? {
            steps if f64::from(steps) <= Self::ONE => Ok(Self(steps)),
            _more => Err(D::Error::custom("a strength above 1")),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Interest {
    pub topic: Topic,
    /// As it was at `at`.
    pub strength: Strength,
    pub source: InterestSource,
    pub context: Context,
    #[serde(with = "compact")]
    pub at: Timestamp,
}

/// A strength at one moment, in the steps of [`Strength`]: what is compared, and what is shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Aged(f64);

impl Aged {
    pub const NONE: Aged = Aged(0.0);

    /// The threshold is reached by equality.
    pub fn reaches(self, threshold: Strength) -> bool {
        self.0 >= f64::from(threshold.0)
    }

    pub fn exceeds(self, other: Aged) -> bool {
        self.0 > other.0
    }

    /// Rounded down, so that what was refused never reads as if it had reached the threshold.
    pub fn shown(self) -> Strength {
        Strength::whole(self.0.floor())
    }
}

impl Interest {
    /// Observed interests halve every `half_life_days`; declared ones do not age.
    pub fn aged(&self, now: Timestamp, half_life_days: u32) -> Aged {
        let strength = f64::from(self.strength.0);
        match self.source {
            InterestSource::Declared => Aged(strength),
            InterestSource::Purchase | InterestSource::Behaviour | InterestSource::Social => {
                let age_days = now.duration_since(self.at).as_secs_f64().max(0.0) / 86_400.0;
                Aged(strength * 0.5_f64.powf(age_days / f64::from(half_life_days.max(1))))
            }
        }
    }
}
