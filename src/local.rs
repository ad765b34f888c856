//! A master inside: it drives this program's own worker over a loopback socket, so that everything goes
//! through the real link, session and steps.
//!
//! [`serve`] is the master's half of the protocol, pure.

pub mod master;
pub mod recipe;
pub mod run;
pub mod selftest;
pub mod serve;
