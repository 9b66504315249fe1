//! What Germane says itself: no page asks for words that are not there, and none are there that nobody asks for.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use germane::flow::words::words;
use serde_json::Value;

/// Keys that end in a value of the data.
const BY_VALUE: [&str; 13] = [
    "channel.",
    "short.",
    "date.month_",
    "pace.cap_",
    "pause.days_",
    "error.",
    "interests.",
    "addresses.",
    "source.",
    "sheet.titles.",
    "sheet.labels.",
    "sheet.values.",
    "sheet.uses.",
];

fn files(path: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs" || kind == "hbs") {
            found.push(path);
        }
    }
}

/// What stands between quotes, and after `w.` in a template.
fn asked() -> BTreeSet<String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = vec![
        src.join("flow/sentence.rs"),
        src.join("flow/words.rs"),
        src.join("flow/notice.rs"),
        src.join("lambda/preferences.rs"),
    ];
    for folder in ["lambda/pages", "lambda/preferences", "flow/preferences"] {
        files(&src.join(folder), &mut sources);
    }
    sources.push(src.join("lambda/pages.rs"));
    let key = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '.';
    let mut asked = BTreeSet::new();
    for source in sources {
        let text = fs::read_to_string(&source).unwrap();
        let is_template = source.extension().is_some_and(|kind| kind == "hbs");
        let starts = if is_template { ["{{w.", "root.w."] } else { ["\"", "(\""] };
        for start in starts {
            for rest in text.split(start).skip(1) {
                let found: String = rest.chars().take_while(|c| key(*c)).collect();
                let is_file = [".hbs", ".css", ".json"].iter().any(|kind| found.ends_with(kind));
                asked.extend((!is_file).then_some(found));
            }
        }
    }
    asked
}

fn keys(words: &Value, path: &str, found: &mut BTreeSet<String>) {
    match words {
        Value::Object(entries) => entries.iter().for_each(|(key, value)| keys(value, &format!("{path}.{key}"), found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            found.insert(path.trim_start_matches('.').to_owned());
        }
    }
}

#[test]
fn every_word_that_is_asked_for_is_there_and_none_besides() {
    let (asked, mut there) = (asked(), BTreeSet::new());
    let all = words(["en"]).all();
    keys(all, "", &mut there);
    let about_words =
        |key: &&String| key.split_once('.').is_some_and(|(table, rest)| all[table].is_object() && !rest.is_empty());
    let missing: Vec<&String> = asked
        .iter()
        .filter(about_words)
        .filter(|key| !there.contains(*key) && !BY_VALUE.contains(&key.as_str()))
        .collect();
    assert_eq!(missing, Vec::<&String>::new(), "asked for and not there");
    let by_value = |key: &str| BY_VALUE.iter().any(|prefix| key.starts_with(prefix));
    let idle: Vec<&String> = there.iter().filter(|key| !asked.contains(*key) && !by_value(key)).collect();
    assert_eq!(idle, Vec::<&String>::new(), "there and never asked for");
}
