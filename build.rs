//! Lists the languages: every file of `src/flow/words` is one, so that adding a language is adding its file.

use std::{env, error::Error, fmt::Write, fs, path::Path};

const FOLDER: &str = "src/flow/words";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={FOLDER}");
    let root = env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo names the package's folder")?;
    let out = env::var_os("OUT_DIR").ok_or("cargo names the folder to write to")?;
    let mut files = fs::read_dir(Path::new(&root).join(FOLDER))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort_unstable();
    let mut list = String::from("&[\n");
    for file in &files {
        let language = file.file_stem().and_then(|name| name.to_str()).ok_or("a language's name is UTF-8")?;
        let path = file.to_str().ok_or("a path that can be written into source is UTF-8")?;
        writeln!(list, "    ({language:?}, include_str!({path:?})),")?;
    }
    list.push(']');
    fs::write(Path::new(&out).join("words.rs"), list)?;
    Ok(())
}
