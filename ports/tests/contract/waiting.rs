//! Waiting and waking.

use std::time::{Duration, Instant};

use ports::{Exit, Source};

use crate::common::{end, exit_of, shell, soon};
use crate::roles;

#[test]
fn wait_ends_at_its_deadline_and_not_before() {
    let (_waker, reader) = ports::waker().unwrap();
    for milliseconds in [0, 1, 7, 50] {
        let started = Instant::now();
        let time = Duration::from_millis(milliseconds) + Duration::from_micros(300);
        let ready = ports::wait(&[Source::Wake(&reader)], Some(started + time)).unwrap();
        assert_eq!(ready, [false]);
        assert!(started.elapsed() >= time);
    }
}

#[test]
fn deadline_in_the_past_only_looks() {
    let past = Instant::now();
    let (waker, reader) = ports::waker().unwrap();
    let look = || ports::wait(&[Source::Wake(&reader)], Some(past)).unwrap();
    assert_eq!(look(), [false]);
    waker.wake();
    assert_eq!(look(), [true]);
}

#[test]
fn wait_for_nothing_is_a_pause() {
    let started = Instant::now();
    let time = Duration::from_millis(20);
    assert_eq!(ports::wait(&[], Some(started + time)).unwrap(), []);
    assert!(started.elapsed() >= time);
}

#[test]
fn waker_wakes_another_thread() {
    let (waker, reader) = ports::waker().unwrap();
    let (asleep, told) = std::sync::mpsc::channel();
    let sleeper = std::thread::spawn(move || {
        asleep.send(()).unwrap();
        ports::wait(&[Source::Wake(&reader)], Some(soon())).unwrap()
    });
    told.recv().unwrap();
    waker.wake();
    assert_eq!(sleeper.join().unwrap(), [true]);
}

#[test]
fn wakes_that_nobody_saw_are_one_and_can_be_forgotten() {
    let (waker, mut reader) = ports::waker().unwrap();
    // More than a pipe holds: waking never blocks.
    for _ in 0..200_000 {
        waker.wake();
    }
    let look = |reader: &_| ports::wait(&[Source::Wake(reader)], Some(Instant::now())).unwrap();
    assert_eq!(look(&reader), [true]);
    reader.clear();
    assert_eq!(look(&reader), [false]);
    reader.clear();
    waker.wake();
    assert_eq!(look(&reader), [true]);
}

#[test]
fn flags_come_in_the_order_of_the_sources() {
    let mut process = shell("echo x; read line");
    let stdout = process.take_stdout().unwrap();
    let stdin = process.take_stdin().unwrap();
    let stderr = process.take_stderr().unwrap();
    ports::wait(&[Source::Readable(&stdout)], Some(soon())).unwrap();
    let (waker, reader) = ports::waker().unwrap();
    waker.wake();
    let sources = [
        Source::Readable(&stderr),
        Source::Wake(&reader),
        Source::Exit(&process),
        Source::Readable(&stdout),
        Source::Writable(&stdin),
    ];
    let ready = ports::wait(&sources, Some(soon())).unwrap();
    assert_eq!(ready, [false, true, false, true, true]);
}

#[test]
fn exit_ends_the_wait_and_every_later_one() {
    let process = shell("exit 2");
    let mut process = process;
    while process.exited().is_none() {
        let ready = ports::wait(&[Source::Exit(&process)], Some(soon())).unwrap();
        assert_eq!(ready, [true]);
    }
    assert_eq!(process.exited(), Some(Exit::Code(2)));
    for _ in 0..3 {
        let ready = ports::wait(&[Source::Exit(&process)], Some(soon())).unwrap();
        assert_eq!(ready, [true]);
    }
}

#[test]
fn answered_signal_does_not_look_like_an_exit_for_ever() {
    let mut process = shell("trap '' TERM; echo ready; read line");
    crate::common::read_to(&mut process.take_stdout().unwrap(), "ready");
    process.signal(ports::Signal::TERM).unwrap();
    assert_eq!(process.exited(), None);
    let started = Instant::now();
    let deadline = started + Duration::from_millis(30);
    let ready = ports::wait(&[Source::Exit(&process)], Some(deadline)).unwrap();
    assert_eq!(ready, [false]);
    drop(process.take_stdin());
    exit_of(&mut process);
    end(process);
}

#[test]
fn requests_to_stop_are_values() {
    let output = roles::command("stop requests").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let told: Vec<&str> = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("running"))
        .collect();
    assert_eq!(
        told,
        ["Terminate", "Interrupt", "Hangup", "Terminate", "end"],
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
