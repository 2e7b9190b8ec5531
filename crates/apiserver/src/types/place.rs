//! Where in an object of the table a value stands. Spelled only where there is something to say of it.

use std::fmt;

use super::table::Struct;

/// Where a value stands, from the inside out.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    /// The object itself.
    Root,
    /// A field of an object of a type.
    Field(&'a Self, &'a Struct, &'a str),
    /// An entry of a map.
    Entry(&'a Self, &'a str),
    /// An item of a list.
    Item(&'a Self, usize),
}

// === impl Place ===

impl Place<'_> {
    /// The field that the value is in as Go's errors name it: its object's type, and all fields on the way.
    pub(super) fn in_go(&self) -> Option<String> {
        let (mut names, mut holder, mut place) = (Vec::new(), None, self);
        loop {
            place = match place {
                Place::Root => break,
                Place::Field(outer, structure, name) => {
                    holder = holder.or(Some(structure.name.name));
                    names.push(*name);
                    outer
                }
                Place::Entry(outer, _) | Place::Item(outer, _) => outer,
            };
        }
        names.reverse();
        Some(format!("{}.{}", holder?, names.join(".")))
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(Self::Root, _, name) => f.write_str(name),
            Self::Field(outer, _, name) | Self::Entry(outer, name) => write!(f, "{outer}.{name}"),
            Self::Item(outer, index) => write!(f, "{outer}[{index}]"),
        }
    }
}
