//! Conversations with a master, without a socket: recorded ones, and some with a master made by hand.
#![allow(clippy::unwrap_used, clippy::panic)]

mod calls;
mod generations;
mod hostile;
mod login;
mod master;
mod msgpack;
mod old_masters;
#[allow(dead_code)]
#[path = "../vectors/recording.rs"]
mod recording;
mod references;
mod replay;
