//! Abstract sockets, and an alarm for changes of the clock (timerfd_create(2), Linux 3.0).

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::Awake;
use crate::unix::{check, own, poll_one, read, timespec};

pub(crate) fn socket_address(address: &OsStr) -> io::Result<SocketAddr> {
    match address.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => crate::unix::socket_address(address),
    }
}

/// A timer that is cancelled whenever the clock on the wall makes a jump; the return from a suspend
/// is one. It goes off only when its sleeper is to be roused.
#[derive(Debug)]
pub(crate) struct ClockAlarm {
    /// None where the system has no such timers (an emulated one).
    timer: Option<Arc<OwnedFd>>,
    without: crate::unix::ClockAlarm,
}

impl ClockAlarm {
    pub(crate) fn new() -> ClockAlarm {
        let timer = timer().and_then(|timer| set(&timer, NEVER).map(|()| timer));
        ClockAlarm {
            timer: timer.ok().map(Arc::new),
            without: crate::unix::ClockAlarm::new(),
        }
    }

    pub(crate) fn is_told(&self) -> bool {
        self.timer.is_some()
    }

    pub(crate) fn sleep(&mut self, time: Option<Duration>) -> Awake {
        let deadline = Instant::now() + time.unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP);
        let Some(timer) = &self.timer else {
            return self.without.sleep(time);
        };
        wait(timer, deadline).unwrap_or_else(|_| {
            self.timer = None;
            let left = deadline.saturating_duration_since(Instant::now());
            self.without.sleep(time.map(|_| left))
        })
    }

    pub(crate) fn rouser(&self) -> Rouser {
        Rouser {
            timer: self.timer.clone(),
            without: self.without.rouser(),
        }
    }
}

/// Makes the timer go off.
#[derive(Debug, Clone)]
pub(crate) struct Rouser {
    timer: Option<Arc<OwnedFd>>,
    without: crate::unix::Rouser,
}

impl Rouser {
    pub(crate) fn rouse(&self) {
        let set = self.timer.as_ref().map(|timer| set(timer, AT_ONCE));
        if !matches!(set, Some(Ok(()))) {
            self.without.rouse();
        }
    }
}

/// Seconds since 1970 at which a timer goes off: when the clock can go no further, or at once.
const NEVER: i64 = i64::MAX;
const AT_ONCE: i64 = 1;

fn wait(timer: &OwnedFd, deadline: Instant) -> io::Result<Awake> {
    if !poll_one(timer.as_fd(), deadline)? {
        return Ok(Awake::TimeOver);
    }
    let awake = match read(timer.as_fd(), &mut [0; 8]) {
        Err(error) if error.raw_os_error() == Some(libc::ECANCELED) => Awake::ClockChanged,
        Err(error) => return Err(error),
        // Or the end of time has come: it is the year 2038, and this system's numbers are small.
        Ok(_) => Awake::Roused,
    };
    set(timer, NEVER)?;
    Ok(awake)
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

/// Has it go off at this time, in seconds.
fn set(timer: &OwnedFd, seconds: i64) -> io::Result<()> {
    let at = libc::itimerspec {
        it_interval: timespec(0, 0),
        it_value: match timespec(seconds, 0) {
            // The system's own type for seconds is smaller.
            cut if cut.tv_sec < 0 => timespec(i64::from(i32::MAX), 0),
            fits => fits,
        },
    };
    let flags = libc::TFD_TIMER_ABSTIME | libc::TFD_TIMER_CANCEL_ON_SET;
    let descriptor = timer.as_raw_fd();
    // SAFETY: `at` is filled; a null pointer means that the old value is not wanted.
    check(unsafe { libc::timerfd_settime(descriptor, flags, &at, std::ptr::null_mut()) }).map(drop)
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
        if alarm.sleep(Some(time)) == Awake::TimeOver {
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
