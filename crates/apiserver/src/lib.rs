//! An embedded, Kubernetes-compatible API server: a library that any Rust operator can be tested against, and that can
//! be served over HTTPS for every other client.
//!
//! ```text
//! serve, tls, service      sockets and requests come in (or a `tower` call, in process)
//! path, negotiate, body    what is asked for, in which form
//! decode, protobuf         bodies into JSON values
//! handlers/                one file a verb: get, list, watch, create, update, patch, delete, discovery, …
//! admission                what every write goes through: metadata, defaults, pruning, validation, field ownership
//! registry, resource       what kinds there are: built in (data), custom (CRDs), virtual (a trait)
//! extension, rbac          what a distribution adds; what roles and bindings allow
//! types/                   what the built-in kinds are made of: one table
//! schema, patch, apply, …  pure functions on objects
//! cel                      the language of the rules in schemas
//! store, storage           versioned, watchable objects; the log that keeps them
//! controllers/             namespaces, garbage collection, default ServiceAccounts
//! ```
//!
//! Begin with [`ApiServer`] and [`Options`]; in a test of an operator a whole cluster is two lines:
//!
//! ```
//! use berth_apiserver::{ApiServer, Identity, Options};
//! use k8s_openapi::api::core::v1::Namespace;
//! use kube::{Api, Client};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = ApiServer::open(Options::in_memory())?;
//! let client = Client::new(server.service(Identity::admin()), "default");
//! let namespaces: Api<Namespace> = Api::all(client);
//! assert!(namespaces.get_opt("kube-system").await?.is_some());
//! # Ok(())
//! # }
//! ```
//!
//! Everything runs on the caller's runtime and clock: a paused tokio clock, a seeded [`Random`] and a fixed [`Clock`] make
//! every answer reproducible.
//!
//! What is not here: any knowledge of a particular distribution or operator, and workload controllers (a Deployment is
//! stored, but nothing makes its pods).

mod admission;
mod apply;
mod body;
mod builtin;
mod cel;
mod controllers;
mod converter;
mod crd;
mod decode;
mod extension;
mod field_error;
mod handlers;
mod identity;
mod metrics;
mod negotiate;
mod object;
mod object_meta;
mod objects;
mod openapi;
mod options;
mod patch;
mod path;
mod pki;
mod protobuf;
mod query;
mod random;
mod rbac;
mod registry;
mod resource;
mod schema;
mod selector;
mod serve;
mod server;
mod service;
mod stall;
mod status;
mod storage;
mod store;
mod table;
mod tls;
mod types;
mod value_path;
mod virtual_resource;

pub use admission::{AdmissionHook, AdmissionRequest, Operation, Refusal};
pub use body::Body;
pub use converter::Converter;
pub use extension::Extension;
pub use identity::{Authorizer, Decision, Identity, RequestAttributes};
pub use metrics::RequestCount;
pub use options::{Clock, Options, ServerVersion};
pub use pki::{CertificateAuthority, CertificateRequest, KeyAndCertificate, PkiError};
pub use random::Random;
pub use rbac::rbac;
pub use serve::serve;
pub use server::{ApiServer, OpenError};
pub use service::ApiService;
pub use storage::{FileStorage, Flush, MemoryStorage, Storage};
pub use tls::{Tls, TlsError};
pub use virtual_resource::{Objects, VirtualColumn, VirtualDefinition, VirtualResource};
