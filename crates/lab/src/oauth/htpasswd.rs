//! htpasswd files, as Apache's tool writes them: bcrypt, `{SHA}` and `$apr1$`, which are what OpenShift reads.
//!
//! bcrypt, SHA-1 and MD5 are crates'. How Apache stirs MD5 for `$apr1$` is here: no kept crate has it.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use md5::{Digest, Md5};
use sha1::Sha1;

/// Users and their hashes. Lines that are neither are left out.
pub(super) fn users(file: &str) -> BTreeMap<String, String> {
    let lines = file.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once(':'))
        .map(|(user, hash)| (user.to_owned(), hash.trim().to_owned()))
        .collect()
}

/// Whether a password is the one that was hashed. Takes its time: not for the threads that serve.
pub(super) fn verify(password: &str, hash: &str) -> bool {
    if let Some(digest) = hash.strip_prefix("{SHA}") {
        return BASE64_STANDARD.encode(Sha1::digest(password)) == digest;
    }
    if let Some((salt, digest)) = hash.strip_prefix("$apr1$").and_then(|rest| rest.split_once('$')) {
        return apr1(password.as_bytes(), salt.as_bytes()) == digest;
    }
    bcrypt::verify(password, hash).unwrap_or(false)
}

/// Apache's variant of the MD5 crypt.
fn apr1(password: &[u8], salt: &[u8]) -> String {
    const ROUNDS: usize = 1000;
    let salt = &salt[..salt.len().min(8)];
    let inner = Md5::new()
        .chain_update(password)
        .chain_update(salt)
        .chain_update(password)
        .finalize();
    let mut digest = Md5::new()
        .chain_update(password)
        .chain_update("$apr1$")
        .chain_update(salt);
    for length in (0..password.len()).step_by(16) {
        digest.update(&inner[..(password.len() - length).min(16)]);
    }
    let mut bits = password.len();
    while bits > 0 {
        digest.update(if bits & 1 == 1 { &[0][..] } else { &password[..1] });
        bits >>= 1;
    }
    let mut state = digest.finalize();
    for round in 0..ROUNDS {
        let mut next = Md5::new();
        next.update(if round % 2 == 1 { password } else { &state });
        if round % 3 != 0 {
            next.update(salt);
        }
        if round % 7 != 0 {
            next.update(password);
        }
        next.update(if round % 2 == 1 { &state } else { password });
        state = next.finalize();
    }
    let mut text = String::new();
    for [high, middle, low] in [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]] {
        let group = (u32::from(state[high]) << 16) | (u32::from(state[middle]) << 8) | u32::from(state[low]);
        append(&mut text, group, 4);
    }
    append(&mut text, u32::from(state[11]), 2);
    text
}

/// Six bits at a time, the lowest first, in an alphabet of its own.
fn append(text: &mut String, mut bits: u32, count: usize) {
    const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for _ in 0..count {
        text.push(char::from(ALPHABET[(bits & 0x3f) as usize]));
        bits >>= 6;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_held_against_each_kind_of_hash() {
        // Made with `openssl passwd -apr1 -salt` and `openssl dgst -sha1`.
        for (password, hash) in [
            ("x", "$apr1$saltsalt$Q17bmANhIA7pctgRGqF/S0"),
            ("short", "$apr1$saltsalt$xeMXUHDLIm3HK4lY5wdwg."),
            (
                "a password of more than sixteen bytes",
                "$apr1$saltsalt$kCNsCiO/FRTholLpVNvPi1",
            ),
            ("sesame", "{SHA}CEo1Ae3vaEXy8eQZjsOiuBz1xrw="),
        ] {
            assert!(verify(password, hash), "{hash}");
            assert!(!verify("other", hash), "{hash}");
        }
        let bcrypt = bcrypt::hash_with_salt("correct horse", 4, [7; 16])
            .unwrap()
            .format_for_version(bcrypt::Version::TwoY);
        assert!(verify("correct horse", &bcrypt));
        assert!(!verify("wrong horse", &bcrypt));
        for hash in ["", "plain", "$apr1$nothing", "{SHA}", "$2y$05$broken"] {
            assert!(!verify("plain", hash) && !verify("", hash), "{hash}");
        }
    }

    #[test]
    fn files_may_hold_comments_and_lines_that_are_nothing() {
        let found = users("# made by hand\nalice:$2y$one\n\nbob\n  carol:{SHA}x \n");
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            [
                ("alice".to_owned(), "$2y$one".to_owned()),
                ("carol".to_owned(), "{SHA}x".to_owned()),
            ]
        );
    }
}
