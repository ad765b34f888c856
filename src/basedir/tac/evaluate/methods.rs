//! The methods that configuration files call on values.

use super::super::value::{Computed, Refusal, Value, raise, refuse};
use super::arguments::{Arguments, Given};
use super::{Evaluator, format, paths};

impl Evaluator<'_> {
    /// Calls a method of a value.
    pub fn method(&mut self, base: Value, name: &str, given: Vec<Given>, line: u32) -> Computed {
        match base {
            Value::Text(text) if name == "format" => format::format(&text, &given),
            Value::Text(text) => text_method(&text, name, &Arguments::new(given), self),
            Value::Environment => self.environment_method(name, &Arguments::new(given), line),
            Value::File(content) => match name {
                "read" => Ok(Value::Text(content)),
                "readline" => {
                    let first = content.split_inclusive('\n').next().unwrap_or("");
                    Ok(Value::text(first))
                }
                "readlines" => Ok(Value::List(self.items(&Value::File(content))?)),
                "close" => Ok(Value::None),
                _ => refuse(format!("{name} of a file is not supported")),
            },
            Value::Path(path) => self.path_method(&path, name, &Arguments::new(given)),
            Value::Dict(pairs) => dict_method(&pairs, name, &Arguments::new(given)),
            Value::Object => {
                if name == "setComponent" {
                    self.install_log(&Arguments::new(given), line);
                }
                Ok(Value::None)
            }
            other => refuse(format!("{name}() of {} is not supported", other.kind())),
        }
    }

    fn environment_method(&mut self, method: &str, arguments: &Arguments, line: u32) -> Computed {
        match method {
            "get" | "setdefault" | "pop" => {}
            "keys" | "__iter__" => return Ok(Value::List(self.variable_names())),
            "values" | "items" | "copy" => return self.variables(method),
            "clear" => {
                self.environment.clear();
                return Ok(Value::None);
            }
            "update" => {
                let Value::Dict(pairs) = arguments.need(0, "")? else {
                    self.environment_doubt(line);
                    return refuse("os.environ.update() is supported with a dictionary only");
                };
                for (name, value) in pairs {
                    match (name.as_text(), value.as_text()) {
                        (Some(name), Some(value)) => self.set_variable(name, value),
                        _ => self.environment_doubt(line),
                    }
                }
                return Ok(Value::None);
            }
            _ => return refuse(format!("os.environ.{method} is not supported")),
        }
        let name = match arguments.text(0, "key") {
            Ok(name) => name.to_owned(),
            Err(refusal) => {
                if method != "get" {
                    self.environment_doubt(line);
                }
                return Err(refusal);
            }
        };
        let default = match arguments.get(1, "default") {
            Ok(default) => default.cloned(),
            // Not known, and perhaps not needed.
            Err(refusal) => {
                return match self.variable(&name)? {
                    Some(value) => Ok(Value::Text(value)),
                    None => Err(refusal),
                };
            }
        };
        let value = self.variable(&name)?.map(Value::Text);
        match (method, &value, &default) {
            ("pop", None, None) => {
                return raise("KeyError", format!("{name} is not set in the environment"));
            }
            ("pop", _, _) => {
                self.remove_variable(&name);
            }
            ("setdefault", None, Some(Value::Text(text))) => self.set_variable(&name, text),
            _ => {}
        }
        Ok(value.or(default).unwrap_or(Value::None))
    }

    fn variables(&mut self, what: &str) -> Computed {
        let pairs: Vec<(Value, Value)> = self
            .environment
            .iter()
            .filter_map(|(name, value)| Some((name.to_str()?, value.to_str()?)))
            .map(|(name, value)| (Value::text(name), Value::text(value)))
            .collect();
        self.reads.extend(
            pairs
                .iter()
                .filter_map(|(name, _)| name.as_text().map(str::to_owned)),
        );
        Ok(match what {
            "copy" => Value::Dict(pairs),
            "values" => Value::List(pairs.into_iter().map(|(_, value)| value).collect()),
            _ => {
                let pairs = pairs.into_iter();
                Value::List(
                    pairs
                        .map(|(name, value)| Value::Tuple(vec![name, value]))
                        .collect(),
                )
            }
        })
    }

    fn path_method(&mut self, path: &str, name: &str, arguments: &Arguments) -> Computed {
        let absolute = paths::absolute(&self.directory, path);
        Ok(match name {
            "read_text" => Value::Text(self.read_file(path)?),
            "resolve" => match std::fs::canonicalize(&absolute) {
                Ok(real) => Value::Path(real.to_string_lossy().into_owned()),
                Err(_) => Value::Path(absolute),
            },
            "absolute" => Value::Path(absolute),
            "exists" => Value::Bool(std::path::Path::new(&absolute).exists()),
            "is_file" => Value::Bool(std::path::Path::new(&absolute).is_file()),
            "is_dir" => Value::Bool(std::path::Path::new(&absolute).is_dir()),
            "joinpath" => {
                let mut parts = vec![path];
                for place in 0..arguments.count() {
                    parts.push(arguments.text(place, "")?);
                }
                Value::Path(paths::join(&parts))
            }
            "as_posix" | "__str__" => Value::text(path),
            "expanduser" => {
                let given = vec![Given {
                    name: None,
                    value: Value::text(path),
                    line: 0,
                    sources: std::collections::BTreeSet::new(),
                    spread: false,
                }];
                match self.function("os.path.expanduser", given)? {
                    Value::Text(path) => Value::Path(path),
                    other => other,
                }
            }
            _ => return refuse(format!("{name} of a path is not supported")),
        })
    }
}

fn dict_method(pairs: &[(Value, Value)], name: &str, arguments: &Arguments) -> Computed {
    match name {
        "get" => {
            let key = arguments.need(0, "key")?;
            let found = pairs
                .iter()
                .find(|(known, _)| known.equals(key) == Some(true));
            match found {
                Some((_, Value::Unknown(unknown))) => Err(Refusal::Unknown(unknown.clone())),
                Some((_, value)) => Ok(value.clone()),
                None => Ok(arguments.get(1, "default")?.cloned().unwrap_or(Value::None)),
            }
        }
        "keys" => Ok(Value::List(
            pairs.iter().map(|(key, _)| key.clone()).collect(),
        )),
        "values" => Ok(Value::List(
            pairs.iter().map(|(_, value)| value.clone()).collect(),
        )),
        "items" => Ok(Value::List(
            pairs
                .iter()
                .map(|(key, value)| Value::Tuple(vec![key.clone(), value.clone()]))
                .collect(),
        )),
        "copy" => Ok(Value::Dict(pairs.to_vec())),
        _ => refuse(format!("{name} of a dictionary is not supported")),
    }
}

fn text_method(text: &str, name: &str, arguments: &Arguments, file: &Evaluator<'_>) -> Computed {
    Ok(Value::Text(match name {
        "strip" | "rstrip" | "lstrip" => {
            let signs = arguments.get(0, "chars")?.and_then(Value::as_text);
            strip(text, name, signs).to_owned()
        }
        "lower" | "casefold" => text.to_lowercase(),
        "upper" => text.to_uppercase(),
        "title" | "capitalize" => return refuse(format!("{name}() is not supported")),
        "replace" => text.replace(arguments.text(0, "old")?, arguments.text(1, "new")?),
        // Texts and bytes are one kind here.
        "encode" | "decode" | "__str__" => text.to_owned(),
        "split" | "rsplit" | "splitlines" | "partition" | "rpartition" => {
            return split(text, name, arguments);
        }
        "join" => {
            let items = file.items(arguments.need(0, "iterable")?)?;
            if let Some(Value::Unknown(unknown)) = items.iter().find(|item| item.is_unknown()) {
                return Err(Refusal::Unknown(unknown.clone()));
            }
            let parts: Option<Vec<&str>> = items.iter().map(Value::as_text).collect();
            match parts {
                Some(parts) => parts.join(text),
                None => return raise("TypeError", "join() needs texts"),
            }
        }
        "removeprefix" => {
            let prefix = arguments.text(0, "prefix")?;
            text.strip_prefix(prefix).unwrap_or(text).to_owned()
        }
        "removesuffix" => {
            let suffix = arguments.text(0, "suffix")?;
            text.strip_suffix(suffix).unwrap_or(text).to_owned()
        }
        "startswith" | "endswith" | "isdigit" | "isspace" => {
            return text_test(text, name, arguments);
        }
        _ => return refuse(format!("{name}() of a text is not supported")),
    }))
}

fn strip<'t>(text: &'t str, name: &str, signs: Option<&str>) -> &'t str {
    let goes = |sign: char| match signs {
        Some(signs) => signs.contains(sign),
        None => sign.is_whitespace(),
    };
    match name {
        "strip" => text.trim_matches(goes),
        "rstrip" => text.trim_end_matches(goes),
        _ => text.trim_start_matches(goes),
    }
}

fn text_test(text: &str, name: &str, arguments: &Arguments) -> Computed {
    let fits = |part: &str| match name {
        "startswith" => text.starts_with(part),
        _ => text.ends_with(part),
    };
    Ok(Value::Bool(match name {
        "isdigit" => !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()),
        "isspace" => !text.is_empty() && text.chars().all(char::is_whitespace),
        _ => match arguments.need(0, "prefix")? {
            Value::Tuple(parts) => parts.iter().filter_map(Value::as_text).any(fits),
            part => match part.as_text() {
                Some(part) => fits(part),
                None => return raise("TypeError", format!("{name}() needs text")),
            },
        },
    }))
}

fn split(text: &str, name: &str, arguments: &Arguments) -> Computed {
    let separator = match arguments.get(0, "sep")? {
        None | Some(Value::None) => None,
        Some(value) => match value.as_text() {
            Some("") | None => return raise("ValueError", "an empty separator"),
            Some(separator) => Some(separator),
        },
    };
    let limit = match arguments.get(1, "maxsplit")? {
        None => None,
        Some(value) => value.integer().and_then(|n| usize::try_from(n).ok()),
    };
    let parts: Vec<&str> = match (name, separator, limit) {
        ("splitlines", _, _) => text.lines().collect(),
        ("partition", Some(separator), _) => {
            let (head, tail) = text.split_once(separator).unwrap_or((text, ""));
            let found = if text.contains(separator) {
                separator
            } else {
                ""
            };
            return Ok(Value::Tuple([head, found, tail].map(Value::text).to_vec()));
        }
        ("split", Some(separator), Some(limit)) => {
            text.splitn(limit.saturating_add(1), separator).collect()
        }
        ("split" | "rsplit", Some(separator), None) => text.split(separator).collect(),
        ("rsplit", Some(separator), Some(limit)) => {
            let mut parts: Vec<&str> = text.rsplitn(limit.saturating_add(1), separator).collect();
            parts.reverse();
            parts
        }
        ("split" | "rsplit", None, None) => text.split_whitespace().collect(),
        _ => return refuse(format!("{name}() is not supported like this")),
    };
    Ok(Value::List(parts.into_iter().map(Value::text).collect()))
}
