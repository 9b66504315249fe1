//! Files with addresses in them: only their owner reads them.

use std::{
    ffi::OsString,
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// What is being written and does not count yet.
const UNFINISHED: &str = ".tmp";

/// Makes a folder, and those above it, if it is not there.
pub(super) fn create(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}

/// How a file is made.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.create(true);
    options
}

pub(super) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    private().write(true).truncate(true).open(path)?.write_all(content)
}

/// The same, so that at every moment the old content or the new one is there whole.
pub(super) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut unfinished = OsString::from(path);
    unfinished.push(UNFINISHED);
    let unfinished = PathBuf::from(unfinished);
    write(&unfinished, content)?;
    fs::rename(&unfinished, path)
}

/// Removes a file; one that is not there is gone already.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// The files of a folder, each with its name up to the first dot, and the rest of it.
pub(super) fn files(path: &Path) -> io::Result<Vec<(PathBuf, String, String)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(path)? {
        let path = entry?.path();
        // Whatever has another name was not written here.
        let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.split_once('.'));
        if let Some((stem, rest)) = name.map(|(stem, rest)| (stem.to_owned(), rest.to_owned())) {
            files.push((path, stem, rest));
        }
    }
    Ok(files)
}
