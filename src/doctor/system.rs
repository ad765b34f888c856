//! Which system this is, as far as its packages are concerned.

/// A family of systems whose packages have the same names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// Debian, Ubuntu, Raspberry Pi OS and their relatives.
    Debian,
    /// Fedora, RHEL, CentOS and their relatives.
    Fedora,
    /// Alpine Linux.
    Alpine,
    /// FreeBSD.
    FreeBsd,
    /// OpenBSD.
    OpenBsd,
    /// NetBSD with pkgsrc.
    NetBsd,
    /// DragonFly BSD.
    DragonFly,
    /// OmniOS; other distributions of illumos name some packages differently.
    Illumos,
    /// Haiku.
    Haiku,
    /// macOS with Homebrew.
    MacOs,
    /// Any other: the names of its packages are not known to us.
    Other,
}

/// The names that `--system` takes.
const NAMES: &[(&str, System)] = &[
    ("debian", System::Debian),
    ("fedora", System::Fedora),
    ("alpine", System::Alpine),
    ("freebsd", System::FreeBsd),
    ("openbsd", System::OpenBsd),
    ("netbsd", System::NetBsd),
    ("dragonfly", System::DragonFly),
    ("illumos", System::Illumos),
    ("haiku", System::Haiku),
    ("macos", System::MacOs),
];

/// Names in `ID` and `ID_LIKE` of os-release(5).
const LINUXES: &[(&str, System)] = &[
    ("debian", System::Debian),
    ("ubuntu", System::Debian),
    ("raspbian", System::Debian),
    ("fedora", System::Fedora),
    ("rhel", System::Fedora),
    ("centos", System::Fedora),
    ("alpine", System::Alpine),
];

impl System {
    /// The one with this name.
    ///
    /// # Errors
    /// There is none; the names that there are.
    pub fn named(name: &str) -> Result<System, String> {
        let found = NAMES.iter().find(|(known, _)| *known == name);
        found.map(|(_, system)| *system).ok_or_else(|| {
            let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
            format!("unknown system {name}; known are {}", names.join(", "))
        })
    }

    /// From `uname -s` and os-release(5).
    pub fn of(kernel: &str, os_release: &[(String, String)]) -> System {
        match kernel {
            "FreeBSD" => System::FreeBsd,
            "OpenBSD" => System::OpenBsd,
            "NetBSD" => System::NetBsd,
            "DragonFly" => System::DragonFly,
            "SunOS" => System::Illumos,
            "Haiku" => System::Haiku,
            "Darwin" => System::MacOs,
            _ => linux(os_release),
        }
    }

    /// How a package is installed.
    pub fn install_command(self) -> Option<&'static str> {
        match self {
            System::Debian => Some("apt-get install"),
            System::Fedora => Some("dnf install"),
            System::Alpine => Some("apk add"),
            System::FreeBsd | System::DragonFly => Some("pkg install"),
            System::OpenBsd => Some("pkg_add"),
            System::NetBsd => Some("pkgin install"),
            System::Illumos => Some("pkg install"),
            System::Haiku => Some("pkgman install"),
            System::MacOs => Some("brew install"),
            System::Other => None,
        }
    }

    /// Whether that is done by the superuser.
    pub fn installs_as_root(self) -> bool {
        !matches!(self, System::Haiku | System::MacOs)
    }
}

fn linux(os_release: &[(String, String)]) -> System {
    let value = |key: &str| {
        let found = os_release.iter().find(|(known, _)| known == key);
        found.map_or("", |(_, value)| value.as_str())
    };
    let names = value("ID").split_whitespace();
    let mut names = names.chain(value("ID_LIKE").split_whitespace());
    let found = names.find_map(|name| LINUXES.iter().find(|(known, _)| *known == name));
    found.map_or(System::Other, |(_, system)| *system)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &[(&str, &str)]) -> Vec<(String, String)> {
        text.iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_relative_counts_as_what_it_is_like() {
        let mint = pairs(&[("ID", "linuxmint"), ("ID_LIKE", "ubuntu debian")]);
        assert_eq!(System::of("Linux", &mint), System::Debian);
        let rocky = pairs(&[("ID_LIKE", "rhel centos fedora"), ("ID", "rocky")]);
        assert_eq!(System::of("Linux", &rocky), System::Fedora);
        let gentoo = pairs(&[("ID", "gentoo")]);
        assert_eq!(System::of("Linux", &gentoo), System::Other);
        assert_eq!(System::of("Linux", &[]), System::Other);
        assert_eq!(System::of("OpenBSD", &[]), System::OpenBsd);
    }

    #[test]
    fn an_unknown_name_tells_the_known_ones() {
        assert_eq!(System::named("haiku"), Ok(System::Haiku));
        assert!(System::named("beos").is_err_and(|why| why.contains("haiku, macos")));
    }
}
