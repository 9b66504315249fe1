//! Inputs that are kept: some that are hard, and each by which something was found.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Large ones are kept packed.
pub fn read(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).expect("the input can be read");
    if path.extension().is_some_and(|end| end == "zst") { zstd::decode_all(&bytes[..]).unwrap() } else { bytes }
}

/// By name, in the order of their names.
pub fn of(door: &str) -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(door);
    let Ok(entries) = fs::read_dir(&folder) else { return Vec::new() };
    let mut kept: Vec<(String, Vec<u8>)> = entries
        .map(|entry| {
            let path = entry.unwrap().path();
            (path.file_name().unwrap().to_string_lossy().into_owned(), read(&path))
        })
        .collect();
    kept.sort();
    kept
}
