//! What every port promises, one sentence a test, with a real `/bin/sh` and real processes.
//!
//! On a new system run this before anything else: `cargo test -p ports`. Nothing here asks which
//! system it runs on; where ports may differ (`ports::containment`), the test says what it saw.

// All of it is tests, also what is not marked as such.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "contract/common.rs"]
mod common;
#[path = "contract/escapes.rs"]
mod escapes;
#[path = "contract/facts.rs"]
mod facts;
#[path = "contract/files.rs"]
mod files;
#[path = "contract/isolation.rs"]
mod isolation;
#[path = "contract/network.rs"]
mod network;
#[path = "contract/roles.rs"]
mod roles;
#[path = "contract/signals.rs"]
mod signals;
#[path = "contract/start.rs"]
mod start;
#[path = "contract/streams.rs"]
mod streams;
#[path = "contract/terminal.rs"]
mod terminal;
#[path = "contract/waiting.rs"]
mod waiting;
