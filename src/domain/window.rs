//! The local hours and days in which a recipient may be mailed.

use std::str::FromStr;

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, Time, Weekday},
    tz::TimeZone,
};
use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::{
    door::{Node, Wanted},
    time::instant,
};

/// From `opens` until just before `closes`, local time, on the days that it opens on. One that passes midnight
/// belongs to the day on which it opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendWindow {
    opens: Time,
    closes: Time,
    days: Vec<Weekday>,
}

/// Whether a window is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowState {
    Open,
    OpensAt(Timestamp),
}

impl SendWindow {
    /// `None` if it would never open.
    pub fn new(opens: Time, closes: Time, days: &[Weekday]) -> Option<Self> {
        // In the order of the week, each once: the same hours and days are the same window.
        let days: Vec<Weekday> = DAYS.iter().map(|(_, day)| *day).filter(|day| days.contains(day)).collect();
        (opens != closes && !days.is_empty()).then_some(Self { opens, closes, days })
    }

    pub fn read(node: &Node<'_>) -> Option<Self> {
        let fields = node.fields()?;
        let opens = fields.required("opens", Node::parse::<Clock>);
        let closes = fields.required("closes", Node::parse::<Clock>);
        let days = fields.optional("days", |node| node.list(7, Node::parse::<Day>));
        let every_day = || DAYS.iter().map(|(_, day)| *day).collect();
        let days: Vec<Weekday> = days.map_or_else(every_day, |days| days.into_iter().map(|Day(day)| day).collect());
        fields.close();
        let (Clock(opens), Clock(closes)) = (opens?, closes?);
        Self::new(opens, closes, &days)
            .or_else(|| node.refuse("a window that opens: opens and closes that differ, and at least one day"))
    }

    /// Whether it is open at `now` in `zone`, or when it next opens. A local time that daylight saving skips is the
    /// next one that exists; of one that exists twice the first is meant.
    pub fn state(&self, now: Timestamp, zone: &TimeZone) -> WindowState {
        let today = now.to_zoned_datetime(zone.clone()).date();
        // From yesterday, whose window may pass midnight, to two weeks ahead: a window that daylight saving
        // swallows whole opens a week later.
        for offset in -1..=15 {
            let Ok(day) = today.checked_add(offset.days()) else { continue };
            let Some((opens, closes)) = self.on(day, zone) else { continue };
            if opens <= now && now < closes {
                return WindowState::Open;
            }
            if opens > now && closes > opens {
                return WindowState::OpensAt(opens);
            }
        }
        WindowState::OpensAt(Timestamp::MAX)
    }

    fn on(&self, day: Date, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
        if !self.days.contains(&day.weekday()) {
            return None;
        }
        let closing_day = if self.closes > self.opens { day } else { day.tomorrow().ok()? };
        let (opens, _) = instant(day, self.opens, zone)?;
        let (closes, _) = instant(closing_day, self.closes, zone)?;
        Some((opens, closes))
    }
}

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

struct Day(Weekday);

impl FromStr for Day {
    type Err = Wanted;

    fn from_str(raw: &str) -> Result<Self, Wanted> {
        let day = DAYS.iter().find(|(name, _)| *name == raw);
        day.map(|(_, day)| Self(*day)).ok_or(Wanted("mon, tue, wed, thu, fri, sat or sun"))
    }
}

struct Clock(Time);

impl FromStr for Clock {
    type Err = Wanted;

    fn from_str(raw: &str) -> Result<Self, Wanted> {
        let two_and_two = raw.bytes().enumerate().all(|(at, b)| if at == 2 { b == b':' } else { b.is_ascii_digit() });
        (raw.len() == 5 && two_and_two)
            .then(|| Time::strptime("%H:%M", raw).ok().map(Self))
            .flatten()
            .ok_or(Wanted("a local time such as 09:00"))
    }
}

impl Serialize for SendWindow {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let clock = |time: Time| time.strftime("%H:%M").to_string();
        let days: Vec<&str> = DAYS.iter().filter(|(_, day)| self.days.contains(day)).map(|(name, _)| *name).collect();
        let mut window = to.serialize_struct("SendWindow", 3)?;
        window.serialize_field("opens", &clock(self.opens))?;
        window.serialize_field("closes", &clock(self.closes))?;
        window.serialize_field("days", &days)?;
        window.end()
    }
}
