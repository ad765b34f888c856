//! One turn of the loop: wait for what comes first, and hand it to the conversation.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use log::info;
use smol::Timer;
use smol::future::or;

use super::conversation::{Conversation, End};
use super::inbox::Inbox;
use super::outbox::Outbox;
use super::phase::{self, Phase};
use super::{Jump, LoopEvent};
use crate::link::Connection;

/// Bytes waiting for the master above which we take no more of its calls.
const OUTGOING_LIMIT: usize = 4 * 1024 * 1024;

/// How much too early the loop's timer may be: little enough that no other wake-up comes of it than
/// one just before the right one.
const SLACK: Duration = Duration::from_secs(1);

/// What the loop woke up for.
#[derive(Debug)]
pub enum Happening {
    Event(LoopEvent),
    Read(io::Result<usize>),
    Wrote(io::Result<usize>),
    Deadline,
}

impl Happening {
    /// What the loop does about it.
    fn phase(&self) -> Phase {
        match self {
            Happening::Event(LoopEvent::Step(..)) => Phase::HearingStep,
            Happening::Event(LoopEvent::Stop(_)) => Phase::ShuttingDown,
            Happening::Read(_) => Phase::ReadingMaster,
            Happening::Wrote(_) => Phase::Writing,
            Happening::Event(LoopEvent::ClockJumped(_)) | Happening::Deadline => Phase::Timers,
        }
    }
}

/// Hands what has happened to the conversation.
pub fn take(
    conversation: &mut Conversation<'_>,
    outbox: &mut Outbox,
    buffer: &[u8],
    happening: Happening,
    now: Instant,
) -> Result<(), End> {
    phase::enter(happening.phase());
    match happening {
        Happening::Event(LoopEvent::Step(step, event)) => conversation.step_says(step, event, now),
        Happening::Event(LoopEvent::ClockJumped(jump)) => {
            log_jump(jump);
            conversation.probe(now)?;
        }
        // The loop has seen to it.
        Happening::Event(LoopEvent::Stop(_)) => {}
        Happening::Read(Ok(0)) => {
            return Err(End::Lost("the master closed the connection".to_owned()));
        }
        Happening::Read(Ok(count)) => conversation.received(&buffer[..count], now)?,
        Happening::Wrote(Ok(count)) => {
            if outbox.len() > OUTGOING_LIMIT {
                // While we do not listen, this is the master's sign of life.
                conversation.sent_more(now);
            }
            outbox.written(count);
        }
        // A signal came in between; nothing is lost.
        Happening::Read(Err(error)) | Happening::Wrote(Err(error))
            if error.kind() == io::ErrorKind::Interrupted => {}
        Happening::Read(Err(error)) | Happening::Wrote(Err(error)) => {
            return Err(End::Lost(format!(
                "lost the connection to the master: {error}"
            )));
        }
        Happening::Deadline => {}
    }
    // Also when traffic never pauses.
    if conversation.deadline().is_some_and(|at| at <= now) {
        conversation.tick(now)?;
    }
    Ok(())
}

/// Wakes the loop at its deadline.
///
/// Setting a timer makes the reactor go round once more, and almost every turn puts the deadline off.
/// So the timer stays where it is while that is a little early; if it goes off then, it is set anew.
#[derive(Debug)]
pub struct Alarm {
    timer: Timer,
    /// When it goes off; none if it has, or was never set.
    set: Option<Instant>,
}

impl Alarm {
    /// Not set.
    pub fn new() -> Alarm {
        Alarm {
            timer: Timer::never(),
            set: None,
        }
    }

    async fn until(&mut self, deadline: Instant) {
        poll_fn(|context| {
            loop {
                let fits = |set| set <= deadline && deadline - set <= SLACK;
                if !self.set.is_some_and(fits) {
                    self.timer.set_at(deadline);
                    self.set = Some(deadline);
                }
                if Pin::new(&mut self.timer).poll(context).is_pending() {
                    return Poll::Pending;
                }
                self.set = None;
                if Instant::now() >= deadline {
                    return Poll::Ready(());
                }
            }
        })
        .await;
    }
}

/// Waits for whatever comes first. What a step says comes before more work from the master, and
/// reading before writing; steps are held by their windows, so nobody starves.
pub async fn next(
    connection: &mut Connection,
    inbox: &Inbox,
    outbox: &Outbox,
    buffer: &mut [u8],
    alarm: &mut Alarm,
    deadline: Option<Instant>,
) -> Happening {
    let event = async {
        match inbox.recv().await {
            Ok(event) => Happening::Event(event),
            // Cannot be: the steps' side is held as long as the loop runs.
            Err(_) => std::future::pending().await,
        }
    };
    let read = async {
        if outbox.len() > OUTGOING_LIMIT {
            return Happening::Read(connection.reader.ended().await.map(|()| 0));
        }
        Happening::Read(connection.reader.read(buffer).await)
    };
    let write = async {
        if outbox.is_empty() {
            return std::future::pending().await;
        }
        Happening::Wrote(connection.writer.write(outbox.unwritten()).await)
    };
    let late = async {
        match deadline {
            Some(at) => alarm.until(at).await,
            None => std::future::pending().await,
        }
        Happening::Deadline
    };
    or(event, or(read, or(write, late))).await
}

/// One line about a jump of the clock.
pub fn log_jump(jump: Jump) {
    let (by, way) = match jump {
        Jump::Ahead(by) => (by, "ahead"),
        Jump::Back(by) => (by, "back"),
    };
    info!(
        "the clock went {way} by {:.0} s: this machine was suspended, or its clock was set",
        by.as_secs_f64()
    );
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;

    #[test]
    fn alarm_goes_off_at_the_last_deadline_it_was_given_whether_that_is_later_or_sooner() {
        let mut alarm = Alarm::new();
        let now = Instant::now();
        let [soon, later, never] = [20, 60, 60_000].map(|ms| now + Duration::from_millis(ms));
        let mut context = Context::from_waker(Waker::noop());
        for deadline in [never, soon, later, never] {
            let wait = std::pin::pin!(alarm.until(deadline));
            assert!(wait.poll(&mut context).is_pending());
        }
        smol::block_on(alarm.until(later));
        assert!(Instant::now() >= later);
        smol::block_on(alarm.until(now));
        let again = Instant::now() + Duration::from_millis(20);
        smol::block_on(alarm.until(again));
        assert!(Instant::now() >= again);
    }
}
