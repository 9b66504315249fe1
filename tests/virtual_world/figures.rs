//! What SES saw of a run, and the limits that it is held to.

use std::collections::BTreeMap;

use germane::domain::id::CampaignId;
use jiff::{SignedDuration, Timestamp};

use super::ses::Call;

/// Of the account's rate: what the pacer keeps back for clocks that differ, and the shipped policy's reserve.
const USABLE: f64 = 0.95 * 0.90;
/// Of the usable rate, once under way.
const USED_AT_LEAST: f64 = 0.90;
/// Of the calls.
const THROTTLED_AT_MOST: f64 = 0.001;
const SECOND: SignedDuration = SignedDuration::from_secs(1);

pub struct Figures {
    pub rate: f64,
    pub calls: Vec<Call>,
    /// Tries to reserve, made or refused: each is a write.
    pub reservations: usize,
}

/// Recipients a second that campaigns may use of an account's rate.
pub fn usable(rate: f64) -> f64 {
    rate * USABLE
}

impl Figures {
    /// The limits that were not kept, each in a sentence.
    pub fn broken(&self) -> Vec<String> {
        let mut broken = self.exceeded();
        let used = self.used_share();
        if used < USED_AT_LEAST {
            broken.push(format!("{:.1} % of the usable rate was used", used * 100.0));
        }
        broken
    }

    /// Those of them that SES sets.
    pub fn exceeded(&self) -> Vec<String> {
        let mut exceeded = Vec::new();
        let (busiest, throttled) = (self.busiest_second(), self.throttled_share());
        if float(busiest) > self.rate {
            exceeded.push(format!("a second saw {busiest} mails, more than {}", self.rate));
        }
        if throttled > THROTTLED_AT_MOST {
            exceeded.push(format!("{:.2} % of the calls were throttled", throttled * 100.0));
        }
        exceeded
    }

    /// The most mails that came to SES in any second, taken or not.
    pub fn busiest_second(&self) -> usize {
        let (mut busiest, mut held, mut oldest) = (0, 0, 0);
        for call in &self.calls {
            held += call.mails;
            while call.at.duration_since(self.calls[oldest].at) >= SECOND {
                held -= self.calls[oldest].mails;
                oldest += 1;
            }
            busiest = busiest.max(held);
        }
        busiest
    }

    /// Of the calls.
    pub fn throttled_share(&self) -> f64 {
        let throttled = self.calls.iter().filter(|call| call.taken.len() < call.mails).count();
        float(throttled) / float(self.calls.len())
    }

    /// Of the usable rate, once under way.
    pub fn used_share(&self) -> f64 {
        float(self.under_way().values().sum()) / self.under_way_s() / usable(self.rate)
    }

    /// Mails taken of each campaign while under way.
    pub fn under_way(&self) -> BTreeMap<CampaignId, usize> {
        let (from, to) = self.steady();
        let mut taken: BTreeMap<CampaignId, usize> = BTreeMap::new();
        for call in self.calls.iter().filter(|call| from <= call.at && call.at < to) {
            *taken.entry(call.campaign.clone()).or_default() += call.taken.len();
        }
        taken
    }

    fn under_way_s(&self) -> f64 {
        let (from, to) = self.steady();
        to.duration_since(from).as_secs_f64()
    }

    /// Without the first and the last second, in which workers begin and end.
    fn steady(&self) -> (Timestamp, Timestamp) {
        let [first, .., last] = self.calls.as_slice() else { panic!("fewer than two calls") };
        (first.at + SECOND, last.at - SECOND)
    }

    /// The most mails of one call.
    pub fn batch(&self) -> usize {
        self.calls.iter().map(|call| call.mails).max().unwrap_or(0)
    }

    /// When the last mails came to SES.
    pub fn last(&self) -> Timestamp {
        self.calls.last().unwrap().at
    }

    pub fn taken(&self) -> usize {
        self.calls.iter().map(|call| call.taken.len()).sum()
    }

    pub fn reservations_per_1000(&self) -> f64 {
        float(self.reservations) * 1_000.0 / float(self.taken())
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of some ten thousand")]
fn float(count: usize) -> f64 {
    count as f64
}
