//! What a configuration file asks of the world around it: files, environment variables; and what it
//! makes: the worker and the log.

use std::ffi::OsString;
use std::io::Read;

use super::super::value::{Computed, Value, raise, refuse};
use super::super::{LogBlock, WorkerCall};
use super::arguments::{Arguments, Given};
use super::{Evaluator, LARGEST, paths};

impl Evaluator<'_> {
    pub fn open(&mut self, arguments: &Arguments) -> Computed {
        let mode = match arguments.get(1, "mode")? {
            None => "r",
            Some(mode) => mode.as_text().unwrap_or("?"),
        };
        if !mode.chars().all(|sign| "rbtU".contains(sign)) {
            return refuse("files are opened for reading only");
        }
        let path = arguments.text(0, "file")?.to_owned();
        self.read_file(&path).map(Value::File)
    }

    /// The content of a text file, relative to the directory of the configuration file.
    pub fn read_file(&mut self, path: &str) -> Computed<String> {
        let path = paths::join(&[&self.directory, path]);
        let failed = |why: String| raise("OSError", format!("cannot read {path}: {why}"));
        // Not a pipe or device, which might never end.
        match std::fs::metadata(&path) {
            Err(error) => return failed(ports::words_of(&error)),
            Ok(facts) if !facts.is_file() => return failed("it is not a plain file".to_owned()),
            Ok(_) => {}
        }
        let mut content = Vec::new();
        let limit = u64::try_from(LARGEST).unwrap_or(u64::MAX);
        let read = std::fs::File::open(&path)
            .and_then(|file| file.take(limit + 1).read_to_end(&mut content));
        if let Err(error) = read {
            return failed(ports::words_of(&error));
        }
        if content.len() > LARGEST {
            return failed("it is larger than 1 MiB".to_owned());
        }
        match String::from_utf8(content) {
            Ok(text) => Ok(text.replace("\r\n", "\n")),
            Err(_) => failed("it is not UTF-8 text".to_owned()),
        }
    }

    /// The value of an environment variable.
    pub fn variable(&mut self, name: &str) -> Computed<Option<String>> {
        self.reads.insert(name.to_owned());
        let found = self
            .environment
            .iter()
            .find(|(known, _)| known.as_os_str() == name);
        match found.map(|(_, value)| value.to_str()) {
            None => Ok(None),
            Some(Some(value)) => Ok(Some(value.to_owned())),
            Some(None) => refuse(format!("the environment variable {name} is not UTF-8 text")),
        }
    }

    /// The names of all environment variables that have a name in UTF-8.
    pub fn variable_names(&self) -> Vec<Value> {
        let names = self
            .environment
            .iter()
            .filter_map(|(name, _)| name.to_str());
        names.map(Value::text).collect()
    }

    /// Sets a variable for steps and master.
    pub fn set_variable(&mut self, name: &str, value: &str) {
        self.remove_variable(name);
        self.environment
            .push((OsString::from(name), OsString::from(value)));
    }

    /// Removes a variable from what steps and master see. False if it was not there.
    pub fn remove_variable(&mut self, name: &str) -> bool {
        let before = self.environment.len();
        self.environment
            .retain(|(known, _)| known.as_os_str() != name);
        self.environment.len() != before
    }

    /// Notes the call that makes the worker.
    pub fn worker(&mut self, path: &str, given: Vec<Given>, line: u32) {
        self.workers.push(WorkerCall {
            line,
            slave: path.ends_with("BuildSlave"),
            arguments: given,
        });
    }

    /// Notes where the log goes.
    pub fn install_log(&mut self, arguments: &Arguments, line: u32) {
        let log = match arguments.get(1, "component") {
            Ok(Some(Value::Observer(log))) => log,
            _ => {
                self.log = LogBlock::Unclear(line);
                return;
            }
        };
        self.log = match log.as_ref() {
            Value::LogFile(file) => LogBlock::File(file.clone()),
            Value::Symbol(path) if path == "sys.stdout" || path == "sys.__stdout__" => {
                LogBlock::StandardOutput
            }
            Value::Symbol(path) if path == "sys.stderr" => LogBlock::StandardOutput,
            _ => LogBlock::Unclear(line),
        };
    }
}
