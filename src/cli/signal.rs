//! The wish to stop: Ctrl-C, or the signal by which a supervisor says the same.

use std::{pin::pin, time::Duration};

use super::{clock, failure::Failure, screen::Screen};

/// Whoever waits longer is told what for.
const SOON: Duration = Duration::from_millis(500);

/// Waits for what was asked to stop and finishes what it began; asked once more, leaves it where it is.
pub async fn drained<T>(draining: impl Future<Output = T>, stop: &mut Stop, screen: Screen) -> Result<T, Failure> {
    let mut draining = pin!(draining);
    tokio::select! {
        done = &mut draining => return Ok(done),
        () = clock::pause(SOON) => {}
    }
    screen.note("finishing what is under way; Ctrl-C once more ends it at once");
    tokio::select! {
        done = draining => Ok(done),
        () = stop.asked() => Err(Failure::failed("cut_off", "ended at once: what was under way is not finished")),
    }
}

/// Listens from the moment it is made, so that no wish falls between two looks. Where a signal cannot be watched, it
/// ends the process by itself.
#[cfg(unix)]
pub struct Stop {
    interrupt: Option<tokio::signal::unix::Signal>,
    terminate: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Stop {
    pub fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self { interrupt: signal(SignalKind::interrupt()).ok(), terminate: signal(SignalKind::terminate()).ok() }
    }

    /// Comes back when somebody wants this process to end.
    pub async fn asked(&mut self) {
        tokio::select! {
            () = received(&mut self.interrupt) => {}
            () = received(&mut self.terminate) => {}
        }
    }
}

#[cfg(unix)]
async fn received(signal: &mut Option<tokio::signal::unix::Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

#[cfg(not(unix))]
pub struct Stop;

#[cfg(not(unix))]
impl Stop {
    pub fn listen() -> Self {
        Self
    }

    pub async fn asked(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
