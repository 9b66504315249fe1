//! The rate's timeline: one item, each of whose changes stands on how it is.

use germane::flow::pace::{Change, Changed, Day, Limits, Take, Timeline};
use jiff::{SignedDuration, Timestamp};

use super::{Ports, at, keeps};

fn limits(per_day: Option<u64>) -> Limits {
    Limits { per_second: 14.5, per_day, sent_last_day: 3 }
}

fn timeline() -> Timeline {
    Timeline::new(limits(None), at(0))
}

fn take(mails: u64, at_most: Option<u64>) -> Take {
    Take { span: SignedDuration::from_micros(1_250_001), mails, hour: timeline().day.hour, at_most }
}

impl Ports {
    async fn change(&self, change: Change) -> Changed {
        self.timelines.change(&change).await.unwrap()
    }

    async fn done(&self, change: Change) -> Timeline {
        match self.change(change.clone()).await {
            Changed::Done(timeline) => {
                assert_eq!(self.timelines.get().await.unwrap(), Some(timeline.clone()));
                timeline
            }
            Changed::Not(held) => panic!("{change:?} of {held:?}"),
        }
    }

    async fn refused(&self, change: Change) {
        let held = self.timelines.get().await.unwrap();
        assert_eq!(self.change(change.clone()).await, Changed::Not(held.clone()), "{change:?}");
        assert_eq!(self.timelines.get().await.unwrap(), held);
    }

    async fn created(&self) {
        self.done(Change::Create(timeline())).await;
    }
}

fn micro(time: Timestamp, micros: i64) -> Timestamp {
    time + SignedDuration::from_micros(micros)
}

#[test]
fn a_timeline_is_made_once_and_nothing_changes_before() {
    keeps(async |ports| {
        let day = timeline().day;
        for change in [
            Change::Follow { earliest: at(0), take: take(1, None) },
            Change::Begin { start: at(0), take: take(1, None) },
            Change::Roll { from: day.clone(), to: day.at(at(3_600)) },
            Change::Ask { from: at(0), at: at(60) },
            Change::Learn { limits: limits(None), at: at(60) },
        ] {
            ports.refused(change).await;
        }
        assert_eq!(ports.done(Change::Create(timeline())).await, timeline());
        ports.refused(Change::Create(Timeline::new(limits(Some(9)), at(9)))).await;
    });
}

#[test]
fn a_reservation_follows_the_head_unless_that_lies_before_the_moment() {
    keeps(async |ports| {
        ports.created().await;
        ports.refused(Change::Follow { earliest: micro(at(0), 1), take: take(5, None) }).await;
        let after = ports.done(Change::Follow { earliest: at(0), take: take(5, None) }).await;
        assert_eq!((after.head, after.day.current, after.day.total), (micro(at(0), 1_250_001), 5, 5));
        let after = ports.done(Change::Follow { earliest: at(-9), take: take(2, None) }).await;
        assert_eq!((after.head, after.day.current, after.day.total), (micro(at(0), 2_500_002), 7, 7));
    });
}

#[test]
fn a_reservation_begins_anew_only_where_the_head_lies_before_it() {
    keeps(async |ports| {
        ports.created().await;
        for start in [at(0), at(-1)] {
            ports.refused(Change::Begin { start, take: take(5, None) }).await;
        }
        let after = ports.done(Change::Begin { start: micro(at(0), 1), take: take(5, None) }).await;
        assert_eq!((after.head, after.day.total), (micro(at(0), 1_250_002), 5));
    });
}

#[test]
fn no_more_is_reserved_than_the_day_has_room_for() {
    keeps(async |ports| {
        ports.created().await;
        ports.done(Change::Follow { earliest: at(0), take: take(5, Some(5)) }).await;
        ports.refused(Change::Follow { earliest: at(0), take: take(1, Some(5)) }).await;
        ports.refused(Change::Begin { start: at(60), take: take(1, Some(5)) }).await;
        ports.refused(Change::Follow { earliest: at(0), take: take(9, Some(5)) }).await;
        let after = ports.done(Change::Begin { start: at(60), take: take(3, Some(8)) }).await;
        assert_eq!(after.day.total, 8);
    });
}

#[test]
fn a_reservation_counts_only_in_the_hour_that_it_names() {
    keeps(async |ports| {
        ports.created().await;
        for hours in [-1, 1] {
            let take = Take { hour: timeline().day.hour + hours, ..take(1, None) };
            ports.refused(Change::Follow { earliest: at(0), take }).await;
            ports.refused(Change::Begin { start: at(9), take }).await;
        }
    });
}

#[test]
fn the_hour_changes_unless_somebody_reserved_meanwhile() {
    keeps(async |ports| {
        ports.created().await;
        let seen = ports.done(Change::Follow { earliest: at(0), take: take(5, None) }).await.day;
        let later = ports.done(Change::Follow { earliest: at(0), take: take(2, None) }).await.day;
        let to = |from: &Day| from.at(at(2 * 3_600));
        ports.refused(Change::Roll { from: seen.clone(), to: to(&seen) }).await;
        let after = ports.done(Change::Roll { from: later.clone(), to: to(&later) }).await;
        assert_eq!(after.day, to(&later));
        assert_eq!((after.day.current, after.day.earlier[..3].to_vec(), after.day.total), (0, vec![0, 7, 0], 7));
        ports.refused(Change::Roll { from: later.clone(), to: to(&later) }).await;
    });
}

#[test]
fn one_asks_for_the_limits_at_a_time_and_what_is_older_is_not_learned() {
    keeps(async |ports| {
        ports.created().await;
        assert_eq!(ports.done(Change::Ask { from: at(0), at: at(60) }).await.asked_at, at(60));
        ports.refused(Change::Ask { from: at(0), at: at(61) }).await;
        let learned = ports.done(Change::Learn { limits: limits(Some(200)), at: at(62) }).await;
        assert_eq!((learned.limits, learned.known_at, learned.asked_at), (limits(Some(200)), at(62), at(60)));
        for second in [62, 61] {
            ports.refused(Change::Learn { limits: limits(None), at: at(second) }).await;
        }
        assert_eq!(ports.done(Change::Learn { limits: limits(None), at: at(63) }).await.limits, limits(None));
    });
}
