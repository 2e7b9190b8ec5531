//! An RSA key in the two forms that `--generate-ssh` keeps: the private half as PEM of PKCS#1, the public half as a line of
//! `authorized_keys`.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{render::SshKey, secret::Secret};

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const PEM_WIDTH: usize = 64;

/// Both forms of a key that is given as PKCS#8 in DER; `None` where it is no such thing.
pub(super) fn key(pkcs8: &[u8]) -> Option<SshKey> {
    // PrivateKeyInfo: version, algorithm, and the PKCS#1 key in an octet string.
    let (info, _) = element(pkcs8, SEQUENCE)?;
    let (_, info) = element(info, INTEGER)?;
    let (_, info) = element(info, SEQUENCE)?;
    let (pkcs1, _) = element(info, OCTET_STRING)?;
    // RSAPrivateKey: version, modulus, public exponent, and what stays private.
    let (numbers, _) = element(pkcs1, SEQUENCE)?;
    let (_, numbers) = element(numbers, INTEGER)?;
    let (modulus, numbers) = element(numbers, INTEGER)?;
    let (exponent, _) = element(numbers, INTEGER)?;
    let mut blob = Vec::new();
    // A number in DER has the sign bit that SSH wants, too.
    for part in [b"ssh-rsa".as_slice(), exponent, modulus] {
        blob.extend(u32::try_from(part.len()).ok()?.to_be_bytes());
        blob.extend(part);
    }
    Some(SshKey {
        public: format!("ssh-rsa {}\n", STANDARD.encode(blob)),
        private: Some(Secret::new(pem(pkcs1))),
    })
}

/// The content of the first element, which must be of this kind, and what follows it.
fn element(der: &[u8], kind: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        let length = length.iter().try_fold(0_usize, |length, byte| {
            length.checked_mul(256)?.checked_add(usize::from(*byte))
        })?;
        (length, rest)
    };
    (found == kind).then_some(())?;
    rest.split_at_checked(length)
}

fn pem(der: &[u8]) -> String {
    const LABEL: &str = "RSA PRIVATE KEY";
    let text = STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {LABEL}-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, next) = rest.split_at(rest.len().min(PEM_WIDTH));
        pem.push_str(line);
        pem.push('\n');
        rest = next;
    }
    pem.push_str(&format!("-----END {LABEL}-----\n"));
    pem
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    use super::{INTEGER, OCTET_STRING, SEQUENCE, key};

    fn der(kind: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).unwrap();
        let head = if length < 0x80 {
            vec![kind, length]
        } else {
            vec![kind, 0x81, length]
        };
        [head.as_slice(), content].concat()
    }

    #[test]
    fn a_key_is_unwrapped_and_its_public_half_written_as_a_line() {
        // No key of any use: its numbers are made up.
        let modulus = [&[0][..], &[0xc3; 127]].concat();
        let numbers = [der(INTEGER, &[0]), der(INTEGER, &modulus), der(INTEGER, &[1, 0, 1])].concat();
        let pkcs1 = der(SEQUENCE, &numbers);
        let info = [der(INTEGER, &[0]), der(SEQUENCE, &[]), der(OCTET_STRING, &pkcs1)].concat();
        let made = key(&der(SEQUENCE, &info)).unwrap();
        let line = made
            .public
            .strip_prefix("ssh-rsa ")
            .unwrap()
            .strip_suffix('\n')
            .unwrap();
        let expected = [
            &[0, 0, 0, 7][..],
            b"ssh-rsa",
            &[0, 0, 0, 3, 1, 0, 1],
            &[0, 0, 0, 128],
            &modulus,
        ]
        .concat();
        assert_eq!(STANDARD.decode(line).unwrap(), expected);
        let private = made.private.unwrap();
        let lines: Vec<&str> = private.reveal().lines().collect();
        assert_eq!(lines[0], "-----BEGIN RSA PRIVATE KEY-----");
        assert_eq!(lines[1].len(), 64);
        let body = lines[1..lines.len() - 1].concat();
        assert_eq!(STANDARD.decode(body).unwrap(), pkcs1);

        for broken in [&b""[..], b"\x30", b"\x30\x05\x02", b"\x30\x89\xff"] {
            assert!(key(broken).is_none());
        }
    }
}
