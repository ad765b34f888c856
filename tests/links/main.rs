//! Every way to a master: TLS with good and bad certificates, proxies that work and proxies that do
//! not, and the lines in which the program tells what is wrong.

// Helpers of tests may panic like tests.
#![allow(clippy::unwrap_used, clippy::panic)]

#[cfg(feature = "tls")]
mod certificates;
#[cfg(feature = "tls")]
mod identity;
#[cfg(feature = "tls")]
mod listener;
#[cfg(feature = "tls")]
mod program;
#[cfg(feature = "tls")]
mod proxies;
#[cfg(feature = "tls")]
mod real_master;
#[cfg(feature = "tls")]
mod real_tools;
#[cfg(feature = "tls")]
mod streams;
#[path = "../support/mod.rs"]
mod support;
#[cfg(feature = "tls")]
mod trust;
#[cfg(not(feature = "tls"))]
mod without_tls;
