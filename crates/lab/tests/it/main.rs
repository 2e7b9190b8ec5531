//! The lab as its users meet it: a simulated world, driven over the Kubernetes API alone.

mod bring_up;
mod hub;
