//! The campaign that the demo sends.

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use crate::local::people::COURSE;

/// This week's issue. It has no send window, so that the demo ends at any hour.
pub fn weekly(now: Timestamp) -> Value {
    let week = now.to_zoned_datetime(TimeZone::UTC).date().iso_week_date();
    json!({
        "id": format!("rust-weekly-{}-{:02}", week.year(), week.week()),
        "topic": "rust/async",
        "channel": "work",
        "template": "newsletter",
        "content": {
            "headline": "Async closures",
            "intro": "What they change in the code that you write, and what they leave as it is.",
            "items": [
                {
                    "title": "Async closures, explained",
                    "text": "Borrow from the outside, await on the inside.",
                    "url": "https://example.com/async-closures",
                },
                {
                    "title": "Cancellation without tears",
                    "text": "Where a future may be dropped, and what it leaves behind.",
                    "url": "https://example.com/cancellation",
                },
                {
                    "title": "Rust 101, the course",
                    "text": "From the first line to the first service, in ten evenings.",
                    "url": "https://example.com/course-rust-101",
                },
            ],
        },
        "promotes": [COURSE],
        "holdout_percent": 1,
    })
}
