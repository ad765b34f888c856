//! Bytes through TLS: as on a plain socket, whatever the master does.

use std::future::Future;
use std::io::{Read, Write};
use std::pin::pin;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};

use coracle::link::Connection;

use crate::certificates::Authority;
use crate::listener::{Listener, Secure, assert_echo, dial, drain, echo, read_exact, write_all};

/// A master with a good certificate, and a connection to it.
fn connected<T: Send + 'static>(
    serve: impl FnOnce(Secure) -> T + Send + 'static,
) -> (Connection, Listener<T>) {
    let authority = Authority::new("Test CA");
    let pair = authority.issue(&["localhost"]);
    let listener = Listener::secure(pair.server(), serve);
    let endpoint = listener.with_tls(|tls| tls.trust = Some(authority.file()));
    (dial(&endpoint).unwrap(), listener)
}

fn many_bytes() -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(1);
    std::iter::repeat_with(|| random.u8(..))
        .take(3_000_001)
        .collect()
}

#[test]
fn megabytes_go_both_ways_at_the_same_time() {
    let (mut connection, _listener) = connected(echo);
    let bytes = many_bytes();
    smol::block_on(async {
        let Connection { reader, writer, .. } = &mut connection;
        let write = async {
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                let count = writer.write(rest).await.unwrap();
                rest = &rest[count..];
            }
        };
        let read = async {
            let mut heard = Vec::new();
            let mut buffer = vec![0; 64 * 1024];
            while heard.len() < bytes.len() {
                let count = reader.read(&mut buffer).await.unwrap();
                heard.extend_from_slice(&buffer[..count]);
            }
            heard
        };
        let ((), heard) = smol::future::zip(write, read).await;
        assert!(heard == bytes);
    });
}

/// Polls once, as the worker's loop does when something else comes first.
fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

#[test]
fn a_master_that_does_not_read_makes_the_writer_wait_and_nothing_is_lost_or_doubled() {
    let (go, wait) = mpsc::channel::<()>();
    let (mut connection, listener) = connected(move |mut stream| {
        stream.write_all(b"but I speak").unwrap();
        stream.flush().unwrap();
        wait.recv().unwrap();
        drain(stream)
    });
    let bytes: Vec<u8> = many_bytes().into_iter().cycle().take(30_000_000).collect();
    let mut written = 0;
    // Each turn begins the write anew.
    while let Some(count) = poll_once(connection.writer.write(&bytes[written..])) {
        written += count.unwrap();
    }
    assert!(written < bytes.len());
    for _ in 0..3 {
        assert!(poll_once(connection.writer.write(&bytes[written..])).is_none());
    }
    smol::block_on(async {
        assert_eq!(read_exact(&mut connection, 11).await, b"but I speak");
        go.send(()).unwrap();
        write_all(&mut connection, &bytes[written..]).await;
    });
    connection.finish();
    let (heard, in_order) = listener.result();
    assert!(in_order);
    assert!(heard == bytes);
}

#[test]
fn a_clean_close_is_the_end_and_a_cut_connection_is_an_error() {
    let (mut connection, listener) = connected(|mut stream| {
        stream.write_all(b"bye").unwrap();
        stream.conn.send_close_notify();
        stream.flush().unwrap();
        drain(stream)
    });
    smol::block_on(async {
        assert_eq!(read_exact(&mut connection, 3).await, b"bye");
        assert_eq!(connection.reader.read(&mut [0; 8]).await.unwrap(), 0);
        connection.reader.ended().await.unwrap();
        // Our half is still open.
        write_all(&mut connection, b"and bye").await;
    });
    connection.finish();
    assert_eq!(listener.result(), (b"and bye".to_vec(), true));

    let (mut connection, _listener) = connected(|mut stream| {
        stream.write_all(b"by").unwrap();
        stream.flush().unwrap();
    });
    smol::block_on(async {
        assert_eq!(read_exact(&mut connection, 2).await, b"by");
        let error = connection.reader.read(&mut [0; 8]).await.unwrap_err();
        let expected = "the connection was cut off, without the end mark of TLS";
        assert_eq!(error.to_string(), expected);
    });
}

#[test]
fn the_end_is_seen_without_reading_but_not_behind_bytes() {
    let (go, wait) = mpsc::channel::<()>();
    let (mut connection, _listener) = connected(move |mut stream| {
        stream.flush().unwrap();
        wait.recv().unwrap();
        stream.conn.send_close_notify();
        stream.flush().unwrap();
    });
    assert!(poll_once(connection.reader.ended()).is_none());
    go.send(()).unwrap();
    smol::block_on(connection.reader.ended()).unwrap();

    let (mut connection, listener) = connected(|mut stream| {
        stream.write_all(&[7; 100]).unwrap();
        stream.conn.send_close_notify();
        stream.flush().unwrap();
    });
    listener.result();
    smol::block_on(async {
        let one = read_exact(&mut connection, 1).await;
        assert_eq!(one, [7]);
        assert!(poll_once(connection.reader.ended()).is_none());
        read_exact(&mut connection, 99).await;
        connection.reader.ended().await.unwrap();
    });
}

#[test]
fn new_keys_in_the_middle_are_taken_and_answered() {
    let (mut connection, _listener) = connected(|mut stream| {
        stream.conn.complete_io(&mut stream.sock).unwrap();
        let mut buffer = [0; 100];
        for _ in 0..5 {
            stream.conn.refresh_traffic_keys().unwrap();
            let count = stream.read(&mut buffer).unwrap();
            stream.write_all(&buffer[..count]).unwrap();
            stream.flush().unwrap();
        }
    });
    for _ in 0..5 {
        assert_echo(&mut connection);
    }
}

#[test]
fn our_end_is_a_clean_one_for_the_master() {
    let (mut connection, listener) = connected(drain);
    smol::block_on(write_all(&mut connection, b"last words"));
    connection.finish();
    assert_eq!(listener.result(), (b"last words".to_vec(), true));
}
