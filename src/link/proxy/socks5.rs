//! SOCKS version 5 (RFC 1928), with names and passwords (RFC 1929). The proxy looks the master's name
//! up: behind a firewall we may not be able to.

use std::io;
use std::net::IpAddr;

use async_net::TcpStream;
use smol::io::{AsyncReadExt, AsyncWriteExt};

use super::ProxyError;
use crate::link::endpoint::{Authority, Credentials};

const VERSION: u8 = 5;
const CONNECT: u8 = 1;
const NO_AUTHENTICATION: u8 = 0;
const PASSWORD: u8 = 2;
const NO_METHOD: u8 = 0xff;
const V4: u8 = 1;
const NAME: u8 = 3;
const V6: u8 = 4;

/// Version of the exchange of name and password (RFC 1929, section 2).
const PASSWORD_VERSION: u8 = 1;

/// Has the proxy connect us.
pub async fn pass(
    stream: &mut TcpStream,
    master: &Authority,
    credentials: Option<&Credentials>,
) -> Result<(), ProxyError> {
    let wanted = request(master)?;
    let proof = credentials.map(proof).transpose()?;
    let hello: &[u8] = match proof {
        None => &[VERSION, 1, NO_AUTHENTICATION],
        Some(_) => &[VERSION, 2, NO_AUTHENTICATION, PASSWORD],
    };
    send(stream, hello).await?;
    let [version, method] = receive(stream).await?;
    if version != VERSION {
        return Err(nonsense());
    }
    match (method, proof) {
        (NO_AUTHENTICATION, _) => {}
        (PASSWORD, Some(proof)) => {
            send(stream, &proof).await?;
            let [_, status] = receive(stream).await?;
            if status != 0 {
                return Err(ProxyError::BadCredentials(String::new()));
            }
        }
        (NO_METHOD, None) => return Err(ProxyError::WantsCredentials(String::new())),
        (NO_METHOD, Some(_)) => {
            let words = "it accepts neither name and password nor none";
            return Err(ProxyError::CannotAsk(words));
        }
        _ => return Err(nonsense()),
    }
    send(stream, &wanted).await?;
    let [version, reply, _, kind] = receive(stream).await?;
    if version != VERSION {
        return Err(nonsense());
    }
    if reply != 0 {
        return Err(ProxyError::Refused(words(reply)));
    }
    // The address that the proxy comes from, which nobody needs; behind it is the master.
    let length = match kind {
        V4 => 4,
        V6 => 16,
        NAME => usize::from(receive::<1>(stream).await?[0]),
        _ => return Err(nonsense()),
    };
    let mut unused = [0; 255 + 2];
    stream
        .read_exact(&mut unused[..length + 2])
        .await
        .map_err(lost)
}

async fn send(stream: &mut TcpStream, bytes: &[u8]) -> Result<(), ProxyError> {
    stream.write_all(bytes).await.map_err(ProxyError::Lost)
}

async fn receive<const N: usize>(stream: &mut TcpStream) -> Result<[u8; N], ProxyError> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await.map_err(lost)?;
    Ok(bytes)
}

fn lost(error: io::Error) -> ProxyError {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        ProxyError::Closed
    } else {
        ProxyError::Lost(error)
    }
}

fn nonsense() -> ProxyError {
    ProxyError::Nonsense { expected: "SOCKS5" }
}

/// The request to connect (RFC 1928, section 4).
fn request(master: &Authority) -> Result<Vec<u8>, ProxyError> {
    let mut bytes = vec![VERSION, CONNECT, 0];
    match master.host.parse() {
        Ok(IpAddr::V4(address)) => {
            bytes.push(V4);
            bytes.extend_from_slice(&address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            bytes.push(V6);
            bytes.extend_from_slice(&address.octets());
        }
        Err(_) => {
            bytes.push(NAME);
            let too_long = ProxyError::CannotAsk("the name of the master's host is too long");
            with_length(&mut bytes, &master.host).ok_or(too_long)?;
        }
    }
    bytes.extend_from_slice(&master.port.to_be_bytes());
    Ok(bytes)
}

/// Name and password (RFC 1929, section 2).
fn proof(credentials: &Credentials) -> Result<Vec<u8>, ProxyError> {
    let mut bytes = vec![PASSWORD_VERSION];
    let unfit =
        || ProxyError::CannotAsk("a user name and a password for SOCKS5 are 1 to 255 bytes long");
    with_length(&mut bytes, &credentials.user).ok_or_else(unfit)?;
    with_length(&mut bytes, &credentials.password).ok_or_else(unfit)?;
    Ok(bytes)
}

fn with_length(bytes: &mut Vec<u8>, text: &str) -> Option<()> {
    bytes.push(u8::try_from(text.len()).ok().filter(|length| *length > 0)?);
    bytes.extend_from_slice(text.as_bytes());
    Some(())
}

/// What a reply means (RFC 1928, section 6).
fn words(reply: u8) -> String {
    let meaning = match reply {
        1 => "\"general failure\"",
        2 => "\"not allowed by its rules\"",
        3 => "\"network unreachable\"",
        4 => "\"host unreachable\"; perhaps it cannot find the master's name",
        5 => "\"connection refused\"; is the master running, and is the port right?",
        6 => "\"time to live expired\"",
        7 => "\"command not supported\"",
        8 => "\"address type not supported\"",
        _ => return format!("error {reply}, which SOCKS5 does not know"),
    };
    meaning.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_for_the_proxy_to_look_up_and_an_address_goes_as_it_is() {
        let bytes = |host: &str| request(&Authority::new(host, 9989)).unwrap();
        assert_eq!(bytes("m.org"), b"\x05\x01\x00\x03\x05m.org\x27\x05");
        assert_eq!(
            bytes("127.0.0.1"),
            b"\x05\x01\x00\x01\x7f\x00\x00\x01\x27\x05"
        );
        assert_eq!(bytes("::1")[..5], *b"\x05\x01\x00\x04\x00");
        assert_eq!(bytes("::1").len(), 22);
        assert!(request(&Authority::new(&"x".repeat(256), 1)).is_err());
    }

    #[test]
    fn name_and_password_go_with_their_lengths() {
        let credentials = |user: &str, password: &str| Credentials {
            user: user.to_owned(),
            password: password.to_owned(),
        };
        assert_eq!(
            proof(&credentials("me", "abc")).unwrap(),
            b"\x01\x02me\x03abc"
        );
        assert!(proof(&credentials("", "abc")).is_err());
        assert!(proof(&credentials("me", &"x".repeat(256))).is_err());
    }

    #[test]
    fn every_reply_has_words() {
        for reply in 1..=8 {
            assert!(words(reply).starts_with('"'), "{reply}");
        }
        assert_eq!(words(77), "error 77, which SOCKS5 does not know");
    }
}
