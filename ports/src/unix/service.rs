//! The service manager's socket, and sleeping.

use std::ffi::OsStr;
use std::io;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

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
pub(crate) struct ClockAlarm;

impl ClockAlarm {
    pub(crate) fn new() -> ClockAlarm {
        ClockAlarm
    }

    pub(crate) fn sleep(&mut self, time: Duration) -> Awake {
        std::thread::sleep(time);
        Awake::TimeOver
    }
}
