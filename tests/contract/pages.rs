//! Reading people in the order of their ids, a page at a time.

use germane::domain::id::{RecipientId, Shard};

use super::{Ports, SHARDS, at, id, keeps, person};

fn ids() -> Vec<RecipientId> {
    // In the order of bytes: capitals and digits come before small letters.
    ["R-1", "a", "r-1", "r-10", "r-2", "r.1", "r_1", "r-3", "r-4", "r-5", "r-6"].map(id).to_vec()
}

async fn filled(ports: &Ports) -> Vec<RecipientId> {
    for id in ids() {
        let mut person = person(id.as_str());
        person.profile.work = None;
        ports.add(&person).await;
    }
    let mut ids = ids();
    ids.sort_unstable();
    ids
}

#[test]
fn pages_that_follow_each_other_hold_everybody_of_a_shard_once_in_the_order_of_their_ids() {
    keeps(async |ports| {
        let everybody = filled(ports).await;
        for shard in (0..SHARDS).map(Shard) {
            let (mut read, mut after, mut pages) = (Vec::new(), None, 0);
            loop {
                let page = ports.pages.page(shard, after.as_ref(), true).await.unwrap();
                assert!(page.recipients.len() <= 3);
                read.extend(page.recipients.into_iter().map(|person| person.id));
                after = read.last().cloned();
                pages += 1;
                if !page.more {
                    break;
                }
            }
            let theirs: Vec<_> = everybody.iter().filter(|id| Shard::of(id, SHARDS) == shard).cloned().collect();
            assert!(theirs.len() > 3 && pages > 1, "one page would prove nothing");
            assert_eq!(read, theirs);
        }
    });
}

#[test]
fn a_page_begins_behind_an_id_whether_or_not_somebody_has_it() {
    keeps(async |ports| {
        let everybody = filled(ports).await;
        for after in ["0", "R-1", "m", "r-10", "r-11", "r-9", "r_1", "z"].map(id) {
            for shard in (0..SHARDS).map(Shard) {
                let page = ports.pages.page(shard, Some(&after), true).await.unwrap();
                let next = everybody.iter().filter(|id| **id > after && Shard::of(id, SHARDS) == shard).take(3);
                let read: Vec<RecipientId> = page.recipients.into_iter().map(|person| person.id).collect();
                assert_eq!(read, next.cloned().collect::<Vec<_>>(), "after {after}");
            }
        }
    });
}

#[test]
fn an_empty_shard_is_one_empty_page() {
    keeps(async |ports| {
        let page = ports.pages.page(Shard(1), None, true).await.unwrap();
        assert_eq!((page.recipients, page.more), (Vec::new(), false));
    });
}

#[test]
fn of_people_who_are_listed_those_who_exist_come_in_the_order_of_their_ids() {
    keeps(async |ports| {
        let everybody = filled(ports).await;
        let mut asked: Vec<RecipientId> = everybody.iter().rev().cloned().collect();
        asked.extend((0..150).map(|number| id(&format!("missing-{number}"))));
        // Also of another shard: whoever asks has looked at that.
        let read = ports.pages.listed(Shard(0), &asked, true).await.unwrap();
        assert_eq!(read.into_iter().map(|person| person.id).collect::<Vec<_>>(), everybody);
        assert_eq!(ports.pages.listed(Shard(0), &[], true).await.unwrap(), []);
    });
}

#[test]
fn a_consistent_read_finds_what_was_written_just_before() {
    keeps(async |ports| {
        let one = person("r-1");
        let shard = Shard::of(&one.id, SHARDS);
        ports.add(&one).await;
        let two = super::next(&one, |person| person.profile.locale = Some("de".to_owned()));
        ports.put(Some(&one), &two).await;
        assert_eq!(ports.pages.page(shard, None, true).await.unwrap().recipients, std::slice::from_ref(&two));
        assert_eq!(ports.pages.listed(shard, &[id("r-1")], true).await.unwrap(), std::slice::from_ref(&two));
        assert!(ports.people.erase(&two, at(1)).await.unwrap());
        assert_eq!(ports.pages.page(shard, None, true).await.unwrap().recipients, []);
        assert_eq!(ports.pages.listed(shard, &[id("r-1")], true).await.unwrap(), []);
    });
}
