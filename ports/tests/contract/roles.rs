//! Other processes that tests need: workers that are killed, programs that try to get away. Each is
//! this test program again with the name of a role in `ROLE`, so that nothing has to be installed.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::common::{end, exit_of, output_of, shell, shell_in};

/// The command that plays a role.
pub fn command(role: &str) -> Command {
    let words = words();
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).env("ROLE", role);
    command
}

/// This test program.
pub fn program() -> PathBuf {
    // Some systems know it only by the word it was called with.
    std::env::current_exe().unwrap_or_else(|_| {
        let name = std::env::args_os().next().unwrap();
        std::path::absolute(name).unwrap()
    })
}

/// The words that make a step play the role that its environment has in `ROLE`.
pub fn words() -> Vec<OsString> {
    let program = program().into_os_string();
    let arguments = ["--ignored", "--exact", "roles::play", "--nocapture"];
    let arguments = arguments.iter().map(OsString::from);
    [program].into_iter().chain(arguments).collect()
}

#[test]
#[ignore = "the other processes of the tests, which start them"]
fn play() {
    let Ok(role) = std::env::var("ROLE") else {
        return;
    };
    match role.as_str() {
        "daemon" => daemon(),
        "hopper" => hopper(),
        "descriptors" => descriptors(),
        "worker without streams" => worker_without_streams(),
        "worker" => worker(false),
        "worker with terminal" => worker(true),
        "two hundred steps" => two_hundred_steps(),
        "stop requests" => stop_requests(),
        "local time" => local_time(),
        "umask" => umask(),
        "limits" => limits(),
        _ => panic!("unknown role {role}"),
    }
    // Past the test harness, which would print.
    std::process::exit(0);
}

/// Appends the own number to the file `pids` in the working directory.
fn write_pid() {
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open("pids")
        .unwrap();
    file.write_all(format!("{}\n", std::process::id()).as_bytes())
        .unwrap();
}

/// A session of its own and deaf to everything; it must not lead its group when it begins.
fn daemon() {
    // SAFETY: setsid(2) takes nothing.
    assert_ne!(unsafe { libc::setsid() }, -1);
    for signal in [libc::SIGTERM, libc::SIGHUP, libc::SIGINT] {
        // SAFETY: ignoring a signal runs no code.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
    write_pid();
    std::thread::sleep(Duration::from_secs(600));
}

/// Forks and ends, again and again, always in a new session: never there for long.
fn hopper() {
    write_pid();
    loop {
        // SAFETY: parent and child only call what is async-signal-safe from here on.
        if unsafe { libc::fork() } > 0 {
            // SAFETY: _exit(2) runs nothing of this process.
            unsafe { libc::_exit(0) };
        }
        // SAFETY: setsid(2) takes nothing.
        unsafe { libc::setsid() };
    }
}

/// Prints which descriptors are open.
fn descriptors() {
    for descriptor in 0..4096 {
        // SAFETY: F_GETFD takes no third argument.
        if unsafe { libc::fcntl(descriptor, libc::F_GETFD) } != -1 {
            println!("descriptor {descriptor}");
        }
    }
}

/// A worker with a running step, for somebody to kill.
fn worker(terminal: bool) {
    let script = "trap '' HUP TERM; echo $$ >> pids; \
                  (trap '' HUP TERM; sh -c 'echo $$ >> pids; sleep 600') & \
                  sleep 600";
    let _process = shell_in(Path::new("."), script, terminal);
    std::thread::sleep(Duration::from_secs(600));
}

/// A worker whose own standard streams are closed, as some boot scripts start them.
fn worker_without_streams() {
    for descriptor in 0..3 {
        // SAFETY: close(2) takes a number; nothing below prints.
        unsafe { libc::close(descriptor) };
    }
    let mut found = Vec::new();
    for terminal in [false, true] {
        let mut process = shell_in(Path::new("/"), "echo out; echo err >&2", terminal);
        let text = crate::common::output(&mut process);
        found.push(format!("{text:?} {:?}", exit_of(&mut process)));
        end(process);
    }
    std::fs::write("found", found.join("\n")).unwrap();
}

/// Steps leave neither descriptors nor children in the worker.
fn two_hundred_steps() {
    let count = || {
        // SAFETY: F_GETFD takes no third argument.
        let open = |descriptor: &i32| unsafe { libc::fcntl(*descriptor, libc::F_GETFD) } != -1;
        (0..4096).filter(open).count()
    };
    end(shell("exit 0"));
    let before = count();
    for round in 0..200 {
        let mut process = shell_in(Path::new("/"), "echo x; (true &); exit 3", round % 4 == 0);
        if round % 3 == 0 {
            drop(process);
        } else {
            exit_of(&mut process);
            end(process);
        }
    }
    for _ in 0..20 {
        ports::start(&ports::ProcessSpec {
            words: &[OsString::from("/nowhere/at/all")],
            env: &[],
            directory: Path::new("/"),
            terminal: false,
        })
        .unwrap_err();
    }
    assert_eq!(count(), before, "descriptors");
    let mut status = 0;
    // SAFETY: `status` has room for one number.
    let child = unsafe { libc::waitpid(-1, &mut status, libc::WNOHANG) };
    assert_eq!(child, -1, "a child is left, and {child} is its number");
    println!("nothing left");
}

fn stop_requests() {
    let mut requests = ports::stop_requests().unwrap();
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGTERM] {
        // SAFETY: raise(3) takes a number.
        unsafe { libc::raise(signal) };
        println!("{:?}", requests.next().unwrap());
    }
    // The handlers are the worker's; a step's process ends as ever.
    let mut process = shell("kill -TERM $$; echo still here");
    assert_eq!(exit_of(&mut process), ports::Exit::Signal(libc::SIGTERM));
    println!("end");
}

/// Prints the local times of the seconds in `TIMES`.
fn local_time() {
    for seconds in std::env::var("TIMES").unwrap().split(' ') {
        let seconds: i64 = seconds.parse().unwrap();
        let distance = Duration::from_secs(seconds.unsigned_abs());
        let time: SystemTime = if seconds < 0 {
            UNIX_EPOCH - distance
        } else {
            UNIX_EPOCH + distance
        };
        let t = ports::local_time(time);
        println!(
            "time {}-{:02}-{:02} {:02}:{:02}:{:02} {}",
            t.year, t.month, t.day, t.hour, t.minute, t.second, t.offset
        );
    }
}

fn umask() {
    ports::set_umask(0o027);
    assert_eq!(ports::set_umask(0o077), 0o027);
    assert_eq!(output_of("umask").trim().trim_start_matches('0'), "77");
    println!("umask kept");
}

/// In a process of its own, since it holds for all steps of a process.
fn limits() {
    let number = |text: String| -> i32 { text.trim().parse().unwrap() };
    let before = number(output_of("nice"));
    // The soft limit may be 0 here, and the hard one too.
    let hard = output_of("ulimit -H -c");
    ports::prepare_for_steps(ports::StepLimits {
        nice: 3,
        core: Some(u64::MAX),
    });
    assert_eq!(number(output_of("nice")), (before + 3).min(19));
    assert_eq!(output_of("ulimit -S -c"), hard);
    ports::prepare_for_steps(ports::StepLimits {
        nice: 0,
        core: Some(0),
    });
    assert_eq!(number(output_of("nice")), before);
    assert_eq!(output_of("ulimit -S -c"), "0\n");
    // Where the system has such a score: whoever has more is killed first when memory runs out. It
    // is the port's choice whether to use it.
    if let Ok(ours) = std::fs::read_to_string("/proc/self/oom_score_adj") {
        let theirs = number(output_of("cat /proc/self/oom_score_adj"));
        assert!(theirs >= number(ours));
    }
    println!("limits kept");
}
