//! What is done, line by line in a file, so that a run that was cut off can go on.
//!
//! A line that is not whole counts as not written.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::StepEnd;
use crate::local::recipe::Outcome;

/// The file among the results.
const FILE: &str = "progress";

const HEAD: &str = "coracle progress 2";

/// The file, open for more.
#[derive(Debug)]
pub(super) struct Progress {
    file: File,
}

impl Progress {
    /// Begins anew, with what earlier runs have done.
    ///
    /// # Errors
    /// The system's.
    pub fn begin(directory: &Path, earlier: &[StepEnd]) -> io::Result<Progress> {
        let mut text = format!("{HEAD}\n");
        for end in earlier {
            text.push_str(&line(end));
        }
        // Whoever reads it finds all of that or nothing.
        let (path, new) = (directory.join(FILE), directory.join("progress.new"));
        let mut file = File::create(&new)?;
        file.write_all(text.as_bytes())?;
        ports::save(&file)?;
        std::fs::rename(&new, &path)?;
        let file = OpenOptions::new().append(true).open(&path)?;
        Ok(Progress { file })
    }

    /// Adds a step that is done.
    ///
    /// # Errors
    /// The system's.
    pub fn add(&mut self, end: &StepEnd) -> io::Result<()> {
        self.write(&line(end))
    }

    /// The run has come to its end.
    ///
    /// # Errors
    /// The system's.
    pub fn end(&mut self) -> io::Result<()> {
        self.write("end\n")
    }

    fn write(&mut self, line: &str) -> io::Result<()> {
        self.file.write_all(line.as_bytes())?;
        // A step may have taken hours.
        ports::save(&self.file)
    }
}

/// What a run has done.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    /// The steps about which there is nothing to be done any more, good or not, in their order.
    pub steps: Vec<StepEnd>,
    /// It came to its end; otherwise it was cut off, or goes on still.
    pub ended: bool,
}

/// What the run whose results are in this directory has done; none if no run has begun there.
///
/// # Errors
/// The system's.
pub fn done(results: &Path) -> io::Result<Option<Done>> {
    let bytes = match std::fs::read(results.join(FILE)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let text = String::from_utf8_lossy(&bytes);
    let whole = &text[..text.rfind('\n').map_or(0, |at| at + 1)];
    let mut lines = whole.lines();
    if lines.next() != Some(HEAD) {
        return Ok(None);
    }
    Ok(Some(Done {
        steps: lines.clone().filter_map(read).collect(),
        ended: lines.any(|line| line == "end"),
    }))
}

fn line(end: &StepEnd) -> String {
    let code = end.code.map_or("-".to_owned(), |code| code.to_string());
    let clean = |text: &str| text.replace(['\t', '\n', '\r'], " ");
    let log = end.log.as_ref();
    let log = log
        .and_then(|log| log.to_str())
        .map_or(String::new(), clean);
    format!(
        "step\t{}\t{}\t{code}\t{:.3}\t{}\t{log}\n",
        clean(&end.name),
        end.outcome,
        end.seconds,
        clean(&end.note)
    )
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
