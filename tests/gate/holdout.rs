//! Gate 10: a stable part of those who would be sent is not, so that the campaign's effect can be measured.

use germane::domain::decision::Decision;

use crate::given::{Given, millis};

fn held_out(given: &Given, people: std::ops::Range<u32>) -> Vec<u32> {
    let mut given = given.clone();
    people
        .filter(|person| {
            given.recipient.id = format!("person-{person}").parse().unwrap();
            matches!(given.decide(), Decision::HoldOut { .. })
        })
        .collect()
}

fn holding_out(percent: u8) -> Given {
    Given::germane().but(|g| g.campaign.holdout_percent = percent)
}

#[test]
fn the_part_held_out_is_close_to_its_percentage() {
    for percent in [1_u8, 10, 50, 90] {
        let held = held_out(&holding_out(percent), 0..10_000).len();
        let wanted = usize::from(percent) * 100;
        assert!(held.abs_diff(wanted) < 200, "{percent} %: {held} of 10,000");
    }
}

#[test]
fn nobody_is_held_out_at_0_and_everybody_at_100() {
    assert_eq!(held_out(&holding_out(0), 0..1_000).len(), 0);
    assert_eq!(held_out(&holding_out(100), 0..1_000).len(), 1_000);
}

#[test]
fn a_person_stays_held_out_whenever_one_asks() {
    let later = holding_out(20).but(|g| g.now += millis(3 * 86_400_000));
    assert_eq!(held_out(&holding_out(20), 0..1_000), held_out(&later, 0..1_000));
}

#[test]
fn a_larger_part_holds_out_all_of_a_smaller_one() {
    let (small, large) = (held_out(&holding_out(5), 0..1_000), held_out(&holding_out(20), 0..1_000));
    assert!(small.iter().all(|person| large.contains(person)));
}

#[test]
fn each_campaign_holds_out_other_people() {
    let other = holding_out(20).but(|g| g.campaign.id = "rust-weekly-2026-48".parse().unwrap());
    let (one, two) = (held_out(&holding_out(20), 0..1_000), held_out(&other, 0..1_000));
    let both = one.iter().filter(|person| two.contains(person)).count();
    // A fifth of a fifth, were they drawn anew.
    assert!((20..=60).contains(&both), "{both}");
}

#[test]
fn the_percentage_is_named() {
    assert_eq!(holding_out(100).decide(), Decision::HoldOut { percent: 100 });
}
