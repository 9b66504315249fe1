//! The time-outs and retries of the SDK's clients, as `src/aws/clients.rs` sets them, under mishaps.

mod chance;
mod mails;
mod once;
mod store;

use crate::{
    between::Fate,
    mishaps::{Asked, Mishaps, refusals},
    world::World,
};

/// A world whose deployment reaches the services through a rule; the rest of it goes straight to them.
async fn befallen(mut world: World, rule: impl FnMut(&Asked) -> Fate + Send + 'static) -> (World, Mishaps) {
    let (mishaps, clients) = Mishaps::before(&world.services, rule).await;
    world.deployment = world.deployment_over(&clients).await.unwrap();
    (world, mishaps)
}

/// What a service may have done, as far as its client can tell.
fn without_an_answer() -> Vec<Fate> {
    let mut fates = vec![Fate::Dropped, Fate::Unanswered, Fate::Cut, Fate::Garbled];
    fates.extend(refusals::FAILURES.map(Fate::Answered));
    fates
}
