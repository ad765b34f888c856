//! Disks that are full, and directories that may not be written.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use crate::master::{BOT, BUILDER, Master};
use crate::worker::{Base, Worker, becomes, program};

/// A base directory on a disk of its own, which is full.
struct FullDisk {
    mount: PathBuf,
    // Goes after the mount.
    _base: Base,
}

impl FullDisk {
    fn new(name: &str, port: u16) -> Option<FullDisk> {
        let base = Base::new(name, port, &[]);
        let mount = base.join("small");
        fs::create_dir(&mount).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=64k", "none"])
            .arg(&mount)
            .output();
        if !mounted.is_ok_and(|output| output.status.success()) {
            println!("not tested: a file system cannot be mounted here, which takes root");
            return None;
        }
        let disk = FullDisk { mount, _base: base };
        let tac = fs::read_to_string(disk._base.join("buildbot.tac")).unwrap();
        let tac = tac.replace(
            &disk._base.path().display().to_string(),
            &disk.mount.display().to_string(),
        );
        fs::write(disk.mount.join("buildbot.tac"), tac).unwrap();
        let fill = disk.mount.join("fill");
        let mut file = fs::File::create(fill).unwrap();
        while std::io::Write::write_all(&mut file, b"x").is_ok() {}
        Some(disk)
    }

    fn run(&self, command: &str) -> Output {
        Command::new(program())
            .arg(command)
            .arg(&self.mount)
            .output()
            .unwrap()
    }
}

impl Drop for FullDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.mount).status();
    }
}

#[test]
fn a_full_disk_does_not_keep_it_from_attaching() {
    let master = Master::new();
    let Some(disk) = FullDisk::new("full", master.port()) else {
        return;
    };
    let mut child = Command::new(program())
        .args(["start", "--nodaemon"])
        .arg(&disk.mount)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut session = master.accept();
    let login = session.greet().unwrap();
    let respond = session.challenge(login).unwrap();
    let info = session.master.call(BOT, "getWorkerInfo", &[]);
    let builders = session.set_builders(&[("b", "dir")]);
    session.flush().unwrap();
    session.wait_for_answer(info).unwrap();
    session.wait_for_answer(builders).unwrap();
    session.let_in(respond).unwrap();
    session.start(BUILDER, 7, "echo alive").unwrap();
    session.wait_for_complete(7).unwrap();
    assert!(child.try_wait().unwrap().is_none());
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_daemon_on_a_full_disk_is_started_found_and_stopped() {
    let master = Master::new();
    let Some(disk) = FullDisk::new("full-daemon", master.port()) else {
        return;
    };
    let session = std::thread::spawn(move || {
        let mut session = master.attach();
        // The log has room then. The worker may be stopped before it has told the end of the step.
        let _ = session.run(BUILDER, 7, "rm ../../fill");
        session.wait_for_end(Duration::from_secs(60))
    });
    let started = disk.run("start");
    let shown = String::from_utf8_lossy(&started.stdout).into_owned();
    assert!(shown.contains("attached to the master"), "{started:?}");
    let pid = shown.trim().rsplit(' ').next().unwrap().to_owned();
    assert!(!fs::read_to_string(disk.mount.join("twistd.pid")).is_ok_and(|text| text == pid));
    let again = disk.run("start");
    assert_eq!(again.status.code(), Some(1));
    let why = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(why.contains(&format!("process {pid}")), "{why}");
    let gone = || !disk.mount.join("fill").exists();
    assert!(becomes(Duration::from_secs(20), gone));
    let stopped = disk.run("stop");
    let shown = String::from_utf8_lossy(&stopped.stdout).into_owned();
    assert_eq!(shown, format!("worker process {pid} is dead\n"));
    assert!(session.join().unwrap().is_some());
    let log = fs::read_to_string(disk.mount.join("twistd.log")).unwrap();
    assert!(log.contains("Server Shut Down."), "{log}");
}

/// The program as an ordinary user, whom nothing but the directory mode keeps out.
fn as_nobody() -> Command {
    if !is_root() {
        return Command::new(program());
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    command.arg(program());
    command
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
}

/// Whether there is such a user who can run the program.
fn nobody_can() -> bool {
    let possible = as_nobody().arg("--version").output();
    let possible = possible.is_ok_and(|output| output.status.success());
    if !possible {
        println!("not tested: no ordinary user can run the program from here");
    }
    possible
}

fn give_away(path: &Path) {
    if is_root() {
        let mut command = Command::new("chown");
        command.args(["-R", "65534:65534"]).arg(path);
        assert!(command.status().unwrap().success());
    }
}

#[test]
fn a_directory_that_may_not_be_written_is_told_with_what_to_do() {
    if !nobody_can() {
        return;
    }
    let base = Base::new("read-only", 9, &[]);
    give_away(base.path());
    ports::set_mode(base.path(), 0o555).unwrap();
    for words in [&["start"][..], &["start", "--nodaemon"]] {
        let output = as_nobody().args(words).arg(base.path()).output().unwrap();
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{why}");
        let expected =
            "Permission denied; does the directory belong to the user that runs the worker?";
        assert!(
            why.starts_with("cannot lock ") && why.contains(expected),
            "{why}"
        );
        assert_eq!(why.lines().count(), 1, "{why}");
    }
    ports::set_mode(base.path(), 0o755).unwrap();
}

#[test]
fn a_directory_that_may_not_be_written_any_more_does_not_keep_it_from_attaching() {
    if !nobody_can() {
        return;
    }
    let master = Master::new();
    let base = Base::new("read-only-later", master.port(), &[]);
    fs::create_dir(base.join(".coracle")).unwrap();
    fs::create_dir(base.join("dir")).unwrap();
    give_away(base.path());
    ports::set_mode(base.path(), 0o555).unwrap();
    let child = as_nobody()
        .args(["start", "--nodaemon"])
        .arg(base.path())
        .spawn()
        .unwrap();
    let mut worker = Worker { child, base };
    let output = master.attach().run(BUILDER, 7, "echo alive").unwrap();
    assert!(output.contains("alive\n"), "{output}");
    assert!(worker.is_alive());
    ports::set_mode(worker.base.path(), 0o755).unwrap();
}
