//! The import wall: which folder may import which, so that the flow of imports stays one way.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// A folder of `src`, and what of ours it may import.
const MAY_IMPORT: [(&str, &[&str]); 7] = [
    ("domain", &["domain"]),
    ("flow", &["domain", "flow"]),
    ("aws", &["domain", "flow", "aws"]),
    ("lambda", &["domain", "flow", "lambda"]),
    ("local", &["domain", "flow", "aws", "lambda", "local"]),
    ("cli", &["domain", "flow", "aws", "lambda", "local", "cli"]),
    ("bin", &["domain", "flow", "aws", "lambda", "local", "cli"]),
];

/// Crates of others that the domain may use: pure ones, without input or output.
const PURE: [&str; 12] = [
    "std",
    "core",
    "alloc",
    "serde",
    "serde_json",
    "thiserror",
    "jiff",
    "sha2",
    "hmac",
    "idna",
    "email_address",
    "base64",
];

/// What only `aws` and what stands on it may name.
const NOT_IN_FLOW: [&str; 10] = [
    "aws_sdk",
    "aws_config",
    "aws_smithy",
    "serde_dynamo",
    "lambda_runtime",
    "lambda_http",
    "tokio::spawn",
    "tokio::time",
    "axum",
    "utoipa",
];

#[test]
fn imports_flow_one_way() {
    let mut broken = Vec::new();
    for (folder, allowed) in MAY_IMPORT {
        for file in files(folder) {
            let source = code(&file);
            for imported in ours(&source).into_iter().filter(|imported| !allowed.contains(&imported.as_str())) {
                broken.push(format!("{}: {folder} may not import {imported}", file.display()));
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn the_domain_uses_pure_crates_alone() {
    for file in files("domain") {
        let source = code(&file);
        let heads = source.lines().filter_map(|line| line.strip_prefix("use ")).filter_map(|path| {
            let head = path.split([':', ';', ' ', '{']).next()?;
            (!["super", "crate", "self"].contains(&head)).then_some(head)
        });
        for head in heads {
            assert!(PURE.contains(&head), "{} uses {head}", file.display());
        }
    }
}

#[test]
fn the_flow_knows_neither_aws_nor_the_runtime() {
    for file in files("domain").into_iter().chain(files("flow")) {
        let source = code(&file);
        for name in NOT_IN_FLOW {
            assert!(!source.contains(name), "{} names {name}", file.display());
        }
    }
}

#[test]
fn the_wall_sees_every_way_to_write_an_import() {
    let source = "use crate::domain::id;\nuse crate::{\n    aws::codec,\n    flow::{send::mail, ledger},\n};\nlet x = germane::local::y();";
    let seen: Vec<String> = ours(source).into_iter().collect();
    assert_eq!(seen, ["aws", "domain", "flow", "local"]);
}

/// `src/<folder>.rs` and everything below `src/<folder>/`.
fn files(folder: &str) -> Vec<PathBuf> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut open = vec![src.join(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    found.extend(Some(src.join(format!("{folder}.rs"))).filter(|file| file.is_file()));
    assert!(!found.is_empty(), "no source in {folder}");
    found
}

/// A file without its comments.
fn code(file: &Path) -> String {
    let source = fs::read_to_string(file).unwrap();
    let lines: Vec<&str> = source.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    lines.join("\n")
}

/// The modules of ours that a source names at their root.
fn ours(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for root in ["crate::", "germane::"] {
        for (at, _) in source.match_indices(root) {
            let rest = &source[at + root.len()..];
            match rest.strip_prefix('{') {
                None => found.extend(word(rest)),
                Some(group) => found.extend(group_heads(group)),
            }
        }
    }
    found.retain(|name| MAY_IMPORT.iter().any(|(folder, _)| folder == name));
    found
}

/// The first name of each path in a braced group.
fn group_heads(group: &str) -> Vec<String> {
    let mut depth = 0;
    let mut heads = Vec::new();
    let mut at_head = true;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return heads,
            '}' => depth -= 1,
            ',' if depth == 0 => at_head = true,
            c if at_head && depth == 0 && c.is_ascii_lowercase() => {
                heads.extend(word(&group[at..]));
                at_head = false;
            }
            _other => {}
        }
    }
    heads
}

fn word(text: &str) -> Option<String> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}
