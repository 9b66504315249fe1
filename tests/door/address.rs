//! What an address, an id, a topic and a time zone look like, and what does not pass for one.

use germane::domain::{
    email::{EmailAddress, Mailbox},
    id::RecipientId,
    time::ZoneName,
    topic::Topic,
};

fn address(raw: &str) -> Option<EmailAddress> {
    raw.parse().ok()
}

#[test]
fn an_address_that_ses_takes_is_taken_as_it_is() {
    for raw in [
        "name@example.com",
        "first.last+label@mail.example.co.uk",
        "o'neil@example.org",
        "a@example.net",
        "UPPER@example.com",
        "success+1@simulator.amazonses.com",
        "n_a-m.e=1@ex-ample.com",
    ] {
        assert_eq!(address(raw).unwrap().reveal(), raw);
    }
}

#[test]
fn an_address_that_ses_cannot_take_is_refused() {
    let long_local = format!("{}@example.com", "a".repeat(65));
    let long_label = format!("a@{}.example.com", "b".repeat(64));
    let long_whole = format!("a@{}.example.com", ["b"; 125].join("."));
    for raw in [
        "",
        "@",
        "name",
        "@example.com",
        "name@",
        "name@localhost",
        "name@example.",
        "name@example.com.",
        "name@.example.com",
        "name@exam..ple.com",
        "name@-example.com",
        "name@exam_ple.com",
        "name@192.0.2.1",
        "name@[192.0.2.1]",
        "name@[IPv6:2001:db8::1]",
        "jürgen@example.com",
        "名前@example.com",
        "\"quoted name\"@example.com",
        "\"a@b\"@example.com",
        "two@signs@example.com",
        ".name@example.com",
        "name.@example.com",
        "na..me@example.com",
        "na me@example.com",
        " name@example.com",
        "name@example.com ",
        "name@example.com\n",
        "name@exam\nple.com",
        "name\r\nBcc: other@example.com",
        "Name <name@example.com>",
        "name@example.com,other@example.com",
        "name(comment)@example.com",
        "name@example.com(comment)",
        long_local.as_str(),
        long_label.as_str(),
        long_whole.as_str(),
    ] {
        assert_eq!(address(raw), None, "{raw:?}");
    }
}

#[test]
fn an_international_domain_becomes_punycode() {
    for (raw, ascii) in [
        ("name@bücher.example.com", "name@xn--bcher-kva.example.com"),
        ("name@BÜCHER.example.com", "name@xn--bcher-kva.example.com"),
        ("name@xn--bcher-kva.example.com", "name@xn--bcher-kva.example.com"),
        ("name@EXAMPLE.com", "name@example.com"),
    ] {
        assert_eq!(address(raw).unwrap().reveal(), ascii);
    }
}

#[test]
fn spellings_of_a_mailbox_are_one_and_labels_are_not() {
    let normalised = |raw| address(raw).unwrap().normalised();
    assert_eq!(normalised("Name@Example.com"), normalised("name@example.COM"));
    assert_ne!(normalised("name+a@example.com"), normalised("name@example.com"));
    assert_ne!(normalised("na.me@example.com"), normalised("name@example.com"));
}

#[test]
fn debug_does_not_show_an_address() {
    assert!(!format!("{:?}", address("name@example.com")).contains("name"));
}

#[test]
fn a_sender_is_an_address_or_a_name_with_one() {
    for raw in ["news@example.com", "Rust Weekly <news@example.com>"] {
        assert_eq!(raw.parse::<Mailbox>().unwrap().as_str(), raw);
    }
    for raw in [
        "",
        "Rust Weekly",
        "Rust Weekly <news@example.com",
        "Rust Weekly <news@example.com> ",
        "Rust, Weekly <news@example.com>",
        "\"Rust\" <news@example.com>",
        "news@example.com <news@example.com>",
        "Rust: Weekly <news@example.com>",
        "Rust Weekly <<news@example.com>>",
        "Rüst <news@example.com>",
        "Rust\r\nBcc: <news@example.com>",
        "news@localhost",
    ] {
        assert!(raw.parse::<Mailbox>().is_err(), "{raw:?}");
    }
}

#[test]
fn ids_are_of_their_alphabet_and_length() {
    let longest = "a".repeat(128);
    for raw in ["a", "r-1042", "A.b_C-9", &longest] {
        assert_eq!(raw.parse::<RecipientId>().unwrap().as_str(), raw);
    }
    let too_long = "a".repeat(129);
    for raw in ["", "a b", "name@example.com", "a/b", "a\n", "ä", "a%20", "{{date}}", &too_long] {
        assert!(raw.parse::<RecipientId>().is_err(), "{raw:?}");
    }
}

#[test]
fn topics_are_paths_of_whole_segments() {
    let longest = "a".repeat(128);
    for raw in ["rust", "rust/async", "a-1/b/c", &longest] {
        assert_eq!(raw.parse::<Topic>().unwrap().as_str(), raw);
    }
    let too_long = "a".repeat(129);
    for raw in ["", "/", "rust/", "/rust", "rust//async", "Rust", "rust async", "rüst", "rust_1", "rust.1", &too_long]
    {
        assert!(raw.parse::<Topic>().is_err(), "{raw:?}");
    }
}

#[test]
fn time_zones_are_those_of_the_database() {
    for (raw, name) in [
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("UTC", "UTC"),
        ("Asia/Kathmandu", "Asia/Kathmandu"),
    ] {
        assert_eq!(raw.parse::<ZoneName>().unwrap().as_str(), name);
    }
    for raw in ["", "Atlantis/Capital", "Berlin", "+01:00", "CET-1CEST,M3.5.0,M10.5.0", "Etc/Unknown", "../etc/passwd"]
    {
        assert!(raw.parse::<ZoneName>().is_err(), "{raw:?}");
    }
}
