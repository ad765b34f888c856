//! Programs run as a master asks for it: real processes in a directory of the test's own.
#![allow(clippy::unwrap_used, clippy::panic)]

mod driver;
mod encodings;
mod ending;
mod leftovers;
mod limits;
mod logfiles;
mod pressure;
#[path = "../support/scratch.rs"]
mod scratch;
mod start;
mod streams;
