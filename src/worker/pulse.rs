//! Shows other threads whether the loop turns, and whether it is busy or waits.
//!
//! This costs a turn two additions and no call of the system: somebody who watches an idle loop is
//! roused by its next turn, and only if he has said that he sleeps until then.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::task::{Poll, Waker};

use super::notify::Notify;
use super::phase::{self, Phase};
use ports::Rouser;

/// Shows whether the loop turns.
#[derive(Debug, Default)]
pub struct Pulse {
    /// Goes up when a turn begins and when it ends, so it is even while the loop is busy. A loop that
    /// has not begun yet is busy starting. Wraps around.
    beats: AtomicU32,
    /// Wakes the loop.
    waker: Mutex<Option<Waker>>,
    /// The service manager is to be told at the next turn.
    owed: AtomicBool,
    notify: Notify,
    over: AtomicBool,
    /// Whoever watches sleeps until the next turn begins.
    asleep: AtomicBool,
    watcher: OnceLock<Rouser>,
}

impl Pulse {
    /// No turn yet.
    pub fn new(notify: Notify) -> Pulse {
        Pulse {
            notify,
            ..Pulse::default()
        }
    }

    /// Runs the loop. All that happens in it is a part of a turn; between two turns it waits.
    pub async fn of<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|context| {
            // The first turn has begun with the start.
            if self.is_idle() {
                self.begin_turn();
            }
            self.keep(context.waker());
            let polled = work.as_mut().poll(context);
            match polled {
                Poll::Pending => self.end_turn(),
                Poll::Ready(_) => self.end(),
            }
            polled
        })
        .await
    }

    fn begin_turn(&self) {
        // Before the look at `asleep`; the watcher does it the other way round (`may_sleep`), so one
        // of the two sees the other.
        self.beats.fetch_add(1, Ordering::SeqCst);
        if self.asleep.load(Ordering::SeqCst) && self.asleep.swap(false, Ordering::SeqCst) {
            if let Some(watcher) = self.watcher.get() {
                watcher.rouse();
            }
        }
        if self.owed.load(Ordering::Relaxed) && self.owed.swap(false, Ordering::Relaxed) {
            self.notify.alive();
        }
    }

    fn end_turn(&self) {
        phase::enter(Phase::Waiting);
        self.beats.fetch_add(1, Ordering::SeqCst);
    }

    fn keep(&self, waker: &Waker) {
        let mut kept = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.as_ref().is_some_and(|kept| kept.will_wake(waker)) {
            *kept = Some(waker.clone());
        }
    }

    /// Changes with every turn; wraps around.
    pub fn beats(&self) -> u32 {
        self.beats.load(Ordering::SeqCst)
    }

    /// Whether the loop waits for something to happen.
    pub fn is_idle(&self) -> bool {
        self.beats() % 2 == 1
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

    /// The one to rouse when a turn begins while he sleeps. There is one at most.
    pub fn is_watched_by(&self, watcher: Rouser) {
        // A second one would look at intervals of his own.
        let _ = self.watcher.set(watcher);
    }

    /// Whether the watcher may sleep until it is roused: the loop waits, and its next turn will rouse.
    pub fn may_sleep(&self) -> bool {
        if self.watcher.get().is_none() || self.is_over() {
            return false;
        }
        self.asleep.store(true, Ordering::SeqCst);
        let may = self.is_idle();
        if !may {
            self.asleep.store(false, Ordering::SeqCst);
        }
        may
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
    use std::sync::Arc;

    use super::*;

    #[test]
    fn loop_is_busy_until_its_first_wait_and_within_each_turn() {
        let pulse = Pulse::default();
        assert!(!pulse.is_idle());
        let mut turns = 0;
        let work = poll_fn(|_| {
            assert!(!pulse.is_idle(), "in turn {turns}");
            turns += 1;
            if turns == 3 {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        });
        let mut run = pin!(pulse.of(work));
        let mut context = std::task::Context::from_waker(Waker::noop());
        for turn in 0..2 {
            assert!(run.as_mut().poll(&mut context).is_pending());
            assert!(pulse.is_idle(), "after turn {turn}");
        }
        assert!(run.as_mut().poll(&mut context).is_ready());
        assert!(pulse.is_over());
    }

    #[test]
    fn poke_makes_an_idle_loop_turn() {
        let pulse = Arc::new(Pulse::default());
        let poker = {
            let pulse = Arc::clone(&pulse);
            std::thread::spawn(move || {
                while !pulse.is_over() {
                    pulse.poke();
                    std::thread::yield_now();
                }
            })
        };
        let beats = poll_fn(|_| match pulse.beats() {
            0..5 => Poll::Pending,
            _ => Poll::Ready(()),
        });
        smol::block_on(pulse.of(beats));
        poker.join().unwrap();
    }

    #[test]
    fn watcher_sleeps_only_beside_an_idle_loop_and_the_next_turn_rouses_it() {
        let mut alarm = ports::ClockAlarm::new();
        let pulse = Pulse::default();
        assert!(!pulse.may_sleep(), "nobody could be roused");
        pulse.is_watched_by(alarm.rouser());
        assert!(!pulse.may_sleep(), "the loop is busy");
        pulse.end_turn();
        assert!(pulse.may_sleep());
        pulse.begin_turn();
        // Nothing but the turn ends this sleep. Somebody may set the clock just now.
        while alarm.sleep(None) == ports::Awake::ClockChanged {}
        assert!(!pulse.may_sleep(), "the loop is busy again");
    }
}
