//! When a newsletter runs: five fields as in crontab(5), of which minute and hour name one time.

use std::{collections::BTreeSet, ops::RangeInclusive, str::FromStr};

use jiff::civil::{Date, Time};

use crate::domain::door::Wanted;

/// At most one run on a day. Minute and hour, day of the month, month, day of the week: numbers, `*`, names of months
/// and days, ranges `a-b`, steps `*/n` and `a-b/n`, and lists of all these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    text: String,
    pub time: Time,
    /// 1 to 12.
    pub months: BTreeSet<i8>,
    pub days: Days,
}

/// On which days of its months. Crontab lets days of the month and of the week stand beside each other and means
/// either; [EventBridge Scheduler](https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based)
/// has no words for that, so neither have we.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Days {
    Every,
    /// 1 to 31.
    OfMonth(BTreeSet<i8>),
    /// 0 for Sunday to 6 for Saturday.
    OfWeek(BTreeSet<i8>),
}

const FIELDS: Wanted =
    Wanted("five fields, as in \"0 9 * * mon\": minute, hour, day of the month, month, day of the week");
const MINUTE: Wanted = Wanted("as its first field one minute, 0 to 59: a newsletter runs at most once on a day");
const HOUR: Wanted = Wanted("as its second field one hour, 0 to 23: a newsletter runs at most once on a day");
const DAY: Wanted = Wanted("as its third field days of the month: *, or 1 to 31 as in 1,15 or 1-7 or */2");
const MONTH: Wanted = Wanted("as its fourth field months: *, or 1 to 12 or jan to dec as in 1,7 or jan-mar or */3");
const WEEKDAY: Wanted = Wanted("as its fifth field days of the week: *, or 0 to 7 or sun to sat as in mon,thu or 1-5");
const EITHER: Wanted = Wanted("a * as its third or its fifth field: days of the month, or days of the week");
const NEVER: Wanted = Wanted("a day that comes: none of its months is so long");

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const SUNDAY_AGAIN: i8 = 7;
/// A leap year, in which every day of a month that ever comes does.
const LONGEST_YEAR: i16 = 2024;

impl Cron {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn falls_on(&self, date: Date) -> bool {
        self.months.contains(&date.month())
            && match &self.days {
                Days::Every => true,
                Days::OfMonth(days) => days.contains(&date.day()),
                Days::OfWeek(days) => days.contains(&date.weekday().to_sunday_zero_offset()),
            }
    }
}

impl FromStr for Cron {
    type Err = Wanted;

    fn from_str(raw: &str) -> Result<Self, Wanted> {
        let fields: Vec<&str> = raw.split_ascii_whitespace().collect();
        let &[minute, hour, day, month, weekday] = fields.as_slice() else { return Err(FIELDS) };
        let minute = only(&values(minute, 0..=59, &[]).ok_or(MINUTE)?).ok_or(MINUTE)?;
        let hour = only(&values(hour, 0..=23, &[]).ok_or(HOUR)?).ok_or(HOUR)?;
        let of_month = values(day, 1..=31, &[]).ok_or(DAY)?;
        let months = values(month, 1..=12, &MONTHS).ok_or(MONTH)?;
        let of_week = values(weekday, 0..=SUNDAY_AGAIN, &WEEKDAYS).ok_or(WEEKDAY)?;
        let days = match (day, weekday) {
            ("*", "*") => Days::Every,
            (_, "*") => Days::OfMonth(of_month),
            ("*", _) => Days::OfWeek(of_week.into_iter().map(|day| day % SUNDAY_AGAIN).collect()),
            (_, _) => return Err(EITHER),
        };
        if let Days::OfMonth(days) = &days
            && !months.iter().any(|month| days.first().is_some_and(|day| *day <= length(*month)))
        {
            return Err(NEVER);
        }
        let time = Time::new(hour, minute, 0, 0).map_err(|_| FIELDS)?;
        Ok(Self { text: fields.join(" "), time, months, days })
    }
}

fn only(values: &BTreeSet<i8>) -> Option<i8> {
    values.first().copied().filter(|_| values.len() == 1)
}

fn length(month: i8) -> i8 {
    Date::new(LONGEST_YEAR, month, 1).map_or(0, Date::days_in_month)
}

/// What one field names; `names` stand for the numbers from the range's first on.
fn values(field: &str, range: RangeInclusive<i8>, names: &[&str]) -> Option<BTreeSet<i8>> {
    let mut all = BTreeSet::new();
    for part in field.split(',') {
        let (span, step) = match part.split_once('/') {
            None => (part, None),
            Some((span, step)) => (span, Some(number(step).filter(|step| *step > 0)?)),
        };
        let one = |raw: &str| named(raw, *range.start(), names).filter(|value| range.contains(value));
        let (first, last) = match (span, span.split_once('-')) {
            ("*", _) => (*range.start(), *range.end()),
            (_, Some((first, last))) => match (one(first)?, one(last)?) {
                // A week may be said to end on Sunday.
                (first, 0) if *range.end() == SUNDAY_AGAIN && first > 0 => (first, SUNDAY_AGAIN),
                span => span,
            },
            (_, None) if step.is_some() => return None,
            (_, None) => (one(span)?, one(span)?),
        };
        if first > last {
            return None;
        }
        let step = usize::try_from(step.unwrap_or(1)).ok()?;
        all.extend((first..=last).step_by(step));
    }
    Some(all)
}

fn named(raw: &str, first: i8, names: &[&str]) -> Option<i8> {
    let place = names.iter().position(|name| name.eq_ignore_ascii_case(raw));
    place.map_or_else(|| number(raw), |place| i8::try_from(place).ok().map(|place| first + place))
}

/// Digits alone.
fn number(raw: &str) -> Option<i8> {
    raw.bytes().all(|byte| byte.is_ascii_digit()).then(|| raw.parse().ok()).flatten()
}
