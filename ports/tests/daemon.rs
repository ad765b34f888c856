//! What every port promises about daemons: locks, and processes known by their numbers. Detaching
//! itself is tested by `tests/cli.rs`, since a process of the test harness has threads.

#![allow(clippy::unwrap_used)]

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

fn place(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_file(&path);
    path
}

fn sleeper() -> Child {
    Command::new("sleep")
        .arg("600")
        .current_dir("/")
        .spawn()
        .unwrap()
}

#[test]
fn a_lock_is_held_by_one_open_file_until_it_is_closed() {
    let path = place("lock");
    let (first, second) = (File::create(&path).unwrap(), File::create(&path).unwrap());
    assert!(!ports::is_locked(&first).unwrap());
    assert!(ports::lock_file(&first).unwrap());
    assert!(!ports::lock_file(&second).unwrap());
    // Looking changes nothing.
    assert!(ports::is_locked(&second).unwrap());
    let holder = ports::lock_holder(&second);
    assert!(
        holder.is_none_or(|pid| pid == std::process::id()),
        "{holder:?}"
    );
    drop(first);
    // A child that another test is just starting has the file until it becomes a program.
    let until = Instant::now() + Duration::from_secs(20);
    while ports::is_locked(&second).unwrap() || !ports::lock_file(&second).unwrap() {
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_process_exists_until_it_is_reaped() {
    let mut child = sleeper();
    assert!(ports::process_exists(child.id()));
    ports::signal_process(child.id(), ports::Signal::KILL).unwrap();
    child.wait().unwrap();
    assert!(!ports::process_exists(child.id()));
    assert!(!ports::process_exists(0));
    assert!(!ports::process_exists(u32::MAX));
}

#[test]
fn the_start_of_a_process_never_changes() {
    let mut child = sleeper();
    assert_eq!(
        ports::process_start(child.id()),
        ports::process_start(child.id())
    );
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(ports::process_start(child.id()), None);
    assert_eq!(ports::process_start(u32::MAX), None);
}

#[test]
fn the_directory_of_a_process_is_told_or_not_but_never_wrongly() {
    let mut child = sleeper();
    // Until the child has become the program, it may still be on its way to its directory.
    let ours = std::env::current_dir().unwrap();
    if let Some(found) = ports::process_directory(child.id()) {
        assert!(found == std::path::Path::new("/") || found == ours);
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn neither_everybody_nor_the_first_process_is_ever_signalled() {
    for number in [0, 1, u32::MAX] {
        assert!(ports::signal_process(number, ports::Signal::TERM).is_err());
    }
}

#[test]
fn a_private_file_is_nobody_elses_and_never_replaces_another() {
    let path = place("private");
    drop(ports::create_private(&path).unwrap());
    assert_eq!(ports::stat(&path, true).unwrap().mode & 0o777, 0o600);
    assert!(ports::create_private(&path).is_err());
}
