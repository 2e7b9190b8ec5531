//! From text to documents: [`load`] is the one way in, and reports every error of every file with its place.
//!
//! The order within: YAML (`yaml`) → envelope (which kind?) → `structure` (fields and types against the kind's own JSON
//! Schema, so that the two can't drift) → `rules` (what a schema can't say) → typed values.

mod envelope;
mod error;
mod format;
mod htpasswd;
mod identity_rules;
mod load;
mod position;
mod pull_secret;
mod rules;
mod structure;

pub(crate) use envelope::{GuestClusterDocument, ManagementClusterDocument};
pub use error::DocumentError;
pub use load::{Documents, Source, load};
pub use position::{Position, Positions};
pub use pull_secret::{PullSecretProblem, check_pull_secret};

/// The version of Berth's kinds.
pub(crate) const API_VERSION: &str = "berth.dev/v1alpha1";

#[cfg(test)]
mod tests;
