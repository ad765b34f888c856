//! What is done, line by line in a file, so that a run that was cut off can go on.
//!
//! The first line holds the fingerprint of the plan. A line that is not whole counts as not written.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::StepEnd;
use crate::local::recipe::Outcome;

/// The file among the results.
pub(super) const FILE: &str = "progress";

const HEAD: &str = "coracle progress 1";

/// The file, open for more.
#[derive(Debug)]
pub(super) struct Progress {
    file: File,
}

impl Progress {
    /// Begins anew, or goes on if the file is of the same plan, whose run has not ended. Returns what
    /// is done already.
    ///
    /// # Errors
    /// The system's.
    pub fn open(
        directory: &Path,
        fingerprint: &str,
        resume: bool,
    ) -> io::Result<(Progress, Vec<StepEnd>)> {
        let path = directory.join(FILE);
        let head = format!("{HEAD} {fingerprint}");
        let text = match std::fs::read(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let whole = &text[..text.rfind('\n').map_or(0, |at| at + 1)];
        let mut lines = whole.lines();
        let same = lines.next() == Some(head.as_str());
        let done: Vec<StepEnd> = lines.clone().filter_map(read).collect();
        let ended = lines.any(|line| line == "end");
        if resume && same && !ended {
            // What is not whole is cut off: the next line must not be glued to it.
            let file = OpenOptions::new().append(true).open(&path)?;
            file.set_len(u64::try_from(whole.len()).unwrap_or_default())?;
            return Ok((Progress { file }, done));
        }
        let file = File::create(&path)?;
        let mut progress = Progress { file };
        progress.line(&head)?;
        Ok((progress, Vec::new()))
    }

    /// Adds a step that is done.
    ///
    /// # Errors
    /// The system's.
    pub fn add(&mut self, end: &StepEnd) -> io::Result<()> {
        let code = end.code.map_or("-".to_owned(), |code| code.to_string());
        let clean = |text: &str| text.replace(['\t', '\n', '\r'], " ");
        let log = end.log.as_ref();
        let log = log
            .and_then(|log| log.to_str())
            .map_or(String::new(), clean);
        self.line(&format!(
            "step\t{}\t{}\t{code}\t{:.3}\t{}\t{log}",
            clean(&end.name),
            end.outcome,
            end.seconds,
            clean(&end.note)
        ))
    }

    /// There is nothing to go on with.
    ///
    /// # Errors
    /// The system's.
    pub fn end(&mut self) -> io::Result<()> {
        self.line("end")
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        self.file.write_all(format!("{text}\n").as_bytes())?;
        // A step may have taken hours.
        self.file.sync_data()
    }
}

fn read(line: &str) -> Option<StepEnd> {
    let mut fields = line.strip_prefix("step\t")?.split('\t');
    let mut next = || fields.next();
    let (name, outcome, code) = (next()?, next()?, next()?);
    let (seconds, note, log) = (next()?, next()?, next()?);
    Some(StepEnd {
        name: name.to_owned(),
        outcome: Outcome::named(outcome)?,
        code: code.parse().ok(),
        seconds: seconds.parse().ok()?,
        note: note.to_owned(),
        log: (!log.is_empty()).then(|| log.into()),
        earlier: true,
    })
}
