//! What a function binary is built from: no emulator, no command line, one TLS stack.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use germane::lambda::http::{API_ROUTES, PREFERENCES_ROUTES};

/// The crates of a build, as cargo resolves it.
fn crates(arguments: &[&str]) -> BTreeSet<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo.args(["tree", "--locked", "--offline", "--prefix", "none", "--format", "{p}|{f}"]).args(arguments);
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
}

fn names(crates: &BTreeSet<String>) -> BTreeSet<&str> {
    crates.iter().filter_map(|line| line.split(' ').next()).collect()
}

#[test]
fn a_function_holds_no_emulator_and_no_command_line() {
    let deployed = crates(&["--no-default-features", "--edges", "normal"]);
    let local = crates(&["--edges", "normal"]);
    let names_of_local = names(&local);
    for name in ["dynoxide-rs", "rusqlite", "clap", "comfy-table", "indicatif", "mail-builder", "reqwest"] {
        assert!(names_of_local.contains(name), "{name} is in no build at all");
        assert!(!names(&deployed).contains(name), "{name} is in what is deployed");
    }
}

#[test]
fn a_function_has_one_tls_stack() {
    let deployed = crates(&["--no-default-features", "--edges", "normal"]);
    let of = |name: &str| deployed.iter().filter(|line| line.starts_with(&format!("{name} v"))).count();
    assert_eq!(of("rustls"), 1);
    for name in ["native-tls", "openssl", "ring"] {
        assert_eq!(of(name), 0, "{name}");
    }
}

/// They take most of the time of a build.
#[test]
fn running_and_testing_share_one_build_of_the_sdk() {
    let of_sdk = |edges: &str| {
        let crates = crates(&["--edges", edges]);
        let sdk = |line: &String| line.starts_with("aws-") || line.starts_with("tokio v") || line.starts_with("serde");
        crates.into_iter().filter(sdk).collect::<BTreeSet<_>>()
    };
    let run = of_sdk("no-dev");
    assert!(run.len() > 10);
    let tested = of_sdk("normal,build,dev");
    assert!(run.is_subset(&tested), "{:?}", run.difference(&tested).collect::<Vec<_>>());
}

/// So that the command line and the links in mails lead to the functions there as they do when deployed.
#[test]
fn cargo_lambda_routes_to_the_functions_what_they_answer() {
    let manifest: toml::Table = include_str!("../../Cargo.toml").parse().unwrap();
    let router = &manifest["package"]["metadata"]["lambda"]["watch"]["router"];
    let router: BTreeMap<&str, &str> =
        router.as_table().unwrap().iter().map(|(path, to)| (path.as_str(), to.as_str().unwrap())).collect();
    let mut wanted: BTreeMap<&str, &str> =
        PREFERENCES_ROUTES.iter().map(|(_, path)| (*path, "germane-preferences")).collect();
    wanted.insert("/v1/{*rest}", "germane-api");
    assert_eq!(router, wanted);
    assert!(API_ROUTES.iter().all(|(_, path)| path.starts_with("/v1/")));
}
