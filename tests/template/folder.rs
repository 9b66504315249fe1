//! Folders of templates.

use std::{fs, path::Path};

use germane::{
    domain::door::Fault,
    local::templates::{file_of, read_folder, read_one},
};
use serde_json::json;

/// A folder that is gone when the test is.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let folder = std::env::temp_dir().join(format!("germane-templates-{name}-{}", std::process::id()));
        for (file, content) in files {
            let file = folder.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, content).unwrap();
        }
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn every_folder_with_a_manifest_is_a_template_in_order_of_names() {
    let folder = Folder::new(
        "order",
        &[
            ("zebra/template.toml", "subject = 'Z'"),
            ("zebra/body.mjml", "<mjml/>"),
            ("apple/template.toml", "subject = 'A'\n[variables.headline]\nsample = 1"),
            ("apple/body.mjml", "<mjml/>"),
            ("apple/body.txt", "text"),
            ("apple/body.pt-BR.mjml", "<mjml lang='pt'/>"),
            ("apple/body.pt-BR.txt", "texto"),
            ("apple/notes.md", "not a part of it"),
            ("drafts/body.mjml", "<mjml/>"),
            ("README.md", "no folder"),
        ],
    );
    let read = read_folder(&folder.0).unwrap();
    assert_eq!(read.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["apple", "zebra"]);
    assert_eq!(
        read[0].1,
        json!({
            "manifest": { "subject": "A", "variables": { "headline": { "sample": 1 } } },
            "mjml": { "default": "<mjml/>", "pt-BR": "<mjml lang='pt'/>" },
            "text": { "default": "text", "pt-BR": "texto" },
        })
    );
}

#[test]
fn faults_name_the_file_and_the_line() {
    let folder = Folder::new("faults", &[("a/template.toml", "subject = 'A'\nheld = maybe"), ("b/template.toml", "")]);
    let faults = read_folder(&folder.0).unwrap_err();
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    let at = |file: &str| folder.0.join(file).display().to_string();
    assert!(told[0].starts_with(&format!("{}:2: ", at("a/template.toml"))), "{}", told[0]);
    assert_eq!(told[1], format!("{}: found no such file, wanted the body of the template", at("a/body.mjml")));
    assert_eq!(told.len(), 3);
    assert!(read_one(&folder.0.join("nowhere")).is_err());
    assert!(read_folder(Path::new("/nowhere")).is_err());
}

#[test]
fn a_fault_of_the_body_leads_back_to_its_file() {
    for (field, file) in [
        ("/mjml/default", "body.mjml"),
        ("/mjml/pt-BR", "body.pt-BR.mjml"),
        ("/text/default", "body.txt"),
        ("/text/de", "body.de.txt"),
        ("/mjml", "body.mjml"),
        ("/manifest/subject", "template.toml"),
        ("", "template.toml"),
    ] {
        let fault = Fault { field: field.to_owned(), found: String::new(), wanted: String::new() };
        assert_eq!(file_of(&fault), file);
    }
}
