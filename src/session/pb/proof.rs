//! The proof that a worker knows its password (PROTOCOL 3.6).

use md5::{Digest, Md5};

/// What a worker answers a challenge with, and what the master compares it with.
pub fn password_proof(password: &str, challenge: &[u8]) -> [u8; 16] {
    let password = Md5::digest(password.as_bytes());
    Md5::new()
        .chain_update(password)
        .chain_update(challenge)
        .finalize()
        .into()
}
