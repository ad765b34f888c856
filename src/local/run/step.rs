//! A step that runs: its log, its output line by line, its transfers.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::judge::Evidence;
use crate::calls::{Transfer, TransferReply, Update};
use crate::local::recipe::{Action, Step};
use crate::local::serve::CommandNumber;

/// Longest line that is kept in one piece, in bytes.
const LINE_LIMIT: usize = 64 * 1024;

/// Longest last line in a note, in characters.
const NOTE_LIMIT: usize = 160;

/// A step that runs.
#[derive(Debug)]
pub(super) struct Running {
    pub command: CommandNumber,
    pub started: Instant,
    /// When the master interrupts it, until it has.
    pub interrupt_at: Option<Instant>,
    pub log_path: PathBuf,
    pub evidence: Evidence,
    log: BufWriter<File>,
    /// Logs besides the output, by name.
    others: Vec<(String, File)>,
    /// The beginning of a line of standard output and of standard error.
    partial: [String; 2],
    upload: Option<Upload>,
    /// What the worker downloads, and how far it is.
    download: Option<(Vec<u8>, usize)>,
}

/// A file that comes from the worker.
#[derive(Debug)]
struct Upload {
    file: File,
    path: PathBuf,
    length: u64,
    checksum: crc32fast::Hasher,
    /// Length and checksum that it must have.
    wanted: Option<(u64, u32)>,
}

impl Running {
    /// Makes the files. `same_as` is what an upload must be equal to.
    pub fn begin(
        command: CommandNumber,
        step: &Step,
        results: &Path,
        number: usize,
        same_as: Option<&[u8]>,
        now: Instant,
    ) -> io::Result<Running> {
        let stem = format!("{number:02}-{}", file_name(&step.name));
        let log_path = results.join(format!("{stem}.log"));
        let upload = match &step.action {
            Action::Upload { path, .. } | Action::UploadDirectory { path, .. } => {
                let last = path.rsplit('/').next().unwrap_or_default();
                let path = results.join(format!("{stem}-{}", file_name(last)));
                Some(Upload {
                    file: File::create(&path)?,
                    path,
                    length: 0,
                    checksum: crc32fast::Hasher::new(),
                    wanted: same_as.map(|bytes| (bytes.len() as u64, crc32fast::hash(bytes))),
                })
            }
            _ => None,
        };
        let download = match &step.action {
            Action::Download { content, .. } => Some((content.bytes(), 0)),
            _ => None,
        };
        let after = step.interrupt_after.map(std::time::Duration::from_secs_f64);
        Ok(Running {
            command,
            started: now,
            interrupt_at: after.and_then(|after| now.checked_add(after)),
            evidence: Evidence {
                missing: step.expect.clone(),
                ..Evidence::default()
            },
            log: BufWriter::new(File::create(&log_path)?),
            log_path,
            others: Vec::new(),
            partial: [String::new(), String::new()],
            upload,
            download,
        })
    }

    /// Takes an update; `line` gets each whole line of output.
    pub fn update(
        &mut self,
        step: &Step,
        update: Update,
        line: &mut dyn FnMut(&str),
    ) -> io::Result<()> {
        match update {
            Update::Stdout(lines) => self.output(step, 0, &lines.text, line),
            Update::Stderr(lines) => self.output(step, 1, &lines.text, line),
            Update::Header(lines) => self.log.write_all(lines.text.as_bytes()),
            Update::Log { name, lines } => {
                let missing = &mut self.evidence.missing;
                missing.retain(|text| !lines.text.contains(text.as_str()));
                self.other_log(&name)?.write_all(lines.text.as_bytes())
            }
            Update::ExitCode(code) => {
                self.evidence.code = Some(code);
                Ok(())
            }
            Update::FailureReason(reason) => {
                self.evidence.reason = Some(reason);
                Ok(())
            }
            Update::Elapsed(_) => Ok(()),
            Update::Files(names) => {
                let text = format!("files: {}\n", names.join(" "));
                self.output(step, 0, &text, line)
            }
            Update::Stat(numbers) => {
                let text = format!("mode {:o}, {} bytes\n", numbers[0], numbers[6]);
                self.output(step, 0, &text, line)
            }
        }
    }

    fn other_log(&mut self, name: &str) -> io::Result<&mut File> {
        if let Some(at) = self.others.iter().position(|(known, _)| known == name) {
            return Ok(&mut self.others[at].1);
        }
        let path = self
            .log_path
            .with_extension(format!("{}.log", file_name(name)));
        self.others.push((name.to_owned(), File::create(path)?));
        let last = self.others.len() - 1;
        Ok(&mut self.others[last].1)
    }

    fn output(
        &mut self,
        step: &Step,
        stream: usize,
        text: &str,
        line: &mut dyn FnMut(&str),
    ) -> io::Result<()> {
        self.log.write_all(text.as_bytes())?;
        let mut partial = std::mem::take(&mut self.partial[stream]);
        for piece in text.split_inclusive('\n') {
            partial.push_str(piece);
            if partial.ends_with('\n') || partial.len() > LINE_LIMIT {
                self.line(step, stream, partial.trim_end_matches(['\n', '\r']));
                line(partial.trim_end());
                partial.clear();
            }
        }
        self.partial[stream] = partial;
        // What is written is seen at once by whoever follows the log.
        self.log.flush()
    }

    fn line(&mut self, step: &Step, stream: usize, line: &str) {
        let evidence = &mut self.evidence;
        evidence
            .missing
            .retain(|text| !line.contains(text.as_str()));
        if step.warnings.iter().any(|pattern| pattern.is_in(line)) {
            evidence.warnings += 1;
        }
        if !line.trim().is_empty() {
            let shown = line.trim().chars().filter(|c| !c.is_control());
            evidence.last_line = shown.take(NOTE_LIMIT).collect();
            if stream == 0 {
                evidence.last_out.clone_from(&evidence.last_line);
            }
        }
    }

    /// Serves a call of a transfer.
    pub fn transfer(&mut self, transfer: Transfer) -> TransferReply {
        match (transfer, &mut self.upload, &mut self.download) {
            (Transfer::Write(bytes), Some(upload), _) => {
                upload.length += bytes.len() as u64;
                upload.checksum.update(&bytes);
                let written = upload.file.write_all(&bytes);
                written.map_err(|error| format!("{}: {error}", upload.path.display()))?;
                Ok(Vec::new())
            }
            (Transfer::Read(length), _, Some((content, at))) => {
                let end = content.len().min(at.saturating_add(length));
                let bytes = content[*at..end].to_vec();
                *at = end;
                Ok(bytes)
            }
            (Transfer::Close | Transfer::SetTimes(..) | Transfer::Unpack, _, _) => Ok(Vec::new()),
            (Transfer::Write(_), None, _) => Err("this is not an upload".to_owned()),
            (Transfer::Read(_), _, None) => Err("this is not a download".to_owned()),
        }
    }

    /// The end of the files; nothing comes after it.
    pub fn finish(&mut self, step: &Step) -> io::Result<()> {
        for stream in 0..2 {
            let rest = std::mem::take(&mut self.partial[stream]);
            if !rest.is_empty() {
                self.line(step, stream, &rest);
            }
        }
        if let Some(code) = self.evidence.code {
            writeln!(self.log, "program finished with exit code {code}")?;
        }
        self.log.flush()?;
        let Some(upload) = &self.upload else {
            return Ok(());
        };
        let got = (upload.length, upload.checksum.clone().finalize());
        if upload.wanted.is_some_and(|wanted| wanted != got) {
            let what = "the bytes that came back are not those that were sent";
            self.evidence.missing.push(what.to_owned());
        } else {
            self.evidence.last_out = format!("{} bytes", upload.length);
        }
        Ok(())
    }
}

/// A name with nothing in it that means something in a path.
pub(super) fn file_name(name: &str) -> String {
    let kept = name.chars().take(60).map(|c| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '_' | '-' => c,
        _ => '_',
    });
    kept.collect()
}
