//! Moves that are lost or overtaken, and a queue that is down for once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use germane::{
    aws::dynamo::Dynamo,
    domain::{id::CampaignId, report::CampaignStatus},
    flow::{
        launch::{CampaignRecord, CampaignSummary, Campaigns, Created, Move, Standing},
        port::PortError,
        queue::{Message, Queue, Work},
    },
};

use super::super::faults::down;

/// What becomes of the first move, or of all.
pub enum Fault {
    /// It happens, and is then found to have happened.
    AnswerLost,
    /// Somebody else moves the campaign there first.
    Overtaken(CampaignStatus),
    AlwaysOvertaken,
}

pub struct FaultyCampaigns {
    inner: Dynamo,
    fault: Fault,
    advances: AtomicUsize,
}

impl FaultyCampaigns {
    pub fn new(inner: &Dynamo, fault: Fault) -> Self {
        Self { inner: inner.clone(), fault, advances: AtomicUsize::new(0) }
    }

    /// How many moves were tried.
    pub fn advances(&self) -> usize {
        self.advances.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Campaigns for FaultyCampaigns {
    async fn advance(&self, id: &CampaignId, from: &[CampaignStatus], to: &Move) -> Result<bool, PortError> {
        let first = self.advances.fetch_add(1, Ordering::Relaxed) == 0;
        match self.fault {
            Fault::AnswerLost if first => {
                assert!(self.inner.advance(id, from, to).await?);
                self.inner.advance(id, from, to).await
            }
            Fault::Overtaken(status) if first => {
                assert!(self.inner.advance(id, from, &Move::to(status)).await?);
                self.inner.advance(id, from, to).await
            }
            Fault::AnswerLost | Fault::Overtaken(_) => self.inner.advance(id, from, to).await,
            Fault::AlwaysOvertaken => Ok(false),
        }
    }

    async fn create(&self, record: &CampaignRecord) -> Result<Created, PortError> {
        self.inner.create(record).await
    }

    async fn get(&self, id: &CampaignId) -> Result<Option<CampaignRecord>, PortError> {
        self.inner.get(id).await
    }

    async fn list(&self, cursor: Option<&str>) -> Result<(Vec<CampaignSummary>, Option<String>), PortError> {
        self.inner.list(cursor).await
    }

    async fn standings(&self, id: &CampaignId) -> Result<Vec<Standing>, PortError> {
        self.inner.standings(id).await
    }

    async fn prepare(&self, work: &[Work]) -> Result<(), PortError> {
        self.inner.prepare(work).await
    }

    async fn shard_through(&self, work: &Work) -> Result<u16, PortError> {
        self.inner.shard_through(work).await
    }
}

pub struct FaultyQueue {
    inner: Arc<dyn Queue>,
    up: AtomicBool,
}

impl FaultyQueue {
    /// Takes nothing the first time.
    pub fn once_down(inner: &Arc<dyn Queue>) -> Self {
        Self { inner: Arc::clone(inner), up: AtomicBool::new(false) }
    }
}

#[async_trait]
impl Queue for FaultyQueue {
    async fn send(&self, messages: &[Message], delay: Duration) -> Result<(), PortError> {
        if self.up.swap(true, Ordering::Relaxed) { self.inner.send(messages, delay).await } else { Err(down()) }
    }
}
