//! A list of addresses: one a line, or CSV. Each line is checked as the API will check it.

use csv::{ByteRecord, Position, ReaderBuilder, Trim};
use serde_json::{Map, Value, json};

use crate::{
    cli::{failure::Fault, prose::counted},
    flow::api::suppressions::Wish,
};

/// One address, as it is sent.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    pub line: u64,
    /// A JSON document.
    pub body: String,
}

/// The addresses of a list, and everything that is wrong with it.
pub fn read(bytes: &[u8]) -> (Vec<Entry>, Vec<Fault>) {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let significant = |line: &&[u8]| !line.is_empty() && !line.starts_with(b"#");
    let first = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).find(significant);
    if first.is_some_and(is_header) { read_csv(bytes) } else { read_lines(bytes) }
}

fn is_header(line: &[u8]) -> bool {
    line.split(|byte| *byte == b',').any(|name| column(name).eq_ignore_ascii_case("address"))
}

fn column(name: &[u8]) -> String {
    String::from_utf8_lossy(name).trim().trim_matches('"').to_ascii_lowercase()
}

fn read_lines(bytes: &[u8]) -> (Vec<Entry>, Vec<Fault>) {
    let (mut entries, mut faults) = (Vec::new(), Vec::new());
    for (line, text) in (1..).zip(bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii)) {
        if !text.is_empty() && !text.starts_with(b"#") {
            add(line, &[("address", text)], &mut entries, &mut faults);
        }
    }
    (entries, faults)
}

fn read_csv(bytes: &[u8]) -> (Vec<Entry>, Vec<Fault>) {
    let (mut entries, mut faults) = (Vec::new(), Vec::new());
    let mut format = ReaderBuilder::new();
    format.has_headers(false).flexible(true).comment(Some(b'#')).trim(Trim::All);
    let mut reader = format.from_reader(bytes);
    let mut columns: Vec<String> = Vec::new();
    let mut record = ByteRecord::new();
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return (entries, faults),
            Err(error) => {
                // Bytes in memory cannot fail to be read, and records of any length are taken.
                faults.push(fault(reader.position().line(), "", error.to_string(), "CSV"));
                return (entries, faults);
            }
        }
        if record.len() == 1 && record.get(0).is_some_and(<[u8]>::is_empty) {
            continue;
        }
        let line = record.position().map_or(0, |position| line_of(bytes, position));
        if columns.is_empty() {
            columns = record.iter().map(column).collect();
            let known = columns.iter().all(|name| name == "address" || name == "note");
            if !known || columns.len() > 2 || columns.first() == columns.get(1) {
                let found = counted(columns.len() as u64, "column", "columns");
                faults.push(fault(line, "", found, "the header address, or address,note"));
                return (entries, faults);
            }
        } else if record.len() == columns.len() {
            let fields: Vec<(&str, &[u8])> = columns.iter().map(String::as_str).zip(&record).collect();
            add(line, &fields, &mut entries, &mut faults);
        } else {
            let found = counted(record.len() as u64, "column", "columns");
            faults.push(fault(line, "", found, &format!("{}: {}", columns.len(), columns.join(", "))));
        }
    }
}

/// The line that a record begins on: its position is that of the empty lines and comments before it.
fn line_of(bytes: &[u8], position: &Position) -> u64 {
    let from = usize::try_from(position.byte()).ok().and_then(|from| bytes.get(from..)).unwrap_or_default();
    let lines = (position.line()..).zip(from.split(|byte| *byte == b'\n'));
    let mut significant = lines.filter(|(_, text)| !text.trim_ascii().is_empty() && !text.starts_with(b"#"));
    significant.next().map_or(position.line(), |(line, _)| line)
}

/// Checks one line; a note that is empty is none.
fn add(line: u64, fields: &[(&str, &[u8])], entries: &mut Vec<Entry>, faults: &mut Vec<Fault>) {
    let mut document = Map::new();
    let mut readable = true;
    for (name, bytes) in fields {
        match std::str::from_utf8(bytes) {
            Ok("") if *name == "note" => {}
            Ok(text) => drop(document.insert((*name).to_owned(), json!(text))),
            Err(error) => {
                readable = false;
                let found = format!("a byte that is not UTF-8 after {} others", error.valid_up_to());
                faults.push(fault(line, name, found, "UTF-8"));
            }
        }
    }
    if !readable {
        return;
    }
    let document = Value::Object(document);
    match Wish::parse(&document) {
        Ok(_) => entries.push(Entry { line, body: document.to_string() }),
        Err(wrong) => faults.extend(wrong.into_iter().map(|wrong| {
            let field = wrong.field.trim_start_matches('/').to_owned();
            fault(line, &field, wrong.found, &wrong.wanted)
        })),
    }
}

fn fault(line: u64, field: &str, found: String, wanted: &str) -> Fault {
    Fault { file: None, line: Some(line), field: field.to_owned(), found, wanted: wanted.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Placed<T> = Vec<(u64, T)>;

    /// The lines that were taken with what is sent of them, and those at fault with the field.
    fn told(list: &[u8]) -> (Placed<Value>, Placed<String>) {
        let (entries, faults) = read(list);
        let entries = entries.into_iter().map(|entry| (entry.line, serde_json::from_str(&entry.body).unwrap()));
        (entries.collect(), faults.into_iter().map(|fault| (fault.line.unwrap(), fault.field)).collect())
    }

    fn address(text: &str) -> Value {
        json!({ "address": text })
    }

    #[test]
    fn a_plain_list_has_an_address_a_line_with_comments_and_empty_lines_between() {
        let list =
            b"\xef\xbb\xbf# from the former system\r\none@example.com\r\n\n  two@example.net \n#three@example.org";
        let wanted = vec![(2, address("one@example.com")), (4, address("two@example.net"))];
        assert_eq!(told(list), (wanted, Vec::new()));
        assert_eq!(told(b""), (Vec::new(), Vec::new()));
    }

    #[test]
    fn every_line_that_is_wrong_is_named() {
        let list = b"one@example.com\nnobody\n\"two\"@example.com\nth\xffree@example.com\na@b@c\nfour@example.com, five@example.com";
        let faults = [2, 3, 4, 5, 6].map(|line| (line, "address".to_owned()));
        assert_eq!(told(list), (vec![(1, address("one@example.com"))], faults.to_vec()));
    }

    #[test]
    fn csv_has_notes_quotes_and_its_columns_in_any_order() {
        let list = b"# exported\nnote,address\n\"by telephone, twice\",one@example.com\n,two@example.com\n\n# more\n\"a\nb\",three@example.com\n\"\",four\nfive@example.com\nx,six@example.com,y\n";
        let (entries, faults) = told(list);
        let noted = json!({ "address": "one@example.com", "note": "by telephone, twice" });
        assert_eq!(entries, [(3, noted), (4, address("two@example.com"))]);
        let field = |name: &str| name.to_owned();
        assert_eq!(faults, [(7, field("note")), (9, field("address")), (10, field("")), (11, field(""))]);
        let unix = b"Address\n\n# more\n one@example.com \n   \n\ntwo@example.com".to_vec();
        let dos = String::from_utf8(unix.clone()).unwrap().replace('\n', "\r\n").into_bytes();
        for list in [unix, dos] {
            let wanted = vec![(4, address("one@example.com")), (7, address("two@example.com"))];
            assert_eq!(told(&list), (wanted, Vec::new()));
        }
    }

    #[test]
    fn a_header_with_a_column_that_is_not_known_or_twice_there_is_refused() {
        for list in [&b"address,colour\none@example.com,red\n"[..], b"address,address\na,b\n", b"address,note,note\n"] {
            assert_eq!(told(list), (Vec::new(), vec![(1, String::new())]));
        }
    }

    #[test]
    fn no_fault_shows_what_stood_there() {
        let list = b"address,note\nsecret,\"secret\x07\"\n";
        let (_, faults) = read(list);
        assert_eq!(faults.len(), 2);
        assert!(faults.iter().all(|fault| !fault.text().contains("secret")), "{faults:?}");
    }
}
