//! What coracle needs from an operating system.
