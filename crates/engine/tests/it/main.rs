//! The engine against an embedded API server, with small steps that say what they want and nothing else.
//!
//! All on one thread and a paused clock: nothing here waits on wall time. `world` is the stage, `step` the actors.

mod faults;
mod gentle;
mod kills;
mod leases;
mod plan;
mod remove;
mod run;
mod step;
mod waits;
mod world;
