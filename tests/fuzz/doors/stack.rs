//! A whole deployment behind a door, on the embedded engine, and everything that it keeps.

use std::sync::Arc;

use axum::Router;
use dynoxide::actions::scan::ScanRequest;
use germane::{
    aws::tables::TableNames,
    lambda::{gateway, http},
    local::services::{FEEDBACK, LAUNCH, PREVIEW, SHARD, table_names},
};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::shared::world::{World, campaign, person};

/// What is taken piles up: after so many inputs that changed something one begins anew.
const CHANGES: u32 = 150;

pub struct Stack {
    pub runtime: Runtime,
    pub world: World,
    pub api: Router,
    pub pages: Router,
    changes: u32,
    /// Inputs that were refused, after which everything was as before.
    pub unchanged: u64,
}

impl Stack {
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let world = runtime.block_on(async {
            let world = World::with_shards(2).await;
            world.put(&[person("r-1042"), person("r-2")]).await;
            world.send(&campaign("weekly")).await;
            world.submit(&campaign("next")).await;
            world.deployment.api().suppress("zq7-private@example.org", &json!({})).await.expect("a suppression");
            world
        });
        let api = gateway::behind(http::api(Arc::new(world.deployment.api())));
        let pages = gateway::behind(http::preferences(Arc::new(world.deployment.preferences())));
        Self { runtime, world, api, pages, changes: 0, unchanged: 0 }
    }

    /// All items, what lies in the queues, and how many mails were taken.
    pub fn everything(&self) -> String {
        let services = &self.world.services;
        let TableNames { recipients, addresses, campaigns, ledger, evidence, .. } = table_names();
        let tables = [recipients, addresses, campaigns, ledger, evidence].map(|table_name| {
            let all = ScanRequest { table_name, ..ScanRequest::default() };
            let items = services.database.scan(all).expect("a table can be scanned").items.unwrap_or_default();
            let mut items: Vec<String> = items.iter().map(|item| json!(item).to_string()).collect();
            items.sort_unstable();
            items.join("\n")
        });
        let queued = [LAUNCH, SHARD, PREVIEW, FEEDBACK].map(|queue| services.queues.depth(queue));
        format!("{}\n{queued:?} {}", tables.join("\n"), services.ses.mails().len())
    }

    /// Nothing may have changed since `before`.
    pub fn assert_unchanged(&mut self, before: &str) {
        let after = self.everything();
        if after != before {
            let new: Vec<&str> = after.lines().filter(|line| !before.contains(line)).collect();
            panic!("what was refused is half stored: {}", new.join(" | "));
        }
        self.unchanged += 1;
    }

    /// Begins anew if much was changed.
    pub fn changed(&mut self) {
        self.changes += 1;
        if self.changes > CHANGES {
            let unchanged = self.unchanged;
            *self = Self { unchanged, ..Self::start() };
        }
    }
}
