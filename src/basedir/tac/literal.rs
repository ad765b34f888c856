//! The values of Python's texts and numbers.

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Characters.
    Fixed(String),
    /// A field of an f-string: source of the expression, conversion (`r`, `s` or `a`), format.
    Field {
        /// The expression.
        source: String,
        /// After `!`.
        conversion: Option<char>,
        /// After `:`.
        format: String,
    },
}

/// A number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A whole number.
    Int(i64),
    /// With a fraction.
    Float(f64),
}

/// The value of a number, Python 2's `022` and `10L` included.
///
/// # Errors
/// Why it has none here.
pub fn number(text: &str) -> Result<Number, &'static str> {
    let digits = text.replace('_', "").to_ascii_lowercase();
    let digits = digits.strip_suffix('l').unwrap_or(&digits);
    let in_base = |rest: &str, base| {
        i64::from_str_radix(rest, base)
            .map(Number::Int)
            .map_err(|_| "this number is too large or wrong")
    };
    if let Some(rest) = digits.strip_prefix("0x") {
        return in_base(rest, 16);
    }
    if let Some(rest) = digits.strip_prefix("0o") {
        return in_base(rest, 8);
    }
    if let Some(rest) = digits.strip_prefix("0b") {
        return in_base(rest, 2);
    }
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let octal = digits.len() > 1 && digits.starts_with('0');
        return in_base(digits, if octal { 8 } else { 10 });
    }
    match digits.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Number::Float(value)),
        Ok(_) | Err(_) => Err("this number is too large or wrong"),
    }
}

/// The pieces of a text, given with prefix and quotes.
///
/// # Errors
/// Why it has no value here.
pub fn text(token: &str) -> Result<Vec<Piece>, &'static str> {
    let quote_at = token.find(['"', '\'']).unwrap_or(0);
    let prefix = token[..quote_at].to_ascii_lowercase();
    let quoted = &token[quote_at..];
    let width = if quoted.starts_with("'''") || quoted.starts_with("\"\"\"") {
        3
    } else {
        1
    };
    let content = quoted
        .get(width..quoted.len().saturating_sub(width))
        .unwrap_or("");
    let raw = prefix.contains('r');
    let bytes = prefix.contains('b');
    if prefix.contains('f') {
        return fields(content, raw);
    }
    Ok(vec![Piece::Fixed(unescape(content, raw, bytes)?)])
}

fn unescape(content: &str, raw: bool, bytes: bool) -> Result<String, &'static str> {
    if raw || !content.contains('\\') {
        return Ok(content.to_owned());
    }
    let mut result = String::with_capacity(content.len());
    let mut rest = content;
    while let Some(at) = rest.find('\\') {
        result.push_str(&rest[..at]);
        rest = escape(&rest[at + 1..], bytes, &mut result)?;
    }
    result.push_str(rest);
    Ok(result)
}

/// Reads one escape after its backslash; returns what follows it.
fn escape<'t>(rest: &'t str, bytes: bool, into: &mut String) -> Result<&'t str, &'static str> {
    let Some(sign) = rest.chars().next() else {
        into.push('\\');
        return Ok(rest);
    };
    let after = &rest[sign.len_utf8()..];
    let simple = match sign {
        '\n' => return Ok(after),
        '\\' | '\'' | '"' => sign,
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '0'..='7' => {
            let length = rest
                .bytes()
                .take(3)
                .take_while(|byte| (b'0'..=b'7').contains(byte))
                .count();
            return coded(rest, length, 8, bytes, into);
        }
        'x' => return coded(after, 2, 16, bytes, into),
        'u' if !bytes => return coded(after, 4, 16, false, into),
        'U' if !bytes => return coded(after, 8, 16, false, into),
        'N' if !bytes => return Err("characters by name (\\N) are not supported"),
        other => {
            into.push('\\');
            other
        }
    };
    into.push(simple);
    Ok(after)
}

fn coded<'t>(
    rest: &'t str,
    length: usize,
    base: u32,
    bytes: bool,
    into: &mut String,
) -> Result<&'t str, &'static str> {
    let digits = rest.get(..length).ok_or("an escape is not complete")?;
    let code = u32::from_str_radix(digits, base).map_err(|_| "an escape has wrong digits")?;
    if bytes && code > 0x7f {
        return Err("bytes above 0x7f are not supported");
    }
    into.push(char::from_u32(code).ok_or("an escape names no character")?);
    Ok(&rest[length..])
}

/// The pieces of an f-string.
fn fields(content: &str, raw: bool) -> Result<Vec<Piece>, &'static str> {
    let mut pieces = Vec::new();
    let mut fixed = String::new();
    let mut rest = content;
    while let Some(at) = rest.find(['{', '}']) {
        fixed.push_str(&unescape(&rest[..at], raw, false)?);
        let bracket = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(doubled) = rest.strip_prefix(bracket) {
            fixed.push_str(bracket);
            rest = doubled;
            continue;
        }
        if bracket == "}" {
            return Err("a single } in an f-string");
        }
        let end = closing(rest).ok_or("a field of an f-string has no end")?;
        pieces.push(Piece::Fixed(std::mem::take(&mut fixed)));
        pieces.push(field(&rest[..end]));
        rest = &rest[end + 1..];
    }
    fixed.push_str(&unescape(rest, raw, false)?);
    pieces.push(Piece::Fixed(fixed));
    Ok(pieces)
}

/// Where the field that begins here ends: its closing brace.
fn closing(rest: &str) -> Option<usize> {
    scan(rest, |byte| byte == b'}')
}

/// The first byte outside quotes and brackets that is wanted.
fn scan(rest: &str, wanted: impl Fn(u8) -> bool) -> Option<usize> {
    let mut depth = 0_u32;
    let mut quote = None;
    for (at, byte) in rest.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, _) if depth == 0 && wanted(byte) => return Some(at),
            (None, b'(' | b'[' | b'{') => depth += 1,
            (None, b')' | b']' | b'}') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
    }
    None
}

fn field(inner: &str) -> Piece {
    let (head, format) = match scan(inner, |byte| byte == b':') {
        Some(at) => (&inner[..at], &inner[at + 1..]),
        None => (inner, ""),
    };
    let (source, conversion) = match head.rsplit_once('!') {
        Some((source, letter)) if matches!(letter, "r" | "s" | "a") => {
            (source, letter.chars().next())
        }
        Some(_) | None => (head, None),
    };
    Piece::Field {
        source: source.trim().to_owned(),
        conversion,
        format: format.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(token: &str) -> String {
        match text(token).unwrap().as_slice() {
            [Piece::Fixed(fixed)] => fixed.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn texts_have_pythons_values() {
        assert_eq!(plain(r"'it\'s'"), "it's");
        assert_eq!(
            plain(
                r#""\x41\101\u00e9\n\q\
z""#
            ),
            "AAé\n\\qz"
        );
        assert_eq!(plain(r"r'\n'"), "\\n");
        assert_eq!(plain("'''a'b'''"), "a'b");
        assert_eq!(plain("u''"), "");
        assert_eq!(plain(r"b'\x41\u'"), "A\\u");
    }

    #[test]
    fn texts_without_a_value_are_errors() {
        for token in [r"'\x4'", r"'\ud800'", r"'\N{DASH}'", r"b'\xff'", r"'\uäöü'"] {
            assert!(text(token).is_err(), "{token}");
        }
    }

    #[test]
    fn numbers_have_pythons_values() {
        assert_eq!(number("0o22"), Ok(Number::Int(18)));
        assert_eq!(number("022"), Ok(Number::Int(18)));
        assert_eq!(number("0"), Ok(Number::Int(0)));
        assert_eq!(number("0xff"), Ok(Number::Int(255)));
        assert_eq!(number("10_000"), Ok(Number::Int(10_000)));
        assert_eq!(number("10L"), Ok(Number::Int(10)));
        assert_eq!(number("1.5e2"), Ok(Number::Float(150.0)));
        assert_eq!(number("5."), Ok(Number::Float(5.0)));
        for wrong in ["089", "1e999", "99999999999999999999", "1.2.3", "3j", "0x"] {
            assert!(number(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn fields_of_an_f_string_are_taken_apart() {
        assert_eq!(
            text("f'{{{a[\"b:c\"]!r:>5}}}x'").unwrap(),
            [
                Piece::Fixed("{".into()),
                Piece::Field {
                    source: "a[\"b:c\"]".into(),
                    conversion: Some('r'),
                    format: ">5".into()
                },
                Piece::Fixed("}x".into())
            ]
        );
        assert!(text("f'{a'").is_err());
        assert!(text("f'}'").is_err());
    }
}
