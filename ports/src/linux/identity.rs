//! Telling processes apart by what `/proc` says of them (proc(5)).

use std::fs;
use std::time::Duration;

use crate::Identity;
use crate::unix::{Listed, check};

/// What we want of `/proc/<pid>/stat`.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    listed: Listed,
    /// It has ended and only waits to be reaped.
    ended: bool,
}

/// `4711 (any (name)) S 4710 4711 4711 ...`: the name may contain anything, hence from the end.
fn parse(text: &str) -> Option<Stat> {
    let (number, rest) = text.split_once('(')?;
    let (name, rest) = rest.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    // Counted from the state, which is field 3.
    let field = |number: usize| fields.get(number - 3).copied();
    Some(Stat {
        listed: Listed {
            identity: Identity {
                pid: number.trim_ascii().parse().ok()?,
                start: field(22)?.parse().ok()?,
                group: field(5)?.parse().ok()?,
                session: field(6)?.parse().ok()?,
            },
            name: name.to_owned(),
        },
        ended: matches!(field(3)?, "Z" | "X"),
    })
}

fn look(pid: u32) -> Option<Stat> {
    let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
    parse(&String::from_utf8_lossy(&text))
}

pub(crate) fn process_identity(pid: u32) -> Option<Identity> {
    look(pid).map(|stat| stat.listed.identity)
}

pub(crate) fn processes_of(group: u32) -> Option<Vec<Listed>> {
    let entries = fs::read_dir("/proc").ok()?;
    let mut known = false;
    let mut found = Vec::new();
    for entry in entries.filter_map(Result::ok) {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let Some(stat) = look(pid) else {
            continue;
        };
        known = true;
        let Identity {
            group: its_group,
            session,
            ..
        } = stat.listed.identity;
        if !stat.ended && (its_group == group || session == group) {
            found.push(stat.listed);
        }
    }
    // An empty /proc knows nobody, not even us.
    known.then_some(found)
}

/// `CLOCK_BOOTTIME` in the ticks of field 22.
pub(crate) fn process_clock() -> Option<u64> {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `now` has room for one time.
    check(unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &mut now) }).ok()?;
    // SAFETY: sysconf(3) takes a number.
    let ticks = u64::try_from(unsafe { libc::sysconf(libc::_SC_CLK_TCK) }).ok()?;
    let now = Duration::new(
        u64::try_from(now.tv_sec).ok()?,
        u32::try_from(now.tv_nsec).ok()?,
    );
    let parts = u64::from(now.subsec_nanos()) * ticks / 1_000_000_000;
    Some(now.as_secs() * ticks + parts)
}

pub(crate) fn boot_id() -> Option<String> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_with_brackets_does_not_hide_group_session_and_start() {
        let text =
            "4711 (a) Z 1 (b c) S 4710 4712 4713 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 999 0";
        let stat = parse(text).unwrap();
        let expected = Identity {
            pid: 4711,
            start: 999,
            group: 4712,
            session: 4713,
        };
        assert_eq!(stat.listed.identity, expected);
        assert_eq!(stat.listed.name, "a) Z 1 (b c");
        assert!(!stat.ended);
    }

    #[test]
    fn torn_stat_is_nobody() {
        let text = "4711 (x) S 4710 4712 4713 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 999";
        assert!(parse(text).is_some());
        for length in 0..text.len() - 2 {
            assert_eq!(parse(&text[..length]), None, "{}", &text[..length]);
        }
    }

    #[test]
    fn this_process_was_started_before_now_and_not_long_ago() {
        let start = process_identity(std::process::id()).unwrap().start;
        let now = process_clock().unwrap();
        assert!(start <= now, "{start} {now}");
        assert!(now - start < 100 * 3600 * 10, "{start} {now}");
    }

    #[test]
    fn boot_has_one_name() {
        assert_eq!(boot_id(), boot_id());
        assert!(boot_id().is_some());
    }
}
