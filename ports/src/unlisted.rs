//! A system that nobody has described yet: plain POSIX and no special knowledge. The template for a
//! new port: copy it, name it in `lib.rs`, run the contract tests, and shadow what they find.
//!
//! Without special knowledge a step is contained by its process group. A process that leaves the
//! group (`setsid`, a job of an interactive shell) is not found again.

pub use crate::unix::*;
