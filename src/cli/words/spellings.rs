//! The options of each command.

/// An option of a command.
pub(super) struct Spelling {
    /// Its name.
    pub long: &'static str,
    /// Its letter.
    pub short: Option<char>,
    /// Whether a value follows.
    pub value: bool,
}

const fn switch(long: &'static str, short: Option<char>) -> Spelling {
    Spelling {
        long,
        short,
        value: false,
    }
}

const fn option(long: &'static str, short: Option<char>) -> Spelling {
    Spelling {
        long,
        short,
        value: true,
    }
}

/// The options before a command.
pub(super) const GENERAL: &[Spelling] = &[
    switch("help", Some('h')),
    switch("version", None),
    switch("verbose", None),
];

const START: &[Spelling] = &[
    switch("help", Some('h')),
    switch("nodaemon", None),
    switch("quiet", Some('q')),
    switch("verbose", None),
];

const STOP: &[Spelling] = &[
    switch("help", Some('h')),
    switch("quiet", Some('q')),
    switch("drain", None),
    option("timeout", None),
];

const CREATE_WORKER: &[Spelling] = &[
    switch("help", Some('h')),
    switch("force", Some('f')),
    switch("relocatable", Some('r')),
    switch("no-logrotate", Some('n')),
    switch("quiet", Some('q')),
    switch("use-tls", None),
    switch("delete-leftover-dirs", None),
    option("keepalive", Some('k')),
    option("umask", None),
    option("maxdelay", None),
    option("maxretries", None),
    option("numcpus", None),
    option("log-size", Some('s')),
    option("log-count", Some('l')),
    option("allow-shutdown", Some('a')),
    option("protocol", None),
    option("connection-string", None),
    option("proxy-connection-string", None),
    option("passwd-file", None),
    option("passwd-env", None),
];

const SERVICE: &[Spelling] = &[
    switch("help", Some('h')),
    option("for", None),
    option("user", None),
    option("name", None),
    option("program", None),
    switch("install", None),
    option("destdir", None),
    switch("status", None),
];

const DOCTOR: &[Spelling] = &[
    switch("help", Some('h')),
    option("for", None),
    switch("json", None),
    switch("network", None),
    option("login", None),
    option("system", None),
];

const JOIN: &[Spelling] = &[
    switch("help", Some('h')),
    option("owner", None),
    option("person", None),
    option("contact", None),
    option("github", None),
    option("name", None),
    option("os", None),
    option("arch", None),
    option("password", None),
    option("special", None),
    option("bringup", None),
    switch("force", Some('f')),
    switch("network", None),
];

const TRY: &[Spelling] = &[
    switch("help", Some('h')),
    switch("keep", None),
    option("escape", None),
];

const SELFTEST: &[Spelling] = &[
    switch("help", Some('h')),
    option("json", None),
    switch("keep", None),
];

const BRINGUP: &[Spelling] = &[
    switch("help", Some('h')),
    option("source", None),
    option("git", None),
    option("branch", None),
    option("variant", None),
    option("steps", None),
    option("tests", None),
    option("jobs", Some('j')),
    switch("rerun-failed", None),
    switch("fresh", None),
    option("directory", None),
    option("report", None),
    option("compare", None),
];

/// The commands of the cargo feature `tools`.
const TOOLS: [&str; 5] = ["doctor", "join", "try", "selftest", "bringup"];

/// Whether the command exists, but not in this program.
pub(super) fn is_left_out(command: &str) -> bool {
    cfg!(not(feature = "tools")) && TOOLS.contains(&command)
}

/// The options of a command; none if there is no such command.
pub(super) fn spellings(command: &str) -> Option<&'static [Spelling]> {
    match command {
        _ if is_left_out(command) => None,
        "create-worker" => Some(CREATE_WORKER),
        "start" | "restart" => Some(START),
        "stop" => Some(STOP),
        "service" => Some(SERVICE),
        "doctor" => Some(DOCTOR),
        "join" => Some(JOIN),
        "try" => Some(TRY),
        "selftest" => Some(SELFTEST),
        "bringup" => Some(BRINGUP),
        _ => None,
    }
}

/// Whether there is such a command.
pub fn is_command(word: &str) -> bool {
    spellings(word).is_some()
}
