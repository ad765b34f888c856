//! Connections.

use std::net::{TcpListener, TcpStream};
use std::time::Duration;

#[test]
fn a_connection_can_be_limited_or_the_system_has_no_limit() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let connection = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    ports::limit_unacknowledged(&connection, Duration::from_millis(35_001)).unwrap();
}

#[test]
fn what_the_other_end_has_not_got_is_counted_or_the_system_does_not_tell() {
    use std::io::{Read, Write};
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut connection = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut other, _) = listener.accept().unwrap();
    let told = ports::unsent(&connection);
    assert!(matches!(told, Some(0) | None), "{told:?}");
    // As much as goes in while nobody reads.
    connection.set_nonblocking(true).unwrap();
    while connection.write(&[0; 65536]).is_ok() {}
    if ports::unsent(&connection).is_some_and(|count| count == 0) {
        panic!("it is told that all has arrived");
    }
    let until = std::time::Instant::now() + Duration::from_secs(20);
    let mut buffer = [0; 65536];
    while ports::unsent(&connection).is_some_and(|count| count > 0) {
        assert!(std::time::Instant::now() < until);
        assert!(other.read(&mut buffer).unwrap() > 0);
    }
}
