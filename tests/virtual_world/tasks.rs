//! Everything that happens in a world, on one thread and in an order that is always the same.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    task::{Context, Poll, Wake, Waker},
};

use futures_util::future::LocalBoxFuture;

use super::clock::VirtualTime;

/// Runs all tasks to their ends. Time passes only when none of them can go on.
pub fn run(time: &VirtualTime, tasks: Vec<LocalBoxFuture<'_, ()>>) {
    let ready = Arc::new(Ready::default());
    let waker = |task| Waker::from(Arc::new(Caller { task, ready: Arc::clone(&ready) }));
    let mut open: Vec<_> = tasks.into_iter().enumerate().map(|(number, task)| Some((task, waker(number)))).collect();
    (0..open.len()).for_each(|task| ready.push(task));
    loop {
        while let Some(number) = ready.pop() {
            if let Some((task, waker)) = &mut open[number]
                && let Poll::Ready(()) = task.as_mut().poll(&mut Context::from_waker(waker))
            {
                open[number] = None;
            }
        }
        if open.iter().all(Option::is_none) {
            return;
        }
        assert!(time.advance(), "somebody waits for what will never come");
    }
}

/// The tasks that can go on, in the order in which they were woken.
#[derive(Default)]
struct Ready(Mutex<VecDeque<usize>>);

impl Ready {
    fn push(&self, task: usize) {
        let mut ready = self.0.lock().unwrap();
        if !ready.contains(&task) {
            ready.push_back(task);
        }
    }

    fn pop(&self) -> Option<usize> {
        self.0.lock().unwrap().pop_front()
    }
}

struct Caller {
    task: usize,
    ready: Arc<Ready>,
}

impl Wake for Caller {
    fn wake(self: Arc<Self>) {
        self.ready.push(self.task);
    }
}
