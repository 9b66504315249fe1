//! The file of an import, as the command line takes it apart.

use germane::cli::{
    failure::Fault,
    import::rows::{Row, batches, read},
};

use super::{Door, documents, recipient::people};
use crate::{mutate::Format, run::Answer};

pub static ROWS: Door = Door {
    name: "import-file",
    format: Format::Lines,
    words: &["\n", "\r\n", "\u{feff}", "{}", "[", "\"", "\0", "\u{2028}"],
    one_in: 1,
    documents: || documents(&[people().into(), vec![serde_json::json!({ "id": "r" }); 260].into()]),
    open: || {
        Box::new(|input: &[u8]| {
            let mut lines = Vec::new();
            let mut told = Vec::new();
            for batch in batches(read(input)) {
                let batch = batch.expect("bytes in memory can be read");
                for (line, text) in batch.fit {
                    assert!(!text.contains('\n'), "a row is one line");
                    lines.push(line);
                }
                for refused in batch.refused {
                    assert!(!refused.errors.is_empty(), "a row was refused without a fault");
                    told.extend(refused.errors.iter().map(Fault::text));
                    lines.push(refused.line);
                }
            }
            lines.sort_unstable();
            let count = lines.len();
            lines.dedup();
            assert_eq!(lines.len(), count, "each line is one row");
            // What one row is must not depend on the others.
            assert!(read(&b"{}\n"[..]).all(|row| matches!(row, Ok(Row::Fit { .. }))));
            if told.is_empty() { Answer::Taken } else { Answer::Refused(told.join("\n")) }
        })
    },
};
