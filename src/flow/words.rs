//! What Germane itself says to recipients, in their language. A language is a file of `words/`, with the same keys and
//! placeholders as the others.

use std::sync::LazyLock;

use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;

use crate::domain::policy::{Localised, in_language};

/// By language tag; the build lists the folder.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/words.rs"));
/// Of those who ask for none that is there.
const FALLBACK: &str = "en";

static LANGUAGES: LazyLock<Vec<Words>> = LazyLock::new(|| FILES.iter().filter_map(Words::read).collect());
static NONE: Words = Words { language: FALLBACK, words: Value::Null };

/// One language.
#[derive(Debug)]
pub struct Words {
    pub language: &'static str,
    words: Value,
}

/// The languages that are there, such as `de`.
pub fn languages() -> impl Iterator<Item = &'static Words> {
    LANGUAGES.iter()
}

/// The first of the wished-for languages that is there, by its tag or the part before its first hyphen; else English.
pub fn words<'a>(wishes: impl IntoIterator<Item = &'a str>) -> &'static Words {
    let known = |tag: &str| {
        let primary = tag.split('-').next().unwrap_or_default();
        let is = |wanted: &str| LANGUAGES.iter().find(|words| words.language.eq_ignore_ascii_case(wanted));
        is(tag).or_else(|| is(primary))
    };
    wishes.into_iter().find_map(known).or_else(|| known(FALLBACK)).unwrap_or(&NONE)
}

/// The languages of an `Accept-Language` header, the most wished for first (RFC 9110, section 12.5.4).
pub fn accepted(header: &str) -> Vec<&str> {
    let mut wishes: Vec<(&str, f64)> = header
        .split(',')
        .filter_map(|part| {
            let mut pieces = part.split(';').map(str::trim);
            let tag = pieces.next().filter(|tag| !tag.is_empty())?;
            let weight = pieces.find_map(|piece| piece.strip_prefix("q="));
            Some((tag, weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0))))
        })
        .filter(|(_, weight)| *weight > 0.0)
        .collect();
    wishes.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    wishes.into_iter().map(|(tag, _)| tag).collect()
}

impl Words {
    fn read((language, file): &(&'static str, &'static str)) -> Option<Self> {
        Some(Self { language, words: toml::from_str(file).ok()? })
    }

    /// All of them, for a template.
    pub fn all(&self) -> &Value {
        &self.words
    }

    fn find(&self, key: &str) -> Option<&str> {
        key.split('.').try_fold(&self.words, |words, step| words.get(step)).and_then(Value::as_str)
    }

    pub fn has(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    /// The text under a dotted key, with `{name}` replaced by what is given for it.
    pub fn say(&self, key: &str, fill: &[(&str, &str)]) -> String {
        let mut said = String::new();
        let mut rest = self.find(key).unwrap_or(key);
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            let value = fill.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| *value);
            said.extend([before, value]);
            rest = after;
        }
        said.push_str(rest);
        said
    }

    /// Of a text of the owner's: in this language, else in English, else in any.
    pub fn pick<'a>(&self, texts: &'a Localised) -> Option<&'a str> {
        in_language(texts, self.language)
    }

    /// The day, in words.
    pub fn date(&self, time: Timestamp, zone: &TimeZone) -> String {
        let day = zone.to_datetime(time);
        let month = self.say(&format!("date.month_{}", day.month()), &[]);
        let (number, year) = (day.day().to_string(), day.year().to_string());
        self.say("date.day", &[("day", &number), ("month", &month), ("year", &year)])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// Each key with the placeholders of its text.
    fn placeholders(words: &Value, path: &str, found: &mut BTreeMap<String, BTreeSet<String>>) {
        match words {
            Value::Object(entries) => {
                for (key, value) in entries {
                    placeholders(value, &format!("{path}.{key}"), found);
                }
            }
            Value::String(text) => {
                assert!(!text.trim().is_empty(), "{path} is empty");
                let names = text.split('{').skip(1).map(|rest| rest.split_once('}').unwrap().0.to_owned());
                assert!(found.insert(path.to_owned(), names.collect()).is_none());
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => panic!("{path} is not a text"),
        }
    }

    #[test]
    fn every_language_has_the_same_keys_and_placeholders() {
        assert_eq!(LANGUAGES.len(), FILES.len(), "every file can be read");
        assert!(LANGUAGES.len() >= 2);
        let of = |words: &Words| {
            let mut found = BTreeMap::new();
            placeholders(&words.words, "", &mut found);
            found
        };
        let english = of(words(["en"]));
        assert_eq!(words(["en"]).language, "en");
        for language in languages() {
            assert_eq!(of(language), english, "{}", language.language);
        }
    }

    #[test]
    fn the_language_is_the_first_that_is_there() {
        let found = |wishes: &[&str]| words(wishes.iter().copied()).language;
        assert_eq!(found(&["de"]), "de");
        assert_eq!(found(&["de-AT", "en"]), "de");
        assert_eq!(found(&["DE"]), "de");
        assert_eq!(found(&["zz", "de"]), "de");
        assert_eq!(found(&["zz", ""]), "en");
        assert_eq!(found(&[]), "en");
        assert_eq!(accepted("fr;q=0.3, de-CH , en;q=0.9, it;q=0, x;q=y"), ["de-CH", "en", "fr"]);
        assert!(accepted(" ,;q=1").is_empty());
    }

    #[test]
    fn what_is_filled_in_is_never_looked_at_again() {
        let words = words(["en"]);
        let day = words.say("date.day", &[("day", "{month}"), ("month", "May"), ("year", "{")]);
        assert_eq!(day, "{month} May {");
        assert_eq!(words.date("2026-03-12T23:30:00Z".parse().unwrap(), &TimeZone::UTC), "12 March 2026");
    }
}
