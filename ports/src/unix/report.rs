//! The words that worker and monitor exchange: eight bytes each, a kind and a number.

use std::io;
use std::os::fd::BorrowedFd;

use super::raw;
use crate::{Exit, StartStage};

/// Bytes of one message.
pub(crate) const SIZE: usize = 8;

/// From monitor or child to the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Report {
    /// The step's process, which is on its way, has this number.
    Started(i32),
    /// It did not become the program: stage and error number.
    Failed(StartStage, i32),
    /// It ended.
    Exited(Exit),
    /// A signal was sent (0) or refused (error number).
    Answer(i32),
}

/// From the worker to the monitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Send this signal to the group of the step.
    Signal(i32),
    /// End everything and yourself. End of file means the same.
    End,
}

const STAGES: [StartStage; 8] = [
    StartStage::Arguments,
    StartStage::Pipes,
    StartStage::Terminal,
    StartStage::Fork,
    StartStage::Group,
    StartStage::Descriptors,
    StartStage::Directory,
    StartStage::Exec,
];

impl Report {
    fn to_bytes(self) -> [u8; SIZE] {
        match self {
            Report::Started(pid) => message(b'S', 0, pid),
            Report::Failed(stage, error) => message(b'F', stage as u8, error),
            Report::Exited(Exit::Code(code)) => message(b'C', 0, code),
            Report::Exited(Exit::Signal(signal)) => message(b'K', 0, signal),
            Report::Answer(error) => message(b'A', 0, error),
        }
    }

    /// The report in these bytes; none if it is no report, which only a defect could make.
    pub(crate) fn from_bytes(bytes: [u8; SIZE]) -> Option<Report> {
        let [kind, stage, _, _, a, b, c, d] = bytes;
        let number = i32::from_ne_bytes([a, b, c, d]);
        match kind {
            b'S' => Some(Report::Started(number)),
            b'F' => STAGES
                .get(usize::from(stage))
                .map(|stage| Report::Failed(*stage, number)),
            b'C' => Some(Report::Exited(Exit::Code(number))),
            b'K' => Some(Report::Exited(Exit::Signal(number))),
            b'A' => Some(Report::Answer(number)),
            _ => None,
        }
    }

    /// Sends it. That nobody listens any more is noticed when reading, so errors are ignored.
    pub(crate) fn send(self, to: BorrowedFd<'_>) {
        let _ = raw::retry(|| raw::write(to, &self.to_bytes()));
    }
}

impl Order {
    /// Sends it.
    pub(crate) fn send(self, to: BorrowedFd<'_>) -> io::Result<()> {
        let bytes = match self {
            Order::Signal(signal) => message(b's', 0, signal),
            Order::End => message(b'e', 0, 0),
        };
        raw::retry(|| raw::write(to, &bytes)).map(drop)
    }

    /// Receives the next one; blocks. Everything unexpected is the end.
    pub(crate) fn receive(from: BorrowedFd<'_>) -> Order {
        let mut bytes = [0; SIZE];
        if !matches!(read_message(from, &mut bytes), Ok(true)) {
            return Order::End;
        }
        let [kind, _, _, _, a, b, c, d] = bytes;
        match kind {
            b's' => Order::Signal(i32::from_ne_bytes([a, b, c, d])),
            _ => Order::End,
        }
    }
}

/// Reads one whole message from a blocking descriptor; false at end of file.
pub(crate) fn read_message(from: BorrowedFd<'_>, bytes: &mut [u8; SIZE]) -> io::Result<bool> {
    let mut rest = bytes.as_mut_slice();
    while !rest.is_empty() {
        let count = raw::retry(|| raw::read(from, rest))?;
        if count == 0 {
            return Ok(false);
        }
        rest = rest.get_mut(count..).unwrap_or_default();
    }
    Ok(true)
}

fn message(kind: u8, detail: u8, number: i32) -> [u8; SIZE] {
    let [a, b, c, d] = number.to_ne_bytes();
    [kind, detail, 0, 0, a, b, c, d]
}
