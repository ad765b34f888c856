//! `shutdown.stamp`: an administrator touches it to ask for a graceful end (PROTOCOL 7.4).

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// How often the file is looked at.
const INTERVAL: Duration = Duration::from_secs(10);

/// Watches the stamp of a base directory.
#[derive(Debug)]
pub struct ShutdownStamp {
    file: PathBuf,
    seen: Option<SystemTime>,
    next_look: Instant,
}

impl ShutdownStamp {
    /// The file as it is now is the past.
    pub fn new(base_dir: &Path, now: Instant) -> ShutdownStamp {
        let file = base_dir.join("shutdown.stamp");
        ShutdownStamp { seen: modified(&file), file, next_look: now + INTERVAL }
    }

    /// When the file is looked at next.
    pub fn next_look(&self) -> Instant {
        self.next_look
    }

    /// Whether the file was touched since the last look. Looks only when it is time.
    pub fn is_new(&mut self, now: Instant) -> bool {
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
    fn only_a_later_touch_counts_and_only_once() {
        let dir = std::env::temp_dir().join(format!("coracle-stamp-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("shutdown.stamp"), "").unwrap();
        let start = Instant::now();
        let mut stamp = ShutdownStamp::new(&dir, start);
        assert!(!stamp.is_new(start + INTERVAL));
        let file = fs::File::options().write(true).open(dir.join("shutdown.stamp")).unwrap();
        file.set_modified(SystemTime::now() + Duration::from_secs(5)).unwrap();
        assert!(!stamp.is_new(start + INTERVAL + Duration::from_secs(1)));
        assert!(stamp.is_new(start + 2 * INTERVAL));
        assert!(!stamp.is_new(start + 3 * INTERVAL));
        fs::remove_dir_all(dir).unwrap();
    }
}
