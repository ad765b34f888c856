//! A TCP connection: name look-up at each dial, all addresses tried, no silent death.

use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use async_net::TcpStream;
use smol::{Async, Timer};
use socket2::{Domain, Socket, Type};

use super::endpoint::{Authority, Way};
use super::error::{LinkError, Whom};

/// Head start of one address over the next (RFC 8305, section 5: "Connection Attempt Delay").
const HEAD_START: Duration = Duration::from_millis(250);

/// Silence after which the system itself begins to probe the other end.
const PROBE_AFTER: Duration = Duration::from_secs(60);

/// Looks the host up and connects to the first of its addresses that lets us in.
///
/// # Errors
/// The name has no address; every address refused (the last one's error); or the time is over.
pub async fn connect(whom: Whom, at: &Authority, way: &Way) -> Result<TcpStream, LinkError> {
    let limit = async {
        Timer::after(way.timeout).await;
        Err(LinkError::Timeout {
            whom,
            at: at.to_string(),
            seconds: way.timeout.as_secs(),
        })
    };
    smol::future::or(connect_any(whom, at, way), limit).await
}

async fn connect_any(whom: Whom, at: &Authority, way: &Way) -> Result<TcpStream, LinkError> {
    let unknown = |error| LinkError::UnknownHost {
        whom,
        host: at.host.clone(),
        error,
    };
    let failed = |error| LinkError::Connect {
        whom,
        at: at.to_string(),
        error,
    };
    let mut addresses = async_net::resolve((at.host.as_str(), at.port))
        .await
        .map_err(unknown)?;
    if addresses.is_empty() {
        return Err(unknown(io::Error::other("the answer is empty")));
    }
    if let Some(local) = way.bind {
        addresses.retain(|address| address.is_ipv4() == local.is_ipv4());
        if addresses.is_empty() {
            return Err(failed(io::Error::other(format!(
                "it has no address that can be reached from bindAddress {local}"
            ))));
        }
    }
    let stream = first_success(&addresses, way).await.map_err(failed)?;
    tune(&stream);
    Ok(stream)
}

type Attempt = Pin<Box<dyn Future<Output = io::Result<TcpStream>>>>;

/// Starts the attempts one after the other with a head start each, and takes the first success.
async fn first_success(addresses: &[SocketAddr], way: &Way) -> io::Result<TcpStream> {
    let (bind, timeout) = (way.bind, way.timeout);
    let mut attempts: Vec<Attempt> = addresses
        .iter()
        .enumerate()
        .map(|(position, &address)| {
            let rank = u32::try_from(position).unwrap_or(u32::MAX);
            Box::pin(async move {
                Timer::after(HEAD_START.saturating_mul(rank)).await;
                match bind {
                    None => TcpStream::connect(address).await,
                    Some(local) => connect_from(local, address, timeout).await,
                }
            }) as Attempt
        })
        .collect();
    let mut last_error = None;
    poll_fn(|context| {
        let mut position = 0;
        while position < attempts.len() {
            match attempts[position].as_mut().poll(context) {
                Poll::Pending => position += 1,
                Poll::Ready(Ok(stream)) => return Poll::Ready(Ok(stream)),
                Poll::Ready(Err(error)) => {
                    last_error = Some(error);
                    drop(attempts.remove(position));
                }
            }
        }
        match last_error.take() {
            Some(error) if attempts.is_empty() => Poll::Ready(Err(error)),
            kept => {
                last_error = kept;
                Poll::Pending
            }
        }
    })
    .await
}

/// Connects from a local address. This waits on a thread of its own: what "not yet" looks like
/// differs between systems.
async fn connect_from(local: IpAddr, to: SocketAddr, timeout: Duration) -> io::Result<TcpStream> {
    let connected = smol::unblock(move || {
        let socket = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
        socket
            .bind(&SocketAddr::new(local, 0).into())
            .map_err(|error| {
                io::Error::new(error.kind(), format!("bindAddress {local}: {error}"))
            })?;
        socket.connect_timeout(&to.into(), timeout)?;
        Ok::<Socket, io::Error>(socket)
    });
    let stream = std::net::TcpStream::from(connected.await?);
    Ok(Async::new(stream)?.into())
}

/// Small messages go out at once, and the system probes a silent peer. A system that lacks one of
/// these still works: the session's own keepalive notices a dead link.
fn tune(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        log::debug!("TCP_NODELAY is not to be had: {error}");
    }
    let socket = socket2::SockRef::from(stream);
    if let Err(error) = socket.set_keepalive(true) {
        log::debug!("SO_KEEPALIVE is not to be had: {error}");
    }
    let probes = socket2::TcpKeepalive::new().with_time(PROBE_AFTER);
    // OpenBSD and Haiku have no such time, and nothing is said of that.
    if let Err(error) = socket.set_tcp_keepalive(&probes) {
        log::debug!("the time of TCP keepalives cannot be set: {error}");
    }
}
