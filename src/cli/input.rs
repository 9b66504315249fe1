//! Documents that a person hands in: a file, or `-` for stdin.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use serde_json::Value;

use super::failure::{Failure, Fault};

/// How a source is called in messages.
pub fn name(file: &Path) -> String {
    if is_stdin(file) { "stdin".to_owned() } else { file.display().to_string() }
}

pub fn is_stdin(file: &Path) -> bool {
    file.as_os_str() == "-"
}

pub fn open(file: &Path) -> Result<Box<dyn BufRead + Send>, Failure> {
    if is_stdin(file) {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    let opened = File::open(file).map_err(|error| Failure::file(&name(file), &error))?;
    Ok(Box::new(BufReader::new(opened)))
}

/// One JSON document.
pub fn document(file: &Path) -> Result<Value, Failure> {
    let mut bytes = Vec::new();
    open(file)?.read_to_end(&mut bytes).map_err(|error| Failure::file(&name(file), &error))?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    serde_json::from_slice(bytes).map_err(|error| {
        let fault = Fault {
            file: Some(name(file)),
            line: Some(error.line() as u64),
            field: String::new(),
            found: error.to_string(),
            wanted: "one JSON document".to_owned(),
        };
        Failure::bad_input("not_json", format!("{} is not JSON", name(file))).faults([fault])
    })
}
