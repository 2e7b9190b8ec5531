//! The procedure, as pure functions over documents and facts.
//!
//! Begin with [`Step`] (what a step is), then [`compile`] (documents → steps), then `steps/` (one file a step). [`render`]
//! makes the objects of a hosted cluster, for the steps and for the `hcp` drop-in alike; [`checks`] holds the rules that
//! refuse or warn before anything is written.
//!
//! What is not here: I/O, a clock, a Kubernetes client. Everything is a value in, a value out.

pub mod access;
pub mod actions;
mod adopt;
pub mod argocd;
mod assess;
pub mod backup;
mod blocker;
pub mod capacity;
mod change;
pub mod checks;
pub mod cidr;
mod compile;
mod effect;
pub mod explain;
mod facts;
#[cfg(test)]
mod fixtures;
pub mod forecast;
pub mod guide;
pub mod hcp;
pub mod identity;
pub mod import;
mod owner;
mod patch;
mod pause;
mod read;
pub mod rehearsal;
pub mod render;
mod secret;
pub mod status;
mod step;
mod steps;
mod upgrade;
pub mod versions;
mod walk;
pub mod why;

pub use assess::{Assessment, Diagnosis, Observed};
pub use blocker::{Blocker, LetGo, Release};
pub use change::{Change, Generate, ObjectRef, Proof, Removal, replacing};
pub use compile::{Platform, compile, compile_removal};
pub use effect::{Credential, Effect, EffectFailure, GuestServer, Login, Outcome, Perform};
pub use facts::{Facts, Scope, Seen, Selector, Server, Target};
pub use secret::Secret;
pub use step::{Command, Dependency, Lock, Step, StepId};
pub use steps::ids;
