//! Whether something would start a worker when the machine boots.

use ports::ServiceManager;

use super::check::Check;

/// The service manager.
pub fn look() -> Check {
    let name = match ports::service_manager() {
        Some(ServiceManager::Systemd) => "systemd",
        Some(ServiceManager::OpenRc) => "OpenRC",
        Some(
            ServiceManager::FreeBsdRc
            | ServiceManager::OpenBsdRc
            | ServiceManager::NetBsdRc
            | ServiceManager::DragonFlyRc,
        ) => "rc.d",
        Some(ServiceManager::Smf) => "SMF",
        Some(ServiceManager::Launchd) => "launchd",
        Some(ServiceManager::HaikuLaunch) => "launch_daemon",
        None => {
            return Check::warning(
                "boot",
                "no service manager that we know runs here",
                "the worker must come back after a reboot",
                "coracle service --for cron BASEDIR prints a line for crontab",
            );
        }
    };
    let saw = format!("{name}; coracle service --install BASEDIR makes it start a worker");
    Check::ok("boot", saw)
}
