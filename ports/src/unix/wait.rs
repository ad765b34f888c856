//! Waiting, and the non-blocking ends of pipes and terminals.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use super::raw::{self, check};
use crate::{Read, Source};

/// The end of a pipe or terminal that we read.
#[derive(Debug)]
pub struct ReadEnd(OwnedFd);

/// The end of a pipe or terminal that we write.
#[derive(Debug)]
pub struct WriteEnd(OwnedFd);

/// The half of a [`waker`](crate::waker) that wakes.
#[derive(Debug)]
pub struct Waker(OwnedFd);

/// The half of a [`waker`](crate::waker) that is waited on.
#[derive(Debug)]
pub struct WakeReader(OwnedFd);

pub(crate) fn wait(sources: &[Source<'_>], deadline: Option<Instant>) -> io::Result<Vec<bool>> {
    // What the monitor has reported already is nothing to wait for.
    let known: Vec<bool> = sources
        .iter()
        .map(|source| match source {
            Source::Exit(process) => process.known_exit(),
            Source::Readable(_) | Source::Writable(_) | Source::Wake(_) => false,
        })
        .collect();
    let mut polled: Vec<libc::pollfd> = sources.iter().map(poll_entry).collect();
    let deadline = if known.contains(&true) {
        Some(Instant::now())
    } else {
        deadline
    };
    poll(&mut polled, deadline)?;
    let ready = polled.iter().zip(known);
    Ok(ready
        .map(|(entry, known)| known || entry.revents != 0)
        .collect())
}

fn poll_entry(source: &Source<'_>) -> libc::pollfd {
    let (descriptor, events) = match source {
        Source::Readable(end) => (end.0.as_fd(), libc::POLLIN),
        Source::Writable(end) => (end.0.as_fd(), libc::POLLOUT),
        Source::Exit(process) => (process.control(), libc::POLLIN),
        Source::Wake(reader) => (reader.0.as_fd(), libc::POLLIN),
    };
    libc::pollfd {
        fd: descriptor.as_raw_fd(),
        events,
        revents: 0,
    }
}

/// Waits until one descriptor is readable or at its end; false at the deadline.
pub(crate) fn poll_one(descriptor: BorrowedFd<'_>, deadline: Instant) -> io::Result<bool> {
    let mut polled = [libc::pollfd {
        fd: descriptor.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    }];
    poll(&mut polled, Some(deadline))?;
    Ok(polled[0].revents != 0)
}

/// `poll(2)` again and again until something is ready or the deadline has come.
fn poll(polled: &mut [libc::pollfd], deadline: Option<Instant>) -> io::Result<()> {
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let timeout = left.map_or(-1, milliseconds);
        let count = polled.len() as libc::nfds_t;
        // SAFETY: pointer and count are of the same live entries.
        let ready = check(unsafe { libc::poll(polled.as_mut_ptr(), count, timeout) });
        match ready {
            Ok(0) if left != Some(Duration::ZERO) => {}
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Whole milliseconds, rounded up: waking early would only mean waiting again.
fn milliseconds(time: Duration) -> libc::c_int {
    let up = time.as_nanos().div_ceil(1_000_000);
    libc::c_int::try_from(up).unwrap_or(libc::c_int::MAX)
}

fn is_end_of_terminal(error: &io::Error) -> bool {
    let number = error.raw_os_error();
    number.is_some_and(|number| crate::system::TERMINAL_ENDS.contains(&number))
}

impl ReadEnd {
    pub(crate) fn new(descriptor: OwnedFd) -> io::Result<ReadEnd> {
        raw::set_nonblocking(descriptor.as_fd())?;
        Ok(ReadEnd(descriptor))
    }

    pub(crate) fn system_read(&mut self, buffer: &mut [u8]) -> io::Result<Read> {
        match raw::retry(|| raw::read(self.0.as_fd(), buffer)) {
            Ok(0) if buffer.is_empty() => Ok(Read::NotYet),
            Ok(0) => Ok(Read::End),
            Ok(count) => Ok(Read::Bytes(count)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Read::NotYet),
            Err(error) if is_end_of_terminal(&error) => Ok(Read::End),
            Err(error) => Err(error),
        }
    }
}

impl WriteEnd {
    pub(crate) fn new(descriptor: OwnedFd) -> io::Result<WriteEnd> {
        raw::set_nonblocking(descriptor.as_fd())?;
        Ok(WriteEnd(descriptor))
    }

    pub(crate) fn system_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match raw::retry(|| raw::write(self.0.as_fd(), bytes)) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            Err(error) if is_end_of_terminal(&error) => Err(io::ErrorKind::BrokenPipe.into()),
            result => result,
        }
    }
}

pub(crate) fn waker() -> io::Result<(Waker, WakeReader)> {
    let (reader, writer) = crate::system::pipe()?;
    raw::set_nonblocking(reader.as_fd())?;
    raw::set_nonblocking(writer.as_fd())?;
    Ok((Waker(writer), WakeReader(reader)))
}

impl Waker {
    pub(crate) fn system_wake(&self) {
        // A full pipe is a wake already; one without a reader needs none.
        let _ = raw::retry(|| raw::write(self.0.as_fd(), &[1]));
    }
}

impl WakeReader {
    pub(crate) fn system_clear(&mut self) {
        let mut wakes = [0; 64];
        while raw::retry(|| raw::read(self.0.as_fd(), &mut wakes)).is_ok_and(|count| count > 0) {}
    }
}
