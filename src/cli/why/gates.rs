//! What every gate says of one person, as a table.

use comfy_table::{Cell, Color, ColumnConstraint, ContentArrangement, Table, Width, presets};
use serde::Deserialize;
use serde_json::Value;

use crate::domain::decision::ReasonCode;

use super::{
    super::{prose::WIDTH, screen::Paint},
    clause,
};

#[derive(Debug, Deserialize)]
pub struct Verdict {
    gate: String,
    pass: bool,
    reason: Option<String>,
    #[serde(default)]
    detail: Value,
}

pub fn read(verdicts: &Value) -> Option<Vec<Verdict>> {
    Vec::deserialize(verdicts).ok()
}

pub fn table(verdicts: &[Verdict], channel: Option<&str>, paint: Paint) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(WIDTH).unwrap_or(u16::MAX));
    if paint.colour {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    for verdict in verdicts {
        let (word, color) = if verdict.pass { ("passes", Color::Green) } else { ("refuses", Color::Red) };
        table.add_row(vec![Cell::new(&verdict.gate), Cell::new(word).fg(color), Cell::new(verdict.says(channel))]);
    }
    for (column, width) in [(0, 13), (1, 9)] {
        if let Some(column) = table.column_mut(column) {
            column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(width)));
        }
    }
    let lines = table.lines().map(|line| line.trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

impl Verdict {
    fn says(&self, channel: Option<&str>) -> String {
        if self.pass {
            return self.facts();
        }
        match self.reason.as_ref().map(|reason| (reason, reason.parse::<ReasonCode>())) {
            Some((_, Ok(code))) => clause::of(code, &self.detail, channel),
            Some((reason, Err(_))) => reason.clone(),
            None => String::new(),
        }
    }

    /// The values by which a gate lets somebody through, in its own words.
    fn facts(&self) -> String {
        let text = |key: &str| self.detail.get(key).and_then(Value::as_str);
        let shown = |key: &str| self.detail.get(key).map_or_else(String::new, Value::to_string);
        match self.gate.as_str() {
            "suppression" => "nothing stands against mailing them".to_owned(),
            "channel" => format!("they have a {} address that works", text("channel").unwrap_or("usable")),
            "consent" => format!("they agreed to {}", text("topic").unwrap_or("this topic")),
            "pause" => "they have not paused mail".to_owned(),
            "interest" => match text("topic") {
                Some(topic) => format!(
                    "their interest in {topic} is {}, and {} is asked for",
                    shown("strength"),
                    shown("threshold")
                ),
                None => "no interest is asked for".to_owned(),
            },
            "ownership" => "they own nothing that it promotes".to_owned(),
            "duplicate" => "it was not sent to them before".to_owned(),
            "frequency" => caps(&self.detail),
            "window" => "it is within their hours, or any hour will do".to_owned(),
            "holdout" => match self.detail.get("percent").and_then(Value::as_u64) {
                None | Some(0) => "nobody is held out".to_owned(),
                Some(percent) => format!("{percent} % are held out, and they are not among them"),
            },
            _ => String::new(),
        }
    }
}

fn caps(detail: &Value) -> String {
    let caps = detail.get("caps").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let number = |cap: &Value, key: &str| cap.get(key).and_then(Value::as_u64).unwrap_or(0);
    let told: Vec<String> = caps
        .iter()
        .map(|cap| {
            let whose = match cap.get("rule").and_then(Value::as_str) {
                Some("recipient") => ", their own wish",
                Some(_) | None => "",
            };
            format!("{} of {} in {} days{whose}", number(cap, "used"), number(cap, "sends"), number(cap, "days"))
        })
        .collect();
    if told.is_empty() { "no limit applies".to_owned() } else { format!("they got {}", told.join("; ")) }
}
