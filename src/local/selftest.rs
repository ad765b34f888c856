//! What works on this machine: every function of the port, called directly, and every command and every
//! way to end one, through the real protocol.

mod facts;
mod files;
mod processes;
mod report;
mod system;

use std::path::Path;

use super::recipe::{Outcome, Plan};
use super::run::Report;

pub use report::{json, paste, table};

/// How well something works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Status {
    Works,
    Degraded,
    Absent,
}

impl Status {
    /// In one word.
    pub fn name(self) -> &'static str {
        match self {
            Status::Works => "works",
            Status::Degraded => "degraded",
            Status::Absent => "absent",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// `port` or `protocol`.
    pub area: &'static str,
    /// The function, or the step.
    pub name: String,
    /// How well it works.
    pub status: Status,
    /// What was seen, or why it does not work; perhaps empty.
    pub note: String,
    /// The manual page or file to look at.
    pub see: String,
    /// Whether a machine without it cannot serve.
    pub needed: bool,
}

/// What a check of the port has found.
enum Found {
    Works(String),
    Degraded(String),
    Absent(String),
    /// It cannot be told, for there is no program of this name in `PATH`.
    Untried(&'static str),
}

impl Found {
    fn works() -> Found {
        Found::Works(String::new())
    }
}

/// Where to look when a program is missing that every system has.
const PATH: &str = "the variable PATH";

/// Anything that went wrong is absent, with its reason.
type Tried = Result<Found, String>;

/// A check: the functions, what to read, whether a machine cannot serve without, and how it is done.
struct Try {
    name: &'static str,
    see: &'static str,
    needed: bool,
    look: fn(&Path) -> Tried,
}

/// System, release and processor, as the system itself tells them: `Linux 6.1.0 x86_64`.
pub fn system_name() -> String {
    let name = ports::system_name();
    format!("{} {} {}", name.system, name.release, name.machine)
}

/// Whether this machine can serve.
pub fn can_serve(checks: &[Check]) -> bool {
    checks
        .iter()
        .all(|check| check.status != Status::Absent || !check.needed)
}

/// Calls every function of the port, in an empty directory. Takes some seconds.
pub fn port(directory: &Path) -> Vec<Check> {
    [processes::TRIES, system::TRIES, facts::TRIES, files::TRIES]
        .into_iter()
        .flatten()
        .map(|each| {
            let (status, note, see) = match (each.look)(directory) {
                Ok(Found::Works(note)) => (Status::Works, note, each.see),
                Ok(Found::Degraded(note)) => (Status::Degraded, note, each.see),
                Ok(Found::Untried(name)) => {
                    let note = format!("not tried, for there is no {name}");
                    (Status::Degraded, note, PATH)
                }
                Ok(Found::Absent(note)) | Err(note) => (Status::Absent, note, each.see),
            };
            Check {
                area: "port",
                name: each.name.to_owned(),
                status,
                note,
                see: see.to_owned(),
                needed: each.needed,
            }
        })
        .collect()
}

/// What the steps of the built-in recipe `selftest` have shown.
pub fn protocol(plan: &Plan, report: &Report) -> Vec<Check> {
    let checks = plan.steps.iter().map(|step| {
        let end = report.steps.iter().find(|end| end.name == step.name);
        let (status, note, see) = match end {
            None => {
                let why = report.trouble.clone().unwrap_or_default();
                (Status::Absent, format!("not run: {why}"), &*step.see)
            }
            Some(end) => match end.outcome {
                Outcome::Success => (Status::Works, end.note.clone(), &*step.see),
                // Only what a step needs keeps it from being run.
                Outcome::Skipped => (Status::Degraded, format!("not tried: {}", end.note), PATH),
                Outcome::Warnings => (Status::Degraded, end.note.clone(), &*step.see),
                Outcome::Failure | Outcome::Exception | Outcome::Cancelled => {
                    (Status::Absent, end.note.clone(), &*step.see)
                }
            },
        };
        Check {
            area: "protocol",
            name: step.name.clone(),
            status,
            note,
            see: see.to_owned(),
            needed: true,
        }
    });
    checks.collect()
}
