//! The functions that configuration files call.

use std::path::Path;

use super::super::value::{Computed, LogFile, Value, raise, refuse};
use super::arguments::{Arguments, Given};
use super::{Evaluator, paths};
use crate::basedir::name_pattern;

/// Whether a call of this makes the worker.
pub fn is_worker(path: &str) -> bool {
    match path.rsplit_once('.') {
        None => matches!(path, "Worker" | "BuildSlave"),
        Some((module, name)) => {
            let package = module.split('.').next().unwrap_or(module);
            matches!(package, "buildbot_worker" | "buildslave" | "buildbot")
                && matches!(name, "Worker" | "BuildSlave")
        }
    }
}

impl Evaluator<'_> {
    /// Calls a function by its full name.
    pub fn function(&mut self, path: &str, given: Vec<Given>) -> Computed {
        let arguments = Arguments::new(given);
        match path {
            "int" | "float" => number(path, &arguments),
            "str" | "unicode" | "bytes" | "repr" => text(path, &arguments),
            "bool" => Ok(Value::Bool(
                arguments.get(0, "")?.is_some_and(Value::is_true),
            )),
            "len" => {
                let items = match arguments.need(0, "")? {
                    Value::Text(text) => text.chars().count(),
                    other => self.items(other)?.len(),
                };
                i64::try_from(items).map_or_else(|_| refuse("too long"), |n| Ok(Value::Int(n)))
            }
            "list" | "set" | "frozenset" | "tuple" | "sorted" => self.sequence(path, &arguments),
            "any" | "all" => {
                let items = self.items(arguments.need(0, "")?)?;
                let mut truths = items.iter().map(Value::is_true);
                Ok(Value::Bool(match path {
                    "any" => truths.any(|truth| truth),
                    _ => truths.all(|truth| truth),
                }))
            }
            "min" | "max" => self.extreme(path, &arguments),
            "abs" => match arguments.need(0, "")? {
                Value::Int(number) => Ok(Value::Int(number.saturating_abs())),
                other => refuse(format!("abs() of {} is not supported", other.kind())),
            },
            "dict" => dictionary(arguments),
            "print" => Ok(Value::None),
            "open" | "io.open" | "codecs.open" => self.open(&arguments),
            "exit" | "quit" | "sys.exit" | "os._exit" => raise("SystemExit", "this ends the file"),
            "os.getenv" | "os.environ.get" => {
                let name = arguments.text(0, "key")?.to_owned();
                let default = arguments.get(1, "default")?.cloned();
                let value = self.variable(&name)?.map(Value::Text);
                Ok(value.or(default).unwrap_or(Value::None))
            }
            "os.unsetenv" => {
                let name = arguments.text(0, "key")?.to_owned();
                self.remove_variable(&name);
                Ok(Value::None)
            }
            "os.getcwd" => Ok(Value::Text(self.directory.clone())),
            "os.cpu_count" | "multiprocessing.cpu_count" | "os.process_cpu_count" => {
                Ok(Value::Int(i64::try_from(ports::cpu_count()).unwrap_or(1)))
            }
            "socket.gethostname" | "platform.node" => Ok(Value::Text(ports::node_name())),
            "pathlib.Path" | "pathlib.PurePath" | "pathlib.PosixPath" | "Path" => {
                let mut parts = Vec::new();
                for place in 0..arguments.count() {
                    parts.push(arguments.text(place, "")?);
                }
                let joined = paths::join(&parts);
                Ok(Value::Path(if joined.is_empty() {
                    ".".to_owned()
                } else {
                    joined
                }))
            }
            _ => self.module_function(path, &arguments),
        }
    }

    fn module_function(&mut self, path: &str, arguments: &Arguments) -> Computed {
        let (module, name) = path.rsplit_once('.').unwrap_or(("", path));
        match (module, name) {
            ("os.path", name) => self.path_function(name, arguments),
            ("fnmatch", "fnmatch" | "fnmatchcase") => {
                let (text, pattern) = (arguments.text(0, "name")?, arguments.text(1, "pat")?);
                Ok(Value::Bool(name_pattern::matches(pattern, text)))
            }
            ("fnmatch", "filter") => {
                let items = self.items(arguments.need(0, "names")?)?;
                let pattern = arguments.text(1, "pat")?;
                let fits = |item: &Value| {
                    item.as_text()
                        .is_some_and(|text| name_pattern::matches(pattern, text))
                };
                Ok(Value::List(items.into_iter().filter(fits).collect()))
            }
            (_, "Application") => Ok(Value::Object),
            (_, "fromFullPath") if module.ends_with("LogFile") => log_file(arguments, None),
            (_, "LogFile") => {
                let name = arguments.text(0, "name")?;
                let full = paths::join(&[arguments.text(1, "directory")?, name]);
                log_file(arguments, Some(full))
            }
            (
                _,
                "FileLogObserver"
                | "textFileLogObserver"
                | "FilteringLogObserver"
                | "LegacyLogObserverWrapper"
                | "LegacyFileLogObserver",
            ) => Ok(Value::Observer(Box::new(
                arguments.need(0, "outFile")?.clone(),
            ))),
            _ => refuse(format!(
                "the function {path} is not one of those that are supported"
            )),
        }
    }

    fn path_function(&mut self, name: &str, arguments: &Arguments) -> Computed {
        let path = arguments.text(0, "path")?;
        let absolute = paths::absolute(&self.directory, path);
        Ok(match name {
            "join" => {
                let mut parts = Vec::new();
                for place in 0..arguments.count() {
                    parts.push(arguments.text(place, "")?);
                }
                Value::Text(paths::join(&parts))
            }
            "abspath" => Value::Text(absolute),
            "dirname" => Value::text(paths::directory_name(path)),
            "basename" => Value::text(paths::base_name(path)),
            "normpath" => Value::Text(paths::normalise(path)),
            "realpath" => Value::Text(real(&absolute)),
            "exists" | "lexists" => Value::Bool(Path::new(&absolute).exists()),
            "isfile" => Value::Bool(Path::new(&absolute).is_file()),
            "isdir" => Value::Bool(Path::new(&absolute).is_dir()),
            "isabs" => Value::Bool(path.starts_with('/')),
            "expanduser" => {
                let path = path.to_owned();
                Value::Text(self.expand_user(&path)?)
            }
            _ => return refuse(format!("the function os.path.{name} is not supported")),
        })
    }

    fn expand_user(&mut self, path: &str) -> Computed<String> {
        let Some(rest) = path.strip_prefix('~') else {
            return Ok(path.to_owned());
        };
        let (user, after) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let from_environment = if user.is_empty() {
            self.variable("HOME")?
        } else {
            None
        };
        let home = match from_environment {
            Some(home) => Some(home),
            None => ports::home_directory(Some(user).filter(|user| !user.is_empty()))
                .map(|home| home.to_string_lossy().into_owned()),
        };
        Ok(match home {
            Some(home) => format!("{}{after}", home.trim_end_matches('/')),
            None => path.to_owned(),
        })
    }

    fn sequence(&mut self, name: &str, arguments: &Arguments) -> Computed {
        let mut items = match arguments.get(0, "")? {
            None => Vec::new(),
            Some(value) => self.items(value)?,
        };
        match name {
            "tuple" => return Ok(Value::Tuple(items)),
            "sorted" if items.iter().all(|item| item.as_text().is_some()) => {
                items.sort_by(|one, two| one.as_text().cmp(&two.as_text()));
            }
            "sorted" => return refuse("sorted() is supported for texts only"),
            _ => {}
        }
        Ok(Value::List(items))
    }

    fn extreme(&mut self, name: &str, arguments: &Arguments) -> Computed {
        let items = if arguments.count() == 1 {
            self.items(arguments.need(0, "")?)?
        } else {
            let mut items = Vec::new();
            for place in 0..arguments.count() {
                items.push(arguments.need(place, "")?.clone());
            }
            items
        };
        let mut best: Option<i64> = None;
        for item in &items {
            let Value::Int(number) = item else {
                return refuse(format!("{name}() is supported for whole numbers only"));
            };
            best = Some(match (best, name) {
                (None, _) => *number,
                (Some(best), "min") => best.min(*number),
                (Some(best), _) => best.max(*number),
            });
        }
        best.map_or_else(
            || raise("ValueError", "nothing to choose from"),
            |n| Ok(Value::Int(n)),
        )
    }
}

fn real(path: &str) -> String {
    match std::fs::canonicalize(path) {
        Ok(real) => real.to_string_lossy().into_owned(),
        Err(_) => path.to_owned(),
    }
}

fn number(name: &str, arguments: &Arguments) -> Computed {
    let value = arguments.need(0, "")?;
    let base = match arguments.get(1, "base")? {
        None => 10,
        Some(base) => base.integer().unwrap_or(-1),
    };
    let wrong = || {
        raise(
            "ValueError",
            format!("{name}() got {} that is not a number", value.kind()),
        )
    };
    match (name, value) {
        ("int", Value::Text(text)) => {
            let text = text.trim().replace('_', "");
            let (digits, base) = match (base, text.get(..2)) {
                (0 | 8, Some("0o" | "0O")) => (&text[2..], 8),
                (0 | 16, Some("0x" | "0X")) => (&text[2..], 16),
                (0, _) => (text.as_str(), 10),
                (base @ 2..=36, _) => (text.as_str(), base),
                _ => return refuse("int() with this base is not supported"),
            };
            let base = u32::try_from(base).unwrap_or(10);
            i64::from_str_radix(digits, base).map_or_else(|_| wrong(), |n| Ok(Value::Int(n)))
        }
        // Saturates, as far from any setting as the number itself.
        ("int", Value::Float(number)) => Ok(Value::Int(*number as i64)),
        ("int", value) => value.integer().map_or_else(wrong, |n| Ok(Value::Int(n))),
        (_, Value::Text(text)) => match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value::Float(number)),
            _ => wrong(),
        },
        (_, value) => value.number().map_or_else(wrong, |n| Ok(Value::Float(n))),
    }
}

fn text(name: &str, arguments: &Arguments) -> Computed {
    let Some(value) = arguments.get(0, "object")? else {
        return Ok(Value::text(""));
    };
    let shown = if name == "repr" {
        value.quoted()
    } else {
        value.shown()
    };
    match shown {
        Some(shown) => Ok(Value::Text(shown)),
        None => refuse(format!("{name}() of {} is not supported", value.kind())),
    }
}

fn dictionary(arguments: Arguments) -> Computed {
    let mut pairs = Vec::new();
    for given in arguments.into_given() {
        match (given.name, given.value) {
            (Some(name), value) => pairs.push((Value::Text(name), value)),
            (None, Value::Dict(more)) => pairs.extend(more),
            (None, _) => return refuse("dict() of this is not supported"),
        }
    }
    Ok(Value::Dict(pairs))
}

/// A rotating log file. Twisted's own defaults are 1000000 bytes and no limit.
fn log_file(arguments: &Arguments, path: Option<String>) -> Computed {
    let path = match path {
        Some(path) => path,
        None => arguments.text(0, "filename")?.to_owned(),
    };
    let limit = |name: &str, without: Option<u64>| match arguments.get(usize::MAX, name)? {
        None => Ok(without),
        Some(Value::None) => Ok(None),
        Some(value) => match value.integer().map(u64::try_from) {
            Some(Ok(number)) => Ok(Some(number)),
            _ => refuse(format!("{name} must be a number of at least 0 or None")),
        },
    };
    Ok(Value::LogFile(LogFile {
        rotate_length: limit("rotateLength", Some(1_000_000))?,
        max_files: limit("maxRotatedFiles", None)?,
        path,
    }))
}
