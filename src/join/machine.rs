//! What a machine is, in the words of a request.

use super::Answers;
use crate::basedir;
use crate::doctor::{System, amount};

/// The facts that a request is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Its family.
    pub system: System,
    /// The system with its version: `Debian GNU/Linux 12 (bookworm)`.
    pub os: String,
    /// The system in one word, as os-release(5) or the kernel has it.
    pub os_id: String,
    /// Its version.
    pub release: String,
    /// As `uname -m` has it.
    pub arch: String,
    /// Processors.
    pub cpus: usize,
    /// Bytes.
    pub memory: Option<u64>,
}

impl Machine {
    /// This one.
    pub fn here() -> Machine {
        let name = ports::system_name();
        let os_release = basedir::os_release();
        let value = |key: &str| {
            let found = os_release.iter().find(|(known, _)| known == key);
            found.map(|(_, value)| value.clone())
        };
        let kernel = format!("{} {}", name.system, name.release);
        Machine {
            system: System::of(&name.system, &os_release),
            os: value("PRETTY_NAME").unwrap_or(kernel),
            os_id: value("ID").unwrap_or(name.system).to_lowercase(),
            release: value("VERSION_ID").unwrap_or(name.release),
            arch: name.machine,
            cpus: ports::cpu_count(),
            memory: ports::memory(),
        }
    }

    /// The line for `info/host`.
    pub fn description(&self, answers: &Answers) -> String {
        let memory = self.memory.map_or(String::new(), |bytes| {
            format!(", {} of memory", amount(bytes))
        });
        let processors = if self.cpus == 1 {
            "processor"
        } else {
            "processors"
        };
        let Answers { os, arch, .. } = answers;
        format!("{os} on {arch}, {} {processors}{memory}", self.cpus)
    }

    /// The tags of the fleet's workers.py, in its order: kernel, family, system, processor.
    pub fn tags(&self) -> Vec<&str> {
        let mut tags = match self.system {
            System::Debian | System::Fedora | System::Alpine | System::Other => {
                vec!["linux", "unix", self.os_id.as_str()]
            }
            System::FreeBsd => vec!["freebsd", "bsd", "unix"],
            System::OpenBsd => vec!["openbsd", "bsd", "unix"],
            System::NetBsd => vec!["netbsd", "bsd", "unix"],
            System::DragonFly => vec!["dragonfly", "bsd", "unix"],
            System::Illumos => vec!["illumos", "solaris", "unix"],
            System::Haiku => vec!["haiku", "unix"],
            System::MacOs => vec!["macOS", "unix"],
        };
        match self.arch.as_str() {
            "x86_64" | "amd64" | "i86pc" => tags.extend(["amd64", "x86-64"]),
            "aarch64" | "arm64" => tags.extend(["arm", "arm64", "aarch64"]),
            "i386" | "i586" | "i686" => tags.push("x86"),
            arch if arch.starts_with("arm") => tags.extend(["arm", arch]),
            arch => tags.push(arch),
        }
        tags
    }
}
