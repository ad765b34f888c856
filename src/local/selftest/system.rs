//! Processes from outside, clocks, and the network.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use ports::{Awake, ClockAlarm, Signal};

use super::{Found, Tried, Try};

pub(super) const TRIES: &[Try] = &[
    Try {
        name: "accept_log_wishes, new_log_wished",
        see: "sigaction(2)",
        needed: false,
        look: log_wishes,
    },
    Try {
        name: "signal_process, process_exists",
        see: "kill(2)",
        needed: true,
        look: exists,
    },
    Try {
        name: "process_start, process_clock",
        see: "proc(5) or sysctl(3), KERN_PROC",
        needed: false,
        look: start,
    },
    Try {
        name: "process_directory",
        see: "proc(5) or procstat(1)",
        needed: false,
        look: directory,
    },
    Try {
        name: "boot_id",
        see: "/proc/sys/kernel/random/boot_id or sysctl kern.boottime",
        needed: false,
        look: boot,
    },
    Try {
        name: "set_umask",
        see: "umask(2)",
        needed: true,
        look: umask,
    },
    Try {
        name: "limit_unacknowledged, unsent",
        see: "TCP_USER_TIMEOUT and SIOCOUTQ in tcp(7)",
        needed: false,
        look: network,
    },
    Try {
        name: "send_datagram",
        see: "unix(7), sd_notify(3)",
        needed: false,
        look: datagram,
    },
    Try {
        name: "ClockAlarm",
        see: "timerfd_create(2)",
        needed: false,
        look: clock,
    },
];

fn log_wishes(_: &Path) -> Tried {
    ports::accept_log_wishes().map_err(|error| error.to_string())?;
    let Some(wish) = Signal::named("USR1") else {
        return Err("there is no SIGUSR1".to_owned());
    };
    let sent = ports::signal_process(std::process::id(), wish);
    sent.map_err(|error| format!("signal_process: {error}"))?;
    // The signal comes to some thread of this process, perhaps a moment later.
    for _ in 0..100 {
        if ports::new_log_wished() {
            return Ok(Found::works());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Err("a SIGUSR1 does not arrive".to_owned())
}

fn exists(_: &Path) -> Tried {
    if !ports::process_exists(std::process::id()) {
        return Err("this process does not exist".to_owned());
    }
    if ports::process_exists(0x7fff_fff0) {
        return Err("a process that cannot be exists".to_owned());
    }
    Ok(Found::works())
}

fn start(_: &Path) -> Tried {
    match (
        ports::process_start(std::process::id()),
        ports::process_clock(),
    ) {
        (Some(own), Some(now)) if own <= now => Ok(Found::works()),
        (Some(own), Some(now)) => Err(format!("this process starts at {own}, and it is {now}")),
        (Some(_), None) => Ok(Found::Degraded(
            "there is no clock to compare it with".to_owned(),
        )),
        (None, _) => Ok(Found::Absent(
            "a number that was used again is taken for the same process".to_owned(),
        )),
    }
}

fn directory(_: &Path) -> Tried {
    let here = std::env::current_dir().and_then(std::fs::canonicalize);
    match (ports::process_directory(std::process::id()), here) {
        (Some(told), Ok(here)) if told == here => Ok(Found::works()),
        (Some(told), Ok(here)) => Err(format!("{} instead of {}", told.display(), here.display())),
        (Some(_), Err(_)) => Ok(Found::Works("the current directory is gone".to_owned())),
        (None, _) => Ok(Found::Absent("the system does not tell".to_owned())),
    }
}

fn boot(_: &Path) -> Tried {
    match ports::boot_id() {
        Some(_) => Ok(Found::works()),
        None => Ok(Found::Absent(
            "after a crash, what steps left running stays".to_owned(),
        )),
    }
}

fn umask(_: &Path) -> Tried {
    let before = ports::set_umask(0o27);
    let between = ports::set_umask(before);
    match between {
        0o27 => Ok(Found::works()),
        other => Err(format!("{other:o} instead of 27")),
    }
}

fn network(_: &Path) -> Tried {
    let text = |error: std::io::Error| format!("loopback: {error}");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(text)?;
    let stream = TcpStream::connect(listener.local_addr().map_err(text)?).map_err(text)?;
    if let Err(error) = ports::limit_unacknowledged(&stream, Duration::from_secs(60)) {
        return Ok(Found::Degraded(error.to_string()));
    }
    match ports::unsent(&stream) {
        Some(0) => Ok(Found::works()),
        Some(count) => Err(format!("{count} bytes are under way, and none was sent")),
        None => Ok(Found::Degraded(
            "a very slow link may be taken for a dead one".to_owned(),
        )),
    }
}

fn datagram(directory: &Path) -> Tried {
    let nobody = directory.join("nobody-listens");
    match ports::send_datagram(nobody.as_os_str(), b"READY=1") {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Found::works()),
        Err(error) => Ok(Found::Absent(error.to_string())),
        Ok(()) => Err("sending to a socket that is not there succeeds".to_owned()),
    }
}

fn clock(_: &Path) -> Tried {
    let mut alarm = ClockAlarm::new();
    let _ = alarm.sleep(Some(Duration::from_millis(20)));
    alarm.rouser().rouse();
    let begin = Instant::now();
    let ended = alarm.sleep(Some(Duration::from_secs(5)));
    match ended {
        _ if begin.elapsed() >= Duration::from_secs(5) => Err("a sleeper is not roused".to_owned()),
        Awake::TimeOver | Awake::Roused if alarm.is_told() => Ok(Found::works()),
        Awake::TimeOver | Awake::Roused => Ok(Found::Works(
            "the system does not tell when the clock is set".to_owned(),
        )),
        Awake::ClockChanged => Ok(Found::Works("the clock was set just now".to_owned())),
    }
}
