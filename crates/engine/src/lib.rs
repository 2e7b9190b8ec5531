//! The engine: observes clusters, plans, applies, waits. It knows a step only through
//! [`Step`](berth_procedure::Step).
//!
//! Begin with [`Engine`] (`engine.rs`: what it is given). Then, in the order of the data: `observe` (watches and lists →
//! facts), `diff` (what a write would change), `plan` (all steps → a [`Plan`], a value), `run` (the graph of steps:
//! `work` writes, the owner loop waits and assesses), `remove` (the way back), `leases` (who may write), `event` (the one
//! stream that progress, JSON lines and the console read). `api` is the wire.
//!
//! What is not here: what a step means, printing, the environment, a clock or randomness of its own.

mod api;
mod backoff;
mod diff;
mod engine;
mod event;
mod known;
mod leases;
mod object;
mod observe;
mod plan;
mod random;
mod remove;
mod report;
mod run;
mod work;

pub use api::{RequestError, RequestErrorKind};
pub use diff::{FieldChange, Shown};
pub use engine::{Connect, ConnectFailure, Connection, Engine, Limits, Options};
pub use event::{Event, StepTitle, What};
pub use leases::{Alive, Holder, LeaseError};
pub use object::ObjectName;
pub use observe::ReadError;
pub use plan::{Basis, Conflict, Plan, PlanError, PlannedEffect, PlannedStep, PlannedWrite, Verb, check_plan};
pub use random::Random;
pub use remove::{Blocked, PlannedRemoval, ReleaseError, RemovalPlan, RemovalReport, RemoveError, RemovedObject};
pub use report::{Outcome, Report, StepReport};
pub use run::RunError;

/// The field manager of every write.
pub const FIELD_MANAGER: &str = "berth";
