//! The procedure, as pure functions over documents and facts.
//!
//! Begin with [`Step`] (what a step is), then [`compile`] (documents → steps), then `steps/` (one file a step). [`render`]
//! makes the objects of a hosted cluster, for the steps and for the `hcp` drop-in alike; [`checks`] holds the rules that
//! refuse or warn before anything is written.
//!
//! What is not here: I/O, a clock, a Kubernetes client. Everything is a value in, a value out.

mod assess;
mod change;
mod effect;
mod facts;
mod secret;
mod step;

pub use assess::{Assessment, Diagnosis, Observed};
pub use change::{Change, Generate, ObjectRef, Removal};
pub use effect::{Effect, EffectFailure, Outcome, Perform};
pub use facts::{Facts, Scope, Seen, Selector, Server, Target};
pub use secret::Secret;
pub use step::{Command, Dependency, Lock, Step, StepId};
