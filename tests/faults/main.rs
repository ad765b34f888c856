//! The built program against what a bad day brings: cut, silent, slow and lying connections, killed
//! processes, and a base directory that is not as it should be. A small master speaks to it over TCP,
//! often through a proxy that does the damage.

// Helpers of tests may panic like tests.
#![allow(clippy::unwrap_used, clippy::panic)]

mod connections;
mod directories;
mod disks;
mod endings;
mod every_byte;
mod links;
mod master;
mod pressure;
mod proxy;
#[path = "../support/mod.rs"]
mod support;
mod worker;
