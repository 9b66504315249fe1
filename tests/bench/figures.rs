//! What was measured, and the limits that it is held to.

use std::fmt;

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};

use super::{
    audience::Decided,
    stand_in::{Calls, Stored},
};

/// CPU of ours at most so many times that of the naive loop, although ours also claims.
const SEND_LIMIT: f64 = 1.3;
/// CPU of a preview at most so many times that of the naive loop.
const PREVIEW_LIMIT: f64 = 0.75;
/// Of ours, reservations of the rate included.
const CALLS_LIMIT: f64 = 31.0;
/// Recipients a second with 64 calls open, at least so many times those with one.
const DEPTH_LIMIT: f64 = 8.0;

/// One round of one side.
pub struct Sample {
    pub decided: Decided,
    pub cpu_us: f64,
    pub calls: Calls,
}

/// Recipients a second with one and with 64 SES calls of 50 ms open.
#[derive(Clone, Copy)]
pub struct Latency {
    pub alone: f64,
    pub many: f64,
}

impl Latency {
    fn gain(self) -> f64 {
        self.many / self.alone
    }

    pub fn keeps_limit(self) -> bool {
        self.gain() >= DEPTH_LIMIT
    }
}

pub struct Figures {
    recipients: u64,
    sent_percent: u64,
    stored: Stored,
    pub ours: Vec<Sample>,
    pub naive: Vec<Sample>,
    pub preview: Vec<Sample>,
    /// `None` where times are not judged.
    pub latency: Option<Latency>,
}

impl Figures {
    pub fn new(recipients: u64, sent_percent: u64, stored: Stored) -> Self {
        let (ours, naive, preview) = (Vec::new(), Vec::new(), Vec::new());
        Self { recipients, sent_percent, stored, ours, naive, preview, latency: None }
    }

    /// The limits that were not kept, each in a sentence.
    pub fn broken(&self) -> Vec<String> {
        let mut broken = Vec::new();
        let expected = Decided { people: self.recipients, sent: self.recipients * self.sent_percent / 100 };
        for (name, samples) in self.sides() {
            for sample in samples {
                if sample.decided != expected {
                    broken.push(format!("{name} decided {:?}, not {expected:?}", sample.decided));
                }
            }
        }
        let calls = calls_per_1000(&self.ours);
        if calls > CALLS_LIMIT {
            broken.push(format!("{calls:.1} calls per 1,000 recipients, more than {CALLS_LIMIT}"));
        }
        let Some(latency) = self.latency else { return broken };
        for (name, ratio, limit) in self.ratios() {
            if ratio > limit {
                broken.push(format!("{name} is {ratio:.2}, more than {limit}"));
            }
        }
        if !latency.keeps_limit() {
            let gain = latency.gain();
            broken.push(format!("64 in flight are {gain:.1} times as fast as one, less than {DEPTH_LIMIT}"));
        }
        broken
    }

    fn sides(&self) -> [(&'static str, &[Sample]); 3] {
        [("ours", &self.ours), ("naive", &self.naive), ("preview", &self.preview)]
    }

    fn ratios(&self) -> [(&'static str, f64, f64); 2] {
        let naive = cpu_us(&self.naive);
        [
            ("ours / naive", cpu_us(&self.ours) / naive, SEND_LIMIT),
            ("preview / naive", cpu_us(&self.preview) / naive, PREVIEW_LIMIT),
        ]
    }

    pub fn to_json(&self) -> Value {
        let side = |samples: &[Sample]| {
            let calls = samples.last().map(|sample| &sample.calls);
            let us = samples.iter().map(Sample::us_per_recipient).collect::<Vec<_>>();
            json!({
                "cpu_us_per_recipient": cpu_us(samples), "rounds": us,
                "calls_per_1000": calls_per_1000(samples), "calls": calls,
            })
        };
        let [(_, send, _), (_, preview, _)] = self.ratios();
        json!({
            "recipients": self.recipients,
            "sent_percent": self.sent_percent,
            "item_bytes": self.stored,
            "ours": side(&self.ours),
            "naive": side(&self.naive),
            "preview": side(&self.preview),
            "ours_to_naive": send,
            "preview_to_naive": preview,
            "recipients_per_second_at_50_ms": self.latency.map(|l| json!({ "1": l.alone, "64": l.many })),
            "broken": self.broken(),
        })
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { recipients, sent_percent, .. } = self;
        writeln!(f, "{recipients} recipients a round, {sent_percent} % of them sent; median of {}", self.ours.len())?;
        for (table, bytes) in &self.stored {
            writeln!(f, "{table}: {bytes:.0} bytes an item")?;
        }
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN).set_header(["", "CPU µs per recipient", "calls per 1,000"]);
        for (name, samples) in self.sides() {
            let (us, per_1000) = (cpu_us(samples), calls_per_1000(samples));
            table.add_row([name.to_owned(), format!("{us:.1}"), format!("{per_1000:.1}")]);
        }
        for column in [1, 2] {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        writeln!(f, "{table}")?;
        for (name, samples) in self.sides() {
            let calls = samples.last().into_iter().flat_map(|sample| &sample.calls);
            let calls: Vec<String> = calls.map(|(operation, count)| format!("{count} {operation}")).collect();
            writeln!(f, "{name}: {}", calls.join(", "))?;
        }
        writeln!(f, "ours, calls per 1,000: {:.1} (limit {CALLS_LIMIT})", calls_per_1000(&self.ours))?;
        for (name, ratio, limit) in self.ratios() {
            writeln!(f, "{name}: {ratio:.2} (limit {limit})")?;
        }
        let Some(latency) = self.latency else { return Ok(()) };
        let (Latency { alone, many }, gain) = (latency, latency.gain());
        write!(
            f,
            "64 in flight / 1 in flight at 50 ms: {gain:.1} (at least {DEPTH_LIMIT}): {many:.0} against {alone:.0} recipients a second"
        )
    }
}

impl Sample {
    fn us_per_recipient(&self) -> f64 {
        self.cpu_us / float(self.decided.people)
    }
}

/// The median of the rounds.
fn cpu_us(samples: &[Sample]) -> f64 {
    let mut us: Vec<f64> = samples.iter().map(Sample::us_per_recipient).collect();
    us.sort_by(f64::total_cmp);
    us.get(us.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Of the dearest round.
fn calls_per_1000(samples: &[Sample]) -> f64 {
    let calls = |sample: &Sample| float(sample.calls.values().sum::<u64>()) * 1_000.0 / float(sample.decided.people);
    samples.iter().map(calls).fold(0.0, f64::max)
}

#[expect(clippy::cast_precision_loss, reason = "counts of some hundred thousand")]
pub fn float(count: u64) -> f64 {
    count as f64
}
