use super::super::banana::{DEPTH_LIMIT, Decoder, Item, encode};
use super::*;

fn word(text: &str) -> Item {
    Item::Bytes(text.as_bytes().to_vec())
}

/// A form: its word and what follows.
fn form<const N: usize>(head: &str, rest: [Item; N]) -> Item {
    let mut items = vec![word(head)];
    items.extend(rest);
    Item::List(items)
}

fn read(item: Item) -> Result<Value, JellyError> {
    unjelly(item, &mut Vec::new())
}

/// The value after a trip over the wire.
fn carried(value: &Value) -> Value {
    let mut bytes = Vec::new();
    encode(&mut bytes, |out| out.value(value)).unwrap();
    let mut decoder = Decoder::new();
    decoder.allow_words();
    let item = decoder.next(&mut bytes.as_slice()).unwrap().unwrap();
    read(item).unwrap()
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[test]
fn every_value_survives_the_wire() {
    let failure = RemoteFailure {
        class: "builtins.KeyError".to_owned(),
        text: "'dir'".to_owned(),
        parents: vec!["builtins.KeyError".to_owned(), "builtins.object".to_owned()],
        traceback: "Traceback unavailable\n".to_owned(),
    };
    let values = [
        Value::None,
        Value::Bool(true),
        Value::Bool(false),
        Value::Int(-5),
        Value::Float(0.25),
        Value::Bytes(vec![0, 255]),
        text("é"),
        text("message"),
        Value::List(vec![]),
        Value::Tuple(vec![Value::Int(1), Value::List(vec![text("x")])]),
        Value::Dict(vec![(text("b"), Value::None), (Value::Int(1), text(""))]),
        Value::Remote(7),
        Value::Local(3),
        Value::Failure(Box::new(failure)),
        Value::Unpersistable("no idea".to_owned()),
    ];
    for value in values {
        assert_eq!(carried(&value), value);
    }
}

#[test]
fn sets_become_lists() {
    for head in ["set", "frozenset"] {
        let value = read(form(head, [Item::Int(1)])).unwrap();
        assert_eq!(value, Value::List(vec![Value::Int(1)]));
    }
}

#[test]
fn forms_that_no_master_sends_are_refused_by_name() {
    let refused = [
        "class",
        "module",
        "function",
        "method",
        "instance",
        "datetime",
        "date",
        "time",
        "timedelta",
        "decimal",
        "persistent",
        "cache",
        "cached",
        "lcache",
        "copy",
        "a.b.Class",
    ];
    for head in refused {
        let error = read(form(head, [word("x")])).unwrap_err();
        assert_eq!(error, JellyError::Refused(head.to_owned()));
    }
    assert_eq!(
        read(form("wat", [])),
        Err(JellyError::UnknownType("wat".to_owned()))
    );
    assert_eq!(
        JellyError::Refused("decimal".to_owned()).to_string(),
        "a value of type 'decimal', which a worker does not accept"
    );
}

#[test]
fn a_list_needs_a_type_word() {
    assert_eq!(read(Item::List(vec![])), Err(JellyError::NoTypeWord));
    assert_eq!(
        read(Item::List(vec![Item::Int(1)])),
        Err(JellyError::NoTypeWord)
    );
}

#[test]
fn malformed_forms_are_refused() {
    let malformed = [
        form("boolean", [word("yes")]),
        form("boolean", []),
        form("unicode", [Item::Int(1)]),
        form("unicode", []),
        form("remote", [word("root")]),
        form("local", []),
        form("dictionary", [Item::Int(1)]),
        form("dictionary", [Item::List(vec![Item::Int(1)])]),
        form("reference", [Item::Int(1)]),
        form("dereference", [word("x")]),
        form("unpersistable", []),
        form("twisted.spread.pb.CopyableFailure", []),
        form("twisted.spread.pb.CopyableFailure", [Item::Int(1)]),
    ];
    for item in malformed {
        let error = read(item.clone()).unwrap_err();
        assert!(
            matches!(error, JellyError::Malformed { .. }),
            "{item}: {error}"
        );
    }
}

#[test]
fn text_that_is_not_utf_8_keeps_what_it_can() {
    let item = form("unicode", [Item::Bytes(b"caf\xe9".to_vec())]);
    assert_eq!(read(item).unwrap(), text("caf\u{fffd}"));
    assert_eq!(
        Value::Bytes(b"caf\xe9".to_vec()).into_text().unwrap(),
        "caf\u{fffd}"
    );
}

fn reference(number: i64, content: Item) -> Item {
    form("reference", [Item::Int(number), content])
}

fn dereference(number: i64) -> Item {
    form("dereference", [Item::Int(number)])
}

#[test]
fn a_shared_value_appears_wherever_it_is_used() {
    // As the empty tuple does in every traceback.
    let empty = || Value::Tuple(vec![]);
    let item = form(
        "list",
        [
            reference(1, form("tuple", [])),
            dereference(1),
            form("dictionary", [Item::List(vec![word("k"), dereference(1)])]),
        ],
    );
    let expected = Value::List(vec![
        empty(),
        empty(),
        Value::Dict(vec![(Value::Bytes(b"k".to_vec()), empty())]),
    ]);
    assert_eq!(read(item).unwrap(), expected);
}

#[test]
fn shared_values_may_contain_shared_values() {
    let item = form(
        "list",
        [
            reference(
                1,
                form("list", [reference(2, form("tuple", [])), dereference(2)]),
            ),
            dereference(1),
            dereference(2),
        ],
    );
    let inner = Value::List(vec![Value::Tuple(vec![]), Value::Tuple(vec![])]);
    let expected = Value::List(vec![inner.clone(), inner, Value::Tuple(vec![])]);
    assert_eq!(read(item).unwrap(), expected);
}

#[test]
fn forward_cyclic_and_repeated_references_are_refused() {
    let forward = form("list", [dereference(1), reference(1, form("tuple", []))]);
    assert_eq!(read(forward), Err(JellyError::UnknownReference(1)));
    let cyclic = reference(1, form("list", [dereference(1)]));
    assert_eq!(read(cyclic), Err(JellyError::UnknownReference(1)));
    let repeated = form(
        "list",
        [
            reference(1, form("tuple", [])),
            reference(1, form("list", [])),
        ],
    );
    assert_eq!(read(repeated), Err(JellyError::RepeatedReference(1)));
}

#[test]
fn a_billion_laughs_are_refused() {
    // Each one holds the one before ten times: 10^12 values, if they were made.
    let mut items = vec![word("list"), reference(0, form("list", [word("ha")]))];
    for number in 1..12 {
        let mut tenfold = vec![word("list")];
        tenfold.extend((0..10).map(|_| dereference(number - 1)));
        items.push(reference(number, Item::List(tenfold)));
    }
    assert_eq!(read(Item::List(items)), Err(JellyError::TooLarge));
}

#[test]
fn a_large_string_is_not_multiplied() {
    let mut items = vec![
        word("list"),
        reference(1, form("list", [Item::Bytes(vec![b'x'; 500_000])])),
    ];
    items.extend((0..1000).map(|_| dereference(1)));
    assert_eq!(read(Item::List(items)), Err(JellyError::TooLarge));
}

#[test]
fn sharing_does_not_get_around_the_limit_of_nesting() {
    // A value of depth 40 that holds one of depth 40 at its bottom, and so on.
    let mut items = vec![word("list"), reference(0, form("list", []))];
    for number in 1..100 {
        let mut nested = dereference(number - 1);
        for _ in 0..40 {
            nested = form("list", [nested]);
        }
        items.push(reference(number, nested));
    }
    assert_eq!(read(Item::List(items)), Err(JellyError::TooDeep));
}

#[test]
fn nesting_is_limited_in_both_directions() {
    let nested = |depth: usize| (0..depth).fold(Value::None, |value, _| Value::List(vec![value]));
    let value = nested(DEPTH_LIMIT - 1);
    assert_eq!(carried(&value), value);
    let mut out = Vec::new();
    let written = encode(&mut out, |out| out.value(&nested(DEPTH_LIMIT)));
    assert!(written.is_err());
    assert!(out.is_empty());
    let item = (0..DEPTH_LIMIT).fold(form("None", []), |item, _| form("list", [item]));
    assert_eq!(read(item), Err(JellyError::TooDeep));
}

#[test]
fn every_reference_is_reported_also_from_a_value_that_is_refused() {
    let mut remotes = Vec::new();
    let item = form(
        "tuple",
        [
            form("remote", [Item::Int(3)]),
            form("decimal", [Item::Int(1)]),
            form(
                "dictionary",
                [
                    Item::List(vec![word("a"), form("remote", [Item::Int(4)])]),
                    // A pair is no form: this is the key `remote` with the value 99.
                    Item::List(vec![word("remote"), Item::Int(99)]),
                    Item::List(vec![form("wat", []), form("remote", [Item::Int(5)])]),
                ],
            ),
        ],
    );
    assert!(unjelly(item, &mut remotes).is_err());
    assert_eq!(remotes, [3, 4, 5]);
}

#[test]
fn a_reference_in_a_shared_value_is_reported_once() {
    let mut remotes = Vec::new();
    let item = form(
        "list",
        [
            reference(1, form("list", [form("remote", [Item::Int(8)])])),
            dereference(1),
        ],
    );
    unjelly(item, &mut remotes).unwrap();
    assert_eq!(remotes, [8]);
}

#[test]
fn an_exception_with_odd_fields_is_still_an_exception() {
    let state = form(
        "dictionary",
        [
            Item::List(vec![word("type"), form("unicode", [word("a.B")])]),
            Item::List(vec![word("value"), Item::Int(3)]),
            Item::List(vec![word("parents"), form("None", [])]),
            Item::List(vec![Item::Int(1), Item::Int(2)]),
            Item::List(vec![word("locals"), form("my.Thing", [])]),
            Item::Int(1),
        ],
    );
    let value = read(form("twisted.spread.pb.CopyableFailure", [state])).unwrap();
    let Value::Failure(failure) = value else {
        panic!("no failure: {value}");
    };
    assert_eq!(failure.to_string(), "a.B: the number 3");
    assert_eq!(failure.parents, Vec::<String>::new());
    assert!(failure.is_a("a.B") && !failure.is_a("a.C"));
}
