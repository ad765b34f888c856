//! The names of the fleet's workers: owner, system, and processor where it is not the usual one
//! (python/buildmaster-config, workers.py).

use super::Machine;
use crate::doctor::System;

/// Longest name.
const LONGEST: usize = 60;

/// Whether a worker may be called so: it becomes part of names of directories and of a page's address.
pub fn usable(name: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    name.len() <= LONGEST
        && name.bytes().all(good)
        && name.split_once('-').is_some_and(|(owner, rest)| {
            usable_owner(owner) && rest.starts_with(|c: char| c.is_ascii_alphanumeric())
        })
}

/// Whether an owner may be called so: the fleet takes the text before the first `-` as the owner.
pub fn usable_owner(owner: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !owner.is_empty() && owner.len() <= 30 && owner.bytes().all(good)
}

/// What a worker of this owner on this machine would be called.
pub fn suggested(owner: &str, machine: &Machine) -> String {
    let major: String = machine
        .release
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    let usual = ["amd64", "x86_64", "i86pc"].contains(&machine.arch.as_str());
    let system = match machine.system {
        System::FreeBsd => format!("fbsd{major}"),
        System::OpenBsd => format!("obsd{major}"),
        System::NetBsd => format!("nbsd{major}"),
        System::DragonFly => "dragonfly".to_owned(),
        System::Illumos => "illumos".to_owned(),
        System::Haiku => "haiku".to_owned(),
        System::MacOs => "macos".to_owned(),
        System::Debian | System::Fedora | System::Alpine | System::Other => {
            let name = plain(&machine.os_id);
            return format!("{owner}-{name}-{}", plain(&machine.arch));
        }
    };
    if usual {
        format!("{owner}-{system}")
    } else {
        format!("{owner}-{system}-{}", plain(&machine.arch))
    }
}

/// Without what a name may not have.
fn plain(text: &str) -> String {
    let good = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    let kept: String = text.chars().filter(good).collect();
    if kept.is_empty() {
        "unix".to_owned()
    } else {
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(system: System, os_id: &str, release: &str, arch: &str) -> Machine {
        Machine {
            system,
            os: String::new(),
            os_id: os_id.to_owned(),
            release: release.to_owned(),
            arch: arch.to_owned(),
            cpus: 1,
            memory: None,
        }
    }

    #[test]
    fn names_are_like_those_of_the_fleet() {
        let name = |machine| suggested("doe", &machine);
        let fbsd = machine(System::FreeBsd, "freebsd", "14.2-RELEASE", "amd64");
        assert_eq!(name(fbsd), "doe-fbsd14");
        let fbsd = machine(System::FreeBsd, "freebsd", "15.0", "arm64");
        assert_eq!(name(fbsd), "doe-fbsd15-arm64");
        let debian = machine(System::Debian, "debian", "12", "x86_64");
        assert_eq!(name(debian), "doe-debian-x86_64");
        let odd = machine(System::Other, "open suse/é", "", "");
        assert_eq!(name(odd), "doe-opensuse-unix");
    }

    #[test]
    fn a_name_needs_an_owner_and_plain_letters() {
        for good in ["doe-fbsd14", "ware-debian-x86", "a-1.2_3"] {
            assert!(usable(good), "{good}");
        }
        for bad in ["doe", "-x", "doe-", "d oe-x", "doe-x/y", "döe-x", "doe--x"] {
            assert!(!usable(bad), "{bad}");
        }
        assert!(!usable_owner("jo-doe"));
    }
}
