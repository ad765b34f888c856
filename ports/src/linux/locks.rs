//! Who holds a lock, by `/proc/locks` of proc_locks(5).

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;

pub(crate) fn lock_holder(file: &File) -> Option<u32> {
    let inode = file.metadata().ok()?.ino();
    let table = fs::read_to_string("/proc/locks").ok()?;
    table.lines().find_map(|line| holder(line, inode))
}

/// The process of a line such as `1: FLOCK  ADVISORY  WRITE 4711 fe:00:2093 0 EOF`, if it has the lock
/// alone. The device in there is not always that of stat(2), so it is not compared.
fn holder(line: &str, inode: u64) -> Option<u32> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let [_, "FLOCK", _, "WRITE", pid, place, ..] = words[..] else {
        return None;
    };
    let is_it = place.rsplit(':').next()?.parse() == Ok(inode);
    // Zero and less for processes that cannot be seen from here.
    pid.parse().ok().filter(|pid| is_it && *pid > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_lock_held_alone_on_the_file_counts() {
        let line = "1: FLOCK  ADVISORY  WRITE 4711 fe:00:2093 0 EOF";
        assert_eq!(holder(line, 2093), Some(4711));
        assert_eq!(holder(line, 2094), None);
        for other in [
            "1: FLOCK  ADVISORY  READ 4711 fe:00:2093 0 EOF",
            "1: POSIX  ADVISORY  WRITE 4711 fe:00:2093 0 EOF",
            "1: -> FLOCK  ADVISORY  WRITE 4711 fe:00:2093 0 EOF",
            "1: FLOCK  ADVISORY  WRITE -1 fe:00:2093 0 EOF",
            "1: FLOCK  ADVISORY  WRITE 0 fe:00:2093 0 EOF",
            "",
        ] {
            assert_eq!(holder(other, 2093), None, "{other}");
        }
    }
}
