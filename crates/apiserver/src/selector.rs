//! Label and field selectors: their grammar, and what they match.
//!
//! Which fields a kind can be selected by is the caller's knowledge: [`FieldSelector::fields`] lets it refuse the rest.

mod field;
mod label;

#[cfg(test)]
mod tests;

pub(crate) use self::{field::FieldSelector, label::LabelSelector};
