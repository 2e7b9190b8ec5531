//! Berth's documents, and the parts of upstream kinds that Berth reads or writes.
//!
//! What is not here: I/O.

mod resource;

/// The kinds' addresses: `resources::HOSTED_CLUSTER`.
pub mod resources {
    pub use crate::resource::*;
}
pub use resource::Resource;
