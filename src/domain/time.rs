//! Instants, spans and zones. Times are kept to the millisecond.

use std::str::FromStr;

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Time},
    tz::{AmbiguousOffset, TimeZone},
};
use serde::{Deserialize, Serialize};

use super::door::Wanted;

/// To the millisecond, which is what is kept: a fact reads the same before and after it was stored.
pub fn kept(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}

/// `days` times 24 hours after `time`; frequency caps and half-lives count hours, not calendar days.
pub fn days_after(time: Timestamp, days: u32) -> Timestamp {
    time.saturating_add(SignedDuration::from_hours(i64::from(days) * 24)).unwrap_or(Timestamp::MAX)
}

/// How often the clocks of a zone show a local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LocalTime {
    Once,
    /// Never: they are put forward over it.
    Skipped,
    /// They are put back over it.
    Twice,
}

/// When a local time is. One that daylight saving skips is the next that exists; of one that exists twice the first is
/// meant.
pub fn instant(day: Date, time: Time, zone: &TimeZone) -> Option<(Timestamp, LocalTime)> {
    let local = zone.to_ambiguous_timestamp(day.to_datetime(time));
    match local.offset() {
        AmbiguousOffset::Unambiguous { .. } => Some((local.earlier().ok()?, LocalTime::Once)),
        AmbiguousOffset::Fold { .. } => Some((local.earlier().ok()?, LocalTime::Twice)),
        // `earlier` lies before the change of the clocks; the change itself is the next time that exists.
        AmbiguousOffset::Gap { .. } => {
            Some((zone.following(local.earlier().ok()?).next()?.timestamp(), LocalTime::Skipped))
        }
    }
}

/// A zone of the IANA database, such as `Europe/Berlin`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ZoneName(String);

impl ZoneName {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `None` where the database no longer knows the name.
    pub fn zone(&self) -> Option<TimeZone> {
        TimeZone::get(&self.0).ok()
    }
}

impl FromStr for ZoneName {
    type Err = Wanted;

    fn from_str(raw: &str) -> Result<Self, Wanted> {
        const WANTED: Wanted = Wanted("a time zone of the IANA database, such as Europe/Berlin");
        // `Etc/Unknown` is found too, and stands for none.
        let zone = TimeZone::get(raw).ok().filter(|zone| !zone.is_unknown()).ok_or(WANTED)?;
        Ok(Self(zone.iana_name().unwrap_or(raw).to_owned()))
    }
}

/// A time in as few bytes as its reader allows: RFC 3339 for people, milliseconds since 1970 in binary.
pub mod compact {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub fn serialize<S: Serializer>(time: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() { time.serialize(to) } else { time.as_millisecond().serialize(to) }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        if from.is_human_readable() {
            return Timestamp::deserialize(from);
        }
        Timestamp::from_millisecond(i64::deserialize(from)?).map_err(D::Error::custom)
    }

    /// The same for a time that may be missing.
    pub mod option {
        use jiff::Timestamp;
        use serde::{Deserialize, Deserializer, Serialize, Serializer};

        #[derive(Serialize, Deserialize)]
        struct Compact(#[serde(with = "super")] Timestamp);

        pub fn serialize<S: Serializer>(time: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
            time.map(Compact).serialize(to)
        }

        pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
            Ok(Option::<Compact>::deserialize(from)?.map(|Compact(time)| time))
        }
    }
}
