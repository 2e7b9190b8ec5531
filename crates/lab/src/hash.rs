//! Digests in hexadecimal, for names and identities that must be the same each time.

use sha2::{Digest, Sha256};

/// The first so many hexadecimal digits of the SHA-256 of some parts, told apart.
pub(crate) fn hex(parts: &[&str], digits: usize) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let mut text = encode(&hash.finalize());
    text.truncate(digits);
    text
}

/// Bytes as hexadecimal digits.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or_default();
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0f)])
        .collect()
}
