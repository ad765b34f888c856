//! The monitor: a small process between the worker and a step's process, one a step.
//!
//! It exists so that something that is not the worker remembers the step: it kills what the step
//! started when the worker asks for it or is gone (end of file on the control socket, also after
//! signal 9), and it keeps the number of the step's process taken until then, so that no signal
//! ever reaches a stranger. Where a system can hand orphans to an ancestor (`become_reaper`), the
//! monitor gets them, and nothing escapes by forking twice or by `setsid`.
//!
//! It is forked from a process with threads and does not exec: only async-signal-safe calls, no
//! memory, no panics.

use std::io::ErrorKind;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::time::Duration;

use super::child;
use super::plan::Plan;
use super::raw::{self, Pid};
use super::report::{Order, Report};
use crate::system::Search;
use crate::{Containment, StartStage};

/// The longest pause between two rounds of killing.
const LONGEST_PAUSE: Duration = Duration::from_millis(250);
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
/// So many rounds in a row must find nobody with a mark. With the pauses between them that takes 7 ms
/// at least: while a process becomes another program, its environment cannot be read.
pub(crate) const QUIET_ROUNDS: u32 = 4;
/// More than this may grow while we wait.
const FEW: usize = 20;

/// The descriptors that a monitor gets from the worker.
pub(crate) struct Inherited<'a> {
    /// Orders come and reports go here.
    pub(crate) control: &'a OwnedFd,
    /// A failed start is reported here; closed on exec.
    pub(crate) failure: &'a OwnedFd,
    /// Standard input, output and error of the step, unless it has a terminal.
    pub(crate) standard: Option<[&'a OwnedFd; 3]>,
}

/// What the forked process does from here on. All signals are blocked.
pub(crate) fn run(plan: &mut Plan, inherited: &Inherited<'_>) -> ! {
    // Out of the worker's process group: ^C on the worker's terminal is the worker's business.
    let _ = raw::set_group(0, 0);
    reset_signals();
    let failure = inherited.failure.as_raw_fd();
    let report = raw::inherited(failure);
    let fail = |stage, error: std::io::Error| -> ! {
        let number = error.raw_os_error().unwrap_or(libc::EINVAL);
        Report::Failed(stage, number).send(report);
        raw::exit_now(1)
    };
    if let Some(standard) = inherited.standard {
        for (onto, from) in (0..).zip(standard) {
            if let Err(error) = raw::duplicate_onto(from.as_raw_fd(), onto) {
                fail(StartStage::Descriptors, error);
            }
        }
    }
    let control = inherited.control.as_raw_fd();
    crate::system::close_all_except(control, failure);
    // pselect(2) takes small numbers only.
    let control = match raw::move_low(control) {
        Ok(control) => control,
        Err(error) => fail(StartStage::Descriptors, error),
    };
    crate::system::become_reaper();
    let own = raw::own_id();
    // SAFETY: the child does what is safe between fork and exec (see `child`).
    let main = match unsafe { raw::fork() } {
        Ok(Some(main)) => main,
        Ok(None) => child::become_program(plan, own, report),
        Err(error) => fail(StartStage::Fork, error),
    };
    if plan.terminal.is_none() {
        // Both do it, so that neither runs on without it; afterwards it is refused, which is fine.
        let _ = raw::set_group(main, main);
    }
    for descriptor in [0, 1, 2, failure] {
        raw::close_inherited(descriptor);
    }
    // Nobody's working directory: it must not keep a file system busy.
    let _ = raw::enter_directory(c"/");
    let search = plan.search.as_mut();
    Monitor {
        main,
        control,
        search,
    }
    .watch()
}

/// Every signal back to what it does in a fresh process; the worker's handlers and ignored signals
/// belong to the worker alone.
fn reset_signals() {
    // No system has more than 128; numbers that are none, and those that cannot be changed, are
    // refused, which is fine.
    for signal in 1..128 {
        let _ = raw::set_action(signal, libc::SIG_DFL, 0);
    }
    // Present before the child is, so that its end wakes pselect(2).
    let handler = child_ended as extern "C" fn(libc::c_int);
    let _ = raw::set_action(libc::SIGCHLD, handler as libc::sighandler_t, 0);
}

/// Handles SIGCHLD by being interrupted.
extern "C" fn child_ended(_: libc::c_int) {}

struct Monitor<'a> {
    /// The step's process. It is not reaped before the end.
    main: Pid,
    control: RawFd,
    /// Finds what the step started by its mark, where the port has that.
    search: Option<&'a mut Search>,
}

impl Monitor<'_> {
    /// Obeys the worker and reports the end of the step's process, until it is time to end.
    fn watch(&mut self) -> ! {
        let control = raw::inherited(self.control);
        let blocked = raw::without(raw::all_signals(), libc::SIGCHLD);
        let mut reported = false;
        loop {
            if !reported {
                if let Ok(Some(exit)) = crate::system::peek_exit(self.main) {
                    reported = true;
                    Report::Exited(exit).send(control);
                }
            }
            crate::system::reap_orphans(self.main);
            match raw::wait_with_signals(Some(self.control), None, &blocked) {
                Ok(false) => {}
                // A child ended.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Ok(true) => match Order::receive(control) {
                    Order::Signal(signal) => self.signal(signal),
                    Order::End => self.end(&blocked),
                },
                Err(_) => self.end(&blocked),
            }
        }
    }

    /// Sends a signal to the step's group, or to its process alone if it went to another group.
    fn signal(&self, signal: i32) {
        let sent = raw::kill(-self.main, signal).or_else(|_| raw::kill(self.main, signal));
        let answer = match sent {
            Ok(()) => 0,
            Err(error) => error.raw_os_error().unwrap_or(libc::ESRCH),
        };
        Report::Answer(answer).send(raw::inherited(self.control));
    }

    /// Kills everything until nothing is left, then ends. What cannot be killed yet (it waits for a
    /// dead disk) keeps the monitor waiting for it, so that it never gets loose.
    fn end(&mut self, blocked: &libc::sigset_t) -> ! {
        let mut rounds = Rounds::default();
        loop {
            if matches!(crate::system::peek_exit(self.main), Ok(Some(_)) | Err(_)) {
                break;
            }
            let _ = raw::kill(-self.main, libc::SIGKILL);
            let _ = raw::kill(self.main, libc::SIGKILL);
            let marked = self.kill_round(rounds.count);
            rounds.pause(marked, blocked);
        }
        // The number is still taken; this is the last signal to the group.
        let _ = raw::kill(-self.main, libc::SIGKILL);
        rounds.begin_again();
        loop {
            let marked = self.kill_round(rounds.count);
            let childless = loop {
                match raw::reap_any() {
                    Ok(Some(_)) => {}
                    Ok(None) => break false,
                    Err(_) => break true,
                }
            };
            // The marked need not be our children, and one that was just being made or becoming
            // another program may have been overlooked.
            rounds.quiet = if marked == 0 { rounds.quiet + 1 } else { 0 };
            if childless && (self.search.is_none() || rounds.quiet >= QUIET_ROUNDS) {
                raw::exit_now(0);
            }
            rounds.pause(marked, blocked);
        }
    }

    /// Kills what the process group does not reach; how many of them by their mark.
    fn kill_round(&mut self, round: u32) -> usize {
        crate::system::kill_children(round);
        match &mut self.search {
            Some(search) => search.kill(round),
            None => 0,
        }
    }
}

/// Rounds of killing and the pauses between them.
struct Rounds {
    count: u32,
    /// How many in a row have found nobody with a mark.
    quiet: u32,
    next: Duration,
}

impl Default for Rounds {
    fn default() -> Rounds {
        Rounds {
            count: 0,
            quiet: 0,
            next: SHORTEST_PAUSE,
        }
    }
}

impl Rounds {
    /// The next pause is a short one.
    fn begin_again(&mut self) {
        self.next = SHORTEST_PAUSE;
    }

    /// Waits until the next round, or until a child ends. Each time longer, unless so many were
    /// there that they may be growing.
    fn pause(&mut self, marked: usize, blocked: &libc::sigset_t) {
        if marked > FEW {
            self.begin_again();
        }
        let _ = raw::wait_with_signals(None, Some(self.next), blocked);
        self.next = LONGEST_PAUSE.min(self.next * 2);
        self.count = self.count.saturating_add(1);
    }
}

/// What the functions below achieve.
pub(crate) fn containment() -> Containment {
    Containment::ProcessGroup
}

/// Makes this process the one that orphaned descendants come to, where the system has that.
pub(crate) fn become_reaper() {}

/// Last preparations of the child of a step.
pub(crate) fn before_exec(_monitor: Pid) {}

/// Reaps adopted orphans that have ended, and nobody else; here none come.
pub(crate) fn reap_orphans(_main: Pid) {}

/// Kills the children of this process, for the `round`th time; here the group is all we know.
pub(crate) fn kill_children(_round: u32) {}

/// Closes every descriptor other than the first three and these two.
pub(crate) fn close_all_except(first: RawFd, second: RawFd) {
    for descriptor in 3..raw::descriptor_limit() {
        if descriptor != first && descriptor != second {
            raw::close_inherited(descriptor);
        }
    }
}
