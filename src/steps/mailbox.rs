//! What the worker says to a running step, and how the step hears it while it waits for other things.

use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::time::Instant;

use ports::{WakeReader, Waker};

use super::Reporter;
use crate::calls::{ToStep, TransferReply, TransferTag};

/// A way to talk to a step, and the step's end of it.
///
/// # Errors
/// Out of descriptors.
pub fn mailbox() -> io::Result<(StepHandle, Inbox)> {
    let (waker, wakes) = ports::waker()?;
    let (sender, receiver) = mpsc::channel();
    let handle = StepHandle {
        sender: Some(sender),
        waker,
    };
    let inbox = Inbox {
        receiver,
        wakes,
        interrupted: false,
        abandoned: false,
        on_program: None,
    };
    Ok((handle, inbox))
}

/// The worker's end. Dropping it abandons the step.
pub struct StepHandle {
    /// Taken only by `drop`.
    sender: Option<Sender<ToStep>>,
    waker: Waker,
}

impl StepHandle {
    /// Tells the step something. Never blocks; does nothing if the step is over.
    pub fn send(&self, message: ToStep) {
        if let Some(sender) = &self.sender {
            // A step that is over needs no message.
            if sender.send(message).is_ok() {
                self.waker.wake();
            }
        }
    }
}

impl Drop for StepHandle {
    fn drop(&mut self) {
        self.sender = None;
        self.waker.wake();
    }
}

/// Takes the number of the process that runs for a step, on the step's thread.
pub type OnProgram = Box<dyn FnOnce(u32) + Send>;

/// The step's end. It remembers whether the step was interrupted or abandoned.
pub struct Inbox {
    receiver: Receiver<ToStep>,
    wakes: WakeReader,
    interrupted: bool,
    abandoned: bool,
    on_program: Option<OnProgram>,
}

/// Why a step has to stop before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// [`ToStep::Interrupt`]: stop and report how it ended.
    Interrupt,
    /// [`ToStep::Abandon`]: stop and say nothing.
    Abandon,
}

/// A message that a command sees when the frame has taken what is the frame's.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// Stop before the time.
    Stop(Stop),
    /// The answer to a transfer.
    Reply {
        /// Which transfer.
        tag: TransferTag,
        /// The answer.
        reply: TransferReply,
    },
}

impl Inbox {
    /// Has the step tell, as soon as its program runs and before anything else, which process that
    /// is. Called at most once.
    pub fn on_program(&mut self, tell: OnProgram) {
        self.on_program = Some(tell);
    }

    /// The step's program runs, as this process.
    pub(super) fn program_runs(&mut self, pid: u32) {
        if let Some(tell) = self.on_program.take() {
            tell(pid);
        }
    }

    /// The next message that is there, if any. Does not block. A lost worker is one
    /// [`ToStep::Abandon`].
    pub fn try_next(&mut self) -> Option<ToStep> {
        match self.receiver.try_recv() {
            Ok(message) => Some(self.note(message)),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) if self.abandoned => None,
            Err(TryRecvError::Disconnected) => Some(self.note(ToStep::Abandon)),
        }
    }

    /// Waits for the next message, without end if there is no deadline; none at the deadline. A lost
    /// worker is [`ToStep::Abandon`], each time.
    pub fn wait_next(&mut self, deadline: Option<Instant>) -> Option<ToStep> {
        let received = match deadline {
            None => self.receiver.recv().map_err(RecvTimeoutError::from),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                self.receiver.recv_timeout(left)
            }
        };
        match received {
            Ok(message) => Some(self.note(message)),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(self.note(ToStep::Abandon)),
        }
    }

    /// The next thing that is there for the command itself, if any; what acknowledges updates goes
    /// to the reporter. Does not block and costs next to nothing: call it as often as you like.
    pub fn try_notice(&mut self, reporter: &mut Reporter) -> Option<Notice> {
        while let Some(message) = self.try_next() {
            if let Some(notice) = sort(message, reporter) {
                return Some(notice);
            }
        }
        None
    }

    /// Waits for the next thing for the command itself; none at the deadline. What the reporter
    /// holds back for a moment is posted when its time has come.
    pub fn wait_notice(
        &mut self,
        reporter: &mut Reporter,
        deadline: Option<Instant>,
    ) -> Option<Notice> {
        loop {
            let now = Instant::now();
            reporter.post_due(now);
            if deadline.is_some_and(|deadline| deadline <= now) {
                return self.try_notice(reporter);
            }
            let until = earlier(deadline, reporter.due());
            let message = self.wait_next(until);
            if let Some(notice) = message.and_then(|message| sort(message, reporter)) {
                return Some(notice);
            }
        }
    }

    /// To be given to [`ports::wait`]; when it is ready, call [`Inbox::clear`] and then
    /// [`Inbox::try_next`] until there is nothing more.
    pub fn wake_reader(&self) -> &WakeReader {
        &self.wakes
    }

    /// Forgets the wakes so far.
    pub fn clear(&mut self) {
        self.wakes.clear();
    }

    /// Whether an interrupt has been handed out.
    pub fn interrupted(&self) -> bool {
        self.interrupted
    }

    /// Whether an abandon has been handed out.
    pub fn abandoned(&self) -> bool {
        self.abandoned
    }

    fn note(&mut self, message: ToStep) -> ToStep {
        match &message {
            ToStep::Interrupt { .. } => self.interrupted = true,
            ToStep::Abandon => self.abandoned = true,
            ToStep::Acknowledged { .. } | ToStep::Reply { .. } => {}
        }
        message
    }
}

/// Gives the reporter what is its own.
fn sort(message: ToStep, reporter: &mut Reporter) -> Option<Notice> {
    match message {
        ToStep::Interrupt { .. } => {
            reporter.flush();
            Some(Notice::Stop(Stop::Interrupt))
        }
        ToStep::Abandon => Some(Notice::Stop(Stop::Abandon)),
        ToStep::Acknowledged { cost } => {
            reporter.acknowledged(cost);
            None
        }
        ToStep::Reply { tag, reply } => Some(Notice::Reply { tag, reply }),
    }
}

/// The earlier of two points in time that may not exist.
pub(super) fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::steps::OutputRules;
    use ports::Source;

    fn interrupt() -> ToStep {
        ToStep::Interrupt {
            reason: "a test".to_owned(),
        }
    }

    fn reporter() -> Reporter {
        Reporter::new(Rc::new(Box::new(|_| {})), OutputRules::default())
    }

    #[test]
    fn a_message_wakes_a_step_that_waits_for_something_else() {
        let (handle, mut inbox) = mailbox().unwrap();
        let sender = thread::spawn(move || {
            handle.send(interrupt());
            handle
        });
        let deadline = Instant::now() + Duration::from_secs(30);
        let ready = ports::wait(&[Source::Wake(inbox.wake_reader())], Some(deadline)).unwrap();
        assert_eq!(ready, [true]);
        inbox.clear();
        let _handle = sender.join().unwrap();
        assert_eq!(inbox.try_next(), Some(interrupt()));
        assert_eq!(inbox.try_next(), None);
        assert!(inbox.interrupted() && !inbox.abandoned());
    }

    #[test]
    fn a_lost_worker_is_an_abandon_after_what_it_said() {
        let (handle, mut inbox) = mailbox().unwrap();
        handle.send(interrupt());
        drop(handle);
        let ready = ports::wait(&[Source::Wake(inbox.wake_reader())], None).unwrap();
        assert_eq!(ready, [true]);
        assert_eq!(inbox.wait_next(None), Some(interrupt()));
        assert_eq!(inbox.try_next(), Some(ToStep::Abandon));
        assert_eq!(inbox.try_next(), None);
        assert_eq!(inbox.wait_next(None), Some(ToStep::Abandon));
        assert!(inbox.abandoned());
    }

    #[test]
    fn waiting_ends_at_the_deadline() {
        let (_handle, mut inbox) = mailbox().unwrap();
        let deadline = Instant::now() + Duration::from_millis(20);
        assert_eq!(inbox.wait_next(Some(deadline)), None);
        assert!(Instant::now() >= deadline);
        assert_eq!(inbox.wait_notice(&mut reporter(), Some(deadline)), None);
    }

    #[test]
    fn what_the_master_has_taken_is_the_reporters_and_the_rest_the_commands() {
        let (handle, mut inbox) = mailbox().unwrap();
        let mut reporter = reporter();
        while reporter.has_room() {
            reporter.stdout("some text\n");
        }
        let reply = || ToStep::Reply {
            tag: TransferTag(3),
            reply: Ok(Vec::new()),
        };
        handle.send(ToStep::Acknowledged { cost: usize::MAX });
        handle.send(reply());
        let notice = Notice::Reply {
            tag: TransferTag(3),
            reply: Ok(Vec::new()),
        };
        assert_eq!(inbox.wait_notice(&mut reporter, None), Some(notice));
        assert!(reporter.has_room());
        handle.send(ToStep::Abandon);
        assert_eq!(
            inbox.try_notice(&mut reporter),
            Some(Notice::Stop(Stop::Abandon))
        );
    }

    #[test]
    fn a_message_to_a_step_that_is_over_is_lost_without_harm() {
        let (handle, inbox) = mailbox().unwrap();
        drop(inbox);
        handle.send(interrupt());
    }
}
