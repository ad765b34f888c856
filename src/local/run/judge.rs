//! What a step's end means.

use crate::calls::FailureReason;
use crate::local::recipe::{Outcome, Step};

/// What is known of a step at its end.
#[derive(Debug, Clone, Default)]
pub(super) struct Evidence {
    pub code: Option<i32>,
    pub reason: Option<FailureReason>,
    /// The worker could not do it.
    pub failure: Option<String>,
    /// What we could not do.
    pub trouble: Option<String>,
    /// The run was stopped.
    pub cancelled: bool,
    /// Lines with a warning.
    pub warnings: usize,
    /// Expected texts that have not come.
    pub missing: Vec<String>,
    /// Last line of output, of either stream.
    pub last_line: String,
    /// Last line of standard output.
    pub last_out: String,
}

/// Result and note.
pub(super) fn judge(step: &Step, evidence: &Evidence) -> (Outcome, String) {
    if evidence.cancelled {
        return (Outcome::Cancelled, "stopped".to_owned());
    }
    if let Some(failure) = evidence.failure.as_ref().or(evidence.trouble.as_ref()) {
        return (Outcome::Exception, failure.clone());
    }
    let Some(code) = evidence.code else {
        return (Outcome::Failure, "it ended without an exit code".to_owned());
    };
    let usual = if code == 0 {
        Outcome::Success
    } else {
        Outcome::Failure
    };
    let outcome = step.results.get(&code).copied().unwrap_or(usual);
    if outcome > Outcome::Warnings {
        return (outcome, why(code, evidence));
    }
    if let Some(missing) = evidence.missing.first() {
        let note = format!("'{missing}' is not in its output");
        return (Outcome::Failure, note);
    }
    if evidence.warnings > 0 {
        let note = format!("{} lines with warnings", evidence.warnings);
        return (outcome.max(Outcome::Warnings), note);
    }
    let note = match &step.shows {
        Some(shows) => shows.replace("{LINE}", &evidence.last_out),
        None if outcome == Outcome::Success => String::new(),
        None => why(code, evidence),
    };
    (outcome, note)
}

fn why(code: i32, evidence: &Evidence) -> String {
    let last = match evidence.last_line.as_str() {
        "" => String::new(),
        line => format!(": {line}"),
    };
    match evidence.reason {
        Some(FailureReason::Silence) => format!("ended after its time without output{last}"),
        Some(FailureReason::TotalTime) => format!("ended after its time{last}"),
        Some(FailureReason::MaxLines) => "ended after too many lines".to_owned(),
        None if code == -1 => format!("killed by a signal{last}"),
        None => format!("exit code {code}{last}"),
    }
}
