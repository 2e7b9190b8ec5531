//! Randomness from the operating system, for keys that a command makes up.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::TryRngCore as _;
use rand::rngs::OsRng;

/// Fills a buffer.
pub(crate) fn fill(bytes: &mut [u8]) {
    OsRng
        .try_fill_bytes(bytes)
        .expect("the operating system has randomness");
}

/// So many bytes, as base64.
pub(crate) fn base64(length: usize) -> String {
    let mut bytes = vec![0; length];
    fill(&mut bytes);
    STANDARD.encode(bytes)
}
