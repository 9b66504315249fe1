//! What a function binary is built from: no emulator, no command line, one TLS stack.

use std::{collections::BTreeSet, process::Command};

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
