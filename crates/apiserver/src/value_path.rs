//! Where in an object a value stands. Spelled only where there is something to say of it: nearly every value is fine.

use std::fmt;

/// The way to a value, from the inside out.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Path<'a> {
    /// The object itself.
    Root,
    /// A field of it.
    Field(&'a Self, &'a str),
    /// An item of a list.
    Item(&'a Self, usize),
    /// An entry of a map, where that is told apart from a field.
    Key(&'a Self, &'a str),
}

impl<'a> Path<'a> {
    pub(crate) fn field(&'a self, name: &'a str) -> Self {
        Self::Field(self, name)
    }

    pub(crate) fn key(&'a self, key: &'a str) -> Self {
        Self::Key(self, key)
    }

    pub(crate) fn item(&'a self, index: usize) -> Self {
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
            Self::Key(parent, key) => write!(f, "{parent}[{key}]"),
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
        let (nested, key) = (item.field("b"), field.key("k"));
        let paths = [&root, &spec, &field, &item, &nested, &key].map(ToString::to_string);
        assert_eq!(paths, ["", "spec", "spec.a", "list[2]", "list[2].b", "spec.a[k]"]);
    }
}
