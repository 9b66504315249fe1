//! Stored items of every kind: of another version, damaged, or written by somebody's own hand.

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use base64::{Engine, engine::general_purpose::STANDARD};
use germane::{
    aws::{
        dynamo::Item,
        stored::{self, Kind, Stored},
    },
    domain::{
        campaign::Campaign,
        gate,
        report::{CampaignStatus, Counts, Report},
    },
};
use serde_json::{Value, json, to_value};

use super::{Door, documents, given, json as read, moments, refused};
use crate::{mutate::Format, run::Answer};

pub static ITEM: Door = Door {
    name: "stored-item",
    format: Format::Json,
    words: &[
        "{\"N\":\"",
        "{\"S\":\"",
        "{\"NULL\":true}",
        "{\"L\":[",
        "18446744073709551615",
        "-9223372036854775808",
        "1e5",
        "9.5",
    ],
    one_in: 1,
    documents: || documents(&items()),
    open: || {
        let whole = given::Given::germane();
        Box::new(move |input: &[u8]| {
            let value = match read(input) {
                Ok(value) => value,
                Err(refused) => return refused,
            };
            let named = value.get("kind").and_then(Value::as_str);
            let Some(kind) = Kind::ALL.iter().copied().find(|kind| Some(kind.as_str()) == named) else {
                return Answer::Refused("no kind of item".to_owned());
            };
            let item = item(value.get("item").unwrap_or(&Value::Null));
            match stored::read(kind, &item, &whole.campaign.id) {
                Ok(stored) => {
                    used(stored, &whole);
                    Answer::Taken
                }
                Err(error) => refused(&error),
            }
        })
    },
};

/// DynamoDB's own JSON; what it could not hold is left out.
fn item(value: &Value) -> Item {
    let fields = value.as_object().into_iter().flatten();
    fields.filter_map(|(name, value)| Some((name.clone(), attribute(value)?))).collect()
}

fn attribute(value: &Value) -> Option<AttributeValue> {
    let (kind, value) = value.as_object()?.iter().next()?;
    let texts = || value.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect();
    Some(match kind.as_str() {
        "S" => AttributeValue::S(value.as_str()?.to_owned()),
        "N" => AttributeValue::N(value.as_str()?.to_owned()),
        "B" => AttributeValue::B(Blob::new(STANDARD.decode(value.as_str()?).ok()?)),
        "NS" => AttributeValue::Ns(texts()),
        "L" => AttributeValue::L(value.as_array()?.iter().filter_map(attribute).collect()),
        "M" => AttributeValue::M(item(value)),
        "BOOL" => AttributeValue::Bool(value.as_bool()?),
        _ => AttributeValue::Null(true),
    })
}

/// What was understood can be worked with.
fn used(stored: Stored, whole: &given::Given) {
    match stored {
        Stored::Recipient(person) => {
            for now in moments() {
                let _ = gate::explain(&person, &whole.campaign, &whole.policy, now);
            }
            let _ = person.to_json(|_| None).to_string();
        }
        Stored::Campaign(record) => {
            let printed = to_value(&record.campaign).expect("a campaign can be printed");
            assert_eq!(Campaign::restore(&printed).as_ref(), Ok(&record.campaign));
            for now in moments() {
                let _ = gate::decide(&whole.recipient, &record.campaign, &whole.policy, now);
            }
        }
        Stored::Shard(standing) => {
            let mut sum = Counts::default();
            for _ in 0..2 {
                sum.merge(&standing.progress.counts.clone().settled(&standing.settled));
            }
            for status in CampaignStatus::ALL {
                told(sum.clone().under(*status), whole, None);
            }
            for now in moments() {
                let _ = standing.progress.asleep(now);
            }
        }
        Stored::Tally(tally) => told(Counts::default(), whole, Some(tally)),
        Stored::PreviewPart(part) => {
            let mut sum = part.counts.clone();
            sum.merge(&part.counts);
            told(sum, whole, None);
        }
        Stored::Newsletter(record) => {
            for now in moments() {
                let _ = (record.to_json(now), record.due(now, now));
            }
        }
        Stored::Timeline(timeline) => {
            for now in moments() {
                let day = timeline.day.at(now);
                let _ = (day.frees_at(), timeline.room(), timeline.at_most());
            }
        }
        Stored::Chunk(chunk) => {
            for entry in &chunk.entries {
                let _ = (entry.due(), entry.to_json(&whole.campaign, &whole.recipient.id));
            }
        }
        Stored::Address(record) => drop(record.standing().map(|standing| standing.to_json())),
        Stored::Policy(versioned) => {
            for now in moments() {
                let _ = gate::decide(&whole.recipient, &whole.campaign, &versioned.policy, now);
            }
        }
        Stored::Template(form) => {
            let stored = to_value(&*form).expect("a template can be stored");
            assert_eq!(serde_json::from_value::<germane::flow::template::Compiled>(stored).unwrap(), *form);
        }
        Stored::Preview(_) | Stored::Settlement(..) | Stored::Evidence(_) => {}
    }
}

fn told(counts: Counts, whole: &given::Given, tally: Option<germane::domain::feedback::Tally>) {
    let report = Report {
        campaign: whole.campaign.id.clone(),
        status: CampaignStatus::Sending,
        status_detail: None,
        audience: Some(counts.decided()),
        counts,
        unknown: None,
        tally: tally.unwrap_or_default(),
        tracking: whole.policy.tracking,
    };
    let _ = report.to_json().to_string();
    let _ = whole.policy.breaker.tripped_by(report.counts.decided(), report.tally.reputation);
}

/// One of each kind, as it is stored.
fn items() -> Vec<Value> {
    let whole = given::Given::germane();
    let s = |text: &str| json!({ "S": text });
    let n = |number: i64| json!({ "N": number.to_string() });
    let b = |bytes: &[u8]| json!({ "B": STANDARD.encode(bytes) });
    let now = given::now().as_millisecond();
    let campaign = to_value(&whole.campaign).unwrap().to_string();
    let sends = germane::domain::frequency::Sends::new(vec![given::send("weekly", given::days_ago(2))]);
    let counts = json!([["sent", null, 3], ["skipped", "no_consent", 40], ["deferred", "quota", 2]]).to_string();
    let newsletter = json!({ "cron": "0 9 * * mon", "time_zone": "Europe/Berlin",
                             "campaign": { "id": "w-{{date}}", "topic": "rust", "channel": "work", "template": "t" } });
    let run = json!({ "scheduled": given::NOW, "campaign": "w-2026-11-23", "refused": null });
    let evidence = json!([{ "topic": "rust", "channel": "work", "before": null, "after": "granted", "text": "yes",
                            "source": "form", "at": given::NOW, "recorded_at": given::NOW }]);
    let pinned = json!({ "template": "newsletter", "template_hash": "0011223344556677",
                         "from": "News <news@example.com>", "reply_to": null, "shards": 64 });
    let template = json!({
        "name": "t", "hash": "0011223344556677", "subject": "{{t.headline}}", "html": "<p>{{h.headline}}</p>",
        "text": "{{t.headline}}", "languages": ["de"],
        "manifest": { "subject": "{{headline}}", "variables": { "headline": { "description": "d", "sample": "s", "optional": false } },
                      "attributes": [], "notice": false, "held": false },
        "html_reads": { "fields": { "headline": { "uses": ["html"] } } }, "text_reads": { "fields": { "headline": { "uses": ["text"] } } },
    });
    let hours = json!({ "L": (0..24).map(n).collect::<Vec<_>>() });
    let of = |kind: &str, item: Value| json!({ "kind": kind, "item": item });
    vec![
        of(
            "recipient",
            json!({ "s": n(3), "i": s("r-1042"), "v": n(now), "n": b(&stored::sends_bytes(&sends)),
                                "p": b(&stored::profile_bytes(&whole.recipient.profile).unwrap()) }),
        ),
        of(
            "address",
            json!({ "h": b(&[7; 32]), "f": n(2), "o": s("r-1042"), "u": s("hard_bounce"), "k": s("manual"), "t": n(now),
                              "w": s("by telephone"), "b": { "NS": [now.to_string()] } }),
        ),
        of("address", json!({ "h": b(&[7; 32]), "f": n(1), "z": n(now) })),
        of(
            "campaign",
            json!({ "k": s("c#w"), "t": s("campaign"), "f": n(1), "b": s(&campaign), "j": s(&campaign), "u": s("local"),
                               "a": n(now), "st": s("sending"), "pi": s(&pinned.to_string()),
                               "sd": s(&json!({ "code": "quota", "message": "m", "until": given::NOW }).to_string()) }),
        ),
        of(
            "shard",
            json!({ "k": s("c#w"), "t": s("shard#00003"), "f": n(1), "p": n(2), "e": n(4), "l": n(now), "o": b(&[1; 8]),
                            "c": s("r-1"), "z": s("r-9"), "n": s(&counts), "w": n(now), "y": n(now), "ds": n(1), "sr": n(2) }),
        ),
        of(
            "tally",
            json!({ "d": n(100), "o": n(3), "l": n(2), "s": n(1), "h": n(4), "c": n(1), "i": n(2), "j": n(1) }),
        ),
        of("policy", json!({ "v": n(3), "b": s(&given::policy_document().to_string()), "u": s("local"), "a": n(now) })),
        of("template", json!({ "b": s(&template.to_string()) })),
        of(
            "newsletter",
            json!({ "k": s("newsletters"), "t": s("w"), "f": n(1), "v": n(2), "b": s(&newsletter.to_string()),
                                 "a": n(now), "u": s("local"), "r": s(&run.to_string()) }),
        ),
        of(
            "timeline",
            json!({ "h": n(now * 1_000), "u": n(now / 3_600_000), "n": n(7), "b": hours, "d": n(283), "r": { "N": "14" },
                               "q": n(50_000), "o": n(12), "a": n(now), "g": n(now) }),
        ),
        of(
            "preview",
            json!({ "b": s(&campaign), "j": s(&campaign), "n": { "NS": ["0", "63"] }, "a": n(now),
                              "tk": s("AQAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA") }),
        ),
        of(
            "preview_part",
            json!({ "b": s(&json!({ "counts": [["sent", null, 3]], "examples": { "sent": ["r-1"] } }).to_string()) }),
        ),
        of(
            "chunk",
            json!({ "k": s("w#00003#01"), "t": s(">r-1"), "l": s("r-9"), "e": n(4), "f": n(1), "x": n(now / 1_000),
                            "b": b(&stored::entries_bytes(&[]).unwrap()) }),
        ),
        of("settlement", json!({ "k": s("w#00003#settled"), "t": s("0011223344556677"), "o": s("sent"), "f": n(1) })),
        of("evidence", json!({ "i": s("r-1"), "t": s("1"), "b": s(&evidence.to_string()) })),
    ]
}
