//! A Buildbot worker.
#![forbid(unsafe_code)]
