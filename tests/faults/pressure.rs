//! Masters that do not read, steps that never stop talking, and many steps: memory, descriptors,
//! threads and processes stay where they were.

use std::time::Duration;

use coracle::wire::jelly::Value;

use crate::connections::marker;
use crate::master::{BUILDER, Master};
use crate::support::fake_master::{dict, text};
use crate::worker::{Worker, becomes, processes_with};

#[test]
fn a_master_that_stops_reading_costs_no_memory_and_can_still_interrupt() {
    let master = Master::new();
    let worker = Worker::start("stuck", master.port());
    let mut session = master.attach();
    session.acknowledges = false;
    let marker = marker();
    session
        .start(BUILDER, 7, &format!("(sleep {marker} &) ; yes"))
        .unwrap();
    std::thread::sleep(Duration::from_secs(2));
    let memory = worker.peak();
    assert!(memory < 10 * 1024, "{memory} KiB");
    session.interrupt(BUILDER, 7).unwrap();
    assert!(becomes(Duration::from_secs(3), || processes_with(&marker) == 0));
    session.wait_for_complete(7).unwrap();
}

#[test]
fn a_step_that_a_master_holds_back_is_not_silent_but_its_time_runs() {
    let master = Master::new();
    let worker = Worker::start("held", master.port());
    let mut session = master.attach();
    session.acknowledges = false;
    let arguments = dict(&[
        ("workdir", text("build")),
        ("command", text("yes")),
        ("timeout", Value::Int(1)),
        ("maxTime", Value::Int(3)),
    ]);
    session
        .start_command(BUILDER, 7, "shell", arguments)
        .unwrap();
    // Nothing is read meanwhile: what is under way fills the sockets, then the worker, then the pipe.
    std::thread::sleep(Duration::from_secs(4));
    let memory = worker.peak();
    assert!(memory < 10 * 1024, "{memory} KiB");
    session.wait_for_complete(7).unwrap();
    let shown = session.shown();
    assert!(shown.contains("3 seconds elapsed running"), "{shown:.200}");
    assert!(!shown.contains("without output"));
}

#[test]
fn the_end_of_a_master_that_does_not_read_is_noticed() {
    const FLOODS: i64 = 100;
    let master = Master::new();
    let worker = Worker::start("stuck-end", master.port());
    let mut session = master.attach();
    let names: Vec<String> = (0..FLOODS).map(|number| format!("b{number}")).collect();
    let pairs: Vec<_> = names.iter().map(|name| (name.as_str(), "b")).collect();
    let request = session.set_builders(&pairs);
    session.flush().unwrap();
    session.wait_for_answer(request).unwrap();
    for number in 0..FLOODS {
        let id = text(&number.to_string());
        let call = [
            Value::Remote(100 + number),
            id,
            text("shell"),
            shell("yes", false),
        ];
        // The first builder of the list is the object after those of the first attachment.
        session
            .master
            .call(BUILDER + 1 + number, "startCommand", &call);
    }
    session.flush().unwrap();
    // More waits for the master than the worker wants to keep, so it listens to nothing new.
    assert!(becomes(Duration::from_secs(10), || worker.memory() > 25 * 1024));
    session.close();
    assert!(master.accept_within(Duration::from_secs(8)).is_some());
    assert!(worker.children().is_empty());
}

#[test]
fn two_floods_share_the_link_and_a_third_builder_is_served() {
    let master = Master::new();
    let worker = Worker::start("floods", master.port());
    let mut session = master.attach();
    let request = session.set_builders(&[("b", "b"), ("c", "c"), ("d", "d")]);
    session.flush().unwrap();
    let Value::Dict(objects) = session.wait_for_answer(request).unwrap() else {
        panic!("no builders")
    };
    let object = |name: &str| match objects.iter().find(|(key, _)| *key == text(name)) {
        Some((_, Value::Remote(luid))) => *luid,
        other => panic!("{other:?}"),
    };
    session.start(object("b"), 7, "yes bbbbbbbb").unwrap();
    session.start(object("c"), 8, "yes cccccccc").unwrap();
    for number in 0..5 {
        let command = 100 + number;
        session.start(object("d"), command, "echo d").unwrap();
        session.wait_for_complete(command).unwrap();
        session.output.clear();
    }
    session.interrupt(object("b"), 7).unwrap();
    session.interrupt(object("c"), 8).unwrap();
    session.wait_for_complete(7).unwrap();
    session.wait_for_complete(8).unwrap();
    let memory = worker.peak();
    assert!(memory < 12 * 1024, "{memory} KiB");
}

#[test]
fn steps_of_all_kinds_leave_no_descriptor_thread_or_process_behind() {
    let master = Master::new();
    let worker = Worker::start("leaks", master.port());
    let mut session = master.attach();
    let mut command = 10;
    let mut round = |session: &mut crate::master::Session| {
        let base = worker.base.join("dir").display().to_string();
        let path = |name: &str| text(&format!("{base}/{name}"));
        let kinds: Vec<(&str, Value)> = vec![
            ("shell", shell("true", false)),
            ("shell", shell("echo x; exit 3", true)),
            ("shell", shell("(sleep 1000 >/dev/null 2>&1 &)", false)),
            ("shell", shell("kill -9 $$", false)),
            ("mkdir", dict(&[("dir", Value::List(vec![path("new")]))])),
            ("stat", dict(&[("file", path("new"))])),
            ("glob", dict(&[("path", path("*"))])),
            ("listdir", dict(&[("dir", path(""))])),
            ("rmdir", dict(&[("dir", Value::List(vec![path("new")]))])),
            ("rmfile", dict(&[("path", path("none"))])),
            ("nonsense", dict(&[])),
        ];
        for (name, arguments) in kinds {
            command += 1;
            let id = text(&command.to_string());
            let call = [Value::Remote(command), id, text(name), arguments];
            let request = session.master.call(BUILDER, "startCommand", &call);
            session.flush().unwrap();
            if name == "nonsense" {
                session.wait_for(|message| matches!(message, crate::support::fake_master::Message::Error { request: r, .. } if *r == request)).unwrap();
                continue;
            }
            session.wait_for_answer(request).unwrap();
            session.wait_for_complete(command).unwrap();
        }
    };
    round(&mut session);
    let settled = |descriptors: usize| {
        becomes(Duration::from_secs(3), || {
            worker.threads() <= 4
                && worker.children().is_empty()
                && worker.descriptors() <= descriptors
        })
    };
    assert!(settled(usize::MAX), "{} threads", worker.threads());
    let (descriptors, memory) = (worker.descriptors(), worker.memory());
    for _ in 0..15 {
        round(&mut session);
    }
    assert!(
        settled(descriptors),
        "{} threads, children {:?}, {} descriptors after {descriptors}",
        worker.threads(),
        worker.children(),
        worker.descriptors()
    );
    let grown = worker.memory().saturating_sub(memory);
    assert!(grown < 2048, "{grown} KiB more");
}

fn shell(script: &str, terminal: bool) -> Value {
    dict(&[
        ("workdir", text("build")),
        ("command", text(script)),
        ("usePTY", Value::Bool(terminal)),
    ])
}
