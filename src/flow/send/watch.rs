//! What goes on beside a walk: the lease is kept, and the campaign's status and the turn's end are looked out for.

use std::time::Duration;

use futures_util::{FutureExt, future::BoxFuture};
use tracing::warn;

use super::{
    AT_WORK, SendError,
    lease::{Committed, KEEP, Purpose, RENEW_AGAIN, RENEW_EVERY, lease_end},
    stop::Stopped,
    walk::Run,
};
use crate::{
    domain::{decision::Reason, report::CampaignStatus},
    flow::{launch::Move, port::PortError},
};

/// How often the campaign's status is looked at.
const STATUS_EVERY: Duration = Duration::from_secs(1);

/// Stops the run when its campaign or its turn is over; ends only with what the walk fails by.
pub(super) async fn watch(run: &Run<'_>) -> SendError {
    let mut over = run.turn.over();
    let mut status = look_at_status(run);
    let mut renewal = renew_in(run, RENEW_EVERY);
    loop {
        tokio::select! {
            // Not at random, so that the same seed gives a simulator the same walk.
            biased;
            () = &mut over => {
                run.stop.set(Stopped::TurnOver);
                over = std::future::pending().boxed();
            }
            looked = &mut status => match looked {
                Ok(()) => status = look_at_status(run),
                // Nobody is mailed for a campaign whose status is not known.
                Err(error) => return error.into(),
            },
            renewed = &mut renewal => match renewed {
                Ok(Committed::Done) => renewal = renew_in(run, RENEW_EVERY),
                Ok(Committed::Fenced) => {
                    run.lease.lost();
                    return SendError::Fenced;
                }
                // Claims and calls end with the lease; until then there is time to try again.
                Err(error) => {
                    warn!(campaign = %run.campaign.id, %error, "a lease could not be renewed yet");
                    renewal = renew_in(run, RENEW_AGAIN);
                }
            },
        }
    }
}

fn look_at_status<'a>(run: &'a Run<'_>) -> BoxFuture<'a, Result<(), PortError>> {
    async {
        let ports = run.ports;
        ports.clock.sleep(STATUS_EVERY).await;
        if run.purpose == Purpose::Sweep {
            return Ok(());
        }
        let status = ports.campaigns.get(&run.work.campaign).await?.map(|record| record.status);
        if status == Some(CampaignStatus::WaitingForQuota) {
            run.stop.set(Stopped::NoRoom);
        } else if !status.is_some_and(|status| AT_WORK.contains(&status)) {
            run.stop.set(Stopped::Campaign(Reason::Stopped));
        } else if run.campaign.expires_at <= ports.clock.now() {
            run.halt(Stopped::Campaign(Reason::Stopped), &Move::to(CampaignStatus::Expired)).await;
        }
        Ok(())
    }
    .boxed()
}

fn renew_in<'a>(run: &'a Run<'_>, wait: Duration) -> BoxFuture<'a, Result<Committed, PortError>> {
    async move {
        let clock = &run.ports.clock;
        clock.sleep(wait).await;
        let asked = clock.monotonic();
        let until = lease_end(clock.now());
        let renewed = run.ports.shard_items.renew(run.work, run.lease.epoch, until).await?;
        if renewed == Committed::Done {
            run.lease.renewed(asked);
            // Should it be delivered again all the same, whoever gets it finds the lease held.
            if let Err(error) = run.turn.keep(KEEP).await {
                warn!(campaign = %run.campaign.id, %error, "a message could not be kept");
            }
        }
        Ok(renewed)
    }
    .boxed()
}
