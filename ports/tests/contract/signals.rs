//! Signals to a step.

use std::time::{Duration, Instant};

use ports::{Exit, Signal};

use crate::common::{Place, end, exit_of, gone_soon, output, read_to, shell, shell_in};

#[test]
fn signal_ends_the_process_at_once_after_the_start() {
    // The group must exist when `start` returns.
    for terminal in [false, true] {
        for _ in 0..30 {
            let mut process = shell_in(std::path::Path::new("/"), "sleep 600", terminal);
            process.signal(Signal::KILL).unwrap();
            assert_eq!(exit_of(&mut process), Exit::Signal(libc::SIGKILL));
        }
    }
}

#[test]
fn process_can_catch_a_signal() {
    let mut process =
        shell("trap 'echo caught; exit 3' TERM; echo ready; while :; do sleep 0.01; done");
    let mut stdout = process.take_stdout().unwrap();
    read_to(&mut stdout, "ready");
    process.signal(Signal::TERM).unwrap();
    read_to(&mut stdout, "caught");
    assert_eq!(exit_of(&mut process), Exit::Code(3));
}

#[test]
fn signal_reaches_grandchildren() {
    let place = Place::new();
    // All that there is writes its number, so that all of it is waited for.
    let grandchild = r#"sh -c "echo \$\$ >> pids; exec sleep 600""#;
    let script = format!("echo $$ >> pids; sh -c 'echo $$ >> pids; {grandchild}; :'; :");
    let mut process = shell_in(&place.0, &script, false);
    let pids = place.pids(3);
    process.signal(Signal::TERM).unwrap();
    assert_eq!(exit_of(&mut process), Exit::Signal(libc::SIGTERM));
    assert!(gone_soon(&pids), "{pids:?}");
    assert_eq!(end(process).killed, []);
}

#[test]
fn signal_after_the_exit_reaches_the_rest_of_the_group() {
    let place = Place::new();
    let mut process = shell_in(
        &place.0,
        "sh -c 'echo $$ >> pids; sleep 600; :' & exit 0",
        false,
    );
    let pids = place.pids(1);
    assert_eq!(exit_of(&mut process), Exit::Code(0));
    process.signal(Signal::TERM).unwrap();
    assert!(gone_soon(&pids), "{pids:?}");
}

#[test]
fn signal_after_the_exit_is_done_or_says_that_nobody_is_there() {
    for _ in 0..20 {
        let mut process = shell("exit 0");
        exit_of(&mut process);
        if let Err(error) = process.signal(Signal::KILL) {
            assert_eq!(error.raw_os_error(), Some(libc::ESRCH));
        }
        assert_eq!(process.exited(), Some(Exit::Code(0)));
        assert_eq!(end(process).killed, []);
    }
}

#[test]
fn signal_around_the_exit_never_fails_strangely() {
    for round in 0..50 {
        let mut process = shell("exit 0");
        std::thread::sleep(Duration::from_micros(round * 20));
        if let Err(error) = process.signal(Signal::TERM) {
            assert_eq!(error.raw_os_error(), Some(libc::ESRCH));
        }
        let exit = exit_of(&mut process);
        assert!([Exit::Code(0), Exit::Signal(libc::SIGTERM)].contains(&exit));
    }
}

#[test]
fn stopped_group_goes_on_when_told() {
    let mut process = shell("echo ready; read line; echo went on");
    let mut stdout = process.take_stdout().unwrap();
    read_to(&mut stdout, "ready");
    process.signal(Signal::named("STOP").unwrap()).unwrap();
    process.take_stdin().unwrap().write(b"\n").unwrap();
    process.signal(Signal::named("CONT").unwrap()).unwrap();
    read_to(&mut stdout, "went on");
}

#[test]
fn stopped_process_can_be_killed() {
    let mut process = shell("kill -STOP $$; echo went on");
    process.signal(Signal::KILL).unwrap();
    assert_eq!(exit_of(&mut process), Exit::Signal(libc::SIGKILL));
}

#[test]
fn no_signal_is_ignored_or_blocked_from_the_start() {
    // The worker ignores SIGPIPE, and its starting thread may block others.
    let started = std::thread::spawn(|| {
        // SAFETY: all zeros is a set to be filled.
        let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
        // SAFETY: `set` has room for one set.
        unsafe { libc::sigfillset(&mut set) };
        // SAFETY: `set` is filled.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &set, std::ptr::null_mut()) };
        ["PIPE", "TERM", "HUP", "USR1"]
            .map(|name| (name, shell(&format!("kill -{name} $$; exit 0"))))
    });
    for (name, mut process) in started.join().unwrap() {
        let number = Signal::named(name).unwrap().number();
        assert_eq!(exit_of(&mut process), Exit::Signal(number), "{name}");
    }
}

#[test]
fn step_has_a_group_of_its_own_in_the_session_of_the_worker() {
    let mut process = shell("read line");
    let pid = process.id() as i32;
    // SAFETY: getpgid(2) takes a number.
    assert_eq!(unsafe { libc::getpgid(pid) }, pid);
    // SAFETY: getsid(2) takes a number.
    let sessions = [pid, 0].map(|pid| unsafe { libc::getsid(pid) });
    assert_eq!(sessions[0], sessions[1]);
    drop(process.take_stdin());
}

#[test]
fn signal_reaches_the_step_although_it_has_stopped_its_parent() {
    let mut process = shell("kill -STOP $PPID; echo stopped; sleep 600");
    read_to(&mut process.take_stdout().unwrap(), "stopped");
    process.signal(Signal::KILL).unwrap();
    assert_eq!(exit_of(&mut process), Exit::Signal(libc::SIGKILL));
    end(process);
}

#[test]
fn step_that_kills_its_parent_is_over() {
    let place = Place::new();
    let script = "echo $$ >> pids; kill -KILL $PPID; sleep 600";
    let mut process = shell_in(&place.0, script, false);
    let pids = place.pids(1);
    assert_eq!(exit_of(&mut process), Exit::Signal(libc::SIGKILL));
    assert!(gone_soon(&pids));
    assert!(process.signal(Signal::KILL).is_err());
    let started = Instant::now();
    process.end(Instant::now() + Duration::from_secs(60));
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn step_that_terminates_its_parent_politely_does_not_lose_it() {
    let mut process = shell("kill -TERM $PPID; kill -HUP $PPID; kill -INT $PPID; echo on");
    assert_eq!(output(&mut process), "on\n");
    assert_eq!(exit_of(&mut process), Exit::Code(0));
}

#[test]
fn signals_have_their_names() {
    let known = [
        ("HUP", 1),
        ("INT", 2),
        ("QUIT", 3),
        ("ABRT", 6),
        ("KILL", 9),
        ("ALRM", 14),
        ("TERM", 15),
    ];
    for (name, number) in known {
        // These numbers are POSIX's own (kill(1)).
        assert_eq!(Signal::named(name).map(Signal::number), Some(number));
        let long = format!("SIG{name}");
        assert_eq!(Signal::named(&long).map(Signal::number), Some(number));
    }
    let names = "USR1 USR2 CHLD CONT STOP TSTP TTIN TTOU SEGV BUS PIPE ILL FPE TRAP SYS URG XCPU";
    for name in names.split(' ') {
        assert!(Signal::named(name).is_some(), "{name}");
    }
    for name in ["", "SIG", "term", "SIGSIGTERM", "9", "NOSUCH"] {
        assert_eq!(Signal::named(name), None, "{name}");
    }
    assert_eq!(Signal::named("KILL"), Some(Signal::KILL));
    assert_eq!(Signal::named("TERM"), Some(Signal::TERM));
}
