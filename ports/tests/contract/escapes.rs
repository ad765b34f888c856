//! Whatever a step starts is gone after its end, whatever it does to stay.
//!
//! Every artist writes its number to the file `pids` in its directory, so that we know whom to look
//! for.

use std::time::{Duration, Instant};

use ports::{Containment, Ended, Exit, ProcessSpec, StepProcess};

use crate::common::{
    LIMIT, Place, alive, end, env, exit_of, gone_soon, path_only, read_all, read_to, shell,
    shell_in, shell_on_terminal,
};
use crate::roles;

/// Runs a script whose artists write at least `least` numbers, ends it, and looks for them.
fn end_of_artists(script: &str, terminal: bool, least: usize) -> (Ended, Vec<i32>) {
    let place = Place::new();
    let process = shell_in(&place.0, script, terminal);
    end_with_artists(&place, process, least)
}

fn end_with_artists(place: &Place, process: StepProcess, least: usize) -> (Ended, Vec<i32>) {
    place.pids(least);
    let ended = end(process);
    let pids = place.pids(least);
    (ended, pids)
}

/// Nobody is left, on every port.
fn all_gone(pids: &[i32]) {
    // With full containment they are gone already; a group that was killed needs a moment.
    match ports::containment() {
        Containment::Everything | Containment::Environment => {
            let left: Vec<_> = pids.iter().filter(|pid| alive(**pid)).collect();
            assert!(left.is_empty(), "still there: {left:?}");
        }
        Containment::ProcessGroup => assert!(gone_soon(pids), "still there: {pids:?}"),
    }
}

/// Nobody is left where the port contains everything. Elsewhere says who got away, and kills him.
fn all_gone_if_contained(artist: &str, pids: &[i32]) {
    match ports::containment() {
        Containment::Everything | Containment::Environment => all_gone(pids),
        Containment::ProcessGroup => name_and_kill(artist, pids),
    }
}

/// As before, for an artist that has left its environment behind.
fn all_gone_if_all_is_contained(artist: &str, pids: &[i32]) {
    match ports::containment() {
        Containment::Everything => all_gone(pids),
        Containment::Environment | Containment::ProcessGroup => name_and_kill(artist, pids),
    }
}

/// Says who got away, and kills him.
fn name_and_kill(artist: &str, pids: &[i32]) {
    for pid in pids.iter().filter(|pid| alive(**pid)) {
        println!("this port does not catch {artist}");
        // SAFETY: kill(2) takes two numbers; the process is our artist, still alive.
        unsafe { libc::kill(*pid, libc::SIGKILL) };
    }
    assert!(gone_soon(pids));
}

/// The leftovers that were killed are these, by number and name.
fn blamed(ended: &Ended, pids: &[i32], name: &str) {
    if ports::containment() != Containment::ProcessGroup {
        for pid in pids {
            let found = ended
                .killed
                .iter()
                .find(|leftover| leftover.pid == pid.unsigned_abs());
            let found = found.unwrap_or_else(|| panic!("{pid} is not among {ended:?}"));
            assert_eq!(found.name, name);
        }
    }
}

/// Ends as soon as its artist is there, and leaves it behind.
const SLEEPER: &str = "sh -c 'echo $$ >> pids; exec sleep 600'";

#[test]
fn running_process_itself_is_killed_without_blame() {
    let (ended, pids) = end_of_artists("echo $$ >> pids; exec sleep 600", false, 1);
    all_gone(&pids);
    assert_eq!(ended.killed, []);
}

#[test]
fn background_process_is_killed_and_named() {
    let place = Place::new();
    let mut process = shell_in(&place.0, &format!("{SLEEPER} & exit 0"), false);
    assert_eq!(exit_of(&mut process), Exit::Code(0));
    place.pids(1);
    // It may still be the shell that is about to become the sleeper.
    std::thread::sleep(Duration::from_millis(50));
    let (ended, pids) = end_with_artists(&place, process, 1);
    all_gone(&pids);
    blamed(&ended, &pids, "sleep");
}

#[test]
fn double_fork_does_not_help() {
    let (_, pids) = end_of_artists(&format!("(({SLEEPER} &) &); exit 0"), false, 1);
    all_gone(&pids);
}

#[test]
fn deafness_does_not_help() {
    let script = format!("trap '' HUP INT TERM QUIT; ({SLEEPER} &); {SLEEPER}");
    let (_, pids) = end_of_artists(&script, false, 2);
    all_gone(&pids);
}

#[test]
fn stopped_process_is_killed() {
    let script = "sh -c 'echo $$ >> pids; kill -STOP $$' & exit 0";
    let (_, pids) = end_of_artists(script, false, 1);
    all_gone(&pids);
}

#[test]
fn daemon_with_a_session_of_its_own_is_killed() {
    let place = Place::new();
    let script = "\"$0\" \"$@\" & exit 0";
    let words = ["/bin/sh", "-c", script].map(Into::into);
    let process = ports::start(&ProcessSpec {
        words: &[&words[..], &roles::words()].concat(),
        env: &env(&[("ROLE", "daemon")]),
        directory: &place.0,
        terminal: false,
    })
    .unwrap();
    let (ended, pids) = end_with_artists(&place, process, 1);
    all_gone_if_contained("a daemon with a session of its own", &pids);
    if ports::containment() != Containment::ProcessGroup {
        assert_eq!(ended.killed.len(), 1, "{ended:?}");
    }
}

#[test]
fn daemon_with_an_environment_of_its_own_is_killed() {
    let place = Place::new();
    // What `daemon` does, begun by a program that takes its environment away.
    let script = "env -i ROLE=daemon \"$0\" \"$@\" & exit 0";
    let words = ["/bin/sh", "-c", script].map(Into::into);
    let process = ports::start(&ProcessSpec {
        words: &[&words[..], &roles::words()].concat(),
        env: &path_only(),
        directory: &place.0,
        terminal: false,
    })
    .unwrap();
    let (_, pids) = end_with_artists(&place, process, 1);
    all_gone_if_all_is_contained("a daemon with an environment of its own", &pids);
}

#[test]
fn process_without_an_environment_is_killed_with_its_group() {
    let script = "env -i /bin/sh -c 'echo $$ >> pids; exec /bin/sleep 600' & exit 0";
    let (_, pids) = end_of_artists(script, false, 1);
    match ports::containment() {
        Containment::Everything => all_gone(&pids),
        Containment::Environment | Containment::ProcessGroup => assert!(gone_soon(&pids)),
    }
}

#[test]
fn hoppers_that_are_never_the_same_process_are_killed() {
    if ports::containment() != Containment::Everything {
        // Nobody could stop it again.
        println!("this port does not catch hoppers");
        return;
    }
    let place = Place::new();
    let script = "\"$0\" \"$@\" & \"$0\" \"$@\" & \"$0\" \"$@\" & exit 0";
    let words = ["/bin/sh", "-c", script].map(Into::into);
    let mut process = ports::start(&ProcessSpec {
        words: &[&words[..], &roles::words()].concat(),
        env: &env(&[("ROLE", "hopper")]),
        directory: &place.0,
        terminal: false,
    })
    .unwrap();
    place.pids(3);
    let mut stdout = process.take_stdout().unwrap();
    assert_eq!(exit_of(&mut process), Exit::Code(0));
    end(process);
    // Whoever is left has the pipe.
    read_all(&mut stdout);
}

#[test]
fn background_process_that_holds_the_output_is_killed() {
    let place = Place::new();
    let mut process = shell_in(&place.0, &format!("{SLEEPER} & exit 0"), false);
    let mut stdout = process.take_stdout().unwrap();
    let (_, pids) = end_with_artists(&place, process, 1);
    assert_eq!(read_all(&mut stdout), b"");
    all_gone(&pids);
}

#[test]
fn background_process_of_a_terminal_is_killed() {
    let script = format!("trap '' HUP; {SLEEPER} & echo $$ >> pids; sleep 600");
    let (_, pids) = end_of_artists(&script, true, 2);
    all_gone(&pids);
}

#[test]
fn job_with_a_group_of_its_own_is_killed() {
    let place = Place::new();
    let script = format!("set -m; trap '' HUP; {SLEEPER} & while :; do sleep 0.1; done");
    for terminal in [false, true] {
        let process = shell_in(&place.0, &script, terminal);
        let (_, pids) = end_with_artists(&place, process, 1);
        all_gone_if_contained("a job with a group of its own", &pids);
        std::fs::remove_file(place.at("pids")).unwrap();
    }
}

#[test]
fn loop_that_makes_ever_more_processes_is_killed() {
    let script = format!("while :; do ({SLEEPER} &); ({SLEEPER} &); sleep 0.01; done");
    let (_, pids) = end_of_artists(&script, false, 50);
    all_gone(&pids);
}

#[test]
fn loop_that_makes_ever_more_processes_in_a_group_of_its_own_is_killed() {
    if ports::containment() == Containment::ProcessGroup {
        println!("this port does not catch a loop in a group of its own");
        return;
    }
    let place = Place::new();
    place.program("sleeper", "#!/bin/sh\necho $$ >> pids\nexec sleep 600\n");
    let endless = "#!/bin/sh\nwhile :; do (./sleeper &); (./sleeper &); sleep 0.01; done\n";
    place.program("loop", endless);
    let process = shell_in(&place.0, "set -m; ./loop & ./loop & exit 0", false);
    let (_, pids) = end_with_artists(&place, process, 50);
    all_gone(&pids);
}

#[test]
fn deep_chain_of_processes_is_killed() {
    let place = Place::new();
    place.program(
        "deeper",
        "#!/bin/sh\necho $$ >> pids\n[ $1 = 0 ] || ./deeper $(($1 - 1))\nsleep 600\n",
    );
    let process = shell_in(&place.0, "./deeper 40", false);
    let (_, pids) = end_with_artists(&place, process, 41);
    all_gone(&pids);
}

#[test]
fn what_ends_by_itself_is_not_blamed() {
    for script in [
        "true & true & true & exit 0",
        "(sleep 0.005 &); exit 0",
        "(true &); (true &); sleep 0.02; exit 0",
    ] {
        let mut process = shell(script);
        exit_of(&mut process);
        assert_eq!(end(process).killed, [], "{script}");
    }
}

#[test]
fn group_that_was_killed_by_a_signal_is_not_blamed() {
    for _ in 0..20 {
        let mut process = shell("sleep 600 & sleep 600 & echo ready; sleep 600 | sleep 600");
        read_to(&mut process.take_stdout().unwrap(), "ready");
        process.signal(ports::Signal::KILL).unwrap();
        exit_of(&mut process);
        assert_eq!(end(process).killed, []);
    }
}

#[test]
fn step_of_many_orphans_keeps_no_zombies() {
    // $PPID is whoever adopts orphans, where that is not the system's first process.
    let script = "i=0; while [ $i -lt 60 ]; do (true &); i=$((i+1)); done; sleep 0.1; \
                  ps -A -o ppid= -o stat= | while read p s; do \
                  case $p:$s in $PPID:Z*) echo zombie;; esac; done";
    let mut process = shell(script);
    assert_eq!(crate::common::output(&mut process), "");
}

#[test]
fn deadline_that_has_passed_is_no_mercy() {
    let place = Place::new();
    let process = shell_in(&place.0, &format!("{SLEEPER} & {SLEEPER}"), false);
    place.pids(2);
    let started = Instant::now();
    process.end(Instant::now());
    assert!(started.elapsed() < Duration::from_secs(1));
    let pids = place.pids(2);
    assert!(gone_soon(&pids), "{pids:?}");
}

#[test]
fn dropped_process_is_killed_with_all_it_started() {
    let place = Place::new();
    for terminal in [false, true] {
        let process = shell_in(&place.0, &format!("({SLEEPER} &); {SLEEPER}"), terminal);
        let pids = place.pids(2);
        drop(process);
        all_gone(&pids);
        std::fs::remove_file(place.at("pids")).unwrap();
    }
}

#[test]
fn step_dies_with_the_worker() {
    for role in ["worker", "worker with terminal"] {
        let place = Place::new();
        let mut worker = roles::command(role).current_dir(&place.0).spawn().unwrap();
        let pids = place.pids(2);
        assert!(pids.iter().all(|pid| alive(*pid)));
        // Signal 9, which nobody can prepare for.
        worker.kill().unwrap();
        worker.wait().unwrap();
        assert!(gone_soon(&pids), "{role}: {pids:?}");
    }
}

#[test]
fn step_that_kills_its_parent_does_not_free_what_has_left_its_group() {
    let place = Place::new();
    let script = format!(
        "(setsid {SLEEPER} & setsid {SLEEPER} & ); while [ $(wc -l < pids) != 2 ]; do sleep 0.01; done; kill -KILL $PPID; sleep 600"
    );
    std::fs::write(place.at("pids"), "").unwrap();
    let mut process = shell_in(&place.0, &script, false);
    assert_eq!(exit_of(&mut process), Exit::Signal(libc::SIGKILL));
    let pids = place.pids(2);
    drop(process);
    let promised = match ports::containment() {
        Containment::Everything => cfg!(target_os = "linux"),
        Containment::Environment => true,
        Containment::ProcessGroup => false,
    };
    assert!(!promised || gone_soon(&pids), "{pids:?}");
    for pid in pids {
        // SAFETY: kill(2) takes two numbers.
        unsafe { libc::kill(pid, libc::SIGKILL) };
    }
}

#[test]
fn end_of_a_process_is_quick() {
    let started = Instant::now();
    for script in ["exit 0", "sleep 600", "trap '' TERM; sleep 600"] {
        end(shell(script));
        end(shell_on_terminal(script));
    }
    // Far from every limit of ours, which a slow machine must not reach either.
    assert!(started.elapsed() < LIMIT / 5, "{:?}", started.elapsed());
}
