//! A whole management cluster on one machine: an embedded Kubernetes API server, and actors that behave as the real
//! operators do. Everything here is simulated, and says so.
//!
//! Begin with `actor.rs` (what an actor is) and `controller.rs` (what runs it); `actors/` has one file an operator;
//! `state/` is the management cluster as it stands before anything is installed, as data; `world.rs` puts it together.
//!
//! What is not here: anything of Berth's own procedure. What is under test may not appear in its own world.

mod actor;
mod client;
mod conditions;
mod generation;
mod kind;
mod random;
mod site;
mod time;

pub use generation::Generation;
pub use random::Random;
pub use time::{Speed, Time};
