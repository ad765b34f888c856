//! Starting, signalling and ending a step's process, from the worker's side.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use super::monitor::{self, Inherited};
use super::plan::Plan;
use super::raw::{self, Pid};
use super::reaping;
use super::report::{self, Order, Report};
use super::wait::{ReadEnd, WriteEnd, poll_one};
use crate::system::Mark;
use crate::{Ended, Exit, Leftover, ProcessSpec, Signal, StartError, StartStage};

/// How long a monitor may take to answer before it counts as lost.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// How long we wait for the monitor before we see to it that nobody stopped it.
const AWAKEN_AFTER: Duration = Duration::from_millis(100);
/// How long dropping a process that nobody ended may block.
const DROP_LIMIT: Duration = Duration::from_secs(1);
/// How long a process may take to end after the step's own process before it is a leftover.
const LEFTOVER_GRACE: Duration = Duration::from_millis(100);

/// A step's process, and with it everything it starts. Dropping it kills all of it.
#[derive(Debug)]
pub struct StepProcess {
    /// Our child, until it was reaped.
    monitor: Option<Pid>,
    /// The step's own process; 0 until the child has told.
    main: Pid,
    control: OwnedFd,
    /// What all that it starts has in its environment, where the port marks steps.
    mark: Option<Mark>,
    exit: Option<Exit>,
    /// What the last answered signal met: 0 or an error number.
    answer: i32,
    unanswered: u32,
    /// The monitor was told to end.
    ending: bool,
    /// The monitor has ended.
    lost: bool,
    stdin: Option<WriteEnd>,
    stdout: Option<ReadEnd>,
    stderr: Option<ReadEnd>,
}

/// The step's ends of its standard streams, and ours.
struct Streams {
    theirs: Option<[OwnedFd; 3]>,
    terminal: Option<std::ffi::CString>,
    stdin: WriteEnd,
    stdout: ReadEnd,
    stderr: Option<ReadEnd>,
}

pub(crate) fn start(spec: &ProcessSpec<'_>) -> Result<StepProcess, StartError> {
    reaping::reap_stragglers();
    reaping::adopt_orphans();
    let mut streams = if spec.terminal {
        terminal_streams().map_err(at(StartStage::Terminal))?
    } else {
        pipe_streams().map_err(at(StartStage::Pipes))?
    };
    let mark = crate::system::new_mark();
    let mut plan = Plan::new(spec, streams.terminal.take(), mark.as_ref())?;
    let (control, theirs) = crate::system::socket_pair().map_err(at(StartStage::Pipes))?;
    let (failure, failure_theirs) = crate::system::pipe().map_err(at(StartStage::Pipes))?;
    let monitor = fork_monitor(
        &mut plan,
        &Inherited {
            control: &theirs,
            failure: &failure_theirs,
            standard: streams.theirs.as_ref().map(|all| all.each_ref()),
        },
    )
    .map_err(at(StartStage::Fork))?;
    drop((theirs, failure_theirs, streams.theirs));
    let mut process = StepProcess {
        monitor: Some(monitor),
        main: 0,
        control,
        mark,
        exit: None,
        answer: 0,
        unanswered: 0,
        ending: false,
        lost: false,
        stdin: Some(streams.stdin),
        stdout: Some(streams.stdout),
        stderr: streams.stderr,
    };
    process.await_start(failure.as_fd())?;
    Ok(process)
}

fn at(stage: StartStage) -> impl Fn(io::Error) -> StartError {
    move |error| StartError { stage, error }
}

fn pipe_streams() -> io::Result<Streams> {
    let (stdin_theirs, stdin) = crate::system::pipe()?;
    let (stdout, stdout_theirs) = crate::system::pipe()?;
    let (stderr, stderr_theirs) = crate::system::pipe()?;
    Ok(Streams {
        theirs: Some([stdin_theirs, stdout_theirs, stderr_theirs]),
        terminal: None,
        stdin: WriteEnd::new(stdin)?,
        stdout: ReadEnd::new(stdout)?,
        stderr: Some(ReadEnd::new(stderr)?),
    })
}

fn terminal_streams() -> io::Result<Streams> {
    let (leader, follower) = crate::system::open_terminal()?;
    Ok(Streams {
        theirs: None,
        terminal: Some(follower),
        stdin: WriteEnd::new(leader.try_clone()?)?,
        stdout: ReadEnd::new(leader)?,
        stderr: None,
    })
}

/// Forks with all signals blocked, so that no handler of the worker runs in the monitor.
fn fork_monitor(plan: &mut Plan, inherited: &Inherited<'_>) -> io::Result<Pid> {
    let before = raw::block_signals(&raw::all_signals());
    // Until it is known, nobody may take it for a stranger.
    let mut known = reaping::monitors();
    // SAFETY: `monitor::run` and what it calls is async-signal-safe and never returns.
    let forked = unsafe { raw::fork() };
    if let Ok(None) = forked {
        monitor::run(plan, inherited);
    }
    known.extend(forked.as_ref().ok().copied().flatten());
    drop(known);
    raw::block_signals(&before);
    Ok(forked?.unwrap_or_default())
}

impl StepProcess {
    /// Waits until the child is the program (the failure pipe closes) or says why not.
    fn await_start(&mut self, failure: BorrowedFd<'_>) -> Result<(), StartError> {
        let mut bytes = [0; report::SIZE];
        loop {
            // The program may have stopped the monitor before that closed its end of the pipe.
            while !poll_one(failure, Instant::now() + AWAKEN_AFTER).unwrap_or(true) {
                self.awaken();
            }
            if !matches!(report::read_message(failure, &mut bytes), Ok(true)) {
                break;
            }
            match Report::from_bytes(bytes) {
                Some(Report::Started(main)) => self.main = main,
                Some(Report::Failed(stage, number)) => {
                    let error = io::Error::from_raw_os_error(number);
                    return Err(StartError { stage, error });
                }
                Some(Report::Exited(_) | Report::Answer(_)) | None => {}
            }
        }
        if self.main == 0 {
            let error = io::Error::other("the process that watches the step is gone");
            return Err(at(StartStage::Fork)(error));
        }
        Ok(())
    }

    /// Takes the next report, if there is one before the deadline (without one: if there is one
    /// now); false if there is none.
    fn receive(&mut self, deadline: Option<Instant>) -> bool {
        if self.lost || !self.readable(deadline) {
            return false;
        }
        let mut bytes = [0; report::SIZE];
        // Messages are written whole, so a readable socket has a whole one.
        match report::read_message(self.control.as_fd(), &mut bytes) {
            Ok(true) => match Report::from_bytes(bytes) {
                Some(Report::Exited(exit)) => self.exit = Some(exit),
                Some(Report::Answer(number)) => {
                    self.unanswered = self.unanswered.saturating_sub(1);
                    self.answer = number;
                }
                Some(Report::Started(_) | Report::Failed(..)) | None => {}
            },
            Ok(false) | Err(_) => self.lose(),
        }
        true
    }

    /// Waits for the control socket, and keeps the monitor from being stopped meanwhile.
    fn readable(&self, deadline: Option<Instant>) -> bool {
        let deadline = deadline.unwrap_or_else(Instant::now);
        loop {
            let now = Instant::now();
            let until = deadline.min(now + AWAKEN_AFTER);
            match poll_one(self.control.as_fd(), until) {
                Ok(true) => return true,
                Ok(false) if now < deadline => self.awaken(),
                Ok(false) | Err(_) => return false,
            }
        }
    }

    /// The monitor is gone. If it went before the step's process ended (somebody killed it), this
    /// does what is left to do.
    fn lose(&mut self) {
        self.lost = true;
        if self.ending || self.main == 0 {
            return;
        }
        if self.exit.is_none() {
            let _ = raw::kill(-self.main, libc::SIGKILL);
            self.exit = Some(Exit::Signal(libc::SIGKILL));
        }
        // It closed its end of the socket by ending, so this does not block for long. Once it is
        // reaped, what it leaves has come to us, where the system has that.
        if self
            .monitor
            .is_some_and(|monitor| reaping::reap_monitor(monitor, true))
        {
            self.monitor = None;
            reaping::kill_orphans();
        }
        if let Some(mark) = &self.mark {
            reaping::kill_marked(mark);
        }
    }

    /// Whether `exited` has something to tell already.
    pub(crate) fn known_exit(&self) -> bool {
        self.exit.is_some()
    }

    pub(crate) fn control(&self) -> BorrowedFd<'_> {
        self.control.as_fd()
    }

    pub(crate) fn system_id(&self) -> u32 {
        self.main.unsigned_abs()
    }

    pub(crate) fn system_take_stdout(&mut self) -> Option<ReadEnd> {
        self.stdout.take()
    }

    pub(crate) fn system_take_stderr(&mut self) -> Option<ReadEnd> {
        self.stderr.take()
    }

    pub(crate) fn system_take_stdin(&mut self) -> Option<WriteEnd> {
        self.stdin.take()
    }

    pub(crate) fn system_exited(&mut self) -> Option<Exit> {
        while self.exit.is_none() && self.receive(None) {}
        self.exit
    }

    pub(crate) fn system_signal(&mut self, signal: Signal) -> io::Result<()> {
        self.awaken();
        let deadline = Instant::now() + ANSWER_LIMIT;
        if !self.lost
            && Order::Signal(signal.number())
                .send(self.control.as_fd())
                .is_ok()
        {
            self.unanswered += 1;
        }
        // Also answers to earlier signals, if they came too late.
        while self.unanswered > 0 && self.receive(Some(deadline)) {}
        match self.answer {
            _ if self.lost => Err(gone()),
            _ if self.unanswered > 0 => Err(io::ErrorKind::TimedOut.into()),
            0 => Ok(()),
            // Some systems refuse to signal a group of which only an ended process is left.
            libc::EPERM if self.exit.is_some() => Err(gone()),
            number => Err(io::Error::from_raw_os_error(number)),
        }
    }

    pub(crate) fn system_end(mut self, deadline: Instant) -> Ended {
        let _ = self.system_exited();
        let killed = self.leftovers(deadline);
        self.close_streams();
        if self.finish(deadline) {
            return Ended {
                killed,
                survived: Vec::new(),
            };
        }
        let mut survived = match self.monitor.take() {
            Some(monitor) => {
                // It goes on killing and ends when nothing is left.
                reaping::leave_behind(monitor);
                self.look(monitor, 0)
            }
            None => Vec::new(),
        };
        if survived.is_empty() {
            survived.push(Leftover {
                pid: self.system_id(),
                name: String::new(),
            });
        }
        Ended { killed, survived }
    }

    /// What is there besides the step's own process. Something that is just about to end by itself,
    /// such as the rest of a pipeline, gets a moment to do so.
    fn leftovers(&self, deadline: Instant) -> Vec<Leftover> {
        let Some(monitor) = self.monitor else {
            return Vec::new();
        };
        let until = deadline.min(Instant::now() + LEFTOVER_GRACE);
        let mut pause = Duration::from_millis(1);
        loop {
            let found = self.look(monitor, self.main);
            let hopeless = self.exit.is_none() || self.lost || found.len() > FEW;
            if hopeless || found.is_empty() || Instant::now() + pause > until {
                return found;
            }
            std::thread::sleep(pause);
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    /// Who belongs to the step, other than `main`.
    fn look(&self, monitor: Pid, main: Pid) -> Vec<Leftover> {
        let until = Instant::now() + LOOK_LIMIT;
        match &self.mark {
            Some(mark) => mark.search().holders(main, until),
            None => crate::system::leftovers(monitor, main, until),
        }
    }

    /// Lets a monitor that somebody stopped run on.
    fn awaken(&self) {
        if let Some(monitor) = self.monitor {
            let _ = raw::kill(monitor, libc::SIGCONT);
        }
    }

    /// A program that still waits for us to read or write gets its end of file.
    fn close_streams(&mut self) {
        (self.stdin, self.stdout, self.stderr) = (None, None, None);
    }

    /// Has the monitor kill everything; true when it has ended and was reaped by then.
    fn finish(&mut self, deadline: Instant) -> bool {
        self.awaken();
        // What happened before comes first.
        while !self.lost && self.receive(None) {}
        let Some(monitor) = self.monitor else {
            return true;
        };
        self.ending = true;
        let _ = Order::End.send(self.control.as_fd());
        while self.receive(Some(deadline)) {}
        // A monitor closes its end of the socket only by ending, so this does not block for long.
        if !reaping::reap_monitor(monitor, self.lost) {
            return false;
        }
        self.monitor = None;
        true
    }
}

impl Drop for StepProcess {
    fn drop(&mut self) {
        self.close_streams();
        if !self.finish(Instant::now() + DROP_LIMIT) {
            self.monitor.into_iter().for_each(reaping::leave_behind);
        }
    }
}

/// How long one look at what is left may take.
const LOOK_LIMIT: Duration = Duration::from_millis(100);
/// More than this is not about to end by itself but growing.
const FEW: usize = 50;
/// The longest pause between two looks at what is left.
const LONGEST_PAUSE: Duration = Duration::from_millis(10);

fn gone() -> io::Error {
    io::Error::from_raw_os_error(libc::ESRCH)
}

/// Processes under a monitor other than the step's own, as far as the system tells and as can be
/// found out until then: here, none.
pub(crate) fn leftovers(_monitor: Pid, _main: Pid, _until: Instant) -> Vec<Leftover> {
    Vec::new()
}
