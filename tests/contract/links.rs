//! When a person was last mailed a link.

use super::{at, id, keeps, person};

#[test]
fn a_link_is_noted_unless_one_was_mailed_just_before() {
    keeps(async |ports| {
        ports.add(&person("r-1")).await;
        let one = id("r-1");
        assert!(ports.links.mark(&one, at(0), at(-300)).await.unwrap());
        assert!(!ports.links.mark(&one, at(100), at(-200)).await.unwrap());
        assert!(!ports.links.mark(&one, at(299), at(-1)).await.unwrap());
        assert!(ports.links.mark(&one, at(300), at(0)).await.unwrap());
    });
}

#[test]
fn nothing_is_noted_of_somebody_who_is_not_there() {
    keeps(async |ports| {
        assert!(!ports.links.mark(&id("r-1"), at(0), at(-300)).await.unwrap());
        ports.add(&person("r-1")).await;
        assert!(ports.links.mark(&id("r-1"), at(1), at(-299)).await.unwrap());
    });
}

#[test]
fn a_note_is_taken_back_unless_there_is_a_newer_one() {
    keeps(async |ports| {
        ports.add(&person("r-1")).await;
        let one = id("r-1");
        ports.links.unmark(&one, at(0)).await.unwrap();
        assert!(ports.links.mark(&one, at(0), at(-300)).await.unwrap());
        ports.links.unmark(&one, at(-1)).await.unwrap();
        assert!(!ports.links.mark(&one, at(1), at(-299)).await.unwrap());
        ports.links.unmark(&one, at(0)).await.unwrap();
        assert!(ports.links.mark(&one, at(1), at(-299)).await.unwrap());
    });
}
