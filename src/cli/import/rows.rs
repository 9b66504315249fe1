//! JSON Lines as they come: numbered, checked for what only the sender's side can say, gathered into batches.

use std::io::{self, BufRead, Read};

use serde::Serialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::cli::failure::Fault;

/// No person's record is longer; a file without line breaks is not read whole into memory.
const MAX_LINE_BYTES: u64 = 256 * 1024;
/// Rows of one request, and the bytes after which it is full earlier.
const BATCH_ROWS: usize = 200;
const BATCH_BYTES: usize = 512 * 1024;

/// A row that was not taken, as `--rejects` keeps it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Refused {
    pub line: u64,
    pub id: Option<String>,
    pub errors: Vec<Fault>,
    /// As it stood there; a text where it was not JSON.
    pub row: Value,
}

#[derive(Debug, PartialEq)]
pub enum Row {
    Fit { line: u64, text: String },
    Refused(Refused),
}

#[derive(Debug, Default)]
pub struct Batch {
    pub fit: Vec<(u64, String)>,
    pub refused: Vec<Refused>,
    bytes: usize,
}

impl Batch {
    pub fn rows(&self) -> u64 {
        (self.fit.len() + self.refused.len()) as u64
    }

    fn add(&mut self, row: Row) {
        match row {
            Row::Fit { line, text } => {
                self.bytes += text.len();
                self.fit.push((line, text));
            }
            Row::Refused(refused) => self.refused.push(refused),
        }
    }

    fn is_full(&self) -> bool {
        self.fit.len() + self.refused.len() >= BATCH_ROWS || self.bytes >= BATCH_BYTES
    }
}

/// Batches of `rows`, the last one perhaps short; ends at the first row that cannot be read.
pub fn batches(mut rows: impl Iterator<Item = io::Result<Row>>) -> impl Iterator<Item = io::Result<Batch>> {
    std::iter::from_fn(move || {
        let mut batch = Batch::default();
        while !batch.is_full() {
            match rows.next() {
                Some(Ok(row)) => batch.add(row),
                Some(Err(error)) => return Some(Err(error)),
                None => break,
            }
        }
        (batch.rows() > 0).then_some(Ok(batch))
    })
}

/// The rows of JSON Lines; empty lines are counted and passed over.
pub fn read(mut from: impl BufRead) -> impl Iterator<Item = io::Result<Row>> {
    let mut line = 0;
    std::iter::from_fn(move || {
        loop {
            line += 1;
            let bytes = match next_line(&mut from) {
                Ok(Some(bytes)) => bytes,
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            };
            if let Some(row) = row(line, &bytes) {
                return Some(Ok(row));
            }
        }
    })
}

/// The bytes up to the line break, at most one more than a line may have.
fn next_line(from: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let read = from.by_ref().take(MAX_LINE_BYTES + 1).read_until(b'\n', &mut bytes)?;
    if read == 0 {
        return Ok(None);
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    } else if bytes.len() as u64 > MAX_LINE_BYTES {
        from.skip_until(b'\n')?;
    }
    Ok(Some(bytes))
}

fn row(line: u64, bytes: &[u8]) -> Option<Row> {
    let bytes = if line == 1 { bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes) } else { bytes };
    let refuse = |found: String, wanted: &str| {
        let fault = Fault { file: None, line: None, field: String::new(), found, wanted: wanted.to_owned() };
        let row = Value::from(String::from_utf8_lossy(bytes).into_owned());
        Some(Row::Refused(Refused { line, id: None, errors: vec![fault], row }))
    };
    if bytes.len() as u64 > MAX_LINE_BYTES {
        return refuse("a longer line".to_owned(), "a line of at most 262,144 bytes");
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.trim(),
        Err(error) => {
            return refuse(format!("bytes that are not UTF-8 at column {}", error.valid_up_to() + 1), "UTF-8");
        }
    };
    if text.is_empty() {
        return None;
    }
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(IgnoredAny) => Some(Row::Fit { line, text: text.to_owned() }),
        Err(error) => refuse(error.to_string().replace(" at line 1 column ", " at column "), "one JSON object"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(file: &[u8]) -> Vec<(u64, bool)> {
        let rows = read(file).map(|row| match row.unwrap() {
            Row::Fit { line, .. } => (line, true),
            Row::Refused(refused) => (refused.line, false),
        });
        rows.collect()
    }

    #[test]
    fn empty_lines_are_counted_and_passed_over() {
        assert_eq!(lines(b"\n{}\r\n  \n{}"), [(2, true), (4, true)]);
    }

    #[test]
    fn what_is_not_utf8_or_not_json_is_a_refused_row_and_the_next_one_is_read() {
        assert_eq!(lines(b"{\"a\": \xff}\n{\"a\"\n{}\n"), [(1, false), (2, false), (3, true)]);
    }

    #[test]
    fn a_line_without_end_is_refused_without_being_kept() {
        let limit = usize::try_from(MAX_LINE_BYTES).unwrap();
        let mut file = format!("\"{}\"\n", "x".repeat(limit - 2)).into_bytes();
        file.extend(vec![b'x'; 3 * limit]);
        file.extend(b"\n{}\n");
        assert_eq!(lines(&file), [(1, true), (2, false), (3, true)]);
    }

    #[test]
    fn a_byte_order_mark_is_no_fault() {
        assert_eq!(lines(b"\xef\xbb\xbf{}\n"), [(1, true)]);
    }

    #[test]
    fn a_batch_is_full_by_rows_or_by_bytes() {
        let row = |line| Ok(Row::Fit { line, text: "{}".to_owned() });
        let sizes: Vec<u64> = batches((1..=450).map(row)).map(|batch| batch.unwrap().rows()).collect();
        assert_eq!(sizes, [200, 200, 50]);
        let long = |line| Ok(Row::Fit { line, text: "x".repeat(BATCH_BYTES / 2) });
        let sizes: Vec<u64> = batches((1..=3).map(long)).map(|batch| batch.unwrap().rows()).collect();
        assert_eq!(sizes, [2, 1]);
    }
}
