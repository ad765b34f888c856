use super::*;

fn decode(bytes: &[u8]) -> Result<Vec<Item>, BananaError> {
    let mut decoder = Decoder::new();
    decoder.allow_words();
    decode_with(&mut decoder, bytes)
}

fn decode_with(decoder: &mut Decoder, mut bytes: &[u8]) -> Result<Vec<Item>, BananaError> {
    let mut items = Vec::new();
    while let Some(item) = decoder.next(&mut bytes)? {
        items.push(item);
    }
    assert!(bytes.is_empty(), "bytes were left behind");
    Ok(items)
}

fn encoded(item: &Item) -> Vec<u8> {
    let mut out = Vec::new();
    encode(&mut out, |writer| writer.item(item)).unwrap();
    out
}

fn hex(text: &str) -> Vec<u8> {
    text.split_whitespace()
        .map(|byte| u8::from_str_radix(byte, 16).unwrap())
        .collect()
}

fn word(text: &str) -> Item {
    Item::Bytes(text.as_bytes().to_vec())
}

/// The prefix and type of an element, as a peer that knows no limits would write them.
fn head(mut length: u128, kind: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        bytes.push((length & 0x7f) as u8);
        length >>= 7;
        if length == 0 {
            break;
        }
    }
    bytes.push(kind);
    bytes
}

#[test]
fn the_vectors_of_the_reference_hold_in_both_directions() {
    let list = Item::List;
    let none = || list(vec![word("None")]);
    let vectors = [
        (Item::Int(0), "00 81"),
        (Item::Int(1), "01 81"),
        (Item::Int(127), "7f 81"),
        (Item::Int(128), "00 01 81"),
        (Item::Int(300), "2c 02 81"),
        (Item::Int(2_147_483_647), "7f 7f 7f 7f 07 81"),
        (Item::Int(2_147_483_648), "00 00 00 00 08 85"),
        (Item::Int(-1), "01 83"),
        (Item::Int(-128), "00 01 83"),
        (Item::Int(-2_147_483_648), "00 00 00 00 08 83"),
        (Item::Int(-2_147_483_649), "01 00 00 00 08 86"),
        (Item::Float(1.5), "84 3f f8 00 00 00 00 00 00"),
        (Item::Float(0.0), "84 00 00 00 00 00 00 00 00"),
        (word(""), "00 82"),
        (word("abc"), "03 82 61 62 63"),
        (word("None"), "01 87"),
        (word("message"), "1a 87"),
        (word("list"), "08 87"),
        (list(vec![]), "00 80"),
        (none(), "01 80 01 87"),
        (
            list(vec![word("boolean"), word("true")]),
            "02 80 07 82 62 6f 6f 6c 65 61 6e 04 82 74 72 75 65",
        ),
        (
            list(vec![word("unicode"), word("é")]),
            "02 80 07 82 75 6e 69 63 6f 64 65 02 82 c3 a9",
        ),
        (
            list(vec![
                word("list"),
                Item::Int(1),
                list(vec![word("tuple"), word("x"), Item::Float(2.0)]),
            ]),
            "03 80 08 87 01 81 03 80 0b 87 01 82 78 84 40 00 00 00 00 00 00 00",
        ),
        (
            list(vec![word("version"), Item::Int(6)]),
            "02 80 13 87 06 81",
        ),
        (list(vec![word("tuple")]), "01 80 0b 87"),
        (list(vec![word("dictionary")]), "01 80 05 87"),
        (
            list(vec![
                word("message"),
                Item::Int(1),
                word("root"),
                word("login"),
                Item::Int(1),
                list(vec![word("tuple"), word("login")]),
                list(vec![word("dictionary")]),
            ]),
            "07 80 1a 87 01 81 04 82 72 6f 6f 74 14 87 01 81 02 80 0b 87 14 87 01 80 05 87",
        ),
        (
            list(vec![word("answer"), Item::Int(1), none()]),
            "03 80 1b 87 01 81 01 80 01 87",
        ),
        (
            list(vec![word("decref"), Item::Int(1)]),
            "02 80 1d 87 01 81",
        ),
    ];
    for (item, text) in vectors {
        let bytes = hex(text);
        assert_eq!(encoded(&item), bytes, "{item:?}");
        assert_eq!(decode(&bytes).unwrap(), [item]);
    }
}

#[test]
fn an_empty_prefix_is_zero() {
    assert_eq!(decode(&[0x80]).unwrap(), [Item::List(vec![])]);
    assert_eq!(decode(&[0x81]).unwrap(), [Item::Int(0)]);
    assert_eq!(decode(&[0x82]).unwrap(), [word("")]);
    // Several lists end with one byte.
    let nested = Item::List(vec![Item::List(vec![Item::List(vec![])])]);
    assert_eq!(decode(&hex("01 80 01 80 80")).unwrap(), [nested]);
}

#[test]
fn the_prefix_of_a_float_means_nothing() {
    let bytes = hex("05 01 84 3f f8 00 00 00 00 00 00");
    assert_eq!(decode(&bytes).unwrap(), [Item::Float(1.5)]);
}

#[test]
fn every_word_of_the_vocabulary_round_trips_anywhere() {
    for index in 1..=31 {
        let word = Word::at(index).unwrap();
        assert_eq!(Word::spelled(word.spelling()), Some(word));
        assert_eq!(u64::from(word.index()), index);
        let item = Item::List(vec![Item::Bytes(word.spelling().to_vec())]);
        let bytes = encoded(&item);
        assert_eq!(bytes, [1, 0x80, word.index(), 0x87]);
        assert_eq!(decode(&bytes).unwrap(), [item]);
    }
    assert_eq!(Word::at(0), None);
    assert_eq!(Word::at(32), None);
    assert_eq!(Word::at(u64::MAX), None);
    assert_eq!(decode(&hex("20 87")), Err(BananaError::UnknownWord(32)));
    assert_eq!(decode(&hex("00 87")), Err(BananaError::UnknownWord(0)));
}

#[test]
fn a_word_before_the_dialect_is_an_error() {
    let mut decoder = Decoder::new();
    assert_eq!(
        decode_with(&mut decoder, &hex("01 87")),
        Err(BananaError::EarlyWord)
    );
}

#[test]
fn sixty_four_prefix_bytes_are_allowed_and_no_more() {
    let mut bytes = vec![0; 64];
    bytes.push(0x81);
    assert_eq!(decode(&bytes).unwrap(), [Item::Int(0)]);
    // The error comes before any type byte has.
    assert_eq!(decode(&[0; 65]), Err(BananaError::PrefixTooLong));
    assert_eq!(decode(&[b'a'; 65]), Err(BananaError::PrefixTooLong));
}

#[test]
fn integers_hold_sixty_four_bits_and_no_more() {
    for value in [i64::MAX, i64::MIN, i64::MIN + 1] {
        let bytes = encoded(&Item::Int(value));
        assert_eq!(decode(&bytes).unwrap(), [Item::Int(value)]);
    }
    for kind in [kind::INT, kind::LONGINT] {
        let bytes = head(1 << 63, kind);
        assert_eq!(decode(&bytes), Err(BananaError::IntegerTooLarge));
    }
    for kind in [kind::NEG, kind::LONGNEG] {
        assert_eq!(decode(&head(1 << 63, kind)).unwrap(), [Item::Int(i64::MIN)]);
        let bytes = head((1 << 63) + 1, kind);
        assert_eq!(decode(&bytes), Err(BananaError::IntegerTooLarge));
        let bytes = head(u128::MAX, kind);
        assert_eq!(decode(&bytes), Err(BananaError::IntegerTooLarge));
        // What does not fit must not wrap around.
        assert_eq!(
            decode(&head((1 << 64) + 1, kind)),
            Err(BananaError::IntegerTooLarge)
        );
    }
}

#[test]
fn a_string_of_exactly_the_limit_is_accepted() {
    let mut bytes = head(655_360, kind::STRING);
    bytes.resize(bytes.len() + 655_360, b'x');
    assert_eq!(decode(&bytes).unwrap(), [Item::Bytes(vec![b'x'; 655_360])]);
    assert_eq!(encoded(&Item::Bytes(vec![b'x'; 655_360])), bytes);
}

#[test]
fn a_longer_string_is_refused_with_its_prefix() {
    let error = BananaError::StringTooLong(655_361);
    assert_eq!(decode(&head(655_361, kind::STRING)), Err(error));
    let error = BananaError::StringTooLong(u64::MAX);
    assert_eq!(decode(&head(1 << 64, kind::STRING)), Err(error));
}

#[test]
fn a_longer_list_is_refused_with_its_prefix() {
    let error = BananaError::ListTooLong(655_361);
    assert_eq!(decode(&head(655_361, kind::LIST)), Err(error));
    // Announcing the longest one is legal.
    assert_eq!(decode(&head(655_360, kind::LIST)).unwrap(), []);
}

#[test]
fn unknown_types_are_refused() {
    for byte in 0x88..=0xff {
        assert_eq!(decode(&[byte]), Err(BananaError::UnknownType(byte)));
    }
}

#[test]
fn a_broken_stream_stays_broken() {
    let mut decoder = Decoder::new();
    let error = decode_with(&mut decoder, &[0xff]).unwrap_err();
    assert_eq!(decode_with(&mut decoder, &[0x81]), Err(error));
    assert_eq!(decode_with(&mut decoder, &[]), Err(error));
}

#[test]
fn nesting_is_limited_in_both_directions() {
    let nested = |depth: usize| {
        let mut bytes = [1, 0x80].repeat(depth);
        bytes.extend([0, 0x81]);
        bytes
    };
    let item = decode(&nested(DEPTH_LIMIT)).unwrap().remove(0);
    assert_eq!(encoded(&item), nested(DEPTH_LIMIT));
    assert_eq!(decode(&nested(DEPTH_LIMIT + 1)), Err(BananaError::TooDeep));
    // However deep: no recursion, no growth.
    assert_eq!(decode(&nested(1_000_000)), Err(BananaError::TooDeep));
    let deeper = Item::List(vec![item]);
    let mut out = vec![7];
    let written = encode(&mut out, |writer| writer.item(&deeper));
    assert_eq!(written, Err(BananaError::TooDeep));
    assert_eq!(out, [7]);
}

#[test]
fn one_expression_is_limited_in_bytes_and_elements() {
    let mut decoder = Decoder::new();
    let string = [head(600_000, kind::STRING), vec![b'x'; 600_000]].concat();
    decode_with(&mut decoder, &head(10, kind::LIST)).unwrap();
    for _ in 0..6 {
        decode_with(&mut decoder, &string).unwrap();
    }
    assert_eq!(
        decode_with(&mut decoder, &string),
        Err(BananaError::TooManyBytes)
    );

    let mut decoder = Decoder::new();
    decode_with(&mut decoder, &head(655_360, kind::LIST)).unwrap();
    decode_with(&mut decoder, &vec![0x81; EXPRESSION_ITEMS - 1]).unwrap();
    assert_eq!(
        decode_with(&mut decoder, &[0x81]),
        Err(BananaError::TooManyItems)
    );
}

#[test]
fn the_limits_of_an_expression_do_not_add_up_over_a_stream() {
    let mut decoder = Decoder::new();
    let string = [head(600_000, kind::STRING), vec![b'x'; 600_000]].concat();
    for _ in 0..20 {
        decode_with(&mut decoder, &string).unwrap();
    }
    for _ in 0..3 {
        decode_with(&mut decoder, &vec![0x81; EXPRESSION_ITEMS]).unwrap();
    }
}

#[test]
fn the_worst_expressions_stay_within_sixteen_mebibytes() {
    let items = u128::try_from(EXPRESSION_ITEMS).unwrap();
    let full = EXPRESSION_ITEMS - 1;
    // Many small strings, many small lists, and a list in a list in a list that are all announced long.
    let strings = [head(items, kind::LIST), [1, 0x82, b'x'].repeat(full)].concat();
    let lists = [head(items, kind::LIST), [1, 0x80, 0x81].repeat(full / 2)].concat();
    let announced = [
        head(655_360, kind::LIST).repeat(DEPTH_LIMIT),
        vec![0x81; 60_000],
    ]
    .concat();
    let bytes = [
        head(100, kind::LIST),
        [head(590_000, kind::STRING), vec![b'x'; 590_000]]
            .concat()
            .repeat(7),
    ]
    .concat();
    for stream in [strings, lists, announced, bytes] {
        let mut decoder = Decoder::new();
        let mut most = 0;
        for piece in stream.chunks(10_000) {
            decode_with(&mut decoder, piece).unwrap();
            most = most.max(decoder.memory());
        }
        assert!(most < 16 * 1024 * 1024, "{most}");
    }
}

#[test]
fn a_message_above_a_limit_leaves_no_trace() {
    let mut out = b"before".to_vec();
    let written = encode(&mut out, |writer| {
        writer.list(2);
        writer.bytes(b"fits");
        writer.bytes(&vec![0; 655_361]);
    });
    assert_eq!(written, Err(BananaError::StringTooLong(655_361)));
    let written = encode(&mut out, |writer| writer.list(655_361));
    assert_eq!(written, Err(BananaError::ListTooLong(655_361)));
    assert_eq!(out, b"before");
}

#[test]
fn a_long_string_in_small_pieces_costs_what_it_costs_in_one() {
    // Quadratic work would take minutes here.
    let string = [head(655_360, kind::STRING), vec![b'x'; 655_360]].concat();
    let mut decoder = Decoder::new();
    let mut decoded = 0;
    for byte in string.repeat(3) {
        decoded += decode_with(&mut decoder, &[byte]).unwrap().len();
    }
    assert_eq!(decoded, 3);
}

#[test]
fn errors_say_what_is_wrong_in_one_line() {
    let texts = [
        (BananaError::UnknownType(0x99), "unknown type 0x99"),
        (
            BananaError::StringTooLong(700_000),
            "a string of 700000 bytes, allowed are 655360",
        ),
        (
            BananaError::PrefixTooLong,
            "more than 64 bytes without a type",
        ),
    ];
    for (error, text) in texts {
        assert_eq!(error.to_string(), text);
    }
}
