//! Every way to a master: TLS with good and bad certificates, proxies that work and proxies that do
//! not, and the lines in which the program tells what is wrong.

// Helpers of tests may panic like tests.
#![allow(clippy::unwrap_used, clippy::panic)]
#![cfg(feature = "tls")]

mod certificates;
mod listener;
mod program;
mod proxies;
mod real_master;
mod real_tools;
mod streams;
#[path = "../support/mod.rs"]
mod support;
mod trust;
