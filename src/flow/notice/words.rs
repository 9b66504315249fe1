//! The words for what is held: a file for each language.

use std::{collections::BTreeMap, sync::LazyLock};

use jiff::{Timestamp, tz::TimeZone};
use serde::Deserialize;

/// A language is added by its file and a line here; the first is for whoever reads none of them.
const FILES: [(&str, &str); 2] = [("en", include_str!("en.toml")), ("de", include_str!("de.toml"))];

static WORDS: LazyLock<Vec<(&str, Words)>> = LazyLock::new(|| {
    let read = |(tag, file): (&'static str, &str)| Some((tag, toml::from_str(file).ok()?));
    FILES.into_iter().filter_map(read).collect()
});
static NONE: LazyLock<Words> = LazyLock::new(Words::default);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    date: String,
    months: Vec<String>,
    titles: BTreeMap<String, String>,
    labels: BTreeMap<String, String>,
    values: BTreeMap<String, String>,
    uses: BTreeMap<String, String>,
}

impl Words {
    /// Those of a language tag: the whole, or else its first part, or else English.
    pub fn of(language: &str) -> &'static Self {
        let find = |wanted: &str| WORDS.iter().find(|(tag, _)| tag.eq_ignore_ascii_case(wanted));
        let found = find(language).or_else(|| find(language.split('-').next().unwrap_or_default()));
        found.or_else(|| WORDS.first()).map_or(&NONE, |(_, words)| words)
    }

    pub fn title(&self, name: &str) -> &str {
        word(&self.titles, name)
    }

    pub fn label(&self, name: &str) -> &str {
        word(&self.labels, name)
    }

    pub fn value(&self, name: &str) -> &str {
        word(&self.values, name)
    }

    pub fn used(&self, name: &str) -> &str {
        word(&self.uses, name)
    }

    pub fn date(&self, time: Timestamp) -> String {
        let date = time.to_zoned_datetime(TimeZone::UTC).date();
        let month = usize::from(date.month().unsigned_abs()).checked_sub(1).and_then(|at| self.months.get(at));
        self.date
            .replace("{day}", &date.day().to_string())
            .replace("{month}", month.map_or("", String::as_str))
            .replace("{year}", &date.year().to_string())
    }
}

fn word<'a>(words: &'a BTreeMap<String, String>, name: &str) -> &'a str {
    words.get(name).map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_can_be_read_and_has_the_words_of_the_first() {
        assert_eq!(WORDS.len(), FILES.len());
        let names = |words: &Words| {
            let sets = [&words.titles, &words.labels, &words.values, &words.uses];
            sets.map(|set| set.keys().cloned().collect::<Vec<_>>())
        };
        for (tag, words) in WORDS.iter() {
            assert_eq!(names(words), names(&WORDS[0].1), "{tag}");
            assert_eq!(words.months.len(), 12, "{tag}");
        }
    }

    #[test]
    fn a_language_that_has_no_words_reads_english_and_a_region_its_language() {
        let day = "2026-03-12T09:00:00Z".parse().unwrap();
        assert_eq!(Words::of("de-AT").date(day), "12. März 2026");
        assert_eq!(Words::of("fr").date(day), "12 March 2026");
    }
}
