//! Where in an object a value stands. Spelled only where there is something to say of it: nearly every value is fine.

use std::fmt;

/// The way to a value, from the inside out.
#[derive(Debug, Clone, Copy)]
pub(super) enum Path<'a> {
    /// The object itself.
    Root,
    /// A field of it.
    Field(&'a Self, &'a str),
    /// An item of a list.
    Item(&'a Self, usize),
}

impl<'a> Path<'a> {
    pub(super) fn field(&'a self, name: &'a str) -> Self {
        Self::Field(self, name)
    }

    pub(super) fn item(&'a self, index: usize) -> Self {
        Self::Item(self, index)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(Self::Root, name) => f.write_str(name),
            Self::Field(parent, name) => write!(f, "{parent}.{name}"),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

impl From<&Path<'_>> for String {
    fn from(path: &Path<'_>) -> Self {
        path.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_spelled_as_upstream_spells_them() {
        let root = Path::Root;
        let (spec, list) = (root.field("spec"), root.field("list"));
        let (field, item) = (spec.field("a"), list.item(2));
        let nested = item.field("b");
        let paths = [&root, &spec, &field, &item, &nested].map(ToString::to_string);
        assert_eq!(paths, ["", "spec", "spec.a", "list[2]", "list[2].b"]);
    }
}
