//! The built-in types: one table of what the kinds of the Kubernetes API are made of, and what follows from it.
//!
//! The table is text, `types/*.txt`; `read.rs` says how it is written and reads it into the values of `table.rs`. From
//! them come the schemas that defaulting, merging and pruning work on (`node.rs`), what a body's decoder refuses and
//! drops (`decode.rs`), what must be in an object (`must.rs`), and elsewhere protobuf ([`crate::protobuf`]) and the OpenAPI
//! documents ([`crate::openapi`]). `dependent.rs` has the defaults that follow from other fields, which no table can say.
//!
//! Which of these kinds are served, and how, is said in [`crate::builtin`].

mod decode;
mod dependent;
mod must;
mod node;
mod place;
mod quantity;
mod read;
mod table;

#[cfg(test)]
mod tests;

pub(crate) use self::{
    decode::{Spelling, decode},
    must::missing,
    node::{BuiltIn, built_in, object_meta},
    read::digest,
    table::{Field, Name, Struct, Type, kind},
};
