//! Hashes of pod templates, which name the ReplicaSets and revisions made of them.

use serde_json::Value;

/// The characters that apimachinery lets into generated names: none that could spell a word.
const SAFE: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// The hash of a pod template, as it stands in names and in the label `pod-template-hash`. The digits are not upstream's
/// (theirs is of a Go value's dump), only their form.
pub(super) fn of(template: &Value) -> String {
    let digits = fnv(template.to_string().as_bytes()).to_string();
    digits
        .bytes()
        .map(|digit| char::from(SAFE[usize::from(digit) % SAFE.len()]))
        .collect()
}

/// FNV-1a, 32 bits.
pub(super) fn fnv(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}
