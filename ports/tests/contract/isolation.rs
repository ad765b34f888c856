//! What a step gets from the worker, and what it must not keep of it.

use std::fs::File;
use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use ports::{Exit, ProcessSpec};

use crate::common::{LIMIT, Place, end, env, exit_of, output, read_all, shell, shell_in};
use crate::roles;

/// A copy of a descriptor that `exec` does not close, as a careless library makes them.
fn careless_copy(file: &File) -> OwnedFd {
    // SAFETY: F_DUPFD takes a number.
    let copy = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_DUPFD, 3) };
    assert_ne!(copy, -1);
    // SAFETY: it was just made and belongs to nobody else.
    unsafe { OwnedFd::from_raw_fd(copy) }
}

#[test]
fn only_standard_descriptors_are_inherited() {
    let file = File::open("/dev/null").unwrap();
    let _careless: Vec<OwnedFd> = (0..20).map(|_| careless_copy(&file)).collect();
    for terminal in [false, true] {
        let mut process = ports::start(&ProcessSpec {
            words: &roles::words(),
            env: &env(&[("ROLE", "descriptors")]),
            directory: Path::new("/"),
            terminal,
        })
        .unwrap();
        let text = output(&mut process);
        let open: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with("descriptor"))
            .collect();
        assert_eq!(open, ["descriptor 0", "descriptor 1", "descriptor 2"]);
    }
}

#[test]
fn running_step_does_not_hold_the_connection_of_the_worker_open() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut theirs, _) = listener.accept().unwrap();
    let process = shell("sleep 600");
    drop(ours);
    theirs.set_read_timeout(Some(LIMIT)).unwrap();
    assert_eq!(theirs.read(&mut [0; 10]).unwrap(), 0, "no end of file");
    end(process);
}

#[test]
fn running_step_does_not_hold_the_pipes_of_another_one_open() {
    for terminal in [false, true] {
        let mut first = shell("cat");
        let second = shell_in(Path::new("/"), "sleep 600", terminal);
        drop(first.take_stdin());
        assert_eq!(read_all(&mut first.take_stdout().unwrap()), b"");
        assert_eq!(exit_of(&mut first), Exit::Code(0));
        end(second);
    }
}

#[test]
fn worker_with_closed_streams_starts_steps_all_the_same() {
    let place = Place::new();
    let mut worker = roles::command("worker without streams");
    worker.current_dir(&place.0).status().unwrap();
    let found = std::fs::read_to_string(place.at("found")).unwrap();
    let lines: Vec<&str> = found.lines().collect();
    assert_eq!(lines[0], r#""out\n" Code(0)"#);
    assert_eq!(lines[1], r#""out\r\nerr\r\n" Code(0)"#);
}

#[test]
fn two_hundred_steps_leave_nothing_in_the_worker() {
    let output = roles::command("two hundred steps").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("nothing left"), "{text}{error}");
}

#[test]
fn many_open_descriptors_are_no_obstacle() {
    // More than select(2) can take.
    let file = File::open("/dev/null").unwrap();
    let mut copies = Vec::new();
    while copies
        .last()
        .is_none_or(|last: &OwnedFd| last.as_raw_fd() < 1100)
    {
        match file.try_clone() {
            Ok(copy) => copies.push(copy.into()),
            // The system has a lower limit, so this cannot happen to a worker either.
            Err(_) => return,
        }
    }
    let mut process = shell("read line; exit 8");
    drop(copies);
    drop(process.take_stdin());
    assert_eq!(exit_of(&mut process), Exit::Code(8));
    assert_eq!(end(process).killed, []);
}

#[test]
fn starting_and_ending_a_step_is_cheap() {
    let started = std::time::Instant::now();
    for _ in 0..50 {
        let mut process = crate::common::start_words(&crate::common::words(&["true"])).unwrap();
        exit_of(&mut process);
        end(process);
    }
    // A tenth of a second each would be felt; a hundredth of that is what it takes.
    let each = started.elapsed() / 50;
    assert!(each < Duration::from_millis(100), "{each:?}");
}
