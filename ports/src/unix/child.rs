//! The child on its way to become the step's program. Only async-signal-safe calls, no memory, no
//! panics: it was forked from a process with threads.

use std::io;
use std::os::fd::{BorrowedFd, RawFd};

use super::plan::Plan;
use super::raw::{self, Pid};
use super::report::Report;
use crate::StartStage;

/// Reports its number over `report` (closed on exec), then becomes the program or reports why not. Standard
/// input, output and error are in place unless there is a terminal; all signals are blocked.
pub(crate) fn become_program(plan: &Plan, monitor: Pid, report: BorrowedFd<'_>) -> ! {
    Report::Started(raw::own_id()).send(report);
    let (stage, error) = attempt(plan, monitor);
    let number = error.raw_os_error().unwrap_or(libc::EINVAL);
    Report::Failed(stage, number).send(report);
    raw::exit_now(127)
}

/// Does it all; returns only when it went wrong.
fn attempt(plan: &Plan, monitor: Pid) -> (StartStage, io::Error) {
    let seated = match &plan.terminal {
        None => raw::set_group(0, 0).map_err(|error| (StartStage::Group, error)),
        Some(path) => raw::new_session()
            .map_err(|error| (StartStage::Group, error))
            .and_then(|()| take_terminal(path).map_err(|error| (StartStage::Terminal, error))),
    };
    if let Err(failure) = seated {
        return failure;
    }
    if let Err(error) = raw::enter_directory(plan.directory()) {
        return (StartStage::Directory, error);
    }
    super::limits::apply_limits();
    crate::system::before_exec(monitor);
    raw::block_signals(&raw::no_signals());
    (StartStage::Exec, plan.exec())
}

/// Makes the follower the controlling terminal and standard input, output and error.
fn take_terminal(path: &std::ffi::CStr) -> io::Result<()> {
    let follower: RawFd = raw::open_follower(path)?;
    crate::system::take_terminal(follower)?;
    for standard in [libc::STDIN_FILENO, libc::STDOUT_FILENO, libc::STDERR_FILENO] {
        raw::duplicate_onto(follower, standard)?;
    }
    if follower > libc::STDERR_FILENO {
        raw::close_inherited(follower);
    }
    Ok(())
}
