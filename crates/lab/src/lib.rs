//! A whole management cluster on one machine: an embedded Kubernetes API server, and actors that behave as the real
//! operators do. Everything here is simulated, and says so.
//!
//! Begin with `actor.rs` (what an actor is) and `controller.rs` (what runs it); `actors/` has one file an operator;
//! `state/` is the management cluster as it stands before anything is installed, as data; `world.rs` puts it together.
//!
//! What is not here: anything of Berth's own procedure. What is under test may not appear in its own world.

mod access;
mod actor;
mod actors;
mod archive;
mod authorities;
mod catalog;
mod client;
mod conditions;
mod controller;
mod conversion;
mod downloads;
mod generation;
mod guests;
mod hash;
mod home;
mod kind;
mod kubeconfig;
mod manifest;
mod oauth;
mod objects;
mod openshift;
mod process;
mod recorder;
mod schemas;
mod simulation;
mod site;
mod sockets;
mod state;
mod time;
mod timers;
mod webhooks;
mod world;

pub use actors::NoSuchActor;
pub use authorities::AuthoritiesError;
pub use generation::{Generation, NoSuchGeneration};
pub use home::{Home, InvalidLabName, LabName};
pub use process::{
    CrdsError, GenerationError, How, LabStatus, LaunchError, RUN_ARGUMENTS, RunError, Running, StartOptions, Started,
    StatusError, StopError, find, read_crds, reset, run_foreground, start, status, stop,
};
pub use simulation::{Simulation, SimulationOptions};
pub use time::{InvalidSpeed, Speed};
pub use world::{Faults, NoSuchWorkers, StartError, Workers};
