//! The command line of the built program: texts, exit codes, and what is left on disk.

// Helpers of tests may panic like tests.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

const CORACLE: &str = env!("CARGO_BIN_EXE_coracle");

/// The program under its other name.
fn buildbot_worker() -> &'static Path {
    static LINK: OnceLock<PathBuf> = OnceLock::new();
    LINK.get_or_init(|| {
        let link = new_directory().join("buildbot-worker");
        ports::make_link(Path::new(CORACLE), &link).unwrap();
        link
    })
}

fn new_directory() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("cli-{}-{number}", std::process::id());
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path.canonicalize().unwrap()
}

fn run(program: impl AsRef<Path>, words: &[&str]) -> Output {
    Command::new(program.as_ref()).args(words).output().unwrap()
}

fn out(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn err(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

/// A base directory, and a master that accepts connections and says nothing. What it started is
/// stopped with it.
struct Place {
    directory: PathBuf,
    _master: TcpListener,
}

impl Place {
    fn new(options: &[&str]) -> Place {
        let directory = new_directory();
        let master = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = master.local_addr().unwrap().to_string();
        let mut words = vec!["create-worker", "-q"];
        words.extend(options);
        words.extend([directory.to_str().unwrap(), &address, "w", "p"]);
        let output = run(CORACLE, &words);
        assert_eq!(
            (code(&output), out(&output), err(&output)),
            (Some(0), "", "")
        );
        Place {
            directory,
            _master: master,
        }
    }

    fn text(&self) -> &str {
        self.directory.to_str().unwrap()
    }

    fn run(&self, words: &[&str]) -> Output {
        let words = [words, &[self.text()]].concat();
        run(CORACLE, &words)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.directory.join(name)).unwrap()
    }

    fn pid(&self) -> u32 {
        self.read("twistd.pid").parse().unwrap()
    }

    fn mode(&self, name: &str) -> u32 {
        ports::stat(&self.directory.join(name), true).unwrap().mode & 0o777
    }

    /// A worker in the foreground, after it has said that it tries to connect.
    fn foreground(&self) -> (Child, BufReader<impl Read + use<>>) {
        let mut child = Command::new(CORACLE)
            .args(["start", "--nodaemon", self.text()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains("Connecting to") {
            line.clear();
            assert_ne!(lines.read_line(&mut line).unwrap(), 0, "ended too early");
        }
        (child, lines)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = Command::new(CORACLE)
            .args(["stop", "-q", self.text()])
            .output();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// The exit of the program as a shell shows it.
fn status(child: &mut Child) -> String {
    child.wait().unwrap().to_string()
}

#[test]
fn the_version_is_told_under_both_names() {
    let version = env!("CARGO_PKG_VERSION");
    let output = run(CORACLE, &["--version"]);
    assert_eq!(out(&output), format!("coracle {version}\n"));
    let output = run(buildbot_worker(), &["--version"]);
    assert!(out(&output).starts_with(&format!("worker version: {version}\n")));
    assert_eq!(out(&output).lines().count(), 2);
}

#[test]
fn what_cannot_be_obeyed_is_one_clear_line_and_exit_1() {
    for (words, expected) in [
        (
            &[][..],
            "coracle: must specify a command; see `coracle --help`\n",
        ),
        (
            &["frob"],
            "coracle: unknown command frob; see `coracle --help`\n",
        ),
        (
            &["start", "--frob"],
            "coracle: unknown option --frob; see `coracle start --help`\n",
        ),
        (
            &["start", "a", "b"],
            "coracle: Unrecognized argument: b; see `coracle start --help`\n",
        ),
        (
            &["create-worker", "a", "h", "n"],
            "coracle: incorrect number of arguments: needs BASEDIR MASTER NAME PASSWD; see `coracle create-worker --help`\n",
        ),
    ] {
        let output = run(CORACLE, words);
        assert_eq!(
            (code(&output), out(&output), err(&output)),
            (Some(1), "", expected)
        );
    }
}

#[test]
fn a_timeout_is_for_a_drain() {
    let output = run(CORACLE, &["stop", "--timeout", "5"]);
    let expected = "coracle: --timeout is for --drain; see `coracle stop --help`\n";
    assert_eq!((code(&output), err(&output)), (Some(1), expected));
    let output = run(CORACLE, &["stop", "--drain", "--timeout", "soon"]);
    assert_eq!(code(&output), Some(1));
    assert!(err(&output).contains("soon"), "{}", err(&output));
}

#[test]
fn under_the_other_name_usage_errors_look_like_that_programs() {
    let output = run(
        buildbot_worker(),
        &["create-worker", "--keepalive=x", "d", "h", "n", "p"],
    );
    assert_eq!((code(&output), err(&output)), (Some(1), ""));
    let text = out(&output);
    assert!(
        text.starts_with("buildbot-worker:  keepalive must be a number, not x\n\nUsage: "),
        "{text}"
    );
    let output = run(buildbot_worker(), &[]);
    assert!(out(&output).starts_with("buildbot-worker:  must specify a command\n\nUsage: "));
}

#[test]
fn help_is_printed_and_is_no_error() {
    for words in [
        &["--help"][..],
        &["-h"],
        &["start", "-h"],
        &["create-worker", "--help"],
    ] {
        let output = run(CORACLE, words);
        assert_eq!((code(&output), err(&output)), (Some(0), ""));
        assert!(out(&output).starts_with("Usage: coracle"));
    }
}

#[test]
fn create_worker_tells_what_it_does() {
    let directory = new_directory().join("w");
    let shown = directory.to_str().unwrap();
    let output = run(
        CORACLE,
        &[
            "create-worker",
            "--umask=0o22",
            "-r",
            shown,
            "h:1",
            "n",
            "-p",
        ],
    );
    let expected = format!(
        "mkdir {shown}\nmkdir {shown}/info\n\
         Creating info/admin, you need to edit it appropriately.\n\
         Creating info/host, you need to edit it appropriately.\n\
         Not creating info/access_uri - add it if you wish\n\
         Please edit the files in {shown}/info appropriately.\n\
         worker configured in {shown}\n"
    );
    assert_eq!(
        (code(&output), out(&output), err(&output)),
        (Some(0), expected.as_str(), "")
    );
    let tac = fs::read_to_string(directory.join("buildbot.tac")).unwrap();
    for line in ["basedir = '.'", "port = 1", "passwd = '-p'", "umask = 0o22"] {
        assert!(tac.lines().any(|known| known == line), "{line}");
    }
}

#[test]
fn create_worker_that_fails_says_so_and_exits_1() {
    let missing = new_directory().join("a/b");
    let shown = missing.to_str().unwrap();
    let output = run(CORACLE, &["create-worker", shown, "h", "n", "p"]);
    let expected = format!(
        "mkdir {shown}\ncannot make directory {shown}: No such file or directory\n\
         failed to configure worker in {shown}\n"
    );
    assert_eq!((code(&output), out(&output)), (Some(1), expected.as_str()));
}

#[test]
fn the_password_comes_from_a_file_standard_input_or_the_environment() {
    let parent = new_directory();
    let file = parent.join("password");
    fs::write(&file, "from file\nmore\n").unwrap();
    let ways = [
        ("--passwd-file", file.to_str().unwrap(), "from file"),
        ("--passwd-file", "-", "from input"),
        ("--passwd-env", "SECRET_FOR_TEST", "from variable"),
    ];
    for (at, (option, value, expected)) in ways.into_iter().enumerate() {
        let directory = parent.join(at.to_string());
        let mut child = Command::new(CORACLE)
            .args(["create-worker", "-q", option, value])
            .arg(&directory)
            .args(["h", "n"])
            .env("SECRET_FOR_TEST", "from variable")
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let _ = child.stdin.take().unwrap().write_all(b"from input\n");
        assert!(child.wait().unwrap().success());
        let tac = fs::read_to_string(directory.join("buildbot.tac")).unwrap();
        assert!(
            tac.contains(&format!("passwd = '{expected}'\n")),
            "{option} {value}"
        );
    }
    let output = run(
        CORACLE,
        &[
            "create-worker",
            "--passwd-env",
            "NOT_SET_FOR_TEST",
            "d",
            "h",
            "n",
        ],
    );
    assert!(err(&output).contains("NOT_SET_FOR_TEST"));
    let output = run(
        CORACLE,
        &[
            "create-worker",
            "--passwd-file",
            "/nonexistent",
            "d",
            "h",
            "n",
        ],
    );
    assert!(err(&output).contains("cannot read the password from /nonexistent"));
}

#[test]
fn a_directory_that_is_no_workers_is_refused_by_every_command() {
    let directory = new_directory();
    let shown = directory.to_str().unwrap();
    let expected = format!(
        "error reading '{shown}/buildbot.tac': No such file or directory\n\
         invalid worker directory '{shown}'\n"
    );
    for command in ["start", "stop", "restart"] {
        let output = run(CORACLE, &[command, shown]);
        assert_eq!(
            (code(&output), out(&output), err(&output)),
            (Some(1), "", expected.as_str())
        );
        let output = run(buildbot_worker(), &[command, shown]);
        assert_eq!(
            (code(&output), out(&output), err(&output)),
            (Some(1), expected.as_str(), "")
        );
    }
}

#[test]
fn a_wrong_file_is_told_before_anything_is_started() {
    let place = Place::new(&[]);
    let tac = place
        .read("buildbot.tac")
        .replace("umask = None", "umask = 'x'");
    fs::write(place.directory.join("buildbot.tac"), tac).unwrap();
    for words in [&["start"][..], &["start", "--nodaemon"]] {
        let output = place.run(words);
        assert_eq!(code(&output), Some(1));
        assert!(err(&output).contains("umask must be None or a whole number"));
    }
    assert!(!place.directory.join("twistd.log").exists());
}

#[test]
fn a_worker_in_the_foreground_logs_and_ends_by_the_signal() {
    let place = Place::new(&["--no-logrotate"]);
    let (mut child, mut lines) = place.foreground();
    assert!(!place.directory.join("twistd.pid").exists());
    assert!(!place.directory.join("twistd.log").exists());
    ports::signal_process(child.id(), ports::Signal::TERM).unwrap();
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    assert!(
        rest.contains("[-] Received SIGTERM, shutting down.\n"),
        "{rest}"
    );
    assert!(rest.ends_with("[-] Server Shut Down.\n"), "{rest}");
    assert!(status(&mut child).contains("signal: 15"));
    let hostname = place.read("twistd.hostname");
    assert_eq!(hostname, format!("{}\n", ports::node_name()));
}

#[test]
fn with_a_log_block_the_foreground_logs_to_the_file() {
    let place = Place::new(&["--umask=0o26"]);
    let mut child = Command::new(CORACLE)
        .args(["start", "--nodaemon", place.text()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // The lock is held as soon as the worker runs, and the log written soon after.
    wait_until(|| {
        fs::read_to_string(place.directory.join("twistd.log"))
            .is_ok_and(|log| log.contains("Connecting"))
    });
    let output = place.run(&["stop"]);
    assert_eq!(
        out(&output),
        format!("worker process {} is dead\n", child.id())
    );
    let mut printed = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut printed)
        .unwrap();
    child.wait().unwrap();
    assert_eq!(printed, "");
    let log = place.read("twistd.log");
    let first = log.lines().next().unwrap();
    let (time, text) = first.split_once(" [-] ").unwrap();
    assert_eq!(
        text,
        format!(
            "Starting Worker -- version: coracle {}",
            env!("CARGO_PKG_VERSION")
        )
    );
    let shape: String = time
        .chars()
        .map(|sign| if sign.is_ascii_digit() { '0' } else { sign })
        .collect();
    assert_eq!(shape.replace('-', "+"), "0000+00+00 00:00:00+0000");
    assert!(log.contains("[-] recording hostname in twistd.hostname\n"));
    assert_eq!(place.mode("twistd.log"), 0o640);
}

/// Waits for what another process does soon; nothing tells us when it has.
fn wait_until(done: impl Fn() -> bool) {
    for _ in 0..2000 {
        if done() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("it did not happen");
}

#[test]
fn a_daemon_is_started_found_and_stopped() {
    let place = Place::new(&[]);
    let output = place.run(&["start", "-q"]);
    assert_eq!(
        (code(&output), out(&output), err(&output)),
        (Some(0), "", "")
    );
    let pid = place.pid();
    assert!(ports::process_exists(pid));
    assert_eq!(place.mode("twistd.pid"), 0o600);
    // What it prints, and what its last words may be, are in the log, where the system shows it.
    for printed in [1, 2] {
        if let Ok(file) = fs::read_link(format!("/proc/{pid}/fd/{printed}")) {
            assert_eq!(file.file_name().unwrap(), "twistd.log");
        }
    }

    let output = place.run(&["start"]);
    let expected =
        format!("a worker already runs here, process {pid}; stop it with `coracle stop`\n");
    assert_eq!((code(&output), err(&output)), (Some(1), expected.as_str()));
    let output = run(buildbot_worker(), &["start", place.text()]);
    let expected = format!("Another twistd server is running, PID {pid}\n");
    assert_eq!(code(&output), Some(1));
    assert!(err(&output).starts_with(&expected));
    let output = place.run(&["start", "--nodaemon"]);
    assert_eq!(code(&output), Some(1));
    assert_eq!(place.pid(), pid);

    let output = place.run(&["stop"]);
    assert_eq!(
        (code(&output), out(&output)),
        (Some(0), format!("worker process {pid} is dead\n").as_str())
    );
    assert!(!place.directory.join("twistd.pid").exists());
    assert!(place.read("twistd.log").ends_with("Server Shut Down.\n"));
    let output = place.run(&["stop"]);
    assert_eq!(
        (code(&output), out(&output)),
        (Some(0), "worker not running\n")
    );
}

#[test]
fn a_drain_without_a_master_to_wait_for_ends_the_worker_at_once() {
    let place = Place::new(&["-n"]);
    let (mut child, mut lines) = place.foreground();
    // Nobody would ever end this wait if the worker did not end by itself.
    let output = place.run(&["stop", "--drain"]);
    let pid = child.id();
    let expected = format!(
        "worker process {pid} ends when its builds are over; stop it again to end it now\n\
         worker process {pid} is dead\n"
    );
    assert_eq!(
        (code(&output), out(&output), err(&output)),
        (Some(0), expected.as_str(), "")
    );
    let mut log = String::new();
    lines.read_to_string(&mut log).unwrap();
    assert!(log.contains("Received SIGUSR2, shutting down."), "{log}");
    assert_eq!(status(&mut child), "exit status: 0");
    let output = place.run(&["stop", "--drain", "--timeout=1"]);
    assert_eq!(
        (code(&output), out(&output)),
        (Some(0), "worker not running\n")
    );
}

#[test]
fn a_restart_replaces_the_daemon() {
    let place = Place::new(&[]);
    let output = place.run(&["restart", "--quiet"]);
    assert_eq!(
        (code(&output), out(&output), err(&output)),
        (Some(0), "", "")
    );
    let first = place.pid();
    let output = run(buildbot_worker(), &["restart", "-q", place.text()]);
    assert_eq!(code(&output), Some(0));
    assert_ne!(place.pid(), first);
    // Gone, or about to be reaped by whoever adopts daemons.
    wait_until(|| !ports::process_exists(first));
    place.run(&["stop"]);
}

#[test]
fn a_daemon_that_was_killed_leaves_nothing_in_the_way() {
    let place = Place::new(&[]);
    place.run(&["start", "-q"]);
    let pid = place.pid();
    ports::signal_process(pid, ports::Signal::KILL).unwrap();
    wait_until(|| !ports::process_exists(pid));
    assert_eq!(place.pid(), pid);
    let output = place.run(&["start", "-q"]);
    assert_eq!((code(&output), err(&output)), (Some(0), ""));
    assert_ne!(place.pid(), pid);
    let second = place.pid();
    ports::signal_process(second, ports::Signal::KILL).unwrap();
    wait_until(|| !ports::process_exists(second));
    let output = place.run(&["stop"]);
    assert_eq!(
        (code(&output), out(&output)),
        (
            Some(0),
            format!("worker process {second} is dead\n").as_str()
        )
    );
    assert!(!place.directory.join("twistd.pid").exists());
}

#[test]
fn a_stranger_with_the_number_in_the_pid_file_is_never_signalled() {
    let place = Place::new(&[]);
    let mut stranger = Command::new("sleep").arg("600").spawn().unwrap();
    let pid_file = place.directory.join("twistd.pid");
    fs::write(&pid_file, stranger.id().to_string()).unwrap();
    let output = place.run(&["stop"]);
    assert_eq!(code(&output), Some(0));
    assert!(out(&output).contains(&format!(
        "process {} is not this directory's worker",
        stranger.id()
    )));
    assert!(out(&output).ends_with("worker not running\n"));
    assert!(!pid_file.exists());
    fs::write(&pid_file, stranger.id().to_string()).unwrap();
    let output = place.run(&["start", "-q"]);
    assert_eq!((code(&output), err(&output)), (Some(0), ""));
    assert_ne!(place.pid(), stranger.id());
    place.run(&["stop"]);
    assert!(stranger.try_wait().unwrap().is_none());
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[test]
fn another_programs_worker_in_the_directory_is_neither_signalled_nor_joined() {
    let place = Place::new(&[]);
    let mut other = Command::new("sleep")
        .arg("600")
        .current_dir(&place.directory)
        .spawn()
        .unwrap();
    fs::write(place.directory.join("twistd.pid"), other.id().to_string()).unwrap();
    if ports::process_directory(other.id()).is_some() {
        for words in [&["stop"][..], &["start"], &["start", "--nodaemon"]] {
            let output = place.run(words);
            assert_eq!(code(&output), Some(1), "{words:?}");
            assert!(
                err(&output).contains(&format!("process {} works in this directory", other.id()))
            );
        }
        assert!(other.try_wait().unwrap().is_none());
    }
    other.kill().unwrap();
    other.wait().unwrap();
}

#[test]
fn a_daemon_that_cannot_start_says_why_to_whoever_started_it() {
    let place = Place::new(&[]);
    fs::write(place.directory.join(".coracle"), "in the way").unwrap();
    let output = place.run(&["start", "-q"]);
    assert_eq!(code(&output), Some(1));
    assert!(err(&output).contains("cannot lock"), "{}", err(&output));
    let protocol = Place::new(&["--protocol=frob"]);
    let output = protocol.run(&["start", "-q"]);
    assert_eq!(code(&output), Some(1));
    assert!(err(&output).contains("protocol must be"));
}
