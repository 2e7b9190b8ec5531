//! Where uids, generated names and other random things come from: a seed, or the operating system.

use std::sync::{Arc, Mutex, PoisonError};

use rand::{Rng, SeedableRng, rngs::StdRng};

/// The alphabet of generated name suffixes: no vowels and no digits that look like letters.
const SUFFIX: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// A shared source of randomness. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Random(Arc<Mutex<StdRng>>);

impl Random {
    /// The same sequence for the same seed.
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// From the operating system: what must be used where passwords and keys are real.
    pub fn system() -> Self {
        Self(Arc::new(Mutex::new(StdRng::from_os_rng())))
    }

    /// A random (version 4) UUID.
    pub fn uuid(&self) -> String {
        let mut bytes = [0_u8; 16];
        self.lock().fill(&mut bytes);
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let hex = format!("{:032x}", u128::from_be_bytes(bytes));
        format!(
            "{}-{}-{}-{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..]
        )
    }

    /// A name's suffix of so many characters, as `generateName` makes it.
    pub fn suffix(&self, length: usize) -> String {
        self.pick(SUFFIX, length)
    }

    /// So many characters of an alphabet (ASCII).
    pub fn pick(&self, alphabet: &[u8], length: usize) -> String {
        let mut random = self.lock();
        (0..length)
            .map(|_| char::from(alphabet[random.random_range(0..alphabet.len())]))
            .collect()
    }

    /// So many random bytes.
    pub fn bytes(&self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.lock().fill(bytes.as_mut_slice());
        bytes
    }

    /// A number from 0 up to, not including, 1.
    pub fn fraction(&self) -> f64 {
        self.lock().random()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, StdRng> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_uids_and_suffixes() {
        let (one, two) = (Random::seeded(7), Random::seeded(7));
        assert_eq!((one.uuid(), one.suffix(5)), (two.uuid(), two.suffix(5)));
        assert_ne!(one.uuid(), two.suffix(5));
    }

    #[test]
    fn uuids_are_version_4() {
        let uuid = Random::seeded(1).uuid();
        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid.as_bytes()[14], b'4');
        assert!(matches!(uuid.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
    }
}
