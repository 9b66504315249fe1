//! A report on a terminal: reasons with their plain words, figures and bars.

use std::{collections::BTreeMap, fmt::Write as _};

use comfy_table::{Cell, CellAlignment, Color, Table, presets};
use serde::Deserialize;
use serde_json::Value;

use crate::domain::{
    decision::{OutcomeKind, ReasonCode},
    report::{CampaignStatus, StatusDetail},
};

use super::{
    prose::{WIDTH, counted, grouped, moment, percent, span, wrapped},
    screen::Paint,
    words::label,
};

/// The longest bar, in characters; shorter where long figures leave it less.
const BAR: usize = 12;
/// Ids named per reason: as many as fit a line.
const EXAMPLES: usize = 4;

/// A campaign's or a preview's report, as the API gives it.
#[derive(Debug, Clone, Deserialize)]
pub struct Report {
    pub campaign: String,
    pub status: CampaignStatus,
    pub status_detail: Option<StatusDetail>,
    pub decided: u64,
    pub audience: Option<u64>,
    #[serde(default)]
    pub outcomes: BTreeMap<String, u64>,
    #[serde(default)]
    pub reasons: BTreeMap<String, u64>,
    #[serde(default)]
    feedback: BTreeMap<String, u64>,
    unknown: Option<u64>,
    #[serde(default)]
    examples: BTreeMap<String, Vec<String>>,
    estimate: Option<Estimate>,
    pub preview_token: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Estimate {
    sends: Option<u64>,
    duration_seconds: Option<f64>,
    cost_usd: Option<f64>,
}

/// Whether the mails were sent or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tense {
    Done,
    Foreseen,
}

impl Report {
    /// `None` where it is no report.
    pub fn read(value: &Value) -> Option<Self> {
        Self::deserialize(value).ok()
    }

    pub fn outcome(&self, kind: OutcomeKind) -> u64 {
        self.outcomes.get(kind.as_str()).copied().unwrap_or(0)
    }

    /// Several lines, none wider than 80 columns, without a line break at the end.
    pub fn text(&self, tense: Tense, paint: Paint) -> String {
        let mut text = self.standing(tense, paint);
        if self.decided > 0 {
            let _ = write!(text, "\n\n{}\n\n{}", self.table(tense, paint), self.sums(paint));
        }
        for line in [self.feedback_line(), self.unknown_line(), self.estimate_line()].into_iter().flatten() {
            let _ = write!(text, "\n{line}");
        }
        if !self.examples.is_empty() {
            let _ = write!(text, "\n\n{}", self.example_lines(paint));
        }
        text
    }

    /// Where it stands, and why: its first lines.
    pub fn standing(&self, tense: Tense, paint: Paint) -> String {
        let mut text = self.headline(tense, paint);
        if let Some(detail) = &self.status_detail {
            let until = detail.until.map(|until| format!(" (until {})", moment(&until.to_string())));
            let line = format!("{}{}", detail.message, until.unwrap_or_default());
            let _ = write!(text, "\n{}", wrapped(&line, 2));
        }
        text
    }

    fn headline(&self, tense: Tense, paint: Paint) -> String {
        let people = match self.audience {
            Some(audience) => format!("{} of {} decided", grouped(self.decided), counted(audience, "person", "people")),
            None => format!("{} decided so far", counted(self.decided, "person", "people")),
        };
        let status = match tense {
            Tense::Done => self.status.as_str().replace('_', " "),
            Tense::Foreseen => format!("preview {}", self.status.as_str().replace('_', " ")),
        };
        format!("{}: {status}, {people}", paint.bold(&self.campaign))
    }

    fn table(&self, tense: Tense, paint: Paint) -> String {
        let sent = self.outcome(OutcomeKind::Sent);
        let got = match tense {
            Tense::Done => "got the mail",
            Tense::Foreseen => "would get the mail",
        };
        let reasons = self.by_size();
        let most = reasons.iter().map(|(_, _, count)| *count).max().unwrap_or(0).max(sent);
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        if paint.colour {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        let rows = std::iter::once((OutcomeKind::Sent.as_str(), got, sent, Color::Green))
            .chain(reasons.into_iter().map(|(code, words, count)| (code, words, count, Color::Cyan)));
        let rows: Vec<([String; 4], u64, Color)> = rows
            .map(|(code, words, count, color)| {
                ([code.to_owned(), words.to_owned(), grouped(count), percent(count, self.decided)], count, color)
            })
            .collect();
        let longest = BAR.min(room(&rows));
        for (texts, count, color) in rows {
            table.add_row(texts.into_iter().map(Cell::new).chain([Cell::new(bar(count, most, longest)).fg(color)]));
        }
        for column in [2, 3] {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let lines = table.lines().map(|line| line.trim_end().to_owned());
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Reasons, the commonest first; among equals in the order of the gates.
    fn by_size(&self) -> Vec<(&str, &'static str, u64)> {
        let known = |code: &str| code.parse::<ReasonCode>().ok();
        let mut reasons: Vec<(&str, Option<ReasonCode>, u64)> =
            self.reasons.iter().map(|(code, count)| (code.as_str(), known(code), *count)).collect();
        reasons.sort_by(|(a_code, a, a_count), (b_code, b, b_count)| {
            b_count.cmp(a_count).then(a.is_none().cmp(&b.is_none())).then(a.cmp(b)).then(a_code.cmp(b_code))
        });
        reasons.into_iter().map(|(code, reason, count)| (code, reason.map_or("", label), count)).collect()
    }

    fn sums(&self, paint: Paint) -> String {
        let parts = OutcomeKind::ALL.iter().map(|kind| (kind.as_str().replace('_', " "), self.outcome(*kind)));
        let sums: Vec<String> =
            parts.filter(|(_, count)| *count > 0).map(|(kind, count)| format!("{} {kind}", grouped(count))).collect();
        paint.dim(format_args!("{} = {}", sums.join(" + "), grouped(self.decided)))
    }

    fn feedback_line(&self) -> Option<String> {
        // What is counted without asking whether it was before is said to be so.
        let kinds = [
            ("delivered", "about "),
            ("hard_bounced", ""),
            ("soft_bounced", ""),
            ("complained", ""),
            ("opened", "about "),
            ("clicked", "about "),
        ];
        let told: Vec<String> = kinds
            .into_iter()
            .filter_map(|(kind, about)| Some((kind, about, *self.feedback.get(kind)?)))
            .filter(|(.., count)| *count > 0)
            .map(|(kind, about, count)| format!("{about}{} {}", grouped(count), kind.replace('_', " ")))
            .collect();
        (!told.is_empty()).then(|| format!("feedback: {}", told.join(", ")))
    }

    fn unknown_line(&self) -> Option<String> {
        let unknown = self.unknown.filter(|unknown| *unknown > 0)?;
        Some(format!("{} that the campaign lists were not found", counted(unknown, "id", "ids")))
    }

    fn estimate_line(&self) -> Option<String> {
        let Estimate { sends, duration_seconds, cost_usd } = self.estimate.as_ref()?;
        let mut line = format!("estimate: {}", counted((*sends)?, "mail", "mails"));
        if let Some(seconds) = duration_seconds.and_then(whole_seconds) {
            let _ = write!(line, " in about {}", span(seconds));
        }
        if let Some(usd) = cost_usd {
            let _ = write!(line, " for {usd:.2} USD");
        }
        Some(line)
    }

    fn example_lines(&self, paint: Paint) -> String {
        let code = |code: &str| code.parse::<ReasonCode>().ok();
        let mut examples: Vec<(&String, &Vec<String>)> =
            self.examples.iter().filter(|(_, ids)| !ids.is_empty()).collect();
        // What was sent has no reason, and comes first.
        examples.sort_by_key(|(name, _)| (code(name), *name));
        let mut lines = vec![paint.dim("for example")];
        lines.extend(examples.into_iter().map(|(name, ids)| {
            let ids: Vec<&str> = ids.iter().take(EXAMPLES).map(String::as_str).collect();
            format!(" {name:<24} {}", ids.join(" "))
        }));
        lines.join("\n")
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "kept within a year just before")]
fn whole_seconds(seconds: f64) -> Option<u64> {
    const YEAR: f64 = 31_536_000.0;
    (0.0..YEAR).contains(&seconds).then(|| seconds.ceil() as u64)
}

/// What the other columns, each with a space on either side, leave to the bar.
fn room(rows: &[([String; 4], u64, Color)]) -> usize {
    let width = |column: usize| {
        rows.iter().filter_map(|(texts, ..)| texts.get(column)).map(|text| text.chars().count()).max().unwrap_or(0)
    };
    let taken: usize = (0..4).map(|column| width(column) + 2).sum();
    WIDTH.saturating_sub(taken + 1)
}

/// Proportional to `count`, in eighths of a character; what is not nothing is never invisible.
fn bar(count: u64, most: u64, longest: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = count.saturating_mul(longest as u64 * 8) / most.max(1);
    let eighths = if count > 0 { eighths.max(1) } else { 0 };
    let whole = usize::try_from(eighths / 8).unwrap_or(0);
    let rest = usize::try_from(eighths % 8).ok().and_then(|rest| EIGHTHS.get(rest));
    format!("{}{}", "█".repeat(whole), rest.unwrap_or(&""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_proportional_and_what_is_there_is_seen() {
        assert_eq!(
            [bar(0, 10, 12), bar(1, 10_000, 12), bar(5, 10, 12), bar(10, 10, 12)],
            ["", "▏", "██████", "████████████"]
        );
    }
}
