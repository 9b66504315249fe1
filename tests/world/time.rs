//! Moving a world's time from wake to wake, as its schedules and queues have it.

use germane::{domain::report::CampaignStatus, flow::clock::Clock};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::World;

impl World {
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Works off whatever comes until `time`, each thing at its moment. The promises hold after each.
    pub async fn advance_to(&self, time: &str) {
        self.pass_to(time.parse().unwrap()).await;
    }

    pub async fn pass(&self, span: SignedDuration) {
        self.pass_to(self.now() + span).await;
    }

    pub async fn pass_to(&self, time: Timestamp) {
        loop {
            self.settle().await;
            match self.next_due().filter(|due| *due < time) {
                Some(due) => self.clock.reach(due),
                None if self.now() < time => self.clock.reach(time),
                None => return,
            }
        }
    }

    /// Goes on from wake to wake until a campaign has this status; answers with its report.
    pub async fn until(&self, campaign: &str, status: CampaignStatus) -> Value {
        loop {
            self.settle().await;
            let report = self.report(campaign).await;
            if report["status"] == json!(status) {
                return report;
            }
            let due = self.next_due().unwrap_or_else(|| panic!("nothing is to come, and it stays so: {report}"));
            self.clock.reach(due);
        }
    }

    async fn settle(&self) {
        self.drain().await;
        self.check_all().await;
    }

    /// When something is to happen by itself.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.services.schedules.next_due().into_iter().chain(self.services.queues.next_due()).min()
    }
}
