//! Tests of the whole program, as a user runs it: processes, a lab, real `kubectl` where there is one.

mod cli;
mod docs;
mod down;
mod faults;
mod hcp;
mod hub;
mod import;
mod kill;
mod lab;
mod life;
mod script;
mod seed;
mod simulation;
mod skip;
mod told;
mod up;
