//! Everything a child needs to become the program, made before `fork`, where memory may still be
//! asked for.

use std::ffi::{CStr, CString, OsStr};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::ptr;

use crate::system::{Mark, Search};
use crate::{ProcessSpec, StartError, StartStage};

/// Where programs are looked up if the environment has no `PATH` (as Python's `os.defpath`).
const DEFAULT_PATH: &[u8] = b"/bin:/usr/bin";

/// Program, arguments, environment and directory in the form that `execve(2)` takes.
pub(crate) struct Plan {
    /// Paths to try in order.
    candidates: Vec<CString>,
    words: Pointers,
    env: Pointers,
    directory: CString,
    /// The follower's path if the process gets a terminal.
    pub(crate) terminal: Option<CString>,
    /// What the monitor finds the marked with, where the port marks steps.
    pub(crate) search: Option<Search>,
}

impl Plan {
    /// Prepares a start; `terminal` is the path of the follower, `mark` goes into the environment.
    ///
    /// # Errors
    /// [`StartStage::Arguments`] if something contains a NUL byte, [`StartStage::Exec`] if there
    /// is no program at all.
    pub(crate) fn new(
        spec: &ProcessSpec<'_>,
        terminal: Option<CString>,
        mark: Option<&Mark>,
    ) -> Result<Plan, StartError> {
        let Some(program) = spec.words.first().filter(|word| !word.is_empty()) else {
            return Err(StartError {
                stage: StartStage::Exec,
                error: io::Error::from_raw_os_error(libc::ENOENT),
            });
        };
        let words = spec.words.iter().map(|word| text(word.as_bytes()));
        let env = spec
            .env
            .iter()
            .map(|(name, value)| text(&[name.as_bytes(), b"=", value.as_bytes()].concat()))
            .chain(terminal_kind(spec).map(text))
            .chain(mark.map(|mark| text(mark.entry())));
        Ok(Plan {
            candidates: candidates(program.as_bytes(), spec)?,
            words: Pointers::new(words.collect::<Result<_, _>>()?),
            env: Pointers::new(env.collect::<Result<_, _>>()?),
            directory: text(spec.directory.as_os_str().as_bytes())?,
            terminal,
            search: mark.map(Mark::search),
        })
    }

    /// The working directory.
    pub(crate) fn directory(&self) -> &CStr {
        &self.directory
    }

    /// Becomes the program; returns only with the reason why not. As Python's `os.execvpe`, which
    /// tries every directory of `PATH` and blames the first error other than "not there".
    /// Async-signal-safe.
    pub(crate) fn exec(&self) -> io::Error {
        let mut blamed: Option<io::Error> = None;
        let mut last = io::Error::from_raw_os_error(libc::ENOENT);
        for path in &self.candidates {
            // SAFETY: the path ends with NUL; both arrays end with a null pointer and point to
            // texts that end with NUL, all owned by `self`.
            unsafe { libc::execve(path.as_ptr(), self.words.as_ptr(), self.env.as_ptr()) };
            last = io::Error::last_os_error();
            let absent = matches!(last.raw_os_error(), Some(libc::ENOENT | libc::ENOTDIR));
            if !absent && blamed.is_none() {
                blamed = last.raw_os_error().map(io::Error::from_raw_os_error);
            }
        }
        blamed.unwrap_or(last)
    }
}

/// On a terminal, programs want to know what kind it is, and some end without. Nobody draws on it.
fn terminal_kind(spec: &ProcessSpec<'_>) -> Option<&'static [u8]> {
    let known = spec.env.iter().any(|(name, _)| name == OsStr::new("TERM"));
    (spec.terminal && !known).then_some(b"TERM=dumb".as_slice())
}

/// Texts, and the array of pointers to them that ends with a null pointer.
struct Pointers {
    pointers: Vec<*const libc::c_char>,
    // What the pointers point to. Moving a CString does not move its bytes.
    _texts: Vec<CString>,
}

impl Pointers {
    fn new(texts: Vec<CString>) -> Pointers {
        let pointers = texts.iter().map(|text| text.as_ptr());
        Pointers {
            pointers: pointers.chain([ptr::null()]).collect(),
            _texts: texts,
        }
    }

    fn as_ptr(&self) -> *const *const libc::c_char {
        self.pointers.as_ptr()
    }
}

/// The paths at which the program may be.
fn candidates(program: &[u8], spec: &ProcessSpec<'_>) -> Result<Vec<CString>, StartError> {
    if program.contains(&b'/') {
        return Ok(vec![text(program)?]);
    }
    let path = spec.env.iter().find(|(name, _)| name == OsStr::new("PATH"));
    let path = path.map_or(DEFAULT_PATH, |(_, value)| value.as_bytes());
    let directories = path.split(|byte| *byte == b':');
    directories
        .map(|directory| match directory {
            // An empty entry is the working directory.
            [] => text(program),
            _ => text(&[directory, b"/", program].concat()),
        })
        .collect()
}

fn text(bytes: &[u8]) -> Result<CString, StartError> {
    CString::new(bytes).map_err(|error| StartError {
        stage: StartStage::Arguments,
        error: error.into(),
    })
}
