use super::*;
use crate::wire::jelly::Value;

fn encoded(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    Writer::new(&mut out).value(value);
    out
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[test]
fn values_have_the_shortest_form_and_read_alike() {
    for (value, bytes) in [
        (Value::None, &b"\xc0"[..]),
        (Value::Bool(true), b"\xc3"),
        (Value::Int(0), b"\x00"),
        (Value::Int(127), b"\x7f"),
        (Value::Int(128), b"\xcc\x80"),
        (Value::Int(65_536), b"\xce\x00\x01\x00\x00"),
        (Value::Int(-1), b"\xff"),
        (Value::Int(-33), b"\xd0\xdf"),
        (Value::Int(-129), b"\xd1\xff\x7f"),
        (Value::Float(1.5), b"\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00"),
        (text("caf\u{e9}"), b"\xa5caf\xc3\xa9"),
        (Value::Bytes(b"\x00\xff".to_vec()), b"\xc4\x02\x00\xff"),
        (
            Value::List(vec![Value::Int(1), text("x")]),
            b"\x92\x01\xa1x",
        ),
        (
            Value::Dict(vec![(text("a"), Value::List(Vec::new()))]),
            b"\x81\xa1a\x90",
        ),
    ] {
        assert_eq!(encoded(&value), bytes, "{value:?}");
        assert_eq!(decode(bytes), Ok(value));
    }
    let long = "x".repeat(70_000);
    assert_eq!(decode(&encoded(&text(&long))), Ok(text(&long)));
    for number in [i64::MIN, i64::MAX, 1 << 40, -(1 << 40), 255, 256, 65_535] {
        assert_eq!(
            decode(&encoded(&Value::Int(number))),
            Ok(Value::Int(number))
        );
    }
}

#[test]
fn forms_that_others_choose_are_read_too() {
    for (bytes, value) in [
        (&b"\xd3\x00\x00\x00\x00\x00\x00\x00\x07"[..], Value::Int(7)),
        (b"\xca\x3f\xc0\x00\x00", Value::Float(1.5)),
        (b"\xdb\x00\x00\x00\x01a", text("a")),
        (b"\xd9\x01\xff", text("\u{FFFD}")),
        (
            b"\xdd\x00\x00\x00\x01\xc2",
            Value::List(vec![Value::Bool(false)]),
        ),
        (
            b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
            Value::Float(u64::MAX as f64),
        ),
    ] {
        assert_eq!(decode(bytes), Ok(value), "{bytes:02x?}");
    }
}

#[test]
fn what_is_no_value_is_an_error() {
    for (bytes, error) in [
        (&b""[..], MsgpackError::Incomplete),
        (b"\xa2a", MsgpackError::Incomplete),
        (b"\xcd\x00", MsgpackError::Incomplete),
        (b"\x92\x00", MsgpackError::Incomplete),
        (b"\xc0\xc0", MsgpackError::Trailing),
        (b"\xc1", MsgpackError::NoSuchType),
        (b"\xd4\x00\x00", MsgpackError::NoSuchType),
        (b"\xc7\x00\x00", MsgpackError::NoSuchType),
    ] {
        assert_eq!(decode(bytes), Err(error), "{bytes:02x?}");
    }
}

#[test]
fn a_promise_of_much_costs_nothing() {
    for bytes in [
        &b"\xdd\xff\xff\xff\xff"[..],
        b"\xdf\xff\xff\xff\xff\xc0",
        b"\xc6\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xffx",
    ] {
        assert_eq!(decode(bytes), Err(MsgpackError::Incomplete));
    }
}

#[test]
fn depth_and_number_of_values_have_limits() {
    let nested = |depth: usize| [vec![0x91; depth], vec![0xc0]].concat();
    assert!(decode(&nested(DEPTH_LIMIT)).is_ok());
    assert_eq!(decode(&nested(DEPTH_LIMIT + 1)), Err(MsgpackError::TooDeep));
    assert_eq!(decode(&nested(1_000_000)), Err(MsgpackError::TooDeep));
    let many = |count: usize| {
        let mut bytes = Vec::new();
        Writer::new(&mut bytes).list_of(count);
        bytes.resize(bytes.len() + count, 0xc0);
        bytes
    };
    assert!(decode(&many(EXPRESSION_ITEMS - 1)).is_ok());
    assert_eq!(
        decode(&many(EXPRESSION_ITEMS)),
        Err(MsgpackError::TooManyItems)
    );
}
