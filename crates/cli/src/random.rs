//! Randomness from the operating system, for keys that a command makes up.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
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

/// An RSA key of 4096 bits, as PKCS#8 in DER.
pub(crate) fn rsa_key() -> Result<Vec<u8>, String> {
    let made = KeyPair::generate(KeySize::Rsa4096).and_then(|key| {
        let der: Pkcs8V1Der<'_> = key.as_der()?;
        Ok(der.as_ref().to_vec())
    });
    made.map_err(|_| "the cryptographic library made none".to_owned())
}
