//! Carries bytes between the worker and a master, and knows nothing of what they mean: over TCP,
//! through proxies, with TLS.

mod backoff;
mod connection;
mod dial;
pub mod endpoint;
mod error;
mod proxy;
mod tcp;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "link/no_tls.rs"]
mod tls;
mod tls_error;

pub use backoff::Backoff;
pub use connection::{Connection, Reader, Writer};
pub use endpoint::Endpoint;
pub use error::{LinkError, Whom};
pub use proxy::ProxyError;
pub use tls::IS_BUILT_IN as TLS_IS_BUILT_IN;
pub use tls_error::TlsError;
