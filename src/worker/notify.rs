//! What a service manager is told, with the protocol of sd_notify(3): that the worker is ready, what
//! it does, and that it is alive. Without `NOTIFY_SOCKET` nobody is told anything.
//!
//! "Ready" is said when the worker is attached, or when the first attempt has failed: a master that
//! is away must not keep a machine from completing its start, nor get a worker that does all it can
//! killed for being late.

use std::ffi::{OsStr, OsString};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use log::{debug, warn};

/// The variables by which a service manager talks to us. They are not the steps' business.
pub const VARIABLES: [&str; 3] = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"];

/// Longer than the first attempt may take: address, connection, login (120 s) and builders (60 s).
const START_LIMIT: Duration = Duration::from_secs(300);

/// Characters of a status line.
const LONGEST_STATUS: usize = 300;

/// The way to the service manager.
#[derive(Debug, Clone, Default)]
pub struct Notify {
    socket: Option<OsString>,
    /// Within this time the manager wants a sign of life.
    patience: Option<Duration>,
    ready: Arc<AtomicBool>,
    stopping: Arc<AtomicBool>,
}

impl Notify {
    /// As the environment of the process with this number says.
    pub fn new(variable: impl Fn(&str) -> Option<OsString>, own: u32) -> Notify {
        let socket = variable("NOTIFY_SOCKET").filter(|address| is_known(address));
        let number = |name: &str| variable(name)?.to_str()?.parse::<u64>().ok();
        let for_us =
            variable("WATCHDOG_PID").is_none() || number("WATCHDOG_PID") == Some(own.into());
        let patience = number("WATCHDOG_USEC").filter(|micros| *micros > 0 && for_us);
        Notify {
            patience: patience
                .map(Duration::from_micros)
                .filter(|_| socket.is_some()),
            socket,
            ready: Arc::default(),
            stopping: Arc::default(),
        }
    }

    /// Within this time the manager wants a sign of life, if it wants one at all.
    pub fn patience(&self) -> Option<Duration> {
        self.patience
    }

    /// The worker begins; this may take longer than other programs need.
    pub fn starting(&self) {
        let limit = START_LIMIT.as_micros();
        self.send(&format!("EXTEND_TIMEOUT_USEC={limit}"));
    }

    /// What the worker does, in one line.
    pub fn status(&self, text: &str) {
        self.send(&status_line(text));
    }

    /// The worker does its work, or would if it could; and what that is.
    pub fn ready(&self, text: &str) {
        let status = status_line(text);
        if self.ready.swap(true, Ordering::Relaxed) {
            return self.send(&status);
        }
        self.send(&format!("READY=1\n{status}"));
    }

    /// The worker is alive.
    pub fn alive(&self) {
        self.send("WATCHDOG=1");
    }

    /// The worker ends. Said once.
    pub fn stopping(&self) {
        if !self.stopping.swap(true, Ordering::Relaxed) {
            self.send("STOPPING=1\nSTATUS=stopping");
        }
    }

    fn send(&self, message: &str) {
        let Some(socket) = &self.socket else {
            return;
        };
        if let Err(error) = ports::send_datagram(socket, message.as_bytes()) {
            // Nothing depends on it, and it comes again and again.
            debug!("cannot tell the service manager: {error}");
        }
    }
}

/// A path or an abstract name. There are addresses of other kinds, for virtual machines.
fn is_known(address: &OsStr) -> bool {
    let known = matches!(ports::name_bytes(address).first(), Some(b'/' | b'@'));
    if !known && !address.is_empty() {
        warn!(
            "NOTIFY_SOCKET is {}, an address of a kind that coracle does not have; the service \
             manager is told nothing",
            address.to_string_lossy()
        );
    }
    known
}

fn status_line(text: &str) -> String {
    let line = text.replace(char::is_control, " ");
    let short: String = line.chars().take(LONGEST_STATUS).collect();
    format!("STATUS={short}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Notify {
        let find = |name: &str| {
            let found = pairs.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        Notify::new(find, 100)
    }

    #[test]
    fn without_a_socket_nobody_waits_for_signs_of_life() {
        for pairs in [
            &[("WATCHDOG_USEC", "1000000")][..],
            &[("NOTIFY_SOCKET", ""), ("WATCHDOG_USEC", "1000000")],
            &[("NOTIFY_SOCKET", "vsock:2:1"), ("WATCHDOG_USEC", "1000000")],
        ] {
            let notify = with(pairs);
            assert_eq!((notify.patience(), notify.socket.as_ref()), (None, None));
            notify.alive();
        }
    }

    #[test]
    fn patience_is_for_the_process_that_is_named() {
        let socket = ("NOTIFY_SOCKET", "@x");
        let time = ("WATCHDOG_USEC", "30000000");
        let patience = |more: &[(&str, &str)]| with(&[&[socket, time], more].concat()).patience();
        let seconds = Some(Duration::from_secs(30));
        assert_eq!(patience(&[]), seconds);
        assert_eq!(patience(&[("WATCHDOG_PID", "100")]), seconds);
        assert_eq!(patience(&[("WATCHDOG_PID", "101")]), None);
        assert_eq!(patience(&[("WATCHDOG_PID", "nonsense")]), None);
        for nonsense in ["0", "-1", "", "x", "99999999999999999999999"] {
            assert_eq!(
                with(&[socket, ("WATCHDOG_USEC", nonsense)]).patience(),
                None
            );
        }
    }

    #[test]
    fn status_is_one_line() {
        assert_eq!(status_line("a\nREADY=1"), "STATUS=a READY=1");
        assert_eq!(status_line(&"x".repeat(1000)).len(), 7 + LONGEST_STATUS);
    }
}
