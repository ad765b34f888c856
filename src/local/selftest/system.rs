//! What the system tells about itself, its services, clocks, and the network.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, SystemTime};

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
        name: "cpu_count",
        see: "sched_getaffinity(2), sysconf(3)",
        needed: true,
        look: cpus,
    },
    Try {
        name: "node_name",
        see: "uname(2)",
        needed: false,
        look: node,
    },
    Try {
        name: "local_time",
        see: "localtime_r(3), tzset(3)",
        needed: false,
        look: time,
    },
    Try {
        name: "error_text",
        see: "strerror_r(3)",
        needed: true,
        look: error,
    },
    Try {
        name: "home_directory, user_name",
        see: "getpwuid_r(3)",
        needed: false,
        look: home,
    },
    Try {
        name: "is_superuser",
        see: "geteuid(2)",
        needed: false,
        look: superuser,
    },
    Try {
        name: "service_manager",
        see: "coracle service --help",
        needed: false,
        look: services,
    },
    Try {
        name: "set_umask",
        see: "umask(2)",
        needed: true,
        look: umask,
    },
    Try {
        name: "limit_unacknowledged",
        see: "TCP_USER_TIMEOUT in tcp(7)",
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

fn cpus(_: &Path) -> Tried {
    Ok(Found::Works(ports::cpu_count().to_string()))
}

fn node(_: &Path) -> Tried {
    match ports::node_name() {
        name if name.is_empty() => Ok(Found::Absent("the system does not tell".to_owned())),
        _ => Ok(Found::works()),
    }
}

fn time(_: &Path) -> Tried {
    let time = ports::local_time(SystemTime::now());
    match (2024..2200).contains(&time.year) {
        true => Ok(Found::Works(format!("{:+} minutes from UTC", time.offset))),
        false => Ok(Found::Degraded(format!(
            "it is the year {}; set the clock",
            time.year
        ))),
    }
}

fn error(_: &Path) -> Tried {
    match ports::error_text(2).as_str() {
        "" => Err("no text for error 2".to_owned()),
        text => Ok(Found::Works(format!("2 is '{text}'"))),
    }
}

fn home(directory: &Path) -> Tried {
    let stat = ports::stat(directory, true).map_err(|error| error.to_string())?;
    match (ports::home_directory(None), ports::user_name(stat.uid)) {
        (Some(_), Some(name)) => Ok(Found::Works(name)),
        (_, None) => Ok(Found::Degraded(format!("user {} has no name", stat.uid))),
        (None, _) => Ok(Found::Degraded(
            "this user has no home directory".to_owned(),
        )),
    }
}

fn superuser(_: &Path) -> Tried {
    let text = if ports::is_superuser() { "yes" } else { "no" };
    Ok(Found::Works(text.to_owned()))
}

fn services(_: &Path) -> Tried {
    match ports::service_manager() {
        Some(manager) => Ok(Found::Works(format!("{manager:?}"))),
        None => Ok(Found::Works(
            "none runs here, as in most containers".to_owned(),
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
    match ports::limit_unacknowledged(&stream, Duration::from_secs(60)) {
        Ok(()) => Ok(Found::works()),
        Err(error) => Ok(Found::Degraded(error.to_string())),
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
    match alarm.sleep(Some(Duration::from_millis(20))) {
        Awake::TimeOver | Awake::Roused => Ok(Found::works()),
        Awake::ClockChanged => Ok(Found::Works("the clock was set just now".to_owned())),
    }
}
