//! In place of TLS, for a program that is built without it.

use std::convert::Infallible;
use std::io;
use std::task::{Context, Poll};

use async_net::TcpStream;

use super::endpoint::Tls;
use super::tls_error::TlsError;

/// Whether this program has TLS.
pub const IS_BUILT_IN: bool = false;

/// Never loaded.
#[derive(Debug)]
pub struct Terms(Infallible);

/// Never opened.
#[derive(Debug, Clone)]
pub struct TlsStream(Infallible);

impl Terms {
    /// Says that there is no TLS.
    pub fn load(_tls: &Tls) -> Result<Terms, TlsError> {
        Err(TlsError::LeftOut)
    }

    pub async fn agree(self, _socket: TcpStream) -> Result<TlsStream, TlsError> {
        match self.0 {}
    }
}

impl TlsStream {
    pub fn agreed(&self) -> String {
        match self.0 {}
    }

    pub fn socket(&self) -> TcpStream {
        match self.0 {}
    }

    pub fn poll_read(&self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
        match self.0 {}
    }

    pub fn poll_ended(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.0 {}
    }

    pub fn poll_write(&self, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        match self.0 {}
    }

    pub fn say_goodbye(&self) {
        match self.0 {}
    }
}
