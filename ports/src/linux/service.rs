//! Abstract sockets, and an alarm for changes of the clock (timerfd_create(2), Linux 3.0).

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::Awake;
use crate::unix::{check, own, poll_one, read, timespec};

pub(crate) fn socket_address(address: &OsStr) -> io::Result<SocketAddr> {
    match address.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => crate::unix::socket_address(address),
    }
}

/// A timer that never goes off, but is cancelled whenever the clock on the wall makes a jump; the
/// return from a suspend is one.
#[derive(Debug)]
pub(crate) struct ClockAlarm {
    /// None where the system has no such timers (an emulated one).
    timer: Option<OwnedFd>,
}

impl ClockAlarm {
    pub(crate) fn new() -> ClockAlarm {
        ClockAlarm {
            timer: timer().and_then(|timer| set(&timer).map(|()| timer)).ok(),
        }
    }

    pub(crate) fn sleep(&mut self, time: Duration) -> Awake {
        let deadline = Instant::now() + time.min(LONGEST_SLEEP);
        self.wait(deadline).unwrap_or_else(|_| {
            self.timer = None;
            std::thread::sleep(deadline.saturating_duration_since(Instant::now()));
            Awake::TimeOver
        })
    }

    fn wait(&self, deadline: Instant) -> io::Result<Awake> {
        let timer = self.timer.as_ref().ok_or(io::ErrorKind::Unsupported)?;
        if !poll_one(timer.as_fd(), deadline)? {
            return Ok(Awake::TimeOver);
        }
        match read(timer.as_fd(), &mut [0; 8]) {
            Err(error) if error.raw_os_error() == Some(libc::ECANCELED) => {
                set(timer)?;
                Ok(Awake::ClockChanged)
            }
            Err(error) => Err(error),
            // The end of time has come: it is the year 2038, and this system's numbers are small.
            Ok(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

/// A year; later points in time might not be representable.
const LONGEST_SLEEP: Duration = Duration::from_secs(31_536_000);

fn timer() -> io::Result<OwnedFd> {
    let flags = libc::TFD_CLOEXEC | libc::TFD_NONBLOCK;
    // SAFETY: timerfd_create(2) takes two numbers.
    own(check(unsafe {
        libc::timerfd_create(libc::CLOCK_REALTIME, flags)
    })?)
}

/// Sets it to the end of time.
fn set(timer: &OwnedFd) -> io::Result<()> {
    let never = libc::itimerspec {
        it_interval: timespec(0, 0),
        it_value: match timespec(i64::MAX, 0) {
            // The system's own type for seconds is smaller.
            cut if cut.tv_sec < 0 => timespec(i64::from(i32::MAX), 0),
            latest => latest,
        },
    };
    let flags = libc::TFD_TIMER_ABSTIME | libc::TFD_TIMER_CANCEL_ON_SET;
    let descriptor = timer.as_raw_fd();
    // SAFETY: `never` is filled; a null pointer means that the old value is not wanted.
    check(unsafe { libc::timerfd_settime(descriptor, flags, &never, std::ptr::null_mut()) })
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_alarm_is_set_and_sleeps_its_time() {
        let mut alarm = ClockAlarm::new();
        assert!(alarm.timer.is_some());
        let begin = Instant::now();
        let time = Duration::from_millis(50);
        // Somebody may set the clock just now.
        if alarm.sleep(time) == Awake::TimeOver {
            assert!(begin.elapsed() >= time);
        }
        assert!(alarm.timer.is_some());
    }

    #[test]
    fn message_arrives_at_an_abstract_socket() {
        use std::os::unix::net::UnixDatagram;
        let name = format!("ports-notify-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let socket = UnixDatagram::bind_addr(&address).unwrap();
        crate::send_datagram(OsStr::new(&format!("@{name}")), b"READY=1").unwrap();
        let mut buffer = [0; 100];
        let count = socket.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..count], b"READY=1");
    }
}
