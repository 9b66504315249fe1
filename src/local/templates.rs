//! Template folders: `template.toml`, `body.mjml` and perhaps `body.txt`, and the same in other languages as
//! `body.de.mjml` and `body.de.txt`.

use std::{
    fmt::{self, Display},
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value, json};

use crate::domain::{door::Fault, id::TemplateName};

const MANIFEST: &str = "template.toml";
const DEFAULT_LANGUAGE: &str = "default";

/// One thing that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFault {
    pub file: PathBuf,
    pub line: Option<usize>,
    pub message: String,
}

impl Display for FileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl FileFault {
    fn new(file: &Path, message: impl Display) -> Self {
        Self { file: file.to_owned(), line: None, message: message.to_string() }
    }
}

/// Reads every folder that has a `template.toml`, in the order of their names: each with the body of its
/// `PUT /v1/templates/{name}`.
pub fn read_folder(templates: &Path) -> Result<Vec<(TemplateName, Value)>, Vec<FileFault>> {
    let mut read = Vec::new();
    let mut faults = Vec::new();
    for folder in entries(templates).map_err(|fault| vec![fault])? {
        if folder.join(MANIFEST).is_file() {
            match read_one(&folder) {
                Ok(template) => read.push(template),
                Err(found) => faults.extend(found),
            }
        }
    }
    if faults.is_empty() { Ok(read) } else { Err(faults) }
}

/// Reads one template's folder, whose name is the template's.
pub fn read_one(folder: &Path) -> Result<(TemplateName, Value), Vec<FileFault>> {
    let mut faults = Vec::new();
    let mut keep = |fault: FileFault| faults.push(fault);
    let name = name(folder).map_err(&mut keep).ok();
    let manifest = manifest(&folder.join(MANIFEST)).map_err(&mut keep).ok();
    let mut mjml = Map::new();
    let mut text = Map::new();
    for file in entries(folder).map_err(|fault| vec![fault])? {
        let Some((language, bodies)) = body(&file).map(|(language, kind)| match kind {
            Body::Mjml => (language, &mut mjml),
            Body::Text => (language, &mut text),
        }) else {
            continue;
        };
        match fs::read_to_string(&file) {
            Ok(body) => drop(bodies.insert(language, Value::String(body))),
            Err(error) => keep(FileFault::new(&file, error)),
        }
    }
    if !mjml.contains_key(DEFAULT_LANGUAGE) {
        keep(FileFault::new(&folder.join("body.mjml"), "found no such file, wanted the body of the template"));
    }
    match (name, manifest) {
        (Some(name), Some(manifest)) if faults.is_empty() => {
            let mut source = json!({ "manifest": manifest, "mjml": mjml });
            if let (false, Some(source)) = (text.is_empty(), source.as_object_mut()) {
                source.insert("text".to_owned(), Value::Object(text));
            }
            Ok((name, source))
        }
        _incomplete => Err(faults),
    }
}

/// The file of a template's folder that a fault of its PUT body is about.
pub fn file_of(fault: &Fault) -> String {
    let mut steps = fault.field.split('/').skip(1);
    let (part, language) = (steps.next().unwrap_or_default(), steps.next().unwrap_or(DEFAULT_LANGUAGE));
    let ending = match part {
        "mjml" => "mjml",
        "text" => "txt",
        _other => return MANIFEST.to_owned(),
    };
    if language == DEFAULT_LANGUAGE { format!("body.{ending}") } else { format!("body.{language}.{ending}") }
}

enum Body {
    Mjml,
    Text,
}

/// The language and kind of a body's file; `None` for other files.
fn body(file: &Path) -> Option<(String, Body)> {
    let rest = file.file_name()?.to_str()?.strip_prefix("body")?;
    let (rest, kind) = match (rest.strip_suffix(".mjml"), rest.strip_suffix(".txt")) {
        (Some(rest), _) => (rest, Body::Mjml),
        (None, rest) => (rest?, Body::Text),
    };
    let language = if rest.is_empty() { DEFAULT_LANGUAGE } else { rest.strip_prefix('.')? };
    Some((language.to_owned(), kind))
}

fn name(folder: &Path) -> Result<TemplateName, FileFault> {
    // The folder may have been given as `.`.
    let whole = folder.canonicalize().map_err(|error| FileFault::new(folder, error))?;
    let name = whole.file_name().unwrap_or_default().to_string_lossy().into_owned();
    name.parse().map_err(|wanted| FileFault::new(folder, format!("found the name {name}, wanted {wanted}")))
}

fn manifest(file: &Path) -> Result<Value, FileFault> {
    let source = fs::read_to_string(file).map_err(|error| FileFault::new(file, error))?;
    toml::from_str(&source).map_err(|error| {
        let line =
            error.span().and_then(|span| source.get(..span.start)).map(|before| before.matches('\n').count() + 1);
        FileFault { file: file.to_owned(), line, message: error.message().to_owned() }
    })
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, FileFault> {
    let fault = |error| FileFault::new(folder, error);
    let entries: Result<Vec<PathBuf>, _> =
        fs::read_dir(folder).map_err(fault)?.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut entries = entries.map_err(fault)?;
    entries.sort_unstable();
    Ok(entries)
}
