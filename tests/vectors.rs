//! The recorded sessions between a Python worker and a Python master: every expression decodes to
//! what the recording says, in any cut, and encodes to the same bytes again.
#![allow(clippy::unwrap_used, clippy::panic)]

#[allow(dead_code)]
#[path = "vectors/recording.rs"]
mod recording;

use coracle::wire::banana::{Decoder, Item, encode};
use coracle::wire::jelly::{Value, unjelly};
use recording::{From, Recording, Unit};

/// One direction of one connection: its units, and the whole stream.
struct Stream {
    place: String,
    units: Vec<Unit>,
    bytes: Vec<u8>,
}

fn streams(recording: &Recording) -> Vec<Stream> {
    let last = recording.units.iter().map(|unit| unit.connection).max();
    let mut streams = Vec::new();
    for connection in 1..=last.unwrap_or(0) {
        for from in [From::Master, From::Worker] {
            let units: Vec<Unit> = recording
                .units
                .iter()
                .filter(|unit| unit.connection == connection && unit.from == from)
                .cloned()
                .collect();
            streams.push(Stream {
                place: format!("{} connection {connection} from {from:?}", recording.name),
                bytes: units.iter().flat_map(|unit| unit.bytes.clone()).collect(),
                units,
            });
        }
    }
    streams
}

fn all_streams() -> Vec<Stream> {
    let streams: Vec<Stream> = recording::all().iter().flat_map(streams).collect();
    assert!(streams.len() >= 80, "recordings are missing");
    streams
}

/// Decodes a stream from its pieces. The first expression is the dialect, whoever says it.
fn decode<'a>(place: &str, pieces: impl Iterator<Item = &'a [u8]>) -> Vec<Item> {
    let mut decoder = Decoder::new();
    let mut items = Vec::new();
    for mut piece in pieces {
        while let Some(item) = decoder
            .next(&mut piece)
            .unwrap_or_else(|error| panic!("{place}: {error}"))
        {
            decoder.allow_words();
            items.push(item);
        }
    }
    items
}

#[test]
fn every_recorded_unit_decodes_to_what_the_recording_says() {
    for stream in all_streams() {
        let items = decode(
            &stream.place,
            stream.units.iter().map(|unit| &unit.bytes[..]),
        );
        assert_eq!(items.len(), stream.units.len(), "{}", stream.place);
        for (item, unit) in items.iter().zip(&stream.units) {
            assert!(
                recording::same(item, &unit.sexp),
                "{}: {item:?}",
                unit.place
            );
        }
    }
}

#[test]
fn every_recorded_unit_encodes_to_the_same_bytes() {
    for stream in all_streams() {
        let items = decode(&stream.place, std::iter::once(&stream.bytes[..]));
        for (index, (item, unit)) in items.iter().zip(&stream.units).enumerate() {
            let mut bytes = Vec::new();
            encode(&mut bytes, |out| match item {
                // Words are not used for the dialect itself. The master offers none of them anyway.
                Item::Bytes(name) if index == 0 => out.plain_bytes(name),
                item => out.item(item),
            })
            .unwrap();
            assert!(bytes == unit.bytes, "{} became {bytes:02x?}", unit.place);
        }
    }
}

#[test]
fn one_byte_at_a_time_gives_the_same() {
    for stream in all_streams() {
        let whole = decode(&stream.place, std::iter::once(&stream.bytes[..]));
        let bytewise = decode(&stream.place, stream.bytes.chunks(1));
        assert!(whole == bytewise, "{}", stream.place);
        let pieces = decode(&stream.place, stream.bytes.chunks(7));
        assert!(whole == pieces, "{}", stream.place);
    }
}

/// The values in a message: arguments and keyword arguments, or an answer.
fn values(item: &Item) -> Vec<Item> {
    let Item::List(items) = item else {
        return Vec::new();
    };
    let fields = match &items[0] {
        Item::Bytes(word) if word == b"message" => 5..7,
        Item::Bytes(word) if word == b"answer" || word == b"error" => 2..3,
        _ => 0..0,
    };
    items[fields].to_vec()
}

/// Whether a value is written as it was: what is shared is not, and exceptions have more keys.
fn writes_alike(value: &Value) -> bool {
    match value {
        Value::Failure(_) => false,
        Value::List(values) | Value::Tuple(values) => values.iter().all(writes_alike),
        Value::Dict(pairs) => pairs.iter().all(|(_, value)| writes_alike(value)),
        _ => true,
    }
}

#[test]
fn every_recorded_value_reads_and_writes_alike() {
    let (mut read, mut written) = (0, 0);
    for stream in all_streams() {
        let items = decode(&stream.place, std::iter::once(&stream.bytes[..]));
        for item in items.iter().flat_map(values) {
            let value = unjelly(item.clone(), &mut Vec::new())
                .unwrap_or_else(|error| panic!("{}: {error}", stream.place));
            read += 1;
            if !writes_alike(&value) {
                continue;
            }
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            encode(&mut ours, |out| out.value(&value)).unwrap();
            encode(&mut theirs, |out| out.item(&item)).unwrap();
            assert!(ours == theirs, "{}: {value:?}", stream.place);
            written += 1;
        }
    }
    assert!(read > 1900, "{read}");
    assert!(written > read - 20, "{written} of {read}");
}

#[test]
fn recorded_exceptions_are_read_with_class_text_and_parents() {
    let recording = recording::one("login-bad-password");
    let unit = recording
        .units
        .iter()
        .find(|unit| unit.sexp[0] == "error")
        .unwrap();
    let mut decoder = Decoder::new();
    decoder.allow_words();
    let item = decoder.next(&mut unit.bytes.as_slice()).unwrap().unwrap();
    let value = unjelly(values(&item).remove(0), &mut Vec::new()).unwrap();
    let Value::Failure(failure) = value else {
        panic!("no failure: {value}");
    };
    assert_eq!(failure.class, "twisted.cred.error.UnauthorizedLogin");
    assert_eq!(failure.to_string(), failure.class);
    assert_eq!(failure.parents.len(), 6);
    assert!(failure.traceback.starts_with("Traceback (most recent"));
}
