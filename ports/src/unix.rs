//! The contract answered with plain POSIX, for every system that has nothing better.
//!
//! Code in here calls `crate::system::…` for what a system may do differently, so that a
//! definition in the system's own file takes effect also inside the common code. The functions
//! meant for that are listed in `ports/README.md`.

mod certificates;
mod child;
mod daemon;
mod facts;
mod files;
mod identity;
mod limits;
#[cfg(not(target_os = "solaris"))]
mod locks;
mod machine;
mod mark;
mod monitor;
mod network;
mod plan;
mod process;
mod raw;
mod reaping;
mod report;
mod service;
mod signals;
mod terminal;
mod wait;

pub(crate) use certificates::*;
pub(crate) use daemon::*;
pub(crate) use facts::*;
pub(crate) use files::*;
pub(crate) use identity::*;
pub(crate) use limits::*;
#[cfg(not(target_os = "solaris"))]
pub(crate) use locks::*;
pub(crate) use machine::*;
#[allow(unused_imports)] // A system may shadow all of it.
pub(crate) use mark::*;
#[allow(unused_imports)] // A system may shadow all of it.
pub(crate) use monitor::*;
pub use network::*;
pub use process::*;
pub(crate) use raw::*;
#[allow(unused_imports)] // A system's file may shadow all of it.
pub(crate) use reaping::*;
pub(crate) use service::*;
pub use signals::*;
pub(crate) use terminal::*;
pub use wait::*;
