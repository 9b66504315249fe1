//! The body of a newsletter.

use germane::domain::{
    campaign::Campaign,
    newsletter::{self, Newsletter},
};
use jiff::civil::date;
use serde_json::json;

use super::{Door, documents, faults, given, json as read, moments};
use crate::{mutate::Format, run::Answer};

pub static NEWSLETTER: Door = Door {
    name: "newsletter",
    format: Format::Json,
    words: &["\"cron\":", "*/", "1-7", ",", "{{date}}", "sun-sat", "null", "L", "?", "#"],
    one_in: 1,
    documents: || {
        let campaign = json!({ "id": "weekly-{{date}}", "topic": "rust", "channel": "work", "template": "newsletter",
                               "content": { "headline": "zq7-private@example.com" } });
        let put = |cron: &str, zone: &str| json!({ "cron": cron, "time_zone": zone, "campaign": campaign });
        documents(&[
            put("0 9 * * mon", "Europe/Berlin"),
            put("30 2 29 2 *", "America/New_York"),
            put("59 23 1,15 jan-mar *", "Pacific/Apia"),
            put("0 0 * */3 1-5", "Antarctica/Troll"),
        ])
    },
    open: || {
        let policy = given::policy();
        Box::new(move |input: &[u8]| {
            let value = match read(input) {
                Ok(value) => value,
                Err(refused) => return refused,
            };
            let sampled = newsletter::sample(&value, date(2026, 11, 23))
                .map(|body| Campaign::parse(&body, &policy, given::now()));
            let newsletter = match Newsletter::parse(&value) {
                Ok(newsletter) => newsletter,
                Err(wrong) => return faults(&wrong),
            };
            assert_eq!(
                Newsletter::parse(&newsletter.to_json()).as_ref(),
                Ok(&newsletter),
                "it is read as it was printed"
            );
            for now in moments() {
                let Some(run) = newsletter.schedule.next_after(now) else { continue };
                assert!(run.at > now, "the next run is after now");
                assert_eq!(newsletter.schedule.run_at(run.at), Some(run), "a run is found by its time");
                let _ = newsletter.campaign_of(&run);
            }
            match sampled {
                Some(Err(wrong)) => faults(&wrong),
                Some(Ok(_)) => Answer::Taken,
                None => panic!("a newsletter was taken without a campaign"),
            }
        })
    },
};
