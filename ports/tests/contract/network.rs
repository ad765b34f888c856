//! Connections.

use std::net::{TcpListener, TcpStream};
use std::time::Duration;

#[test]
fn a_connection_can_be_limited_or_the_system_has_no_limit() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let connection = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    ports::limit_unacknowledged(&connection, Duration::from_millis(35_001)).unwrap();
    #[cfg(all(target_os = "linux", not(ports_unlisted)))]
    {
        use std::os::fd::AsRawFd;
        let mut limit: libc::c_uint = 0;
        let mut size = size_of_val(&limit) as libc::socklen_t;
        let room = (&raw mut limit).cast();
        // SAFETY: `room` has room for `size` bytes.
        let got = unsafe {
            libc::getsockopt(
                connection.as_raw_fd(),
                libc::IPPROTO_TCP,
                libc::TCP_USER_TIMEOUT,
                room,
                &mut size,
            )
        };
        assert_eq!((got, limit), (0, 35_001));
    }
}
