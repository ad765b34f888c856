//! Our own settings in `buildbot.tac`: assignments that the Python worker passes over. Those with plain
//! names may also begin with `coracle_`.

use std::path::{Path, PathBuf};

use super::arguments::Arguments;
use super::step_limits;
use super::tac::{Binding, Tac, Value, paths};

const PREFIX: &str = "coracle_";

/// What the file says.
#[derive(Debug, Default)]
pub struct OwnSettings {
    /// `coracle_environ`: patterns of the only variables that the master is told.
    pub told_environment: Option<Vec<String>>,
    /// `tls_ca_file`; absolute.
    pub tls_ca_file: Option<PathBuf>,
    /// `tls_pin_sha256`, one or more.
    pub tls_pins: Vec<String>,
    /// `proxy_from_environ`.
    pub proxy_from_environ: bool,
}

/// Reads them; what is wrong is told to `arguments`.
pub fn read(tac: &Tac, directory: &Path, arguments: &mut Arguments) -> OwnSettings {
    let mut own = OwnSettings::default();
    let mut names: Vec<&String> = tac.names.keys().collect();
    names.sort();
    for name in names {
        let Some(binding) = tac.names.get(name) else {
            continue;
        };
        if matches!(binding.value, Value::None) {
            continue;
        }
        match name.strip_prefix(PREFIX).unwrap_or(name) {
            "environ" if name.starts_with(PREFIX) => {
                let wanted = "must be a list of patterns such as ['PATH', 'LC_*']";
                own.told_environment = listed(name, binding, wanted, arguments);
            }
            "tls_ca_file" => {
                let wanted = "must be the path of a file or directory";
                let text = text(name, binding, wanted, arguments);
                let here = directory.to_string_lossy();
                own.tls_ca_file = text.map(|text| PathBuf::from(paths::absolute(&here, &text)));
            }
            "tls_pin_sha256" => {
                let wanted = "must be text, or a list of texts";
                own.tls_pins = match &binding.value {
                    Value::List(_) | Value::Tuple(_) => {
                        listed(name, binding, wanted, arguments).unwrap_or_default()
                    }
                    _ => text(name, binding, wanted, arguments).into_iter().collect(),
                };
            }
            "proxy_from_environ" => match &binding.value {
                Value::Bool(yes) => own.proxy_from_environ = *yes,
                Value::Int(number) => own.proxy_from_environ = *number != 0,
                _ => arguments.problem(binding.line, format!("{name} must be True or False")),
            },
            // See `step_limits`.
            other if name.starts_with(PREFIX) && step_limits::NAMES.contains(&other) => {}
            _ if name.starts_with(PREFIX) => arguments.note(format!(
                "line {}: coracle has no setting {name}; it is ignored",
                binding.line
            )),
            _ => {}
        }
    }
    own
}

fn text(name: &str, binding: &Binding, wanted: &str, arguments: &mut Arguments) -> Option<String> {
    let text = binding.value.as_text().filter(|text| !text.is_empty());
    if text.is_none() {
        arguments.problem(binding.line, format!("{name} {wanted}"));
    }
    text.map(str::to_owned)
}

fn listed(
    name: &str,
    binding: &Binding,
    wanted: &str,
    arguments: &mut Arguments,
) -> Option<Vec<String>> {
    let items = match &binding.value {
        Value::List(items) | Value::Tuple(items) => items.as_slice(),
        _ => &[Value::None],
    };
    let texts: Option<Vec<String>> = items
        .iter()
        .map(|item| item.as_text().map(str::to_owned))
        .collect();
    if texts.is_none() {
        arguments.problem(binding.line, format!("{name} {wanted}"));
    }
    texts
}
