//! In place of TLS, for a program that is built without it.

use std::io;
use std::task::{Context, Poll};

use async_net::TcpStream;

use super::endpoint::Tls;
use super::tls_error::TlsError;

/// Whether this program has TLS.
pub const IS_BUILT_IN: bool = false;

/// Never loaded.
#[derive(Debug)]
pub enum Terms {}

/// Never opened.
#[derive(Debug, Clone)]
pub enum TlsStream {}

impl Terms {
    /// Says that there is no TLS.
    pub fn load(_tls: &Tls) -> Result<Terms, TlsError> {
        Err(TlsError::LeftOut)
    }

    pub async fn agree(self, _socket: TcpStream) -> Result<TlsStream, TlsError> {
        match self {}
    }
}

impl TlsStream {
    pub fn agreed(&self) -> String {
        match *self {}
    }

    pub fn socket(&self) -> TcpStream {
        match *self {}
    }

    pub fn poll_read(&self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
        match *self {}
    }

    pub fn poll_ended(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match *self {}
    }

    pub fn poll_write(&self, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        match *self {}
    }

    pub fn say_goodbye(&self) {
        match *self {}
    }
}
