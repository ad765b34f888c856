//! Python's operators on known values.

use super::super::syntax::{Binary, Comparison, Unary};
use super::super::value::{Computed, Value, raise, refuse};
use super::{format, paths};

/// An operator with one operand.
pub fn unary(operator: Unary, operand: &Value) -> Computed {
    let overflow = || refuse("the number is too large");
    match (operator, operand) {
        (Unary::Not, value) => Ok(Value::Bool(!value.is_true())),
        (Unary::Minus, Value::Float(value)) => Ok(Value::Float(-value)),
        (Unary::Plus, Value::Float(value)) => Ok(Value::Float(*value)),
        (Unary::Minus, value) => match value.integer() {
            Some(number) => number
                .checked_neg()
                .map(Value::Int)
                .map_or_else(overflow, Ok),
            None => wrong("-", value),
        },
        (Unary::Plus, value) => value
            .integer()
            .map(Value::Int)
            .map_or_else(|| wrong("+", value), Ok),
        (Unary::Invert, value) => match value.integer() {
            Some(number) => Ok(Value::Int(!number)),
            None => wrong("~", value),
        },
    }
}

fn wrong(operator: &str, value: &Value) -> Computed {
    raise(
        "TypeError",
        format!("`{operator}` does not go with {}", value.kind()),
    )
}

/// An operator with two operands; no result is larger than `largest` bytes.
pub fn binary(operator: Binary, left: &Value, right: &Value, largest: usize) -> Computed {
    if left.size().saturating_add(right.size()) > largest {
        return refuse("the value is too large");
    }
    match (operator, left, right) {
        (Binary::Add, Value::Text(left), Value::Text(right)) => {
            Ok(Value::Text(format!("{left}{right}")))
        }
        (Binary::Add, Value::List(left), Value::List(right)) => {
            Ok(Value::List([left.as_slice(), right].concat()))
        }
        (Binary::Add, Value::Tuple(left), Value::Tuple(right)) => {
            Ok(Value::Tuple([left.as_slice(), right].concat()))
        }
        (Binary::Remainder, Value::Text(form), values) => format::percent(form, values),
        (Binary::Multiply, Value::Text(text), count)
        | (Binary::Multiply, count, Value::Text(text)) => repeat(text, count, largest),
        (Binary::Divide, Value::Path(base), part) => match part.as_text() {
            Some(part) => Ok(Value::Path(paths::join(&[base, part]))),
            None => wrong("/", part),
        },
        (_, left, right) => match (left.integer(), right.integer()) {
            (Some(left), Some(right)) => integers(operator, left, right),
            _ => match (left.number(), right.number()) {
                (Some(left), Some(right)) => floats(operator, left, right),
                (None, _) => wrong("this operator", left),
                (_, None) => wrong("this operator", right),
            },
        },
    }
}

fn repeat(text: &str, count: &Value, largest: usize) -> Computed {
    let Some(count) = count.integer() else {
        return wrong("*", count);
    };
    let count = usize::try_from(count).unwrap_or(0);
    match text.len().checked_mul(count) {
        Some(size) if size <= largest => Ok(Value::Text(text.repeat(count))),
        _ => refuse("the text is too long"),
    }
}

fn integers(operator: Binary, left: i64, right: i64) -> Computed {
    let small = u32::try_from(right).ok();
    let result = match operator {
        Binary::Add => left.checked_add(right),
        Binary::Subtract => left.checked_sub(right),
        Binary::Multiply => left.checked_mul(right),
        Binary::Divide | Binary::FloorDivide | Binary::Remainder if right == 0 => {
            return raise("ZeroDivisionError", "a division by zero");
        }
        // Nothing in a configuration is above 2^53.
        Binary::Divide => return Ok(Value::Float(left as f64 / right as f64)),
        Binary::FloorDivide => {
            let quotient = left.checked_div(right);
            let inexact = left.checked_rem(right).is_some_and(|rest| rest != 0);
            let down = i64::from(inexact && (left < 0) != (right < 0));
            quotient.map(|quotient| quotient - down)
        }
        Binary::Remainder => left.checked_rem(right).map(|rest| {
            if rest != 0 && (rest < 0) != (right < 0) {
                rest + right
            } else {
                rest
            }
        }),
        Binary::Power if right < 0 => return floats(operator, left as f64, right as f64),
        Binary::Power => small.and_then(|small| left.checked_pow(small)),
        Binary::ShiftLeft => small
            .filter(|&small| small < 62)
            .and_then(|small| left.checked_mul(1_i64 << small)),
        Binary::ShiftRight => small.map(|small| left >> small.min(63)),
        Binary::And => Some(left & right),
        Binary::Or => Some(left | right),
        Binary::Xor => Some(left ^ right),
        Binary::Matrix => None,
    };
    match result {
        Some(number) => Ok(Value::Int(number)),
        None => refuse("the number is too large"),
    }
}

fn floats(operator: Binary, left: f64, right: f64) -> Computed {
    let result = match operator {
        Binary::Add => left + right,
        Binary::Subtract => left - right,
        Binary::Multiply => left * right,
        Binary::Divide | Binary::FloorDivide | Binary::Remainder if right == 0.0 => {
            return raise("ZeroDivisionError", "a division by zero");
        }
        Binary::Divide => left / right,
        Binary::FloorDivide => (left / right).floor(),
        Binary::Remainder => left - right * (left / right).floor(),
        // Only whole ones: the general case would bring in the system's library for mathematics, which
        // costs a third of a megabyte of memory.
        Binary::Power if right.fract() == 0.0 && right.abs() < 1e6 => left.powi(right as i32),
        Binary::Power => return refuse("only whole numbers can be exponents"),
        Binary::ShiftLeft
        | Binary::ShiftRight
        | Binary::And
        | Binary::Or
        | Binary::Xor
        | Binary::Matrix => return refuse("this operator does not go with fractions"),
    };
    Ok(Value::Float(result))
}

/// A comparison.
pub fn compare(comparison: Comparison, left: &Value, right: &Value) -> Computed<bool> {
    let equal = || match left.equals(right) {
        Some(equal) => Ok(equal),
        None => refuse("this comparison cannot be evaluated"),
    };
    match comparison {
        Comparison::Equal => equal(),
        Comparison::NotEqual => equal().map(|equal| !equal),
        Comparison::Is => identical(left, right),
        Comparison::IsNot => identical(left, right).map(|same| !same),
        Comparison::In => contains(right, left),
        Comparison::NotIn => contains(right, left).map(|within| !within),
        Comparison::Less
        | Comparison::LessOrEqual
        | Comparison::Greater
        | Comparison::GreaterOrEqual => ordered(comparison, left, right),
    }
}

fn ordered(comparison: Comparison, left: &Value, right: &Value) -> Computed<bool> {
    let order = match (left, right) {
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        _ => match (left.number(), right.number()) {
            (Some(left), Some(right)) => left.partial_cmp(&right),
            _ => None,
        },
    };
    let Some(order) = order else {
        return refuse(format!(
            "{} and {} have no order",
            left.kind(),
            right.kind()
        ));
    };
    Ok(match comparison {
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        _ => order.is_ge(),
    })
}

fn identical(left: &Value, right: &Value) -> Computed<bool> {
    match (left, right) {
        (Value::None, Value::None) => Ok(true),
        (Value::Bool(left), Value::Bool(right)) => Ok(left == right),
        (Value::None | Value::Bool(_), _) | (_, Value::None | Value::Bool(_)) => Ok(false),
        _ => match left.equals(right) {
            Some(equal) => Ok(equal),
            None => refuse("`is` is supported with None, True and False"),
        },
    }
}

fn contains(within: &Value, what: &Value) -> Computed<bool> {
    let any = |items: &[Value]| items.iter().any(|item| item.equals(what) == Some(true));
    match (within, what) {
        (Value::Text(within), Value::Text(what)) => Ok(within.contains(what.as_str())),
        (Value::List(items) | Value::Tuple(items), _) => {
            if items.iter().any(|item| matches!(item, Value::Unknown(_))) {
                return refuse("not all of what is searched is known");
            }
            Ok(any(items))
        }
        (Value::Dict(pairs), _) => Ok(pairs.iter().any(|(key, _)| key.equals(what) == Some(true))),
        (within, _) => refuse(format!("`in` does not go with {}", within.kind())),
    }
}

/// `base[index]`
pub fn item(base: &Value, index: &Value) -> Computed {
    let Some(index) = index.integer() else {
        return refuse(format!("{} cannot be indexed like this", base.kind()));
    };
    let place = |length: usize| {
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        let place = if index < 0 {
            index.saturating_add(length)
        } else {
            index
        };
        usize::try_from(place).ok()
    };
    let found = match base {
        Value::List(items) | Value::Tuple(items) => {
            place(items.len()).and_then(|at| items.get(at)).cloned()
        }
        Value::Text(text) => place(text.chars().count())
            .and_then(|at| text.chars().nth(at))
            .map(Value::text),
        other => return refuse(format!("{} cannot be indexed", other.kind())),
    };
    match found {
        Some(Value::Unknown(unknown)) => Err(super::super::value::Refusal::Unknown(unknown)),
        Some(value) => Ok(value),
        None => raise("IndexError", "there are not so many elements"),
    }
}

/// `base[first:last]`
pub fn slice(base: &Value, first: Option<&Value>, last: Option<&Value>) -> Computed {
    let length = match base {
        Value::Text(text) => text.chars().count(),
        Value::List(items) | Value::Tuple(items) => items.len(),
        other => return refuse(format!("{} cannot be sliced", other.kind())),
    };
    let bound = |bound: Option<&Value>, without: usize| match bound {
        None | Some(Value::None) => Ok(without),
        Some(value) => match value.integer() {
            Some(at) if at < 0 => {
                let back = usize::try_from(at.unsigned_abs()).unwrap_or(usize::MAX);
                Ok(length.saturating_sub(back))
            }
            Some(at) => Ok(usize::try_from(at).unwrap_or(usize::MAX).min(length)),
            None => refuse("a slice needs whole numbers"),
        },
    };
    let first = bound(first, 0)?;
    let count = bound(last, length)?.saturating_sub(first);
    Ok(match base {
        Value::Text(text) => Value::Text(text.chars().skip(first).take(count).collect()),
        Value::List(items) => Value::List(items.iter().skip(first).take(count).cloned().collect()),
        Value::Tuple(items) => {
            Value::Tuple(items.iter().skip(first).take(count).cloned().collect())
        }
        other => return refuse(format!("{} cannot be sliced", other.kind())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_and_remainder_round_down_like_python() {
        let int = |operator, left, right| match integers(operator, left, right) {
            Ok(Value::Int(number)) => number,
            _ => panic!("no number"),
        };
        assert_eq!(int(Binary::FloorDivide, -7, 2), -4);
        assert_eq!(int(Binary::Remainder, -7, 2), 1);
        assert_eq!(int(Binary::Remainder, 7, -2), -1);
        assert_eq!(int(Binary::Power, 2, 10), 1024);
        assert!(integers(Binary::Divide, 1, 0).is_err());
        assert!(integers(Binary::FloorDivide, i64::MIN, -1).is_err());
        assert!(integers(Binary::ShiftLeft, 1, 400).is_err());
    }

    #[test]
    fn repeating_a_text_is_bounded() {
        let text = Value::text("abc");
        assert!(binary(Binary::Multiply, &text, &Value::Int(1_000_000_000), 1 << 20).is_err());
        assert!(binary(Binary::Multiply, &text, &Value::Int(-1), 1 << 20).is_ok());
    }
}
