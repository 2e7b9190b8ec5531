//! Names, suffixes and passwords, from the world's seed.

use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// The alphabet of generated name suffixes (apimachinery's `rand.String`).
const SUFFIX: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// A shared source of randomness. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Random(Arc<Mutex<StdRng>>);

impl Random {
    /// The same sequence for the same seed.
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// From the operating system: what a lab that people reach must use, for its passwords are real.
    pub(crate) fn system() -> Self {
        Self(Arc::new(Mutex::new(StdRng::from_os_rng())))
    }

    /// A name suffix of so many characters.
    pub(crate) fn suffix(&self, length: usize) -> String {
        self.pick(SUFFIX, length)
    }

    /// So many characters of an alphabet (ASCII).
    pub(crate) fn pick(&self, alphabet: &[u8], length: usize) -> String {
        let mut random = self.lock();
        (0..length)
            .map(|_| char::from(alphabet[random.random_range(0..alphabet.len())]))
            .collect()
    }

    /// So many random bytes.
    pub(crate) fn bytes(&self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.lock().fill(bytes.as_mut_slice());
        bytes
    }

    /// A number from 0 up to, not including, 1.
    pub(crate) fn fraction(&self) -> f64 {
        self.lock().random()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, StdRng> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
