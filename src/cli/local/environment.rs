//! The file that tells functions in processes of their own where the stack is.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::Path,
};

use super::{super::failure::Failure, InvokeUrl};

/// Unless told otherwise.
pub(super) const FILE: &str = "functions.env";

/// It holds both secrets, so nobody else may read it, whatever was there before.
pub(super) fn write(file: &Path, text: &str) -> Result<(), Failure> {
    let new = || {
        match fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(file)?.write_all(text.as_bytes())
    };
    new().map_err(|error| Failure::file(&file.display().to_string(), &error))
}

/// How the functions are started, and asked. On loopback alone: their API asks nobody who they are.
pub(super) fn hints(functions: &InvokeUrl, file: &Path) -> String {
    let port = functions.port();
    let file = file.display();
    format!(
        "  work   cargo lambda watch --ignore-changes --concurrency 2 -A 127.0.0.1 -P {port} --env-file {file}\n  \
         try    germane --endpoint {functions} import people.jsonl\n"
    )
}
