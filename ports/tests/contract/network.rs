//! Connections.

use std::net::{TcpListener, TcpStream};
use std::time::Duration;

#[test]
fn a_connection_can_be_limited_or_the_system_has_no_limit() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let connection = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    ports::limit_unacknowledged(&connection, Duration::from_millis(35_001)).unwrap();
}
