//! One file a command: plain values in, words out through the printer.

pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod day2;
pub(crate) mod describe;
pub(crate) mod down;
pub(crate) mod explain;
pub(crate) mod get;
pub(crate) mod guest;
pub(crate) mod hcp;
pub(crate) mod identity;
pub(crate) mod import;
pub(crate) mod kubeconfig;
pub(crate) mod lab;
pub(crate) mod open;
pub(crate) mod pause;
pub(crate) mod plan;
pub(crate) mod pool;
pub(crate) mod render;
pub(crate) mod scale;
pub(crate) mod schema;
pub(crate) mod status;
pub(crate) mod up;
pub(crate) mod upgrade;
pub(crate) mod version;
pub(crate) mod why;
