//! What `buildbot.tac` says about the processes of steps: our own settings `coracle_nice` and
//! `coracle_core_limit`.

use ports::StepLimits;

use super::arguments::Arguments;
use super::tac::{Tac, Value};

/// Their names without `coracle_`.
pub const NAMES: [&str; 2] = ["nice", "core_limit"];

/// The highest step of niceness between two processes (nice(2)).
const NICEST: i64 = 39;

/// Reads them; what is wrong is told to `arguments`.
pub fn read(tac: &Tac, arguments: &mut Arguments) -> StepLimits {
    let mut limits = StepLimits::default();
    if let Some(binding) = tac.names.get("coracle_nice") {
        match &binding.value {
            Value::None => {}
            Value::Int(number @ 0..=NICEST) => limits.nice = u8::try_from(*number).unwrap_or(0),
            _ => {
                let text = "coracle_nice must be a number from 0 to 39: how much nicer steps are than the worker";
                arguments.problem(binding.line, text.to_owned());
            }
        }
    }
    if let Some(binding) = tac.names.get("coracle_core_limit") {
        match &binding.value {
            Value::None => {}
            Value::Int(bytes @ 0..) => limits.core = u64::try_from(*bytes).ok(),
            Value::Text(text) if text == "unlimited" => limits.core = Some(u64::MAX),
            _ => {
                let text = "coracle_core_limit must be a number of bytes (0 for no core files) or 'unlimited'";
                arguments.problem(binding.line, text.to_owned());
            }
        }
    }
    limits
}
