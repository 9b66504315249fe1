//! Values that programs stumble over.

use serde_json::{Value, json};

/// What is no UTF-8: a lone continuation, an overlong slash, half a surrogate, a cut character; and a byte order mark.
pub const INVALID: [&[u8]; 6] = [b"\x80", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf0\x9f\x98", b"\xff", b"\xef\xbb\xbf"];

const TEXTS: &[&str] = &[
    "",
    " ",
    "\0",
    "a\0b",
    "line\r\nBcc: zq7-private@example.net",
    "\u{1b}[31mred",
    "\u{202e}desrever",
    "\u{feff}mark",
    "e\u{301}\u{301}\u{301}\u{301}",
    "👩\u{200d}👩\u{200d}👧",
    "ß",
    "İ",
    "\u{10ffff}",
    "zq7-private@example.com",
    "Some <zq7-private@example.com>",
    "zq7-private@bücher.example.com",
    "zq7-private@example.com@example.com",
    "\"zq7-private x\"@example.com",
    "@",
    "a/b//c",
    "/",
    "../../etc/passwd",
    "rust/",
    "rust/async/await",
    "RUST",
    "data/social",
    "null",
    "true",
    "NaN",
    "-0",
    "1e400",
    "18446744073709551616",
    "-9223372036854775809",
    "0x10",
    "1_000",
    "٣",
    "%00",
    "%ff%fe",
    "%2e%2e%2f",
    "a%40example.com",
    "{{headline}}",
    "{{{headline}}}",
    "{{#each x}}",
    "{{#if a}}{{else}}{{else}}{{/if}}",
    "{{date}}{{date}}",
    "<script>",
    "<mj-text>",
    "&#0;",
    "&amp;lt;",
    "javascript:alert(1)",
    "$ref",
    "__proto__",
    "constructor",
    "Etc/Unknown",
    "Europe/Berlin",
    "America/Nuuk",
    "Pacific/Apia",
    "../Berlin",
    "24:00",
    "23:59",
    "00:00",
    "9:5",
    "0 9 29 2 *",
    "0 9 31 2 *",
    "0 9 * * mon#5",
    "59 23 * * 7-1",
    "0 2 * * sun",
    "1.",
    "4095.zzzz",
    "65536.",
    "2026-11-23T09:00:00Z",
    "2026-11-23T09:00:00",
    "2026-11-23T09:00:00+25:59",
    "2026-11-23T09:00:00.123456789Z",
    "2016-12-31T23:59:60Z",
    "2026-02-30T00:00:00Z",
    "-009999-01-01T00:00:00Z",
    "-009999-01-02T01:59:59.999999999-25:59",
    "9999-12-30T22:00:00.999999999Z",
    "9999-12-31T23:59:59Z",
    "+010000-01-01T00:00:00Z",
    "1969-12-31T23:59:59.999Z",
    "2026-11-23T09:00:00Z[Europe/Berlin]",
    "2026-11-23t09:00:00z",
];

const RAW_NUMBERS: &[&str] = &[
    "@@raw:1e400",
    "@@raw:-1e400",
    "@@raw:1e-400",
    "@@raw:-0",
    "@@raw:-0.0",
    "@@raw:18446744073709551616",
    "@@raw:-9223372036854775809",
    "@@raw:0.30000000000000004",
    "@@raw:1E+2",
    "@@raw:01",
    "@@raw:NaN",
    "@@raw:Infinity",
    "@@raw:.5",
    "@@raw:1.",
    "@@raw:99999999999999999999999999999999999999999999999999999999999999999999999999999999",
];

const NAMES: &[&str] = &[
    "",
    "id",
    "unknown",
    "a~b/c",
    "zq7-private@example.com",
    "\u{1b}[2J",
    "\0",
    "__proto__",
    "rust",
    "rust/async",
    "de",
    "default",
    "detail",
    "Message",
    "kind",
    "format",
];

fn pick<'t>(of: &[&'t str], with: u32) -> &'t str {
    of[with as usize % of.len()]
}

pub fn text(with: u32) -> String {
    match with % 8 {
        // Long, in one byte a character and in more.
        0 => "x".repeat(with as usize / 8 % 70_000),
        1 => "ä😀".repeat(with as usize / 8 % 2_000),
        2 => char::from_u32(with / 8 % 0x11_0000).unwrap_or('\u{fffd}').to_string(),
        _ => pick(TEXTS, with / 8).to_owned(),
    }
}

pub fn name(with: u32) -> String {
    match with % 12 {
        0 => "n".repeat(with as usize / 12 % 70_000),
        1 => text(with / 12),
        _ => pick(NAMES, with / 12).to_owned(),
    }
}

pub fn number(with: u32) -> Value {
    let numbers = [
        json!(0),
        json!(-1),
        json!(1),
        json!(0.1),
        json!(-0.0),
        json!(64),
        json!(100.000_000_1),
        json!(255),
        json!(256),
        json!(65_536),
        json!(u32::MAX),
        json!(u64::from(u32::MAX) + 1),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(f64::MAX),
        json!(f64::MIN_POSITIVE),
        json!(253_402_207_200_000_i64),
        json!(-377_705_023_201_000_i64),
        json!(9_007_199_254_740_993_i64),
    ];
    numbers[with as usize % numbers.len()].clone()
}

pub fn value(with: u32) -> Value {
    match with % 12 {
        0 => Value::Null,
        1 => json!(with.is_multiple_of(24)),
        2 | 3 => number(with / 12),
        4 => pick(RAW_NUMBERS, with / 12).into(),
        5 => json!([]),
        6 => json!({}),
        7 => json!([null, [], {}, "", 0]),
        8 => json!({ name(with / 12): text(with / 7) }),
        _ => text(with / 12).into(),
    }
}

/// Another text with something of the first.
pub fn nearly(text: &str, with: u32) -> String {
    let chars: Vec<char> = text.chars().collect();
    let at = (with / 16) as usize % (chars.len() + 1);
    let (front, back): (String, String) = (chars[..at].iter().collect(), chars[at..].iter().collect());
    match with % 8 {
        0 => front,
        1 => back,
        2 => format!("{front}{}{back}", char::from_u32(with / 64 % 0x200).unwrap_or('\u{fffd}')),
        3 => format!("{front}{}{back}", pick(TEXTS, with / 64)),
        4 => text.to_uppercase(),
        5 => format!(" {text} "),
        6 => format!("{text}{text}"),
        _ => format!("{front}{}", back.chars().skip(1).collect::<String>()),
    }
}
