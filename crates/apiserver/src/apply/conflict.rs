//! The refusal of an apply that would change what others own.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{
    field_set::FieldSet,
    managers::{ManagerId, Operation},
};

/// Every field that another manager owns with another value. Displays as the `Status` message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.message())]
pub(crate) struct Conflicts(pub(crate) Vec<Conflict>);

/// One field that another manager owns with another value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Conflict {
    /// The owner, as shown: `"kubectl-edit" using apps/v1`.
    pub(crate) owner: String,
    /// The field: `.spec.replicas`.
    pub(crate) field: String,
}

// === impl Conflicts ===

impl Conflicts {
    pub(super) fn of(conflicts: &BTreeMap<ManagerId, FieldSet>) -> Self {
        let each = conflicts.iter().flat_map(|(owner, fields)| {
            let owner = shown(owner);
            fields.paths().into_iter().map(move |field| Conflict {
                owner: owner.clone(),
                field,
            })
        });
        Self(each.collect())
    }

    /// The `Status` message: on one line for one conflict, as a list for several.
    pub(crate) fn message(&self) -> String {
        if let [only] = self.0.as_slice() {
            return format!("Apply failed with 1 conflict: {}: {}", only.message(), only.field);
        }
        let mut by_owner: BTreeMap<&str, String> = BTreeMap::new();
        for conflict in &self.0 {
            let fields = by_owner.entry(&conflict.owner).or_default();
            write!(fields, "\n- {}", conflict.field).expect("writing to a string cannot fail");
        }
        let lists = by_owner
            .iter()
            .map(|(owner, fields)| format!("conflicts with {owner}:{fields}"));
        format!(
            "Apply failed with {} conflicts: {}",
            self.0.len(),
            lists.collect::<Vec<_>>().join("\n")
        )
    }
}

// === impl Conflict ===

impl Conflict {
    /// The message of the `Status` cause; its field is [`Self::field`].
    pub(crate) fn message(&self) -> String {
        format!("conflict with {}", self.owner)
    }
}

fn shown(owner: &ManagerId) -> String {
    let mut text = format!("{:?}", owner.manager);
    if !owner.subresource.is_empty() {
        write!(text, " with subresource {:?}", owner.subresource).expect("writing to a string cannot fail");
    }
    if owner.operation == Operation::Update {
        write!(text, " using {}", owner.api_version).expect("writing to a string cannot fail");
    }
    text
}
