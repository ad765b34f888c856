//! As process 1 of a container: orphans are reaped, steps keep their ends, signals work.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ports::{Exit, ProcessSpec, Source, StopRequest};

/// Set in the process that is to be number 1.
const ROLE: &str = "PORTS_TEST_PROCESS_ONE";

#[test]
fn process_one_reaps_orphans_and_leaves_the_steps_their_ends() {
    if std::env::var_os(ROLE).is_some() {
        return be_process_one();
    }
    let namespace = ["--pid", "--fork", "--mount-proc"];
    let permitted = Command::new("unshare").args(namespace).arg("true").output();
    if !permitted.is_ok_and(|output| output.status.success()) {
        println!("not tested: no process may be number 1 here (needs unshare and permission)");
        return;
    }
    let output = Command::new("unshare")
        .args(namespace)
        .arg(std::env::current_exe().unwrap())
        .args(["--nocapture", "--test-threads=1"])
        .env(ROLE, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("all is well"), "{text}{error}");
    // Ended by SIGTERM, as a shell shows it.
    assert_eq!(output.status.code(), Some(128 + 15), "{text}{error}");
}

fn be_process_one() {
    assert_eq!(std::process::id(), 1);
    let mut requests = ports::stop_requests().unwrap();
    let listener = std::thread::spawn(move || requests.next().unwrap());
    for round in 0..20 {
        // Its child becomes an orphan and ends as one; the shell itself nobody waits for either.
        let orphan = Command::new("/bin/sh")
            .args(["-c", "(sleep 0.05; exit 3) & exit 0"])
            .stdin(Stdio::null())
            .spawn();
        drop(orphan.unwrap());
        assert_eq!(exit_of_step(round), Exit::Code(round % 100));
    }
    until_no_children();
    println!("all is well");
    let words: Vec<OsString> = ["/bin/sh", "-c", "kill -TERM 1"].map(Into::into).to_vec();
    let asker = start(&words);
    assert_eq!(listener.join().unwrap(), StopRequest::Terminate);
    asker.end(Instant::now() + Duration::from_secs(5));
    ports::end_by(StopRequest::Terminate);
}

fn start(words: &[OsString]) -> ports::StepProcess {
    let spec = ProcessSpec {
        words,
        env: &[],
        directory: Path::new("/"),
        terminal: false,
    };
    ports::start(&spec).unwrap()
}

fn exit_of_step(code: i32) -> Exit {
    let words = ["/bin/sh".into(), "-c".into(), format!("exit {code}").into()];
    let mut process = start(&words);
    let exit = loop {
        if let Some(exit) = process.exited() {
            break exit;
        }
        ports::wait(&[Source::Exit(&process)], None).unwrap();
    };
    let ended = process.end(Instant::now() + Duration::from_secs(5));
    assert!(ended.survived.is_empty(), "{ended:?}");
    exit
}

fn until_no_children() {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let numbers = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let name = entry.unwrap().file_name();
            name.to_str()?.parse::<u32>().ok()
        });
        let others: Vec<u32> = numbers.filter(|pid| *pid != 1).collect();
        if others.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "still there: {others:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
