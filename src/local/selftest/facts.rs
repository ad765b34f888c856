//! What the system tells about itself, its user and its files.

use std::path::Path;
use std::time::SystemTime;

use ports::{Limit, Resource};

use super::{Found, Tried, Try};

pub(super) const TRIES: &[Try] = &[
    Try {
        name: "system_name",
        see: "uname(2)",
        needed: false,
        look: system,
    },
    Try {
        name: "c_library",
        see: "gnu_get_libc_version(3)",
        needed: false,
        look: library,
    },
    Try {
        name: "cpu_count",
        see: "sched_getaffinity(2), sysconf(3)",
        needed: true,
        look: cpus,
    },
    Try {
        name: "memory",
        see: "sysconf(3), cgroups(7)",
        needed: false,
        look: memory,
    },
    Try {
        name: "release_memory",
        see: "madvise(2)",
        needed: false,
        look: release,
    },
    Try {
        name: "load",
        see: "getloadavg(3)",
        needed: false,
        look: load,
    },
    Try {
        name: "resource_limit",
        see: "getrlimit(2)",
        needed: false,
        look: limits,
    },
    Try {
        name: "file_system, may_write",
        see: "statvfs(3), access(2)",
        needed: false,
        look: disk,
    },
    Try {
        name: "root_certificates",
        see: "the package ca-certificates",
        needed: false,
        look: certificates,
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
];

fn system(_: &Path) -> Tried {
    let name = ports::system_name();
    if [&name.system, &name.release, &name.machine]
        .iter()
        .any(|part| part.is_empty())
    {
        return Ok(Found::Degraded(format!("not all is told: {name:?}")));
    }
    Ok(Found::works())
}

fn library(_: &Path) -> Tried {
    Ok(Found::Works(
        ports::c_library().unwrap_or_else(|| "a part of the system".to_owned()),
    ))
}

fn memory(_: &Path) -> Tried {
    match ports::memory() {
        None => Ok(Found::Absent("the system does not tell".to_owned())),
        Some(0) => Err("there are 0 bytes".to_owned()),
        Some(bytes) => Ok(Found::Works(format!("{} MiB", bytes >> 20))),
    }
}

fn release(_: &Path) -> Tried {
    ports::release_memory();
    Ok(Found::works())
}

fn load(_: &Path) -> Tried {
    match ports::load() {
        None => Ok(Found::Absent("the system does not tell".to_owned())),
        Some([now, _, _]) => Ok(Found::Works(format!("{now:.2}"))),
    }
}

fn limits(_: &Path) -> Tried {
    match ports::resource_limit(Resource::Files) {
        None => Ok(Found::Absent("the system does not tell".to_owned())),
        Some(Limit::None) => Ok(Found::Works("files: no limit".to_owned())),
        Some(Limit::Of(number)) => Ok(Found::Works(format!("files: {number}"))),
    }
}

fn disk(directory: &Path) -> Tried {
    let here = ports::file_system(directory).map_err(|error| error.to_string())?;
    if !ports::may_write(directory) {
        return Err("a directory of ours counts as one that we may not write in".to_owned());
    }
    if ports::may_write(&directory.join("not-there")) {
        return Err("a file that is not there counts as one that we may write".to_owned());
    }
    Ok(Found::Works(format!("{} MiB free", here.free >> 20)))
}

/// What a machine has none of, the program brings itself.
fn certificates(_: &Path) -> Tried {
    let places = ports::root_certificates();
    let all = places.files.iter().chain(places.directories);
    match all.map(Path::new).find(|place| place.exists()) {
        Some(place) => Ok(Found::Works(place.display().to_string())),
        None => Ok(Found::Works("none here; built-in ones are used".to_owned())),
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
