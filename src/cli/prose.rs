//! Numbers, times and lines as people read them.

use jiff::{Timestamp, tz::TimeZone};

pub use crate::domain::number::grouped;

/// Lines are no longer than this, so that they fit an ordinary terminal.
pub const WIDTH: usize = 80;

/// `31.2 %`, rounded half up.
pub fn percent(part: u64, whole: u64) -> String {
    let tenths = (part.saturating_mul(1_000) + whole / 2) / whole.max(1);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// `1 mail`, `3 mails`.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// `26 November 2026, 08:14 UTC`, or the text itself where it is no time.
pub fn moment(time: &str) -> String {
    let written = |time: Timestamp| time.strftime("%-d %B %Y, %H:%M UTC").to_string();
    time.parse().map_or_else(|_| time.to_owned(), written)
}

/// `26 November 2026, 09:14` as the clocks in `zone` show it.
pub fn local_moment(time: &str, zone: &str) -> String {
    match (time.parse::<Timestamp>(), TimeZone::get(zone)) {
        (Ok(instant), Ok(tz)) => {
            format!("{} in {zone}", instant.to_zoned_datetime(tz).strftime("%-d %B %Y, %H:%M"))
        }
        (Ok(_), Err(_)) => format!("{} ({zone})", moment(time)),
        (Err(_), _) => time.to_owned(),
    }
}

/// `40 s`, `12 min`, `3 h 5 min`.
pub fn span(seconds: u64) -> String {
    match seconds {
        0..90 => format!("{seconds} s"),
        90..5_400 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// The text on lines of at most [`WIDTH`] characters, each after the first set in by `indent`.
pub fn wrapped(text: &str, indent: usize) -> String {
    flowed("", text, indent)
}

/// The same after a `head`, which counts for the first line and is left as it is.
pub fn flowed(head: &str, text: &str, indent: usize) -> String {
    let mut lines = head.to_owned();
    let mut column = head.chars().count();
    let mut begins = true;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        let gap = usize::from(!begins);
        if !begins && column + gap + length > WIDTH {
            lines.push('\n');
            lines.push_str(&" ".repeat(indent));
            column = indent;
        } else if !begins {
            lines.push(' ');
            column += 1;
        }
        begins = false;
        lines.push_str(word);
        column += length;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_rounded_half_up_and_nothing_of_nothing_is_none() {
        assert_eq!(
            [percent(1, 3), percent(1, 2_000), percent(0, 0), percent(5, 5)],
            ["33.3 %", "0.1 %", "0.0 %", "100.0 %"]
        );
    }

    #[test]
    fn no_line_is_longer_than_a_terminal() {
        let text = wrapped(&"a word and another ".repeat(20), 4);
        assert!(text.lines().all(|line| line.len() <= WIDTH));
        assert!(text.lines().skip(1).all(|line| line.starts_with("    ")));
    }

    #[test]
    fn a_head_counts_for_its_line_and_keeps_its_spaces() {
        let text = flowed("  ok   sender   ", &"a word and another ".repeat(20), 16);
        assert!(text.starts_with("  ok   sender   a word"));
        assert!(text.lines().all(|line| line.len() <= WIDTH));
        assert_eq!(flowed("  next: ", "word", 8), "  next: word");
    }

    #[test]
    fn times_are_told_in_the_zone_that_they_are_for() {
        assert_eq!(moment("2026-11-26T08:14:00Z"), "26 November 2026, 08:14 UTC");
        assert_eq!(local_moment("2026-11-26T08:14:00Z", "Europe/Berlin"), "26 November 2026, 09:14 in Europe/Berlin");
    }
}
