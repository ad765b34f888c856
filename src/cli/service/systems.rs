//! What starts services at boot, system by system: the template, where it goes, what makes it
//! effective. The only place where a stop is defined.

use ports::ServiceManager;

/// How long a supervisor that knows patience lets running builds go on when it stops a worker, in
/// seconds; then it stops it without grace. This is what to change for longer builds.
pub const DRAIN_SECONDS: &str = "900";

/// When it kills, in seconds: the above, and the time that a worker needs to end its steps.
pub const KILL_SECONDS: &str = "960";

/// The words with which the others stop a worker: at once, as they kill after half a minute or hold
/// up a whole shutdown.
pub const STOP_WORDS: &str = "stop";

/// The words with which scripts ask whether it runs.
pub const STATUS_WORDS: &str = "service --status";

/// How a service is called after its instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// `coracle-INSTANCE`.
    Hyphen,
    /// `coracle-INSTANCE` without dots, which scf names do not have (smf(7)).
    HyphenNoDot,
    /// `coracle.INSTANCE`.
    Dot,
    /// `coracle_INSTANCE`, the beginning of shell variables (rc.subr(8)).
    Variable,
    /// The same in lower case, to which OpenBSD's rc.subr(8) folds names of variables.
    LowerVariable,
}

impl Naming {
    /// The name of the service of an instance.
    pub fn service(self, instance: &str) -> String {
        let variable = || instance.replace(['-', '.'], "_");
        match self {
            Naming::Hyphen => format!("coracle-{instance}"),
            Naming::HyphenNoDot => format!("coracle-{}", instance.replace('.', "_")),
            Naming::Dot => format!("coracle.{instance}"),
            Naming::Variable => format!("coracle_{}", variable()),
            Naming::LowerVariable => format!("coracle_{}", variable().to_ascii_lowercase()),
        }
    }
}

/// A way to start services at boot. Paths, texts and words may hold placeholders.
#[derive(Debug)]
pub struct System {
    /// What `--for` calls it.
    pub name: &'static str,
    /// None for cron, which is everywhere.
    pub manager: Option<ServiceManager>,
    pub naming: Naming,
    /// Whether there are users to choose from.
    pub has_users: bool,
    pub template: &'static str,
    /// What of the template says for which directory a service is.
    pub mark: &'static str,
    /// Where the file goes, absolute. None for a line in a crontab.
    pub file: Option<&'static str>,
    pub mode: u32,
    /// A second file with its text, that switches the service on.
    pub switch: Option<(&'static str, &'static str)>,
    /// Commands that make the service start at the next boot.
    pub enable: &'static [&'static [&'static str]],
    /// A command that starts it now.
    pub start: &'static str,
}

const PROGRAM: u32 = 0o755;
/// The permission bits of files that are only read.
pub const TEXT: u32 = 0o644;

/// All of them.
pub const SYSTEMS: &[System] = &[
    System {
        name: "systemd",
        manager: Some(ServiceManager::Systemd),
        naming: Naming::Hyphen,
        has_users: true,
        template: include_str!("../../../ports/linux/systemd.service"),
        mark: "WorkingDirectory=@basedir:unitpath@\n",
        // systemd.unit(5): the place for units of the administrator.
        file: Some("/etc/systemd/system/@service@.service"),
        mode: TEXT,
        switch: None,
        enable: &[
            &["systemctl", "daemon-reload"],
            &["systemctl", "enable", "@service@.service"],
        ],
        start: "systemctl start @service@",
    },
    System {
        name: "openrc",
        manager: Some(ServiceManager::OpenRc),
        naming: Naming::Hyphen,
        has_users: true,
        template: include_str!("../../../ports/linux/openrc"),
        mark: "directory=@basedir:shsh@\n",
        file: Some("/etc/init.d/@service@"),
        mode: PROGRAM,
        switch: None,
        enable: &[&["rc-update", "add", "@service@", "default"]],
        start: "rc-service @service@ start",
    },
    System {
        name: "freebsd",
        manager: Some(ServiceManager::FreeBsdRc),
        naming: Naming::Variable,
        has_users: true,
        template: include_str!("../../../ports/freebsd/rc.d"),
        mark: "_basedir=@basedir:sh@\n",
        file: Some("/usr/local/etc/rc.d/@service@"),
        mode: PROGRAM,
        switch: None,
        enable: &[&["sysrc", "@service@_enable=YES"]],
        start: "service @service@ start",
    },
    System {
        name: "openbsd",
        manager: Some(ServiceManager::OpenBsdRc),
        naming: Naming::LowerVariable,
        has_users: true,
        template: include_str!("../../../ports/openbsd/rc.d"),
        mark: "basedir=@basedir:sh@\n",
        file: Some("/etc/rc.d/@service@"),
        mode: PROGRAM,
        switch: None,
        enable: &[&["rcctl", "enable", "@service@"]],
        start: "rcctl start @service@",
    },
    System {
        name: "netbsd",
        manager: Some(ServiceManager::NetBsdRc),
        naming: Naming::Variable,
        has_users: true,
        template: include_str!("../../../ports/netbsd/rc.d"),
        mark: "_basedir=@basedir:sh@\n",
        file: Some("/etc/rc.d/@service@"),
        mode: PROGRAM,
        switch: Some(("/etc/rc.conf.d/@service@", "@service@=YES\n")),
        enable: &[],
        start: "/etc/rc.d/@service@ start",
    },
    System {
        name: "dragonfly",
        manager: Some(ServiceManager::DragonFlyRc),
        naming: Naming::Variable,
        has_users: true,
        // Its rc.subr(8) is FreeBSD's.
        template: include_str!("../../../ports/freebsd/rc.d"),
        mark: "_basedir=@basedir:sh@\n",
        file: Some("/usr/local/etc/rc.d/@service@"),
        mode: PROGRAM,
        switch: Some(("/etc/rc.conf.d/@service@", "@service@_enable=YES\n")),
        enable: &[],
        start: "/usr/local/etc/rc.d/@service@ start",
    },
    System {
        name: "illumos",
        manager: Some(ServiceManager::Smf),
        naming: Naming::HyphenNoDot,
        has_users: true,
        template: include_str!("../../../ports/illumos/manifest.xml"),
        mark: "working_directory=\"@basedir:xml@\"",
        // smf_bootstrap(7): manifests in here are imported at boot.
        file: Some("/var/svc/manifest/site/@service@.xml"),
        mode: TEXT,
        switch: None,
        enable: &[],
        start: "svccfg import /var/svc/manifest/site/@service@.xml",
    },
    System {
        name: "macos",
        manager: Some(ServiceManager::Launchd),
        naming: Naming::Dot,
        has_users: true,
        template: include_str!("../../../ports/macos/launchd.plist"),
        mark: "<string>@basedir:xml@</string>",
        // launchd(8): loaded at boot, if it belongs to root and only root may write it.
        file: Some("/Library/LaunchDaemons/@service@.plist"),
        mode: TEXT,
        switch: None,
        enable: &[],
        start: "launchctl bootstrap system /Library/LaunchDaemons/@service@.plist",
    },
    System {
        name: "haiku",
        manager: Some(ServiceManager::HaikuLaunch),
        naming: Naming::Hyphen,
        has_users: false,
        template: include_str!("../../../ports/haiku/launch"),
        mark: " \"@basedir:haiku@\"\n",
        file: Some("/boot/system/settings/launch/@service@"),
        mode: TEXT,
        switch: None,
        enable: &[],
        start: "launch_roster start @service@, after a restart of the system",
    },
    System {
        name: "cron",
        manager: None,
        naming: Naming::Hyphen,
        has_users: true,
        template: include_str!("../../../ports/unlisted/crontab"),
        mark: " start -q @basedir:cron@\n",
        file: None,
        mode: TEXT,
        switch: None,
        enable: &[],
        start: "coracle start BASEDIR, as that user",
    },
];

impl System {
    /// The one of this name.
    ///
    /// # Errors
    /// There is none.
    pub fn named(name: &str) -> Result<&'static System, String> {
        let found = SYSTEMS.iter().find(|system| system.name == name);
        found.ok_or_else(|| {
            let names: Vec<&str> = SYSTEMS.iter().map(|system| system.name).collect();
            format!(
                "no service for \"{name}\" is known; known are {}",
                names.join(", ")
            )
        })
    }

    /// The one of this manager.
    ///
    /// # Errors
    /// None is running.
    pub fn of(manager: Option<ServiceManager>) -> Result<&'static System, String> {
        let found = SYSTEMS
            .iter()
            .find(|system| system.manager.is_some() && system.manager == manager);
        found.ok_or_else(|| {
            "cannot tell what starts services on this host; say it with --for (in a container, run `coracle start --nodaemon` instead; where there is only cron, --for cron)"
                .to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_named_as_their_systems_allow() {
        let instance = "Bb-1.x_y";
        assert_eq!(Naming::Hyphen.service(instance), "coracle-Bb-1.x_y");
        assert_eq!(Naming::HyphenNoDot.service(instance), "coracle-Bb-1_x_y");
        assert_eq!(Naming::Dot.service(instance), "coracle.Bb-1.x_y");
        assert_eq!(Naming::Variable.service(instance), "coracle_Bb_1_x_y");
        assert_eq!(Naming::LowerVariable.service(instance), "coracle_bb_1_x_y");
    }

    #[test]
    fn every_manager_has_its_system() {
        for system in SYSTEMS {
            assert_eq!(System::named(system.name).unwrap().name, system.name);
            if system.manager.is_some() {
                assert_eq!(System::of(system.manager).unwrap().name, system.name);
            }
        }
        assert!(System::named("windows").is_err());
        assert!(System::of(None).is_err());
    }
}
