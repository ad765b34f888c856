//! The way to a master, stage by stage: the socket, the proxy, TLS.

use std::future::Future;

use smol::Timer;

use super::connection::Connection;
use super::endpoint::{Authority, Endpoint, Proxy, ProxyKind, Way};
use super::error::{LinkError, Whom};
use super::proxy::{ProxyError, http, socks5};
use super::tls_error::TlsError;
use super::{tcp, tls};

/// Opens a connection.
pub async fn dial(endpoint: &Endpoint) -> Result<Connection, LinkError> {
    let master = &endpoint.master;
    let insecure = |error| LinkError::Tls {
        master: master.to_string(),
        error,
    };
    // Files that cannot be read are no reason to bother anybody.
    let terms = match &endpoint.tls {
        Some(tls) => Some(tls::Terms::load(tls).map_err(insecure)?),
        None => None,
    };
    let (whom, at) = match &endpoint.proxy {
        Some(proxy) => (Whom::Proxy, &proxy.at),
        None => (Whom::Master, master),
    };
    let mut stream = tcp::connect(whom, at, &endpoint.way).await?;
    let peer = stream.peer_addr().map_err(|error| LinkError::Connect {
        whom,
        at: at.to_string(),
        error,
    })?;
    if let Some(proxy) = &endpoint.proxy {
        pass(&mut stream, proxy, master, &endpoint.way).await?;
    }
    let Some(terms) = terms else {
        return Ok(Connection::plain(stream, peer, endpoint));
    };
    let late = TlsError::Timeout(endpoint.way.timeout.as_secs());
    let agreed = within(&endpoint.way, late, terms.agree(stream)).await;
    Ok(Connection::secure(
        agreed.map_err(insecure)?,
        peer,
        endpoint,
    ))
}

async fn pass(
    stream: &mut async_net::TcpStream,
    proxy: &Proxy,
    master: &Authority,
    way: &Way,
) -> Result<(), LinkError> {
    let credentials = proxy.credentials.as_ref();
    let late = ProxyError::Timeout(way.timeout.as_secs());
    let passed = match proxy.kind {
        ProxyKind::Http => within(way, late, http::pass(stream, master, credentials)).await,
        ProxyKind::Socks5 => within(way, late, socks5::pass(stream, master, credentials)).await,
    };
    passed.map_err(|error| LinkError::Proxy {
        proxy: proxy.to_string(),
        master: master.to_string(),
        error,
    })
}

async fn within<T, E>(
    way: &Way,
    late: E,
    stage: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let limit = async {
        Timer::after(way.timeout).await;
        Err(late)
    };
    smol::future::or(stage, limit).await
}
