//! The service manager's socket, and sleeping.

use std::ffi::OsStr;
use std::io;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::thread::Thread;
use std::time::{Duration, Instant};

use crate::Awake;

pub(crate) fn send_datagram(address: &OsStr, message: &[u8]) -> io::Result<()> {
    let address = crate::system::socket_address(address)?;
    let socket = UnixDatagram::unbound()?;
    // A manager that does not read must not hold us up.
    socket.set_nonblocking(true)?;
    socket.send_to_addr(message, &address).map(drop)
}

/// The address of a socket: a path.
pub(crate) fn socket_address(address: &OsStr) -> io::Result<SocketAddr> {
    SocketAddr::from_pathname(address)
}

/// Only sleeps: POSIX tells nobody when a clock is set.
#[derive(Debug)]
pub(crate) struct ClockAlarm {
    sleeper: Thread,
}

impl ClockAlarm {
    pub(crate) fn new() -> ClockAlarm {
        ClockAlarm {
            sleeper: std::thread::current(),
        }
    }

    pub(crate) fn is_told(&self) -> bool {
        false
    }

    /// Parking does not tell why it has ended.
    pub(crate) fn sleep(&mut self, time: Option<Duration>) -> Awake {
        let Some(time) = time else {
            std::thread::park();
            return Awake::Roused;
        };
        let begin = Instant::now();
        std::thread::park_timeout(time);
        if begin.elapsed() < time {
            Awake::Roused
        } else {
            Awake::TimeOver
        }
    }

    pub(crate) fn rouser(&self) -> Rouser {
        Rouser(self.sleeper.clone())
    }
}

/// Ends the sleep of its thread.
#[derive(Debug, Clone)]
pub(crate) struct Rouser(Thread);

impl Rouser {
    pub(crate) fn rouse(&self) {
        self.0.unpark();
    }
}
