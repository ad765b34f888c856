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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::worker::Jump;

    #[test]
    fn jump_of_the_clock_is_told_once_and_before_other_events_which_are_not_lost() {
        let (events, receiver) = smol::channel::unbounded();
        let inbox = Inbox::new(receiver, Arc::default());
        let hour = Duration::from_secs(3600);
        // An hour passed on the wall while this machine did not run.
        let before = Clocks::new(Instant::now(), SystemTime::now() - hour);
        inbox.clocks.set(before);
        let stop = LoopEvent::Stop(ports::StopRequest::Terminate);
        events.try_send(stop).unwrap();
        let first = smol::block_on(inbox.recv()).unwrap();
        let LoopEvent::ClockJumped(Jump::Ahead(by)) = first else {
            panic!("{first:?}")
        };
        assert!(by.abs_diff(hour) < Duration::from_secs(1), "{by:?}");
        let second = smol::block_on(inbox.recv()).unwrap();
        assert!(matches!(second, LoopEvent::Stop(_)), "{second:?}");
    }

    #[test]
    fn every_look_is_a_beat_and_a_poke_makes_an_idle_loop_look() {
        let (_events, receiver) = smol::channel::unbounded();
        let pulse = Arc::new(Pulse::default());
        let inbox = Inbox::new(receiver, Arc::clone(&pulse));
        let poker = {
            let pulse = Arc::clone(&pulse);
            // One beat is the first look, which leaves the waker.
            std::thread::spawn(move || {
                while pulse.beats() < 5 {
                    pulse.poke();
                    std::thread::yield_now();
                }
            })
        };
        let beats = poll_fn(|_| match pulse.beats() {
            0..5 => Poll::Pending,
            _ => Poll::Ready(true),
        });
        let event = async { inbox.recv().await.is_err() };
        assert!(smol::block_on(smol::future::or(event, beats)));
        poker.join().unwrap();
    }
}
