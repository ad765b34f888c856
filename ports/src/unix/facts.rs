//! What the system says about itself, its users and its clock.

use std::ffi::{CStr, CString, OsStr, OsString};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use super::raw;
use crate::{LocalTime, ServiceManager};

pub(crate) const SYSTEM_KIND: &str = "posix";
pub(crate) const PATH_SEPARATOR: char = ':';

/// The largest entry of the password database that we read.
const LARGEST_ENTRY: usize = 1024 * 1024;

pub(crate) fn shell_words(text: &str) -> Vec<OsString> {
    vec!["/bin/sh".into(), "-c".into(), text.into()]
}

pub(crate) fn cpu_count() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

pub(crate) fn node_name() -> String {
    let mut name = MaybeUninit::<libc::utsname>::zeroed();
    // SAFETY: `name` has room for one answer.
    if unsafe { libc::uname(name.as_mut_ptr()) } == -1 {
        return String::new();
    }
    // SAFETY: utsname is characters only; uname(2) has filled it.
    let name = unsafe { name.assume_init() };
    text(&name.nodename)
}

/// The text in a buffer, up to its NUL.
pub(crate) fn text(buffer: &[libc::c_char]) -> String {
    // A C character has a sign or none.
    let bytes = buffer.iter().flat_map(|character| character.to_ne_bytes());
    let bytes: Vec<u8> = bytes.take_while(|byte| *byte != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

pub(crate) fn error_text(number: i32) -> String {
    let mut buffer = [0 as libc::c_char; 256];
    // Unknown numbers are an error too, but have a text nevertheless.
    // SAFETY: pointer and length are of the same live buffer.
    unsafe { libc::strerror_r(number, buffer.as_mut_ptr(), buffer.len()) };
    let found = text(&buffer);
    if found.is_empty() {
        return format!("Unknown error {number}");
    }
    found
}

pub(crate) fn set_umask(mask: u32) -> u32 {
    let mask = (mask & 0o777) as libc::mode_t;
    // SAFETY: umask(2) takes a number and cannot fail.
    let before = unsafe { libc::umask(mask) };
    before as u32
}

pub(crate) fn local_time(time: SystemTime) -> LocalTime {
    let seconds = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
        // Rounded towards the past, as clocks do.
        Err(before) => {
            let before = before.duration();
            let whole = i64::try_from(before.as_secs()).unwrap_or(i64::MAX);
            -whole - i64::from(before.subsec_nanos() > 0)
        }
    };
    broken_down(seconds).unwrap_or_else(|| utc(seconds))
}

/// The local time as the system's library has it.
fn broken_down(seconds: i64) -> Option<LocalTime> {
    // Of the system's own type for seconds, which may be too small.
    let moment = raw::timespec(seconds, 0).tv_sec;
    #[allow(clippy::unnecessary_cast)]
    if moment as i64 != seconds {
        return None;
    }
    let mut parts = MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are to live values of their types.
    let found = unsafe { libc::localtime_r(&moment, parts.as_mut_ptr()) };
    if found.is_null() {
        return None;
    }
    // SAFETY: all zeros is a value of tm, and localtime_r(3) has filled it.
    let parts = unsafe { parts.assume_init() };
    let mut local = LocalTime {
        year: parts.tm_year.checked_add(1900)?,
        month: u32::try_from(parts.tm_mon + 1).ok()?,
        day: u32::try_from(parts.tm_mday).ok()?,
        hour: u32::try_from(parts.tm_hour).ok()?,
        minute: u32::try_from(parts.tm_min).ok()?,
        second: u32::try_from(parts.tm_sec).ok()?,
        offset: 0,
    };
    // Not every system tells the offset; the difference to the same clock face in UTC is it.
    local.offset = i32::try_from((as_utc(&local) - seconds).div_euclid(60)).ok()?;
    Some(local)
}

/// The time in UTC (proleptic Gregorian calendar).
fn utc(seconds: i64) -> LocalTime {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Years begin in March here, so that the leap day is the last of its year.
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    LocalTime {
        year: i32::try_from(year).unwrap_or(i32::MAX),
        month: month as u32,
        day: date as u32,
        hour: (second / 3_600) as u32,
        minute: (second / 60 % 60) as u32,
        second: (second % 60) as u32,
        offset: 0,
    }
}

/// Seconds since 1970 at which a clock in UTC shows this. The reverse of [`utc`].
fn as_utc(shown: &LocalTime) -> i64 {
    let month = i64::from(shown.month);
    let year = i64::from(shown.year) - i64::from(month <= 2);
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let month = if month > 2 { month - 3 } else { month + 9 };
    let day = (153 * month + 2) / 5 + i64::from(shown.day) - 1;
    let days = era * 146_097 + 365 * year + year / 4 - year / 100 + day - 719_468;
    days * 86_400
        + i64::from(shown.hour) * 3_600
        + i64::from(shown.minute) * 60
        + i64::from(shown.second)
}

pub(crate) fn home_directory(user: Option<&str>) -> Option<PathBuf> {
    let name = match user {
        Some(user) => Some(CString::new(user).ok()?),
        None => None,
    };
    let key = match &name {
        Some(name) => Key::Name(name),
        // SAFETY: getuid(2) takes nothing and cannot fail.
        None => Key::Number(unsafe { libc::getuid() }),
    };
    look_up(&key).map(|user| user.home)
}

pub(crate) fn user_name(uid: u32) -> Option<String> {
    look_up(&Key::Number(uid)).map(|user| user.name)
}

pub(crate) fn is_superuser() -> bool {
    // SAFETY: geteuid(2) takes nothing and cannot fail.
    unsafe { libc::geteuid() == 0 }
}

pub(crate) fn service_manager() -> Option<ServiceManager> {
    let mut name = MaybeUninit::<libc::utsname>::zeroed();
    // SAFETY: `name` has room for one answer.
    if unsafe { libc::uname(name.as_mut_ptr()) } == -1 {
        return None;
    }
    // SAFETY: utsname is characters only; uname(2) has filled it.
    let name = unsafe { name.assume_init() };
    manager_of(&text(&name.sysname))
}

/// What each system that has only one is managed by, by its own name for itself (`uname -s`).
fn manager_of(system: &str) -> Option<ServiceManager> {
    match system {
        "FreeBSD" => Some(ServiceManager::FreeBsdRc),
        "OpenBSD" => Some(ServiceManager::OpenBsdRc),
        "NetBSD" => Some(ServiceManager::NetBsdRc),
        "DragonFly" => Some(ServiceManager::DragonFlyRc),
        "SunOS" => Some(ServiceManager::Smf),
        "Darwin" => Some(ServiceManager::Launchd),
        "Haiku" => Some(ServiceManager::HaikuLaunch),
        _ => None,
    }
}

/// Whom the password database is asked for.
enum Key<'a> {
    Name(&'a CStr),
    Number(libc::uid_t),
}

/// What it knows of a user.
struct User {
    name: String,
    home: PathBuf,
}

fn look_up(key: &Key<'_>) -> Option<User> {
    let mut size = 1024;
    while size <= LARGEST_ENTRY {
        match password_entry(key, size) {
            Entry::Found(user) => return Some(user),
            Entry::Absent => return None,
            Entry::Larger => size *= 4,
        }
    }
    None
}

/// What the password database said.
enum Entry {
    Found(User),
    Absent,
    /// The buffer was too small.
    Larger,
}

fn password_entry(key: &Key<'_>, size: usize) -> Entry {
    let mut entry = MaybeUninit::<libc::passwd>::zeroed();
    let mut buffer = vec![0 as libc::c_char; size];
    let mut found = std::ptr::null_mut();
    let (room, texts) = (entry.as_mut_ptr(), buffer.as_mut_ptr());
    let error = match key {
        // SAFETY: `name` ends with NUL; `texts` has `size` bytes; the rest is room for one value.
        Key::Name(name) => unsafe {
            libc::getpwnam_r(name.as_ptr(), room, texts, size, &mut found)
        },
        // SAFETY: as for getpwnam_r.
        Key::Number(uid) => unsafe { libc::getpwuid_r(*uid, room, texts, size, &mut found) },
    };
    if error == libc::ERANGE {
        return Entry::Larger;
    }
    if error != 0 || found.is_null() {
        return Entry::Absent;
    }
    // SAFETY: all zeros is a value of passwd, and the entry was found, so it is filled.
    let entry = unsafe { entry.assume_init() };
    if entry.pw_dir.is_null() || entry.pw_name.is_null() {
        return Entry::Absent;
    }
    // SAFETY: not null, so it is a text in `buffer` that ends with NUL.
    let home = unsafe { CStr::from_ptr(entry.pw_dir) };
    // SAFETY: as above.
    let name = unsafe { CStr::from_ptr(entry.pw_name) };
    Entry::Found(User {
        name: name.to_string_lossy().into_owned(),
        home: PathBuf::from(OsStr::from_bytes(home.to_bytes())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_are_known_by_what_uname_prints() {
        assert_eq!(manager_of("SunOS"), Some(ServiceManager::Smf));
        assert_eq!(manager_of("DragonFly"), Some(ServiceManager::DragonFlyRc));
        assert_eq!(manager_of("Linux"), None);
        assert_eq!(manager_of(""), None);
    }

    #[test]
    fn the_owner_of_the_root_directory_has_a_name_and_a_home() {
        let name = user_name(0).unwrap();
        assert!(home_directory(Some(&name)).is_some());
        assert_eq!(user_name(u32::MAX - 7), None);
    }
}
