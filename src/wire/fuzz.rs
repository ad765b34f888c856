//! The entry of a fuzzer to bytes and values.

use super::banana::{BananaError, Decoder, EXPRESSION_ITEMS, Item, encode};
use super::jelly::{Value, unjelly};
use super::websocket::{Message, Receiver, WebSocketError};
use super::{msgpack, websocket};

/// Decodes any bytes, in one piece and one by one, and encodes again what came out. Only a defect of
/// ours makes it panic.
pub fn fuzz_values(data: &[u8]) {
    let whole = decode(data, data.len().max(1));
    let bytewise = decode(data, 1);
    assert_eq!(whole.1, bytewise.1, "the cut changed the error");
    assert_eq!(whole.0.len(), bytewise.0.len(), "the cut changed the items");
    for (item, other) in whole.0.into_iter().zip(bytewise.0) {
        let bytes = item_bytes(&item);
        // As bytes, since some floats are not equal to themselves.
        assert!(bytes == item_bytes(&other), "the cut changed an item");
        let (again, error) = decode(&bytes, bytes.len());
        assert_eq!(error, None, "what was encoded cannot be decoded");
        assert!(again.iter().map(item_bytes).eq([bytes]), "an item changed");
        let mut remotes = Vec::new();
        if let Ok(value) = unjelly(item, &mut remotes) {
            assert!(remotes.len() <= EXPRESSION_ITEMS);
            check_value(&value);
        }
    }
}

fn decode(data: &[u8], piece: usize) -> (Vec<Item>, Option<BananaError>) {
    let mut decoder = Decoder::new();
    decoder.allow_words();
    let mut items = Vec::new();
    for mut piece in data.chunks(piece) {
        loop {
            match decoder.next(&mut piece) {
                Ok(Some(item)) => items.push(item),
                Ok(None) => break,
                Err(error) => return (items, Some(error)),
            }
        }
        assert!(piece.is_empty(), "bytes were left behind");
    }
    (items, None)
}

fn item_bytes(item: &Item) -> Vec<u8> {
    let mut bytes = Vec::new();
    let written = encode(&mut bytes, |out| out.item(item));
    assert_eq!(written, Ok(()), "what was decoded cannot be encoded");
    bytes
}

/// What was read can be written, and reads alike, but for failures, which lose their odd fields.
fn check_value(value: &Value) {
    let written = |value: &Value| {
        let mut bytes = Vec::new();
        encode(&mut bytes, |out| out.value(value)).map(|()| bytes)
    };
    // Text that was not UTF-8 may have grown beyond the limit of a string, and a failure in depth.
    let Ok(bytes) = written(value) else {
        return;
    };
    let (items, error) = decode(&bytes, bytes.len());
    // Sharing makes a value larger than the expression that it came from.
    if matches!(
        error,
        Some(BananaError::TooManyBytes | BananaError::TooManyItems)
    ) {
        return;
    }
    assert_eq!(error, None, "what was encoded cannot be decoded");
    for item in items {
        let read = unjelly(item, &mut Vec::new());
        let again = read.as_ref().map(written);
        assert!(
            matches!(again, Ok(Ok(again)) if again == bytes),
            "a value changed"
        );
    }
}

/// Reads any bytes as frames, in one piece and one by one, and what the frames carry as MessagePack,
/// and writes again what came out. Only a defect of ours makes it panic.
pub fn fuzz_messages(data: &[u8]) {
    let whole = messages(data, data.len().max(1));
    let bytewise = messages(data, 1);
    assert!(whole == bytewise, "the cut changed the messages");
    check_message(data);
    for message in whole.0 {
        if let Message::Binary(bytes) = message {
            let mut frame = Vec::new();
            websocket::write(&mut frame, websocket::Frame::Binary(&bytes), [0; 4]);
            assert!(frame.ends_with(&bytes), "a payload changed");
            check_message(&bytes);
        }
    }
}

fn messages(data: &[u8], piece: usize) -> (Vec<Message>, Option<WebSocketError>) {
    let mut receiver = Receiver::new();
    let mut messages = Vec::new();
    for piece in data.chunks(piece) {
        receiver.feed(piece);
        loop {
            match receiver.next_message() {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(error) => return (messages, Some(error)),
            }
        }
    }
    (messages, None)
}

/// What can be read can be written, and reads alike.
fn check_message(bytes: &[u8]) {
    let Ok(value) = msgpack::decode(bytes) else {
        return;
    };
    let written = |value: &Value| {
        let mut bytes = Vec::new();
        msgpack::Writer::new(&mut bytes).value(value);
        bytes
    };
    let first = written(&value);
    // As bytes, since some floats are not equal to themselves.
    let second = msgpack::decode(&first).map(|value| written(&value));
    assert!(second == Ok(first), "a value changed");
}
