//! Updates as workers send them (PROTOCOL 4.7).

use crate::calls::{FailureReason, Lines, Update};
use crate::wire::jelly::Value;

/// The updates in the arguments of one `update` call. Keys that nobody knows are left out.
///
/// # Errors
/// What is wrong with them.
pub(super) fn read(arguments: Vec<Value>) -> Result<Vec<Update>, String> {
    let [list] = <[Value; 1]>::try_from(arguments)
        .map_err(|all| format!("update with {} arguments instead of one", all.len()))?;
    let mut updates = Vec::new();
    for element in items(list)? {
        let mut element = items(element)?.into_iter();
        let Some(Value::Dict(pairs)) = element.next() else {
            return Err("an update that is no dictionary and number".to_owned());
        };
        for (key, value) in pairs {
            let key = key
                .into_text()
                .map_err(|key| format!("an update named {key}"))?;
            updates.extend(update(&key, value)?);
        }
    }
    Ok(updates)
}

fn update(key: &str, value: Value) -> Result<Option<Update>, String> {
    let unfit = |value: &Value| format!("the update '{key:.32}' with {value}");
    Ok(Some(match key {
        "stdout" => Update::Stdout(lines(value).map_err(|value| unfit(&value))?),
        "stderr" => Update::Stderr(lines(value).map_err(|value| unfit(&value))?),
        "header" => Update::Header(lines(value).map_err(|value| unfit(&value))?),
        "log" => {
            let [name, text] = <[Value; 2]>::try_from(items(value)?)
                .map_err(|parts| unfit(&Value::Tuple(parts)))?;
            Update::Log {
                name: name.into_text().map_err(|value| unfit(&value))?,
                lines: lines(text).map_err(|value| unfit(&value))?,
            }
        }
        "rc" => match value {
            Value::Int(code) => {
                Update::ExitCode(i32::try_from(code).map_err(|_| unfit(&Value::Int(code)))?)
            }
            other => return Err(unfit(&other)),
        },
        "elapsed" => match value {
            Value::Float(seconds) => Update::Elapsed(seconds),
            Value::Int(seconds) => Update::Elapsed(seconds as f64),
            other => return Err(unfit(&other)),
        },
        "failure_reason" => {
            let text = value.into_text().map_err(|value| unfit(&value))?;
            Update::FailureReason(match text.as_str() {
                "timeout_without_output" => FailureReason::Silence,
                "timeout" => FailureReason::TotalTime,
                "max_lines_failure" => FailureReason::MaxLines,
                // Newer workers may have reasons of which we know nothing.
                _ => return Ok(None),
            })
        }
        "files" => Update::Files(
            items(value)?
                .into_iter()
                .map(|name| name.into_text().map_err(|value| unfit(&value)))
                .collect::<Result<_, _>>()?,
        ),
        "stat" => Update::Stat(numbers(value).map_err(|value| unfit(&value))?),
        _ => return Ok(None),
    }))
}

fn lines(value: Value) -> Result<Lines, Value> {
    let text = value.into_text()?;
    let times = Vec::new();
    Ok(Lines { text, times })
}

fn items(value: Value) -> Result<Vec<Value>, String> {
    match value {
        Value::List(items) | Value::Tuple(items) => Ok(items),
        other => Err(format!("updates with {other} where a list should be")),
    }
}

fn numbers(value: Value) -> Result<[i64; 10], Value> {
    let (Value::List(items) | Value::Tuple(items)) = value else {
        return Err(value);
    };
    let mut numbers = [0; 10];
    if items.len() != numbers.len() {
        return Err(Value::Tuple(items));
    }
    for (number, item) in numbers.iter_mut().zip(items) {
        match item {
            Value::Int(value) => *number = value,
            other => return Err(other),
        }
    }
    Ok(numbers)
}
