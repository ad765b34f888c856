//! The network inside the machine, which hundreds of Python's tests use.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::time::Duration;

use super::check::Check;
use super::network::resolve;
use ports::words_of;

/// How long a step of it may take; all of it is inside the machine.
const LIMIT: Duration = Duration::from_secs(5);

const WHY: &str = "hundreds of tests talk to themselves over it";

/// Both loopback addresses.
pub fn addresses() -> Vec<Check> {
    let four = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let six = IpAddr::V6(Ipv6Addr::LOCALHOST);
    let four = match talk(four) {
        Ok(()) => Check::ok("loopback", "127.0.0.1 answers"),
        Err(error) => Check::missing(
            "loopback",
            format!("127.0.0.1: {}", words_of(&error)),
            WHY,
            "bring the interface up: ifconfig lo0 up, or ip link set lo up",
        ),
    };
    let six = match talk(six) {
        Ok(()) => Check::ok("loopback IPv6", "::1 answers"),
        Err(error) => Check::warning(
            "loopback IPv6",
            format!("::1: {}", words_of(&error)),
            "tests of IPv6 are skipped",
            "give the loopback interface the address ::1",
        ),
    };
    vec![four, six]
}

/// Sends one byte to ourselves.
fn talk(address: IpAddr) -> io::Result<()> {
    let listener = TcpListener::bind((address, 0))?;
    let here = listener.local_addr()?;
    let mut sender = TcpStream::connect_timeout(&here, LIMIT)?;
    // A connection is there, so that this does not wait.
    let (mut receiver, _) = listener.accept()?;
    receiver.set_read_timeout(Some(LIMIT))?;
    sender.write_all(&[42])?;
    receiver.read_exact(&mut [0])
}

/// The names of this machine.
pub fn names() -> Vec<Check> {
    let local = match resolve("localhost", LIMIT) {
        Ok(found) if found.iter().all(IpAddr::is_loopback) && !found.is_empty() => {
            Check::ok("localhost", "is this machine")
        }
        Ok(found) => Check::warning(
            "localhost",
            format!("is {found:?}"),
            "tests expect a loopback address",
            "see /etc/hosts",
        ),
        Err(why) => Check::missing(
            "localhost",
            format!("has no address: {why}"),
            "tests connect to it",
            "put 127.0.0.1 localhost into /etc/hosts",
        ),
    };
    let name = ports::node_name();
    let own = match resolve(&name, LIMIT) {
        Ok(_) => Check::ok("host name", format!("{name} has an address")),
        Err(why) => Check::warning(
            "host name",
            format!("{name} has no address: {why}"),
            "tests of sockets look it up, and wait for the answer",
            format!("put 127.0.0.1 {name} into /etc/hosts"),
        ),
    };
    vec![local, own]
}
