//! A Buildbot worker in a single small binary.
//!
//! A master's bytes arrive on a socket. `link` carries them in, `session` turns them into a call
//! ("start this command in builder X"), `worker` hands it to a step, which `steps` runs through the
//! crate `ports`, and which reports updates (output, exit code). Updates go back the same way.
//! `local` is the other end of all that: a small master on a loopback socket.
//!
//! Who may import whom is a table in `tests/layers.rs`.
#![forbid(unsafe_code)]

pub mod basedir;
#[cfg(feature = "tools")]
pub mod bringup;
pub mod calls;
pub mod cli;
#[cfg(feature = "tools")]
pub mod doctor;
#[cfg(feature = "tools")]
pub mod join;
pub mod journal;
pub mod link;
#[cfg(feature = "tools")]
pub mod local;
pub mod session;
pub mod steps;
pub mod wire;
pub mod worker;
