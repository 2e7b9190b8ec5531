//! Access to a guest: its kubeconfig as a value, when what is in it ends, the way to its API server, its console. Pure.
//!
//! Begin with `kubeconfig` (one context of a kubeconfig, and a kubeconfig with a guest's context in it); then `expiry`
//! (certificates and what to say of them), `reach` (what became of an attempt to reach an API server, and what that means),
//! `console`.
//!
//! Not here: files and locks (`cli`), the attempt itself (`effects`).

mod address;
mod certificate;
mod console;
mod expiry;
mod kubeconfig;
mod reach;
#[cfg(test)]
mod tests;

pub use address::{custom_name, endpoint, is_at, place, without_secrets};
pub use certificate::{Certificate, certificates};
pub use console::{Console, apps_domain, console};
pub use expiry::{Ends, Origin, Remark, WARN_DAYS, compare, ends, remarks, span};
pub use kubeconfig::{
    Credential, Entry, ExecUser, KubeconfigError, Merged, Names, Plugin, credential, has_comments, merge, own,
    with_exec,
};
pub use reach::{HubView, Reach, Tried, diagnose, hub_view};
