//! Text that must never be printed: one type for what documents bring and what steps pass on.

pub use berth_api::Secret;
