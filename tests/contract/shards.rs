//! The shards of a campaign: one worker at a time, and a commit that only the one who holds the lease can make.

use germane::{
    domain::{
        decision::{Outcome, OutcomeKind, Reason, ReasonCode},
        id::Shard,
        report::Counts,
    },
    flow::{
        ledger::{Chunk, Entry, Progress},
        queue::Work,
        send::lease::{Committed, Left, Purpose, TakeOver},
    },
};

use super::{Ports, at, claim, id, keeps, reference, work};

pub fn entry(number: u8, outcome: Outcome) -> Entry {
    Entry { reference: reference(number), outcome, decided_at: at(i64::from(number)), policy_version: 3 }
}

/// Two decisions on people up to `last`, the later reference first.
pub fn chunk(start: Option<&str>, last: &str, number: u8) -> Chunk {
    let entries = vec![
        entry(number + 1, Outcome::InDoubt),
        entry(number, Outcome::Deferred { reason: Reason::Contended, until: None }),
    ];
    Chunk { start: start.map(id), last: id(last), entries, forget_at: Some(at(86_400)) }
}

pub fn counts(of: u64) -> Counts {
    vec![(OutcomeKind::Skipped, Some(ReasonCode::NoConsent), of)].into()
}

/// As the worker that commits it reports it.
pub fn progress(chunk: &Chunk, counted: u64) -> Progress {
    Progress { cursor: Some(chunk.last.clone()), counts: counts(counted), ..Progress::default() }
}

impl Ports {
    pub async fn prepare(&self) {
        self.campaigns.prepare(&[work(1)]).await.unwrap();
    }

    /// Takes a pass of the shard over until then.
    pub async fn take(&self, pass: u16, owner: u8, now: i64, until: i64) -> TakeOver {
        self.shards.take_over(&work(pass), Purpose::Walk, claim(owner), at(now), at(until)).await.unwrap()
    }

    async fn sweep(&self, owner: u8, now: i64) -> TakeOver {
        self.shards.take_over(&work(1), Purpose::Sweep, claim(owner), at(now), at(now + 60)).await.unwrap()
    }

    pub async fn commit(&self, pass: u16, epoch: u64, chunk: &Chunk, counted: u64) -> Committed {
        self.shards.commit(&work(pass), epoch, chunk, &progress(chunk, counted)).await.unwrap()
    }

    pub async fn leave(&self, pass: u16, epoch: u64, left: Left) -> Committed {
        self.shards.leave(&work(pass), epoch, left).await.unwrap()
    }

    pub async fn progress(&self) -> Progress {
        self.ledger.progress(&work(1)).await.unwrap().unwrap()
    }
}

fn taken(epoch: u64, drained: bool) -> TakeOver {
    TakeOver::Taken { epoch, progress: Progress::default(), drained }
}

#[test]
fn a_shard_that_no_launch_made_is_missing() {
    keeps(async |ports| {
        assert_eq!(ports.take(1, 1, 0, 60).await, TakeOver::Missing);
        assert_eq!(ports.ledger.progress(&work(1)).await.unwrap(), None);
        assert_eq!(ports.shards.renew(&work(1), 0, at(60)).await.unwrap(), Committed::Fenced);
        assert_eq!(ports.leave(1, 0, Left::Done).await, Committed::Fenced);
        assert_eq!(ports.commit(1, 0, &chunk(None, "r-3", 1), 2).await, Committed::Fenced);
        assert_eq!(ports.take(1, 1, 0, 60).await, TakeOver::Missing, "none of that made one");
    });
}

#[test]
fn each_take_over_raises_the_epoch_and_nobody_gets_a_shard_that_is_held() {
    keeps(async |ports| {
        ports.prepare().await;
        assert_eq!(ports.take(1, 1, 0, 60).await, taken(1, true));
        assert_eq!(ports.take(1, 2, 59, 120).await, TakeOver::Held { until: at(60) });
        assert_eq!(ports.sweep(2, 59).await, TakeOver::Held { until: at(60) });
        // It lapses at its very end.
        assert_eq!(ports.take(1, 2, 60, 120).await, taken(2, false));
        assert_eq!(ports.leave(1, 2, Left::Unfinished).await, Committed::Done);
        assert_eq!(ports.take(1, 3, 61, 121).await, taken(3, true));
        assert_eq!(ports.leave(1, 3, Left::Undrained).await, Committed::Done);
        assert_eq!(ports.take(1, 4, 62, 122).await, taken(4, false));
    });
}

#[test]
fn a_take_over_that_is_repeated_finds_itself_and_not_how_the_shard_was_left() {
    keeps(async |ports| {
        ports.prepare().await;
        assert_eq!(ports.take(1, 1, 0, 60).await, taken(1, true));
        assert_eq!(ports.take(1, 1, 0, 60).await, taken(1, false));
        assert_eq!(ports.take(1, 1, 5, 65).await, taken(1, false));
    });
}

/// A call that arrives after its caller is gone takes what is free: its lease is over soon, and the next is told that
/// it was not left in order.
#[test]
fn a_take_over_that_arrives_late_takes_the_shard_anew() {
    keeps(async |ports| {
        ports.prepare().await;
        ports.take(1, 1, 0, 60).await;
        ports.leave(1, 1, Left::Unfinished).await;
        assert_eq!(ports.take(1, 1, 0, 60).await, taken(2, true));
        assert_eq!(ports.take(1, 2, 90, 150).await, taken(3, false));
    });
}

#[test]
fn a_shard_that_is_done_or_in_another_pass_is_not_taken() {
    keeps(async |ports| {
        ports.prepare().await;
        assert_eq!(ports.take(2, 1, 0, 60).await, TakeOver::Ahead);
        ports.take(1, 1, 0, 60).await;
        assert_eq!(ports.take(2, 1, 0, 60).await, TakeOver::Ahead, "not even by who holds it");
        ports.commit(1, 1, &chunk(None, "r-3", 1), 2).await;
        assert_eq!(ports.leave(1, 1, Left::Asleep { until: at(100) }).await, Committed::Done);
        assert_eq!(ports.take(1, 1, 0, 60).await, TakeOver::Past);
        assert_eq!(ports.take(2, 2, 99, 159).await, TakeOver::Asleep { until: at(100) });
        let TakeOver::Taken { epoch: 2, drained: true, .. } = ports.take(2, 2, 100, 160).await else { panic!() };
        assert_eq!(ports.leave(2, 2, Left::Done).await, Committed::Done);
        assert_eq!(ports.take(2, 3, 101, 161).await, TakeOver::Past);
        assert_eq!(ports.take(3, 3, 101, 161).await, TakeOver::Past);
    });
}

#[test]
fn a_sweep_takes_only_what_was_not_left_in_order() {
    keeps(async |ports| {
        ports.prepare().await;
        assert_eq!(ports.sweep(1, 0).await, TakeOver::Drained);
        ports.take(1, 1, 0, 60).await;
        ports.leave(1, 1, Left::Undrained).await;
        assert_eq!(ports.sweep(2, 1).await, taken(2, false));
        ports.leave(1, 2, Left::Unfinished).await;
        assert_eq!(ports.sweep(3, 2).await, TakeOver::Drained);
        ports.take(1, 4, 3, 63).await;
        assert_eq!(ports.sweep(5, 63).await, taken(4, false), "its lease lapsed");
    });
}

#[test]
fn only_the_holder_renews_the_lease() {
    keeps(async |ports| {
        ports.prepare().await;
        ports.take(1, 1, 0, 60).await;
        assert_eq!(ports.shards.renew(&work(1), 1, at(80)).await.unwrap(), Committed::Done);
        assert_eq!(ports.take(1, 2, 79, 139).await, TakeOver::Held { until: at(80) });
        // It lapsed, and nobody came.
        assert_eq!(ports.shards.renew(&work(1), 1, at(200)).await.unwrap(), Committed::Done);
        assert_eq!(ports.take(1, 2, 200, 260).await, taken(2, false));
        for epoch in [0, 1, 3] {
            assert_eq!(ports.shards.renew(&work(1), epoch, at(300)).await.unwrap(), Committed::Fenced);
        }
        assert_eq!(ports.take(1, 3, 259, 319).await, TakeOver::Held { until: at(260) });
    });
}

#[test]
fn a_renewal_that_comes_late_neither_shortens_the_lease_nor_revives_one_that_was_given_back() {
    keeps(async |ports| {
        ports.prepare().await;
        ports.take(1, 1, 0, 60).await;
        let renew = async |until| ports.shards.renew(&work(1), 1, at(until)).await.unwrap();
        assert_eq!(renew(80).await, Committed::Done);
        assert_eq!(renew(70).await, Committed::Done, "it lasts longer already");
        assert_eq!(ports.take(1, 2, 79, 139).await, TakeOver::Held { until: at(80) });
        for (left, drained) in [(Left::Undrained, false), (Left::Unfinished, true)] {
            ports.leave(1, 1, left).await;
            assert_eq!(renew(90).await, Committed::Fenced, "{left:?}");
            let standings = ports.campaigns.standings(&work(1).campaign).await.unwrap();
            assert_eq!(standings[0].undrained, !drained);
        }
        assert_eq!(ports.take(1, 2, 1, 61).await, taken(2, true));
    });
}

#[test]
fn a_commit_that_comes_late_does_not_begin_the_next_pass() {
    keeps(async |ports| {
        ports.prepare().await;
        ports.take(1, 1, 0, 60).await;
        let whole = chunk(None, "r-3", 1);
        ports.commit(1, 1, &whole, 2).await;
        ports.leave(1, 1, Left::Asleep { until: at(100) }).await;
        let asleep = ports.progress().await;
        assert_eq!((asleep.pass, &asleep.cursor), (2, &None));
        assert_eq!(ports.commit(1, 1, &whole, 9).await, Committed::Fenced);
        assert_eq!(ports.progress().await, asleep);
    });
}

#[test]
fn commits_follow_each_other_and_one_that_is_repeated_is_done() {
    keeps(async |ports| {
        ports.prepare().await;
        ports.take(1, 1, 0, 60).await;
        let (first, second) = (chunk(None, "r-3", 1), chunk(Some("r-3"), "r-7", 3));
        assert_eq!(ports.commit(1, 1, &second, 4).await, Committed::Fenced, "it is not the first");
        for _ in 0..2 {
            assert_eq!(ports.commit(1, 1, &first, 2).await, Committed::Done);
            assert_eq!(ports.progress().await, progress(&first, 2));
        }
        assert_eq!(ports.commit(1, 1, &second, 4).await, Committed::Done);
        assert_eq!(ports.commit(1, 1, &first, 2).await, Committed::Fenced, "the cursor is beyond it");
        assert_eq!(ports.progress().await, progress(&second, 4));
    });
}

#[test]
fn when_the_next_pass_begins_stays_until_a_commit_says_otherwise() {
    keeps(async |ports| {
        ports.prepare().await;
        ports.take(1, 1, 0, 60).await;
        for (chunk, next, then) in [
            (chunk(None, "r-3", 1), None, None),
            (chunk(Some("r-3"), "r-4", 3), Some(at(900)), Some(at(900))),
            (chunk(Some("r-4"), "r-5", 5), None, Some(at(900))),
            (chunk(Some("r-5"), "r-6", 7), Some(at(800)), Some(at(800))),
        ] {
            let progress = Progress { next, ..progress(&chunk, 2) };
            assert_eq!(ports.shards.commit(&work(1), 1, &chunk, &progress).await.unwrap(), Committed::Done);
            assert_eq!(ports.progress().await.next, then);
        }
        ports.leave(1, 1, Left::Asleep { until: at(800) }).await;
        let asleep = ports.progress().await;
        let expected = Progress { pass: 2, not_before: Some(at(800)), counts: counts(2), ..Progress::default() };
        assert_eq!(asleep, expected);
    });
}

#[test]
fn whoever_was_taken_over_commits_nothing() {
    keeps(async |ports| {
        ports.prepare().await;
        ports.take(1, 1, 0, 60).await;
        ports.take(1, 2, 60, 120).await;
        assert_eq!(ports.commit(1, 1, &chunk(None, "r-3", 1), 2).await, Committed::Fenced);
        assert_eq!(ports.progress().await, Progress::default());
        // What it put at the cursor is overwritten by the one that came after it.
        let ours = chunk(None, "r-2", 5);
        assert_eq!(ports.commit(1, 2, &ours, 2).await, Committed::Done);
        assert_eq!(ports.progress().await, progress(&ours, 2));
        // And what that one wrote is not.
        assert_eq!(ports.commit(1, 1, &chunk(None, "r-9", 1), 2).await, Committed::Fenced);
        let held = ports.ledger.after(&work(1), None).await.unwrap().unwrap();
        assert_eq!((held.last, held.entries[0].reference), (id("r-2"), reference(5)));
    });
}

#[test]
fn leaving_is_repeated_without_harm_and_fenced_after_a_take_over() {
    keeps(async |ports| {
        ports.prepare().await;
        for left in [Left::Unfinished, Left::Undrained, Left::Unfinished] {
            let TakeOver::Taken { epoch, .. } = ports.take(1, 1, 0, 60).await else { panic!("{left:?}") };
            for _ in 0..2 {
                assert_eq!(ports.leave(1, epoch, left).await, Committed::Done);
            }
            assert_eq!(ports.leave(1, epoch - 1, left).await, Committed::Fenced);
            assert_eq!(ports.leave(2, epoch, left).await, Committed::Fenced, "that pass is not begun");
        }
        ports.take(1, 2, 0, 60).await;
        ports.commit(1, 4, &chunk(None, "r-3", 1), 2).await;
        for _ in 0..2 {
            assert_eq!(ports.leave(1, 4, Left::Asleep { until: at(100) }).await, Committed::Done);
        }
        assert_eq!(ports.progress().await.pass, 2);
        ports.take(2, 3, 100, 160).await;
        assert_eq!(ports.leave(1, 4, Left::Asleep { until: at(100) }).await, Committed::Fenced);
        for _ in 0..2 {
            assert_eq!(ports.leave(2, 5, Left::Done).await, Committed::Done);
        }
        assert!(ports.progress().await.done);
    });
}

#[test]
fn standings_tell_of_each_shard_that_was_made_how_it_was_left() {
    keeps(async |ports| {
        let of = |shard| Work { shard: Shard(shard), ..work(1) };
        assert_eq!(ports.campaigns.standings(&work(1).campaign).await.unwrap(), []);
        ports.campaigns.prepare(&[of(10), of(2), of(0)]).await.unwrap();
        ports.take(1, 1, 0, 60).await;
        ports.commit(1, 1, &chunk(None, "r-3", 1), 2).await;
        // Made again, they stay as they are.
        ports.campaigns.prepare(&[of(0), of(1)]).await.unwrap();
        let standings = ports.campaigns.standings(&work(1).campaign).await.unwrap();
        let told: Vec<_> = standings.iter().map(|s| (s.work.shard.0, s.work.pass, s.undrained)).collect();
        assert_eq!(told, [(0, 1, true), (1, 1, false), (2, 1, false), (10, 1, false)]);
        assert_eq!(standings[0].progress, progress(&chunk(None, "r-3", 1), 2));
        for (left, undrained) in [(Left::Undrained, true), (Left::Unfinished, false)] {
            ports.leave(1, 1, left).await;
            let standings = ports.campaigns.standings(&work(1).campaign).await.unwrap();
            assert_eq!(standings[0].undrained, undrained, "{left:?}");
        }
        assert_eq!(ports.campaigns.standings(&"other".parse().unwrap()).await.unwrap(), []);
    });
}
