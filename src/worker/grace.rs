//! The graceful end: the worker tells the master that it wants to go, and goes when its builds are
//! over. Asked for by `stop --drain`, or as `allow_shutdown` says: by SIGHUP, or by touching
//! `shutdown.stamp` (PROTOCOL 7.4).

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use ports::StopRequest;

use crate::basedir::{AllowShutdown, Settings};

/// How often the file is looked at.
const INTERVAL: Duration = Duration::from_secs(10);

/// The ways to ask. Asking works once; whoever asks again means "now".
#[derive(Debug)]
pub struct Grace {
    stamp: Option<ShutdownStamp>,
    by_signal: bool,
    asked: bool,
}

impl Grace {
    /// Nobody has asked yet.
    pub fn new(settings: &Settings, now: Instant) -> Grace {
        let way = settings.allow_shutdown;
        Grace {
            stamp: (way == Some(AllowShutdown::File))
                .then(|| ShutdownStamp::new(&settings.basedir, now)),
            by_signal: way == Some(AllowShutdown::Signal),
            asked: false,
        }
    }

    /// When the file is looked at next.
    pub fn next_look(&self) -> Option<Instant> {
        self.stamp.as_ref().map(|stamp| stamp.next_look)
    }

    /// Whether the file asks now for the first time.
    pub fn is_asked_by_file(&mut self, now: Instant) -> bool {
        let touched = self.stamp.as_mut().is_some_and(|stamp| stamp.is_new(now));
        touched && !std::mem::replace(&mut self.asked, true)
    }

    /// Whether this signal asks, for the first time, for a graceful end.
    pub fn is_asked_by(&mut self, request: StopRequest) -> bool {
        self.is_graceful(request) && !std::mem::replace(&mut self.asked, true)
    }

    /// Whether this signal stands for a graceful end, as far as one is possible.
    pub fn is_graceful(&self, request: StopRequest) -> bool {
        match request {
            StopRequest::Drain => true,
            StopRequest::Hangup => self.by_signal,
            StopRequest::Terminate | StopRequest::Interrupt => false,
        }
    }

    /// Whether somebody has asked.
    pub fn is_asked(&self) -> bool {
        self.asked
    }
}

/// Watches the stamp of a base directory.
#[derive(Debug)]
struct ShutdownStamp {
    file: PathBuf,
    seen: Option<SystemTime>,
    next_look: Instant,
}

impl ShutdownStamp {
    /// The file as it is now is the past.
    fn new(base_dir: &Path, now: Instant) -> ShutdownStamp {
        let file = base_dir.join("shutdown.stamp");
        ShutdownStamp {
            seen: modified(&file),
            file,
            next_look: now + INTERVAL,
        }
    }

    /// Whether the file was touched since the last look. Looks only when it is time.
    fn is_new(&mut self, now: Instant) -> bool {
        if now < self.next_look {
            return false;
        }
        self.next_look = now + INTERVAL;
        let current = modified(&self.file);
        let newer = current.is_some() && current > self.seen;
        if newer {
            self.seen = current;
        }
        newer
    }
}

fn modified(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|found| found.modified()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drain_is_always_allowed_and_a_hangup_if_the_settings_say_so() {
        for by_signal in [false, true] {
            let new = || Grace {
                stamp: None,
                by_signal,
                asked: false,
            };
            let mut grace = new();
            assert!(!grace.is_asked_by(StopRequest::Terminate));
            assert!(!grace.is_asked_by(StopRequest::Interrupt));
            assert_eq!(grace.is_asked_by(StopRequest::Hangup), by_signal);
            assert_eq!(grace.is_asked(), by_signal);
            let mut grace = new();
            assert!(grace.is_asked_by(StopRequest::Drain));
            // The second one means now.
            assert!(!grace.is_asked_by(StopRequest::Drain));
            assert!(!grace.is_asked_by(StopRequest::Hangup));
            assert!(grace.is_asked());
        }
    }

    #[test]
    fn only_a_later_touch_counts_and_only_once() {
        let dir = std::env::temp_dir().join(format!("coracle-stamp-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("shutdown.stamp"), "").unwrap();
        let start = Instant::now();
        let mut stamp = ShutdownStamp::new(&dir, start);
        assert!(!stamp.is_new(start + INTERVAL));
        let file = fs::File::options()
            .write(true)
            .open(dir.join("shutdown.stamp"))
            .unwrap();
        file.set_modified(SystemTime::now() + Duration::from_secs(5))
            .unwrap();
        assert!(!stamp.is_new(start + INTERVAL + Duration::from_secs(1)));
        assert!(stamp.is_new(start + 2 * INTERVAL));
        assert!(!stamp.is_new(start + 3 * INTERVAL));
        fs::remove_dir_all(dir).unwrap();
    }
}
