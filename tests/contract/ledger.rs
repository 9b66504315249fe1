//! Chunks read back: of each pass what its cursor has passed, and nothing of what was left beyond it.

use germane::{
    domain::id::Shard,
    flow::{
        ledger::Chunk,
        queue::Work,
        send::lease::{Committed, Left},
    },
};

use super::{Ports, at, id, keeps, shards::chunk, work};

impl Ports {
    /// Where the chunk that covers somebody ends.
    async fn covering(&self, pass: u16, raw: &str) -> Option<String> {
        self.ledger.covering(&work(pass), &id(raw)).await.unwrap().map(|chunk| chunk.last.to_string())
    }

    async fn after(&self, pass: u16, raw: Option<&str>) -> Option<String> {
        let start = raw.map(id);
        self.ledger.after(&work(pass), start.as_ref()).await.unwrap().map(|chunk| chunk.last.to_string())
    }
}

/// Three chunks of the first pass: up to c, up to f, up to i.
async fn walked(ports: &Ports) {
    ports.prepare().await;
    ports.take(1, 1, 0, 60).await;
    for (at, (start, last)) in [(None, "c"), (Some("c"), "f"), (Some("f"), "i")].into_iter().enumerate() {
        let counted = u64::try_from(at).unwrap() + 1;
        assert_eq!(ports.commit(1, 1, &chunk(start, last, 1), counted).await, Committed::Done);
    }
}

#[test]
fn a_chunk_is_read_as_it_was_written_its_entries_in_the_order_of_their_references() {
    keeps(async |ports| {
        walked(ports).await;
        let mut expected = chunk(None, "c", 1);
        expected.entries.reverse();
        assert_eq!(ports.ledger.after(&work(1), None).await.unwrap(), Some(expected));
    });
}

#[test]
fn the_chunk_that_covers_somebody_is_found_at_each_boundary() {
    keeps(async |ports| {
        walked(ports).await;
        let covered = [
            ("a", Some("c")),
            ("c", Some("c")),
            ("c.", Some("f")),
            ("d", Some("f")),
            ("f", Some("f")),
            ("g", Some("i")),
            ("i", Some("i")),
            ("i.", None),
            ("z", None),
        ];
        for (of, last) in covered {
            assert_eq!(ports.covering(1, of).await.as_deref(), last, "of {of}");
        }
        assert_eq!(ports.covering(2, "a").await, None, "that pass is still to come");
        let elsewhere = Work { shard: Shard(1), ..work(1) };
        assert_eq!(ports.ledger.covering(&elsewhere, &id("a")).await.unwrap(), None);
    });
}

#[test]
fn the_chunk_after_somebody_begins_there_or_spans_them() {
    keeps(async |ports| {
        walked(ports).await;
        let next = [
            (None, Some("c")),
            (Some("a"), Some("c")),
            (Some("c"), Some("f")),
            (Some("d"), Some("f")),
            (Some("f"), Some("i")),
            (Some("h"), Some("i")),
            (Some("i"), None),
            (Some("z"), None),
        ];
        for (start, last) in next {
            assert_eq!(ports.after(1, start).await.as_deref(), last, "after {start:?}");
        }
        assert_eq!(ports.after(2, None).await, None);
    });
}

#[test]
fn while_nothing_is_committed_there_is_nothing() {
    keeps(async |ports| {
        assert_eq!(ports.after(1, None).await, None);
        ports.prepare().await;
        assert_eq!((ports.after(1, None).await, ports.covering(1, "a").await), (None, None));
    });
}

/// Puts a chunk whose worker is fenced before it moves the cursor.
async fn dies(ports: &Ports, pass: u16, epoch: u64, chunk: &Chunk) {
    assert_eq!(ports.commit(pass, epoch, chunk, 99).await, Committed::Fenced);
}

#[test]
fn what_a_worker_put_at_the_cursor_before_it_died_is_not_there() {
    keeps(async |ports| {
        ports.prepare().await;
        ports.take(1, 1, 0, 60).await;
        ports.take(1, 2, 60, 120).await;
        dies(ports, 1, 1, &chunk(None, "z", 7)).await;
        assert_eq!((ports.after(1, None).await, ports.covering(1, "a").await), (None, None));

        ports.commit(1, 2, &chunk(None, "c", 1), 2).await;
        dies(ports, 1, 1, &chunk(Some("c"), "z", 7)).await;
        assert_eq!((ports.after(1, Some("c")).await, ports.covering(1, "d").await), (None, None));
        assert_eq!(ports.after(1, Some("b")).await.as_deref(), Some("c"));
        // One that lies further beyond hides nothing either.
        dies(ports, 1, 1, &chunk(Some("m"), "z", 7)).await;
        assert_eq!(ports.covering(1, "n").await, None);
        ports.commit(1, 2, &chunk(Some("c"), "f", 3), 4).await;
        assert_eq!(ports.covering(1, "d").await.as_deref(), Some("f"));
        assert_eq!(ports.covering(1, "n").await, None);
    });
}

#[test]
fn it_stays_so_after_the_pass_has_ended() {
    keeps(async |ports| {
        ports.prepare().await;
        ports.take(1, 1, 0, 60).await;
        ports.take(1, 2, 60, 120).await;
        ports.commit(1, 2, &chunk(None, "c", 1), 2).await;
        dies(ports, 1, 1, &chunk(Some("c"), "z", 7)).await;
        ports.leave(1, 2, Left::Asleep { until: at(100) }).await;
        assert_eq!((ports.after(1, Some("c")).await, ports.covering(1, "d").await), (None, None));
        assert_eq!(ports.covering(1, "b").await.as_deref(), Some("c"));
        ports.take(2, 3, 100, 160).await;
        assert_eq!(ports.covering(1, "d").await, None);
        assert_eq!(ports.covering(2, "b").await, None, "the new pass has no decisions yet");
    });
}

#[test]
fn passes_have_chunks_of_their_own() {
    keeps(async |ports| {
        walked(ports).await;
        ports.leave(1, 1, Left::Asleep { until: at(100) }).await;
        ports.take(2, 2, 100, 160).await;
        ports.commit(2, 2, &chunk(None, "f", 5), 3).await;
        assert_eq!(ports.covering(1, "b").await.as_deref(), Some("c"));
        assert_eq!(ports.covering(2, "b").await.as_deref(), Some("f"));
        assert_eq!(ports.covering(2, "g").await, None);
        ports.leave(2, 2, Left::Asleep { until: at(200) }).await;
        ports.take(3, 3, 200, 260).await;
        ports.commit(3, 3, &chunk(None, "i", 9), 3).await;
        for (pass, last) in [(1, "i"), (3, "i")] {
            assert_eq!(ports.covering(pass, "g").await.as_deref(), Some(last));
        }
        assert_eq!(ports.covering(2, "g").await, None);
        assert_eq!(ports.covering(4, "g").await, None);
    });
}
