//! `%` and `format` on texts, for texts and numbers without widths.

use super::super::value::{Computed, Refusal, Value, raise, refuse};
use super::arguments::Given;

/// `form % values`
pub fn percent(form: &str, values: &Value) -> Computed {
    let single = std::slice::from_ref(values);
    let (list, names) = match values {
        Value::Tuple(items) => (items.as_slice(), None),
        Value::Dict(pairs) => (&[][..], Some(pairs)),
        _ => (single, None),
    };
    let mut next = list.iter();
    let mut result = String::new();
    let mut rest = form;
    while let Some(at) = rest.find('%') {
        result.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let mut named = None;
        if let (Some(names), Some(inner)) = (names, rest.strip_prefix('(')) {
            let Some((name, after)) = inner.split_once(')') else {
                return refuse("a `%(` without `)`");
            };
            let key = Value::text(name);
            let found = names
                .iter()
                .find(|(known, _)| known.equals(&key) == Some(true));
            named = found.map(|(_, value)| value);
            rest = after;
        }
        let Some(letter) = rest.chars().next() else {
            return refuse("a `%` at the end of a text");
        };
        rest = &rest[letter.len_utf8()..];
        if letter == '%' {
            result.push('%');
            continue;
        }
        let Some(value) = named.or_else(|| next.next()) else {
            return raise("TypeError", "more `%` than values");
        };
        result.push_str(&percent_value(letter, value)?);
    }
    if next.next().is_some() {
        return raise("TypeError", "more values than `%`");
    }
    result.push_str(rest);
    Ok(Value::Text(result))
}

fn percent_value(letter: char, value: &Value) -> Computed<String> {
    match letter {
        's' => field(value, Some('s'), ""),
        'r' => field(value, Some('r'), ""),
        'd' | 'i' => match value.integer() {
            Some(number) => Ok(number.to_string()),
            None => raise("TypeError", "`%d` needs a whole number"),
        },
        'o' => match value.integer() {
            Some(number) => Ok(format!("{number:o}")),
            None => raise("TypeError", "`%o` needs a whole number"),
        },
        _ => refuse("`%` is supported with s, r, d, i and o, without a width"),
    }
}

/// One field: a value, its conversion and its format.
pub fn field(value: &Value, conversion: Option<char>, spec: &str) -> Computed<String> {
    if let Value::Unknown(unknown) = value {
        return Err(Refusal::Unknown(unknown.clone()));
    }
    let shown = match conversion {
        Some('r' | 'a') => value.quoted(),
        _ => value.shown(),
    };
    let Some(shown) = shown else {
        return refuse(format!("{} cannot be made a text", value.kind()));
    };
    match spec {
        "" | "s" | "d" => Ok(shown),
        _ => refuse("a format with a width is not supported"),
    }
}

/// `form.format(...)`
pub fn format(form: &str, given: &[Given]) -> Computed {
    let positions: Vec<&Given> = given.iter().filter(|given| given.name.is_none()).collect();
    let mut next = 0;
    let mut result = String::new();
    let mut rest = form;
    while let Some(at) = rest.find(['{', '}']) {
        result.push_str(&rest[..at]);
        let bracket = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(doubled) = rest.strip_prefix(bracket) {
            result.push_str(bracket);
            rest = doubled;
            continue;
        }
        let Some((inner, after)) = rest.split_once('}') else {
            return raise("ValueError", "a single brace in a format");
        };
        if bracket == "}" {
            return raise("ValueError", "a single brace in a format");
        }
        rest = after;
        let (head, spec) = inner.split_once(':').unwrap_or((inner, ""));
        let (name, conversion) = head.split_once('!').unwrap_or((head, ""));
        let found = if name.is_empty() {
            next += 1;
            positions.get(next - 1).copied()
        } else if let Ok(place) = name.parse::<usize>() {
            positions.get(place).copied()
        } else {
            given
                .iter()
                .find(|given| given.name.as_deref() == Some(name))
        };
        let Some(found) = found else {
            return refuse("a field of the format has no value");
        };
        result.push_str(&field(&found.value, conversion.chars().next(), spec)?);
    }
    result.push_str(rest);
    Ok(Value::Text(result))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(computed: Computed) -> String {
        match computed {
            Ok(Value::Text(text)) => text,
            _ => panic!("no text"),
        }
    }

    #[test]
    fn percent_takes_one_value_several_or_names() {
        assert_eq!(text(percent("a-%s", &Value::text("b"))), "a-b");
        let both = Value::Tuple(vec![Value::Int(1), Value::text("x")]);
        assert_eq!(text(percent("%d%%%r", &both)), "1%'x'");
        let named = Value::Dict(vec![(Value::text("n"), Value::Int(8))]);
        assert_eq!(text(percent("%(n)o", &named)), "10");
        assert!(percent("%s %s", &Value::text("b")).is_err());
        assert!(percent("%5d", &Value::Int(1)).is_err());
    }

    #[test]
    fn format_takes_positions_and_names() {
        let given = [
            Given::position(Value::text("a")),
            Given::keyword("k", Value::Int(2)),
        ];
        assert_eq!(text(format("{}{{{0}}}{k!r}", &given)), "a{a}2");
        assert!(format("{1}", &given).is_err());
        assert!(format("}", &given).is_err());
        assert!(format("{", &given).is_err());
    }
}
