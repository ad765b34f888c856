//! The built program with a master on a real socket: crashes, a service manager, being process 1.

// Helpers of tests may panic like tests.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod crash;
mod master;
mod process_one;
mod service;
mod worker;
