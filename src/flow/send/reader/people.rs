//! The people of a shard one after the other, read a page at a time.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use super::{CONSISTENT_FOR, Page, ShardAudience};
use crate::{
    domain::{id::RecipientId, recipient::Recipient},
    flow::{
        launch::Versioned,
        send::{SendError, walk::Run},
    },
};

pub(super) struct People<'a> {
    run: &'a Run<'a>,
    /// Everybody up to here was read.
    after: Option<RecipientId>,
    /// Read and not yet handed out, under this policy.
    page: VecDeque<Recipient>,
    policy: Option<Arc<Versioned>>,
    through: bool,
    started: Duration,
}

impl<'a> People<'a> {
    pub fn new(run: &'a Run<'a>, after: Option<RecipientId>) -> Self {
        let started = run.ports.clock.monotonic();
        Self { run, after, page: VecDeque::new(), policy: None, through: false, started }
    }

    /// Whether the next one needs no reading.
    pub fn at_hand(&self) -> bool {
        !self.page.is_empty()
    }

    /// Goes on after `id`, which lies ahead.
    pub fn skip_to(&mut self, id: Option<&RecipientId>) {
        while self.page.pop_front_if(|recipient| id.is_some_and(|id| recipient.id <= *id)).is_some() {}
        if self.page.is_empty() && self.after.as_ref() < id {
            self.after = id.cloned();
        }
    }

    /// The next one, if their id is at most `until`, and the policy that they were read under.
    pub async fn next(
        &mut self,
        until: Option<&RecipientId>,
    ) -> Result<Option<(Recipient, Arc<Versioned>)>, SendError> {
        while self.page.is_empty() && !self.through && until.is_none_or(|until| self.after.as_ref() < Some(until)) {
            self.read().await?;
        }
        let next = self.page.pop_front_if(|recipient| until.is_none_or(|until| recipient.id <= *until));
        Ok(next.zip(self.policy.clone()))
    }

    async fn read(&mut self) -> Result<(), SendError> {
        let ports = self.run.ports;
        // Read for each page, so that a change of it binds soon.
        self.policy = Some(ports.policies.current().await?.ok_or(SendError::NoPolicy)?);
        let recent = ports.clock.monotonic() < self.started + CONSISTENT_FOR;
        let consistent = self.run.lease.epoch > 1 && recent;
        let audience =
            ShardAudience { audience: &self.run.campaign.audience, shard: self.run.work.shard, shards: ports.shards };
        let Page { recipients, more } = audience.page(ports.pages.as_ref(), self.after.as_ref(), consistent).await?;
        self.through = !more;
        if let Some(last) = recipients.last() {
            self.after = Some(last.id.clone());
        }
        self.page = recipients.into();
        Ok(())
    }
}
