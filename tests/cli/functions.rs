//! `germane local --invoke`: what it writes for the functions, and what it says while they are not there.

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::Value;

use super::run::{Folder, Running, alone};
use crate::{stack::Site, world::campaign};

/// Nobody listens there, since nobody may who is not root.
const NOBODY: &str = "http://127.0.0.1:1";

fn stack(folder: &Folder, args: &[&str]) -> (Running, Site) {
    let file = folder.path("functions.env");
    let mut stack =
        Running::start(&[&["local", "--port", "0", "--invoke", NOBODY, "--env-file", &file], args].concat());
    let url = stack.says("listening on ");
    (stack, Site::at(&url))
}

fn secrets(folder: &Folder) -> Vec<String> {
    let file = folder.read("functions.env");
    let secret = |line: &&str| line.starts_with("GERMANE_TOKEN_KEYS=") || line.starts_with("GERMANE_ADDRESS_KEY=");
    file.lines().filter(secret).map(str::to_owned).collect()
}

#[test]
fn the_file_with_the_secrets_is_its_owners_alone_whatever_was_there_before() {
    let folder = Folder::new().with("functions.env", "GERMANE_LOG=debug\n");
    fs::set_permissions(folder.path("functions.env"), fs::Permissions::from_mode(0o644)).unwrap();
    let (_stack, _) = stack(&folder, &[]);
    assert_eq!(fs::metadata(folder.path("functions.env")).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(secrets(&folder).len(), 2);
    assert!(!folder.read("functions.env").contains("debug"));
}

#[test]
fn a_data_folder_keeps_the_secrets_that_functions_are_told() {
    let folder = Folder::new();
    let data = folder.path("data");
    let (mut first, _) = stack(&folder, &["--data", &data]);
    let told = secrets(&folder);
    first.signal("-INT");
    assert_eq!(first.ends().code, 0);

    let (_second, _) = stack(&folder, &["--data", &data]);

    assert_eq!(secrets(&folder), told);
}

#[tokio::test]
async fn that_functions_are_not_there_is_told_once_with_what_to_do() {
    let folder = Folder::new();
    let (mut stack, site) = stack(&folder, &[]);
    site.send(&campaign("weekly")).await;
    site.send(&campaign("monthly")).await;
    stack.remarks("nothing answers at http://127.0.0.1:1: messages wait until `cargo lambda watch` runs there");
    stack.signal("-INT");

    let ended = stack.ends();

    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.err.matches("nothing answers").count(), 1, "{}", ended.err);
    assert!(ended.err.contains("cargo lambda watch --ignore-changes --concurrency 2 -A 127.0.0.1 -P 1 --env-file "));
}

#[test]
fn the_document_names_the_file() {
    let folder = Folder::new();
    let file = folder.path("functions.env");
    let mut stack = Running::start(&["local", "--port", "0", "--invoke", NOBODY, "--env-file", &file, "--json"]);
    assert_eq!(stack.says("{"), "");
    stack.signal("-INT");
    let document: Value = serde_json::from_str(&format!("{{{}", stack.ends().out)).unwrap();
    assert_eq!(document["env_file"], file);
}

#[test]
fn functions_are_somewhere_on_this_machine() {
    let ended = alone(&["local", "--invoke", "https://lambda.eu-west-1.amazonaws.com"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("such as http://127.0.0.1:9000"), "{}", ended.err);
}

#[test]
fn functions_have_no_driven_clock_and_no_workers_beside_them() {
    for other in [&["--clock", "2026-11-23T09:00:00Z"][..], &["--no-workers"]] {
        let ended = alone(&[&["local", "--invoke", NOBODY], other].concat());
        assert_eq!(ended.code, 2, "{ended:?}");
    }
    assert_eq!(alone(&["local", "--env-file", "functions.env"]).code, 2);
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let ended = alone(&["local", "--port", "0", "--invoke", NOBODY, "--env-file", "no/such/folder/functions.env"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.err.contains("no/such/folder/functions.env"), "{}", ended.err);
}
