//! What an earlier process of ours left running is found again and ended, and nobody else is.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ports::{GroupEnd, Identity, Traces};

/// Whether the system lists processes, so that a group without its leader can be judged.
fn has_list() -> bool {
    ports::boot_id().is_some()
}

/// The group was seen at this time.
fn seen(clock: u64) -> Traces<'static> {
    Traces {
        seen: Some(clock),
        directory: None,
    }
}

/// Nothing is known of the group but its leader.
const NOTHING: Traces<'static> = Traces {
    seen: None,
    directory: None,
};

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

/// A shell that leads a process group of its own, with its identity.
fn leader(script: &str) -> (Child, Identity) {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(script).process_group(0);
    let child = command.stdout(Stdio::piped()).spawn().unwrap();
    let identity = ports::process_identity(child.id()).unwrap();
    (child, identity)
}

/// A group whose leader has ended; what is left of it is one `sleep`, whose number comes back.
fn orphaned_group() -> (Identity, u32) {
    let (child, identity) = leader("sleep 600 >/dev/null & echo $!");
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (identity, text.trim().parse().unwrap())
}

/// Orphans are reaped by somebody else, in his own time.
fn is_gone(pid: u32) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    match state {
        Ok(text) => text.rsplit(')').next().unwrap().trim().starts_with('Z'),
        Err(_) => !ports::process_exists(pid),
    }
}

#[test]
fn group_whose_leader_lives_is_killed_with_all_its_processes() {
    let (mut child, identity) = leader("sleep 600 & echo $!; wait");
    let reaper = std::thread::spawn(move || child.wait().unwrap());
    let end = ports::end_group(&identity, &NOTHING, soon());
    let GroupEnd::Killed(killed) = end else {
        panic!("{end:?}")
    };
    assert!(
        killed.iter().any(|process| process.pid == identity.pid),
        "{killed:?}"
    );
    assert!(!reaper.join().unwrap().success());
    assert_eq!(
        ports::end_group(&identity, &NOTHING, soon()),
        GroupEnd::Gone
    );
}

#[test]
fn process_that_got_the_number_of_a_leader_later_is_left_alone() {
    let (mut child, identity) = leader("exec sleep 600");
    let former = Identity {
        start: identity.start.wrapping_sub(1),
        ..identity
    };
    assert_eq!(
        ports::end_group(&former, &seen(u64::MAX), soon()),
        GroupEnd::Stranger
    );
    assert!(child.try_wait().unwrap().is_none(), "it was killed");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn group_without_its_leader_is_known_by_a_process_that_was_seen_in_it() {
    let (identity, sleeper) = orphaned_group();
    let traces = seen(ports::process_clock().unwrap_or_default() + 1);
    let end = ports::end_group(&identity, &traces, soon());
    if has_list() {
        let GroupEnd::Killed(killed) = end else {
            panic!("{end:?}")
        };
        let killed: Vec<u32> = killed.iter().map(|process| process.pid).collect();
        assert_eq!(killed, [sleeper]);
        assert!(is_gone(sleeper));
    } else {
        assert_eq!(end, GroupEnd::Unknown);
        assert!(!is_gone(sleeper));
        ports::signal_process(sleeper, ports::Signal::KILL).unwrap();
    }
}

#[test]
fn group_without_its_leader_is_known_by_where_it_works() {
    let (identity, sleeper) = orphaned_group();
    let here = std::env::current_dir().unwrap().canonicalize().unwrap();
    let traces = Traces {
        seen: None,
        directory: here.parent(),
    };
    let end = ports::end_group(&identity, &traces, soon());
    if has_list() {
        assert!(matches!(end, GroupEnd::Killed(_)), "{end:?}");
        assert!(is_gone(sleeper));
    } else {
        assert_eq!(end, GroupEnd::Unknown);
        ports::signal_process(sleeper, ports::Signal::KILL).unwrap();
    }
}

#[test]
fn group_without_its_leader_that_nobody_saw_is_left_alone() {
    let (identity, sleeper) = orphaned_group();
    let other_session = Identity {
        session: identity.session + 1,
        ..identity
    };
    let later = Identity {
        start: identity.start + 1_000_000,
        ..identity
    };
    let elsewhere = Traces {
        seen: None,
        directory: Some(Path::new("/nowhere")),
    };
    for (former, traces) in [
        (identity, NOTHING),
        (identity, elsewhere),
        (identity, seen(identity.start)),
        (other_session, seen(u64::MAX)),
        (later, seen(u64::MAX)),
    ] {
        let end = ports::end_group(&former, &traces, soon());
        assert!(
            matches!(end, GroupEnd::Stranger | GroupEnd::Unknown),
            "{former:?} {end:?}"
        );
        assert!(!is_gone(sleeper), "{former:?}");
    }
    ports::signal_process(sleeper, ports::Signal::KILL).unwrap();
}

#[test]
fn process_that_ignores_all_signals_it_can_does_not_survive() {
    let (mut child, identity) = leader("trap '' TERM HUP INT; echo; while :; do sleep 600; done");
    let reaper = std::thread::spawn(move || child.wait().unwrap());
    let end = ports::end_group(&identity, &NOTHING, soon());
    assert!(matches!(end, GroupEnd::Killed(_)), "{end:?}");
    reaper.join().unwrap();
}

#[test]
fn session_of_a_terminal_ends_with_all_its_groups() {
    // Job control gives the job a group of its own, in the session that the shell leads.
    let words = ["/bin/sh", "-c", "set -m; sleep 600 & echo pid $!; wait"];
    let words: Vec<std::ffi::OsString> = words.iter().map(Into::into).collect();
    let mut process = ports::start(&ports::ProcessSpec {
        words: &words,
        env: &[],
        directory: Path::new("/"),
        terminal: true,
    })
    .unwrap();
    let mut out = process.take_stdout().unwrap();
    let mut text = String::new();
    while !text.contains('\n') {
        ports::wait(&[ports::Source::Readable(&out)], Some(soon())).unwrap();
        let mut buffer = [0; 100];
        if let ports::Read::Bytes(count) = out.read(&mut buffer).unwrap() {
            text.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
        }
    }
    let job = text.split("pid ").nth(1).unwrap().trim().parse().unwrap();
    let identity = ports::process_identity(process.id()).unwrap();
    assert_eq!(identity.session, identity.pid);
    assert_ne!(ports::process_identity(job).unwrap().group, identity.pid);
    if has_list() {
        let end = ports::end_group(&identity, &NOTHING, soon());
        assert!(matches!(end, GroupEnd::Killed(_)), "{end:?}");
        assert!(is_gone(job));
    }
    process.end(soon());
}

#[test]
fn our_own_group_is_never_ended() {
    let own = ports::process_identity(std::process::id()).unwrap();
    let group = Identity {
        pid: own.group,
        ..own
    };
    let session = Identity {
        pid: own.session,
        ..own
    };
    for identity in [own, group, session] {
        let end = ports::end_group(&identity, &seen(u64::MAX), soon());
        assert!(
            matches!(end, GroupEnd::Stranger | GroupEnd::Unknown),
            "{end:?}"
        );
    }
    for pid in [0, 1, u32::MAX] {
        let nobody = Identity { pid, ..own };
        assert_eq!(
            ports::end_group(&nobody, &seen(u64::MAX), soon()),
            GroupEnd::Unknown
        );
    }
}

#[test]
fn identity_of_nobody_is_none() {
    for pid in [0, u32::MAX, 999_999_999] {
        assert_eq!(ports::process_identity(pid), None);
    }
}

#[test]
fn message_arrives_at_a_socket() {
    use std::os::unix::net::UnixDatagram;
    let path = std::env::temp_dir().join(format!("ports-notify-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let socket = UnixDatagram::bind(&path).unwrap();
    ports::send_datagram(path.as_os_str(), b"READY=1").unwrap();
    let mut buffer = [0; 100];
    let count = socket.recv(&mut buffer).unwrap();
    assert_eq!(&buffer[..count], b"READY=1");
    drop(socket);
    std::fs::remove_file(&path).unwrap();
    assert!(ports::send_datagram(path.as_os_str(), b"READY=1").is_err());
}

#[test]
fn manager_that_does_not_read_holds_nobody_up() {
    use std::os::unix::net::UnixDatagram;
    let path = std::env::temp_dir().join(format!("ports-full-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let _socket = UnixDatagram::bind(&path).unwrap();
    let refused =
        (0..100_000).any(|_| ports::send_datagram(path.as_os_str(), b"STATUS=x").is_err());
    std::fs::remove_file(&path).unwrap();
    assert!(refused);
}

#[test]
fn alarm_without_a_change_sleeps_the_time() {
    let begin = Instant::now();
    let time = Duration::from_millis(20);
    let mut alarm = ports::ClockAlarm::new();
    // Somebody may set the clock just now.
    if alarm.sleep(Some(time)) == ports::Awake::TimeOver {
        assert!(begin.elapsed() >= time);
    }
}
