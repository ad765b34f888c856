//! Whether a master lets us in: as far as its answer to our password, and no further.

use std::io;

use super::check::Check;
use crate::basedir::Settings;
use crate::link::LinkError;
use crate::worker::login::{LIMIT, LoginTry, try_login};
use crate::worker::place;

/// Logs in as the settings of a base directory say, and hangs up.
pub fn check(settings: &Settings) -> Check {
    told(try_login(settings), &settings.name, &place(settings))
}

fn told(outcome: LoginTry, name: &str, master: &str) -> Check {
    let why = "without a login there are no builds";
    let missing = |saw: String, remedy: &str| Check::missing("login", saw, why, remedy);
    match outcome {
        LoginTry::LetIn(after) => {
            let taken = after.as_millis();
            Check::ok("login", format!("{master} let {name} in after {taken} ms"))
        }
        LoginTry::Unauthorized => missing(
            format!("{master} answers, but name or password is wrong (name {name})"),
            "compare both with what the owner of the master sent you",
        ),
        LoginTry::Duplicate => Check::warning(
            "login",
            format!("name and password are right, but a worker {name} is connected already"),
            "a master takes each name once",
            "fine if that is the worker in this directory; otherwise find the other one",
        ),
        LoginTry::Refused(message) => missing(
            format!("{master} refused the login: {message}"),
            "show this to the owner of the master",
        ),
        LoginTry::NoWay(error) => missing(error, "mend buildbot.tac"),
        LoginTry::Unreachable(error) => unreachable(&error, &missing),
        LoginTry::Lost(why) => missing(
            format!("connected to {master}, and lost it before the answer: {why}"),
            "does that port want TLS, or is a proxy between?",
        ),
        LoginTry::NotAMaster(error) => missing(
            format!("{master} answers, but not as a master: {error}"),
            "compare host, port and protocol with what the owner of the master sent you",
        ),
        LoginTry::Silent => missing(
            format!(
                "connected to {master}, which says nothing within {} s",
                LIMIT.as_secs()
            ),
            "does that port want TLS? A master speaks first",
        ),
    }
}

fn unreachable(error: &LinkError, missing: &dyn Fn(String, &str) -> Check) -> Check {
    // Some of these errors say themselves what to do.
    let text = error.to_string();
    let told = |kind: &str, remedy: &str| match text.rsplit_once("; ") {
        Some((saw, hint)) => missing(format!("{kind}{saw}"), hint),
        None => missing(format!("{kind}{text}"), remedy),
    };
    match error {
        LinkError::UnknownHost { .. } => told(
            "name look-up: ",
            "check the host's spelling, and /etc/resolv.conf",
        ),
        LinkError::Connect { error: cause, .. } => match cause.kind() {
            io::ErrorKind::ConnectionRefused => {
                told("refused: ", "is the port right, and is the master running?")
            }
            io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
                told("no route: ", "is this machine's network up?")
            }
            _ => told("", "try again, then ask whoever runs the network"),
        },
        LinkError::Timeout { .. } => missing(
            format!("no answer: {error}"),
            "ask whoever runs the firewall to let this machine out",
        ),
        LinkError::Proxy { .. } => missing(
            format!("proxy: {error}"),
            "ask whoever runs the proxy to let this machine through",
        ),
        LinkError::Tls { .. } => missing(
            format!("TLS: {error}"),
            "see docs/masters.md beside coracle's README",
        ),
    }
}
