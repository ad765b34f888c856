//! The end of the worker, asked for or not, while steps run.

use std::fs;
use std::process::ExitStatus;
use std::time::Duration;

use coracle::wire::jelly::Value;

use crate::connections::marker;
use crate::master::{BUILDER, Master};
use crate::support::fake_master::{dict, text};
use crate::worker::{Base, Worker, becomes, processes_with};

/// A script whose processes try to get away, and which then says `ready` and stays.
pub fn escape_artists(marker: &str) -> String {
    format!(
        "trap '' HUP TERM INT; \
         (setsid sleep {marker} </dev/null >/dev/null 2>&1 &) ; \
         (setsid sh -c 'trap \"\" TERM HUP; (sleep {marker} &) ; exec sleep {marker}' & ) ; \
         sleep 0.2; echo rea''dy; sleep {marker}"
    )
}

/// As `twistd` ends: by the signal that asked for it, once everything is put away.
fn ended_by(name: &str, status: ExitStatus) -> bool {
    status.to_string().contains(&format!("(SIG{name})"))
}

#[test]
fn a_worker_that_is_killed_takes_its_steps_along_and_starts_again() {
    let master = Master::new();
    let worker = Worker::start("kill", master.port());
    let mut session = master.attach();
    let marker = marker();
    session.start(BUILDER, 7, &escape_artists(&marker)).unwrap();
    session.wait_for_output("ready").unwrap();
    let base = worker.kill();
    let gone = becomes(Duration::from_secs(2), || processes_with(&marker) == 0);
    assert!(gone, "{} are left", processes_with(&marker));
    let mut worker = base.start();
    master.attach().run(BUILDER, 8, "true").unwrap();
    assert!(worker.is_alive());
}

#[test]
fn the_half_file_of_a_killed_download_is_gone_after_the_next_start() {
    let master = Master::new();
    let worker = Worker::start("kill-download", master.port());
    let mut session = master.attach();
    let arguments = [
        ("workdir", text("build")),
        ("workerdest", text("deep/file")),
        ("reader", Value::Remote(8)),
        ("blocksize", Value::Int(1000)),
        ("maxsize", Value::None),
        ("mode", Value::None),
    ];
    session
        .start_command(BUILDER, 7, "downloadFile", dict(&arguments))
        .unwrap();
    let (request, _) = session.wait_for_call("read").unwrap();
    session
        .master
        .answer(request, &Value::Bytes(vec![b'x'; 1000]));
    session.flush().unwrap();
    let directory = worker.base.join("dir/build/deep");
    let parts = || {
        let entries = fs::read_dir(&directory).into_iter().flatten().flatten();
        let sizes = entries.map(|entry| entry.metadata().map_or(0, |found| found.len()));
        sizes.collect::<Vec<_>>()
    };
    assert!(becomes(Duration::from_secs(5), || parts() == [1000]));
    let base = worker.kill();
    assert_eq!(parts(), [1000]);
    let worker = base.start();
    master.attach().run(BUILDER, 8, "true").unwrap();
    assert_eq!(parts(), [0; 0]);
    let log = worker.log();
    assert!(
        log.contains("removed what a download had left half done"),
        "{log}"
    );
}

#[test]
fn a_worker_that_is_asked_to_end_ends_its_step_and_says_goodbye() {
    for name in ["TERM", "INT"] {
        let master = Master::new();
        let mut worker = Worker::start("term", master.port());
        let mut session = master.attach();
        let marker = marker();
        session.start(BUILDER, 7, &escape_artists(&marker)).unwrap();
        session.wait_for_output("ready").unwrap();
        worker.signal(name);
        assert!(session.wait_for_end(Duration::from_secs(3)).is_some());
        let status = worker.wait(Duration::from_secs(5)).unwrap();
        assert!(ended_by(name, status), "{status}");
        assert_eq!(processes_with(&marker), 0);
        assert!(worker.log().contains("Server Shut Down."));
    }
}

#[test]
fn a_second_request_to_end_is_no_worse_than_one() {
    let master = Master::new();
    let mut worker = Worker::start("term-twice", master.port());
    let mut session = master.attach();
    let marker = marker();
    session.start(BUILDER, 7, &escape_artists(&marker)).unwrap();
    session.wait_for_output("ready").unwrap();
    for _ in 0..20 {
        // It may be gone already.
        let _ = std::process::Command::new("kill")
            .args(["-s", "TERM", &worker.child.id().to_string()])
            .stderr(std::process::Stdio::null())
            .status();
    }
    let status = worker.wait(Duration::from_secs(5)).unwrap();
    assert!(ended_by("TERM", status), "{status}");
    assert_eq!(processes_with(&marker), 0);
}

#[test]
fn a_request_to_end_is_heard_while_the_steps_of_a_lost_master_end() {
    let master = Master::new();
    let mut worker = Worker::start("term-between", master.port());
    // Monitors that are stopped take a while to end, so the worker is at it when the signal comes.
    let mut session = master.attach();
    let marker = marker();
    session
        .start(
            BUILDER,
            7,
            &format!("echo rea''dy; sleep {marker} & kill -s STOP $$"),
        )
        .unwrap();
    session.wait_for_output("ready").unwrap();
    session.close();
    worker.signal("TERM");
    let status = worker.wait(Duration::from_secs(8)).unwrap();
    assert!(ended_by("TERM", status), "{status}");
    assert_eq!(processes_with(&marker), 0);
}

#[test]
fn a_request_to_end_is_heard_between_two_attempts() {
    // Where no other test's master may come up.
    let mut worker = Base::at("term-waiting", "127.0.0.78:9", &[]).start();
    assert!(becomes(Duration::from_secs(5), || worker
        .log()
        .contains("Scheduling retry 1")));
    worker.signal("TERM");
    let status = worker.wait(Duration::from_millis(1500)).unwrap();
    assert!(ended_by("TERM", status), "{status}");
}
