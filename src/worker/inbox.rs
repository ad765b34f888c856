//! What reaches the loop from other threads, and the pulse that shows them that the loop turns.
//!
//! Whatever the loop waits for, it also waits for its inbox. So every wait, and every look around
//! after a wake-up, passes here.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Instant, SystemTime};

use smol::channel::{Receiver, RecvError};

use super::LoopEvent;
use super::clocks::Clocks;
use super::notify::Notify;
use super::phase::{self, Phase};

/// The loop's inbox.
#[derive(Debug)]
pub struct Inbox {
    events: Receiver<LoopEvent>,
    pulse: Arc<Pulse>,
    clocks: Cell<Clocks>,
}

impl Inbox {
    /// Events arrive here, and each look for them is a beat of the pulse.
    pub fn new(events: Receiver<LoopEvent>, pulse: Arc<Pulse>) -> Inbox {
        Inbox {
            events,
            pulse,
            clocks: Cell::new(Clocks::new(Instant::now(), SystemTime::now())),
        }
    }

    /// The next event. A jump of the clock is one, told before all others.
    ///
    /// # Errors
    /// Nobody can send any more.
    pub async fn recv(&self) -> Result<LoopEvent, RecvError> {
        let mut next = pin!(self.events.recv());
        poll_fn(|context| {
            self.pulse.beat(context.waker());
            let mut clocks = self.clocks.get();
            let jump = clocks.look(Instant::now(), SystemTime::now());
            self.clocks.set(clocks);
            if let Some(jump) = jump {
                return Poll::Ready(Ok(LoopEvent::ClockJumped(jump)));
            }
            let polled = next.as_mut().poll(context);
            if polled.is_pending() {
                phase::enter(Phase::Waiting);
            }
            polled
        })
        .await
    }
}

/// Shows whether the loop turns.
#[derive(Debug, Default)]
pub struct Pulse {
    /// Wraps around.
    beats: AtomicU32,
    /// Wakes the loop.
    waker: Mutex<Option<Waker>>,
    /// The service manager is to be told at the next beat.
    owed: AtomicBool,
    notify: Notify,
    over: AtomicBool,
}

impl Pulse {
    /// No beat yet.
    pub fn new(notify: Notify) -> Pulse {
        Pulse {
            notify,
            ..Pulse::default()
        }
    }

    /// The loop turns.
    fn beat(&self, waker: &Waker) {
        self.beats.fetch_add(1, Ordering::Relaxed);
        let mut kept = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.as_ref().is_some_and(|kept| kept.will_wake(waker)) {
            *kept = Some(waker.clone());
        }
        drop(kept);
        if self.owed.swap(false, Ordering::Relaxed) {
            self.notify.alive();
        }
    }

    /// How many beats there were; wraps around.
    pub fn beats(&self) -> u32 {
        self.beats.load(Ordering::Relaxed)
    }

    /// Makes the loop turn once, if it can.
    pub fn poke(&self) {
        let kept = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waker) = &*kept {
            waker.wake_by_ref();
        }
    }

    /// Has the service manager told at the next turn that the worker is alive.
    pub fn ask_for_sign_of_life(&self) {
        self.owed.store(true, Ordering::Relaxed);
    }

    /// The loop has ended in order; nobody has to watch it any more.
    pub fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Whether it has.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}
