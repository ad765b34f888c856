//! Base directories that are not as they should be: the worker attaches all the same.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::master::{BUILDER, Master};
use crate::worker::Base;

/// Attaches in a base directory that was prepared so, and runs a step.
fn attaches(name: &str, prepare: impl Fn(&Path)) {
    let master = Master::new();
    let base = Base::new(name, master.port(), &[]);
    prepare(base.path());
    let mut worker = base.start();
    // Another program on this machine may knock at this port; it is sent away.
    let mut session = master.attach();
    let output = session.run(BUILDER, 7, "echo alive").unwrap();
    assert!(output.contains("alive\n"), "{output}");
    assert!(worker.is_alive());
}

#[test]
fn odd_files_in_info_do_not_keep_it_from_attaching() {
    attaches("info", |base| {
        let info = base.join("info");
        fs::create_dir_all(info.join("directory/deep")).unwrap();
        fs::remove_file(info.join("host")).unwrap();
        fs::create_dir(info.join("host")).unwrap();
        fs::write(info.join("binary"), [0xff, 0, 0xfe, b'\n']).unwrap();
        fs::write(info.join("empty"), "").unwrap();
        fs::write(info.join("large"), "x".repeat(2 << 20)).unwrap();
        fs::write(info.join("na\nme"), "x").unwrap();
        ports::make_link(Path::new("/nowhere/at/all"), &info.join("dangling")).unwrap();
        ports::make_link(Path::new("/dev/zero"), &info.join("zero")).unwrap();
        ports::make_link(Path::new("."), &info.join("loop")).unwrap();
        run("mkfifo", &[&info.join("fifo")]);
        let sparse = fs::File::create(info.join("sparse")).unwrap();
        sparse.set_len(1 << 40).unwrap();
    });
}

#[test]
fn an_info_that_is_a_file_does_not_keep_it_from_attaching() {
    attaches("info-file", |base| {
        fs::remove_dir_all(base.join("info")).unwrap();
        fs::write(base.join("info"), "x").unwrap()
    });
}

#[test]
fn a_log_that_cannot_be_written_does_not_keep_it_from_attaching() {
    attaches("log-directory", |base| {
        fs::create_dir(base.join("twistd.log")).unwrap();
    });
}

#[test]
fn a_log_that_is_a_fifo_without_reader_does_not_keep_it_from_attaching() {
    attaches("log-fifo", |base| {
        run("mkfifo", &[&base.join("twistd.log")])
    });
}

#[test]
fn a_place_of_its_own_that_is_a_file_does_not_keep_it_from_attaching() {
    attaches("own-file", |base| {
        fs::create_dir(base.join("twistd.hostname")).unwrap();
        fs::create_dir(base.join("shutdown.stamp")).unwrap();
    });
}

#[test]
fn a_builder_directory_that_cannot_be_made_is_the_step_s_trouble_only() {
    let master = Master::new();
    let base = Base::new("builder-file", master.port(), &[]);
    fs::write(base.join("dir"), "x").unwrap();
    let mut worker = base.start();
    let mut session = master.attach();
    session.start(BUILDER, 7, "echo alive").unwrap();
    session.wait_for_complete(7).unwrap();
    assert!(!session.shown().contains("alive\n"), "{}", session.shown());
    let request = session.set_builders(&[("b", "other")]);
    session.flush().unwrap();
    session.wait_for_answer(request).unwrap();
    let output = session.run(BUILDER, 8, "echo alive").unwrap();
    assert!(output.contains("alive\n"), "{output}");
    assert!(worker.is_alive());
}

#[test]
fn a_builder_directory_that_disappears_is_made_again() {
    let master = Master::new();
    let base = Base::new("builder-gone-directory", master.port(), &[]);
    let worker = base.start();
    let mut session = master.attach();
    fs::remove_dir_all(worker.base.join("dir")).unwrap();
    let output = session.run(BUILDER, 7, "echo alive").unwrap();
    assert!(output.contains("alive\n"), "{output}");
    let output = session
        .run(BUILDER, 8, "rm -rf ../../dir; echo gone")
        .unwrap();
    assert!(output.contains("gone\n"), "{output}");
    let output = session.run(BUILDER, 9, "echo alive").unwrap();
    assert!(output.contains("alive\n"), "{output}");
}

#[test]
fn many_leftover_directories_are_all_deleted() {
    const COUNT: usize = 300;
    let master = Master::new();
    let base = Base::new("leftovers", master.port(), &["--delete-leftover-dirs"]);
    for number in 0..COUNT {
        fs::create_dir_all(base.join(&format!("old{number}/deep"))).unwrap();
        fs::write(base.join(&format!("old{number}/deep/file")), "x").unwrap();
    }
    let worker = base.start();
    let mut session = master.attach();
    session.run(BUILDER, 7, "true").unwrap();
    let left = |directory: &Path| {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names
            .filter(|name| name.starts_with("old") || name.parse::<u64>().is_ok())
            .count()
    };
    let gone = crate::worker::becomes(std::time::Duration::from_secs(5), || {
        left(worker.base.path()) + left(&worker.base.join(".coracle/leftover")) == 0
    });
    assert!(gone, "{} are left", left(worker.base.path()));
}

fn run(program: &str, paths: &[&Path]) {
    assert!(
        Command::new(program)
            .args(paths)
            .status()
            .unwrap()
            .success()
    );
}
