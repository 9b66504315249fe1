//! Campaigns as chance drives them: the promises hold after each step, and every campaign comes to an end.

use germane::{
    domain::{
        lifecycle::Command,
        window::{SendWindow, WindowState},
    },
    flow::queue::Message,
    local::{services::SHARD, ses::SesConfig},
};
use jiff::{SignedDuration, civil::Weekday};
use proptest::{collection::vec, option, prelude::*, sample::select, test_runner::Config};
use serde_json::{Value, json};

use super::faults::{Post, mail_by, run_or_hang};
use crate::world::{Setup, World, campaign, person, policy, with};

const ZONES: [Option<&str>; 5] =
    [Some("Asia/Tokyo"), Some("Europe/Berlin"), Some("America/Los_Angeles"), Some("Asia/Kathmandu"), None];
const CAMPAIGNS: [&str; 2] = ["one", "two"];
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

#[derive(Debug, Clone)]
struct Somebody {
    zone: Option<&'static str>,
    once_a_week: bool,
    agreed: bool,
}

#[derive(Debug, Clone)]
struct Plan {
    opens: Option<i8>,
    defers: bool,
    start_hours: Option<i64>,
    end_hours: i64,
}

#[derive(Debug, Clone)]
enum Step {
    Pass(i64),
    Do(Command, usize),
    /// A worker takes the next message and is lost at this call to SES, if it comes so far.
    Lose(usize),
    Erase(usize),
    Import,
}

fn somebody() -> impl Strategy<Value = Somebody> {
    (select(ZONES.to_vec()), any::<bool>(), prop::bool::weighted(0.9))
        .prop_map(|(zone, once_a_week, agreed)| Somebody { zone, once_a_week, agreed })
}

fn plan() -> impl Strategy<Value = Plan> {
    (option::of(0_i8..24), any::<bool>(), option::weighted(0.3, 1_i64..24), 30_i64..200)
        .prop_map(|(opens, defers, start_hours, end_hours)| Plan { opens, defers, start_hours, end_hours })
}

fn step() -> impl Strategy<Value = Step> {
    let command = select(vec![Command::Pause, Command::Resume, Command::Resume, Command::Cancel]);
    prop_oneof![
        6 => (1_i64..2_000).prop_map(Step::Pass),
        3 => (command, 0_usize..2).prop_map(|(command, campaign)| Step::Do(command, campaign)),
        3 => (0_usize..3).prop_map(Step::Lose),
        1 => (0_usize..9).prop_map(Step::Erase),
        1 => Just(Step::Import),
    ]
}

fn name(n: usize) -> String {
    format!("r-{n:02}")
}

fn described(n: usize, somebody: &Somebody) -> Value {
    let Somebody { zone, once_a_week, agreed } = somebody;
    let mut person = with(person(&name(n)), json!({ "time_zone": zone }));
    if *once_a_week {
        person["preferences"] = json!({ "max_frequency": { "sends": 1, "days": 7 } });
    }
    if !agreed {
        person["consents"] = json!([]);
    }
    person
}

fn planned(id: &str, plan: &Plan, world: &World) -> Value {
    let hours = |hours: i64| world.now() + SignedDuration::from_hours(hours);
    let window =
        plan.opens.map(|opens| json!({ "opens": format!("{opens:02}:00"), "closes": format!("{opens:02}:30") }));
    let change = json!({
        "send_window": window, "on_cap": if plan.defers { "defer" } else { "skip" },
        "not_before": plan.start_hours.map(hours), "expires_at": hours(plan.end_hours),
    });
    with(campaign(id), change)
}

struct Story {
    world: World,
    plans: Vec<Plan>,
    imported: usize,
}

impl Story {
    async fn begin(people: Vec<Somebody>, plans: Vec<Plan>, daily_quota: f64) -> Self {
        let ses = SesConfig { max_send_rate: 100.0, daily_quota, ..SesConfig::default() };
        let world = World::with(Setup { ses, shards: 2, ..Setup::default() }).await;
        let mut caps = policy();
        caps["frequency"] = json!([{ "sends": 2, "days": 7 }]);
        world.put_policy(&caps).await;
        let described: Vec<Value> = people.iter().enumerate().map(|(n, somebody)| described(n, somebody)).collect();
        world.put(&described).await;
        for (id, plan) in CAMPAIGNS.iter().zip(&plans) {
            world.submit(&planned(id, plan, &world)).await;
        }
        Self { world, plans, imported: 0 }
    }

    async fn take(&mut self, step: &Step) {
        match step {
            Step::Pass(minutes) => self.world.pass(SignedDuration::from_mins(*minutes)).await,
            Step::Do(command, campaign) => {
                // Whether it is allowed now is another matter.
                let _ = self.world.deployment.api().command(&CAMPAIGNS[*campaign].parse().unwrap(), *command).await;
            }
            Step::Lose(call) => self.lose(*call).await,
            Step::Erase(n) => {
                // Perhaps nobody has this name.
                let _ = self.world.deployment.api().erase_recipient(&name(*n).parse().unwrap()).await;
            }
            Step::Import => {
                self.imported += 1;
                // Before those who are there, where no cursor comes any more once it has begun.
                self.world.put_late(&[person(&format!("a-{}", self.imported))]).await;
            }
        }
        self.promises().await;
    }

    async fn lose(&self, call: usize) {
        let queues = &self.world.services.queues;
        let Some(message) = queues.receive(SHARD, 1).unwrap().pop() else { return };
        let Message::Shard(work) = Message::from_body(&message.body).unwrap() else { return };
        let mut sender = self.world.deployment.sender();
        let gate = mail_by(&mut sender, move |at, _| if at < call { Post::Deliver } else { Post::DeliverAndHang });
        if let Some(Ok(())) = run_or_hang(&gate, &sender, &work).await {
            queues.delete(SHARD, &message.receipt).unwrap();
        }
    }

    async fn promises(&self) {
        self.world.check_all().await;
        let people = self.world.people().await;
        for (id, person) in &people {
            let mut claims: Vec<_> = person.sends.iter().map(|send| send.at).collect();
            claims.sort_unstable();
            let sends = person.preferences.max_frequency.map_or(2, |cap| cap.sends as usize);
            let close = claims.windows(sends + 1).find(|run| run[sends].duration_since(run[0]) < WEEK);
            assert!(close.is_none(), "{id} has more than {sends} in a week: {claims:?}");
        }
        for (id, plan) in CAMPAIGNS.iter().zip(&self.plans) {
            for (recipient, mails) in self.world.mails(id) {
                let Some(zone) = people.get(&recipient).and_then(|person| person.time_zone.as_ref()) else { continue };
                let open = window(plan).map(|window| window.state(mails[0].at, &zone.zone().unwrap()));
                assert!(open.is_none_or(|state| state == WindowState::Open), "{recipient} outside of {plan:?}");
            }
        }
    }

    /// What was paused goes on, and in ten days everything is over.
    async fn end(&self) {
        for id in CAMPAIGNS {
            let _ = self.world.deployment.api().command(&id.parse().unwrap(), Command::Resume).await;
        }
        self.world.pass(SignedDuration::from_hours(24 * 10)).await;
        self.promises().await;
        for id in CAMPAIGNS {
            let report = self.world.report(id).await;
            let ended = ["complete", "cancelled", "expired"].iter().any(|end| report["status"] == *end);
            assert!(ended && report["outcomes"]["deferred"] == 0, "{report}");
        }
        assert_eq!(self.world.services.queues.depth(SHARD), 0);
        assert_eq!(self.world.next_due(), None);
    }
}

fn window(plan: &Plan) -> Option<SendWindow> {
    let opens = jiff::civil::Time::constant(plan.opens?, 0, 0, 0);
    let days = Weekday::Monday.cycle_forward().take(7).collect::<Vec<_>>();
    SendWindow::new(opens, opens + SignedDuration::from_mins(30), &days)
}

proptest! {
    #![proptest_config(Config { cases: 10, max_shrink_iters: 60, failure_persistence: None, ..Config::default() })]

    #[test]
    fn the_promises_hold_whatever_happens_and_every_campaign_ends(
        people in vec(somebody(), 1..9),
        plans in vec(plan(), 2),
        quota in select(vec![4.0, 8.0, -1.0]),
        steps in vec(step(), 1..7),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut story = Story::begin(people, plans, quota).await;
            for step in &steps {
                story.take(step).await;
            }
            story.end().await;
        });
    }
}

#[tokio::test]
async fn whoever_is_imported_behind_a_cursor_while_the_quota_is_used_up_is_not_waited_for() {
    let somebody = || Somebody { zone: Some("Asia/Tokyo"), once_a_week: false, agreed: true };
    let plan = || Plan { opens: None, defers: false, start_hours: None, end_hours: 30 };
    let people = std::iter::repeat_with(somebody).take(5).collect();
    let mut story = Story::begin(people, vec![plan(), plan()], 4.0).await;
    for step in [Step::Pass(255), Step::Import, Step::Import, Step::Do(Command::Pause, 0), Step::Pass(269)] {
        story.take(&step).await;
    }
    story.end().await;
}
