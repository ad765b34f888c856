//! What the system says about itself.

use std::process::Command;

use crate::common::output_of;
use crate::roles;

/// Runs `local_time` in a process with this time zone.
fn local_times(zone: &str, seconds: &str) -> Vec<String> {
    let output = roles::command("local time")
        .env("TZ", zone)
        .env("TIMES", seconds)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines()
        .filter_map(|line| Some(line.split_once("time ")?.1.to_owned()))
        .collect()
}

#[test]
fn local_time_is_that_of_the_zone() {
    let seconds = "0 1700000000 1709210096 -1";
    assert_eq!(
        local_times("UTC0", seconds),
        [
            "1970-01-01 00:00:00 0",
            "2023-11-14 22:13:20 0",
            "2024-02-29 12:34:56 0",
            "1969-12-31 23:59:59 0"
        ]
    );
    assert_eq!(
        local_times("ABC-5:30", seconds),
        [
            "1970-01-01 05:30:00 330",
            "2023-11-15 03:43:20 330",
            "2024-02-29 18:04:56 330",
            "1970-01-01 05:29:59 330"
        ]
    );
    assert_eq!(
        local_times("ABC8", "1700000000"),
        ["2023-11-14 14:13:20 -480"]
    );
}

#[test]
fn summer_time_has_its_own_offset() {
    assert_eq!(
        local_times("CET-1CEST,M3.5.0,M10.5.0/3", "1700000000 1720000000"),
        ["2023-11-14 23:13:20 60", "2024-07-03 11:46:40 120"]
    );
}

#[test]
fn far_times_have_no_local_time_to_fail_on() {
    // Beyond what some systems can say in local time; they say it in UTC.
    assert_eq!(
        local_times("UTC0", "32503680000"),
        ["3000-01-01 00:00:00 0"]
    );
    assert_eq!(local_times("UTC0", "9000000000000000000").len(), 1);
}

#[test]
fn error_numbers_have_the_texts_of_the_system() {
    assert_eq!(ports::error_text(libc::ENOENT), "No such file or directory");
    assert_eq!(ports::error_text(libc::EACCES), "Permission denied");
    assert!(!ports::error_text(9_999_999).is_empty());
    assert!(!ports::error_text(-1).is_empty());
}

#[test]
fn users_have_their_homes() {
    let root = ports::home_directory(Some("root")).unwrap();
    assert!(root.is_absolute());
    assert!(ports::home_directory(None).unwrap().is_absolute());
    assert_eq!(ports::home_directory(Some("no such user, surely")), None);
    assert_eq!(ports::home_directory(Some("")), None);
    assert_eq!(ports::home_directory(Some("ro\0ot")), None);
}

#[test]
fn node_name_is_that_of_uname() {
    assert_eq!(ports::node_name(), output_of("uname -n").trim_end());
}

#[test]
fn system_is_what_uname_says() {
    let name = ports::system_name();
    assert_eq!(name.system, output_of("uname -s").trim_end());
    assert_eq!(name.release, output_of("uname -r").trim_end());
    // An emulated program is told another machine than the programs that it starts.
    assert!(!name.machine.is_empty());
    assert!(ports::c_library().is_none_or(|name| !name.trim().is_empty()));
}

#[test]
fn memory_is_more_than_this_test_takes() {
    assert!(ports::memory().is_none_or(|memory| memory > 1 << 20));
}

#[test]
fn room_on_a_disk_is_what_df_says() {
    let directory = std::env::temp_dir();
    let found = ports::file_system(&directory).unwrap();
    assert!(found.free <= found.size, "{found:?}");
    assert!(!found.read_only);
    let script = format!("df -P -k '{}' | tail -n 1", directory.display());
    let line = output_of(&script);
    let mut columns = line.split_ascii_whitespace().skip(1);
    let size: u64 = columns.next().unwrap().parse().unwrap();
    assert_eq!(found.size / 1024, size);
    assert!(ports::file_system(std::path::Path::new("/no/such/place")).is_err());
}

#[test]
fn load_is_no_negative_number() {
    if let Some(load) = ports::load() {
        assert!(load.iter().all(|load| *load >= 0.0), "{load:?}");
    }
}

#[test]
fn there_is_a_processor() {
    assert!(ports::cpu_count() >= 1);
}

#[test]
fn this_kind_of_system_is_posix() {
    assert_eq!(ports::SYSTEM_KIND, "posix");
    assert_eq!(ports::PATH_SEPARATOR, ':');
}

#[test]
fn umask_is_set_for_us_and_for_steps() {
    let output = roles::command("umask").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("umask kept"), "{text}");
}

#[test]
fn roles_are_played_only_when_asked_for() {
    // `cargo test -- --ignored` must not start daemons.
    let program = roles::program();
    let status = Command::new(program)
        .args(["--ignored", "--exact", "roles::play"])
        .env_remove("ROLE")
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn steps_are_nicer_and_have_the_core_limit_that_was_asked_for() {
    let output = roles::command("limits").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("limits kept"), "{text}");
}
