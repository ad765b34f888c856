//! What reaches the loop from other threads.
//!
//! Whatever the loop waits for, it also waits for its inbox. So every look around after a wake-up
//! passes here.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::{Instant, SystemTime};

use smol::channel::{Receiver, RecvError};

use super::LoopEvent;
use super::clocks::Clocks;

/// The loop's inbox.
#[derive(Debug)]
pub struct Inbox {
    events: Receiver<LoopEvent>,
    clocks: Cell<Clocks>,
}

impl Inbox {
    /// Events arrive here, and each look for them is one at the clocks.
    pub fn new(events: Receiver<LoopEvent>) -> Inbox {
        Inbox {
            events,
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
            let mut clocks = self.clocks.get();
            let jump = clocks.look(Instant::now(), SystemTime::now());
            self.clocks.set(clocks);
            if let Some(jump) = jump {
                return Poll::Ready(Ok(LoopEvent::ClockJumped(jump)));
            }
            next.as_mut().poll(context)
        })
        .await
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
        let inbox = Inbox::new(receiver);
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
}
