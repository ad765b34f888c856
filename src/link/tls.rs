//! TLS 1.2 and 1.3 over a socket, by rustls.

mod identity;
mod roots;
mod stream;
mod verifier;

use std::future::poll_fn;
use std::sync::Arc;

use async_net::TcpStream;
use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

use self::identity::Identity;
use self::roots::Trusted;
use self::verifier::Verifier;
use super::endpoint::Tls;
use super::tls_error::TlsError;

pub use stream::TlsStream;

/// Whether this program has TLS.
pub const IS_BUILT_IN: bool = true;

/// Everything that one handshake needs, read from the files that the settings name.
#[derive(Debug)]
pub struct Terms {
    config: Arc<ClientConfig>,
    identity: Arc<Identity>,
    name: ServerName<'static>,
}

impl Terms {
    /// Reads the files. Blocks for as long as that takes.
    ///
    /// # Errors
    /// A file that cannot be used, and why.
    pub fn load(tls: &Tls) -> Result<Terms, TlsError> {
        let name =
            ServerName::try_from(tls.name.clone()).map_err(|_| TlsError::Name(tls.name.clone()))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let identity = Arc::new(Identity::load(tls, &provider)?);
        // A pin says all there is to say, unless issuers are named as well.
        let trusted = if tls.pins.is_empty() || tls.trust.is_some() {
            Some(Trusted::load(tls)?)
        } else {
            None
        };
        let verifier = Verifier::new(tls.pins.clone(), trusted, &provider);
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|error| TlsError::Fault(error.to_string()))?;
        let mut config = builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_cert_resolver(Arc::clone(&identity) as _);
        // Connections last for days; remembering the last one's keys is not worth it.
        config.resumption = Resumption::disabled();
        Ok(Terms {
            config: Arc::new(config),
            identity,
            name,
        })
    }

    /// Agrees on TLS with the master at the other end of a socket.
    ///
    /// # Errors
    /// Why not.
    pub async fn agree(self, socket: TcpStream) -> Result<TlsStream, TlsError> {
        let connection = ClientConnection::new(self.config, self.name)
            .map_err(|error| TlsError::Fault(error.to_string()))?;
        let stream = TlsStream::new(socket, connection, self.identity);
        poll_fn(|context| stream.poll_agree(context)).await?;
        Ok(stream)
    }
}
